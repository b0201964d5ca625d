import Testing

@testable import Graph

@Suite struct OriginTests {
    static let graph = Origin(url: "https://graph.microsoft.com")!

    static let same = [
        "https://graph.microsoft.com", "https://graph.microsoft.com/",
        "https://graph.microsoft.com:443/v1.0/x",
        "HTTPS://GRAPH.Microsoft.COM/v1.0?$skiptoken=a%2Fb", "https://graph.microsoft.com?x",
        "https://graph.microsoft.com#x",
        "https://graph.microsoft.com/@evil.example",
    ]

    @Test(arguments: same) func sameOrigin(_ url: String) {
        #expect(Origin(url: url) == Self.graph)
        #expect(NextLink(url, on: Self.graph)?.url == url)
    }

    static let foreign = [
        "http://graph.microsoft.com/", "https://graph.microsoft.com:444/",
        "https://graph.microsoft.com.evil.example/",
        "https://graph.microsoft.com@evil.example/", "https://graph.microsoft.com:443@evil.example/",
        "https://graph.microsoft.com\\@evil.example/", "https://evil.example/https://graph.microsoft.com",
        "https://graph.microsoft.com./", "https://graph%2Emicrosoft.com/", "//graph.microsoft.com/",
        "/v1.0/x", "",
        "https:/graph.microsoft.com/", "https:///graph.microsoft.com", "https://",
        "https://graph.microsoft.com:/",
        "https://graph.microsoft.com:0443443/", "https://graph.microsoft.com:+443/", "https://[::1]/",
        " https://graph.microsoft.com/", "https://graph.microsoft.com/ x", "https://graph.microsoft.com/\n",
        "https://graph.microsoft.com/\u{0}", "https://gr\u{430}ph.microsoft.com/",
        "https://graph.microsoft.com/\u{e4}",
        "ftp://graph.microsoft.com/", "javascript:alert(1)", "https://graph.microsoft.com:443:443/",
        "https://graph.microsoft.us/", "https://graph_microsoft.com/",
    ]

    @Test(arguments: foreign) func anotherOrigin(_ url: String) {
        #expect(Origin(url: url) != Self.graph)
        #expect(NextLink(url, on: Self.graph) == nil)
    }

    @Test func linksHaveALimit() {
        let url = "https://graph.microsoft.com/" + String(repeating: "x", count: NextLink.longest)
        #expect(NextLink(url, on: Self.graph) == nil)
    }

    @Test func originsReadAsTheyAreWritten() {
        for url in ["https://graph.microsoft.com", "http://127.0.0.1:8080", "http://localhost"] {
            #expect(Origin(url: url)?.description == url)
        }
        #expect(Origin(url: "HTTP://LocalHost:80/x")?.description == "http://localhost")
    }

    @Test func clouds() {
        let sandbox = Origin(url: "http://127.0.0.1:1234")!
        #expect(Cloud(stored: "sandbox", sandbox: sandbox) == .sandbox(sandbox))
        #expect(Cloud(stored: "sandbox", sandbox: nil) == nil)
        #expect(Cloud(stored: "https://evil.example", sandbox: sandbox) == nil)
        #expect(Cloud(stored: "Global", sandbox: sandbox) == nil)
        let expected = [
            ("global", "https://login.microsoftonline.com", "https://graph.microsoft.com"),
            ("us_government", "https://login.microsoftonline.us", "https://graph.microsoft.us"),
            ("us_government_dod", "https://login.microsoftonline.us", "https://dod-graph.microsoft.us"),
            ("china", "https://login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn"),
            ("sandbox", "http://127.0.0.1:1234", "http://127.0.0.1:1234"),
        ]
        for (stored, login, graph) in expected {
            let cloud = Cloud(stored: stored, sandbox: sandbox)
            #expect(cloud?.login.description == login)
            #expect(cloud?.graph.description == graph)
        }
    }
}
