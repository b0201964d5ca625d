import JSON
import Testing

@testable import GraphSandbox

@Suite struct QueryOptionsTests {
    @Test func readsWhatGraphKnows() throws {
        let options = try QueryOptions(QueryString("$select=id,%20deviceName&$top=5&$count=true&top=9&x=y"))
        #expect(options.select == ["id", "deviceName"])
        #expect(options.top == 5)
        #expect(options.filter == nil)
    }

    @Test func capsLargePages() throws {
        #expect(try QueryOptions(QueryString("$top=1000000")).top == 1_000)
    }

    @Test(arguments: [
        "$top=x", "$top=0", "$top=-1", "$top=", "$select=", "$expand=x", "$orderby=x", "$search=x", "$foo=1",
    ])
    func refusesTheRest(_ query: String) {
        #expect(throws: QueryOptions.Failure.self) { try QueryOptions(QueryString(query)) }
    }

    @Test func selectsInTheClientsOrderAndKeepsTheType() throws {
        let options = try QueryOptions(QueryString("$select=b,a"))
        let document: JSONObject = ["@odata.type": "t", "a": 1, "b": 2, "c": 3]
        #expect(options.selected(document) == ["@odata.type": "t", "b": 2, "a": 1])
    }

    @Test func skipTokensBelongToOneList() throws {
        func scope(_ tenant: String = "t", _ list: String = "l", _ filter: String? = nil) -> SkipToken.Scope {
            SkipToken.Scope(seed: 1, tenant: tenant, list: list, filter: filter)
        }
        for form in [nil, NextLinkForm.doubleEncoded] {
            let wire = SkipToken(position: 123_456_789_012).encoded(scope(), form: form)
            let decoded = try #require(PercentCoding.decode(wire[...], plusIsSpace: true))
            #expect(SkipToken(decoded, scope())?.position == 123_456_789_012)
            #expect(SkipToken(decoded, scope("u")) == nil)
            #expect(SkipToken(decoded, scope("t", "m")) == nil)
            #expect(SkipToken(decoded, scope("t", "l", "f")) == nil)
            #expect(SkipToken(String(decoded.dropLast()), scope()) == nil)
            // A client that decodes once too often, or too rarely, has changed the URL.
            #expect(SkipToken(wire, scope()) == nil)
            let again = PercentCoding.decode(decoded[...], plusIsSpace: true)
            #expect(form == nil || SkipToken(again ?? "", scope()) == nil)
        }
        #expect(SkipToken("", scope()) == nil)
    }
}
