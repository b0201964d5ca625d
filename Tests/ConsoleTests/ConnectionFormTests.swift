import CredentialFixtures
import Fixtures
import FoundationEssentials
import HTTPTypes
import Operations
import Postgres
import ServiceKit
import Store
import Testing
import WebFixtures

@testable import Console

/// Making and changing connections, and their credentials.
struct ConnectionFormTests {
    private static let entra = "6f1d2a52-2c0b-4a39-8a3f-0d5d2f2f7c11"

    private func fields(_ tenant: TenantID, _ changes: [String: String] = [:]) -> [(String, String)] {
        [
            ("tenant", "\(tenant)"), ("display_name", "Main <b>"),
            ("entra_tenant_id", Self.entra.uppercased()),
            ("entra_tenant_name", "Contoso"), ("client_id", "7f1d2a52-2c0b-4a39-8a3f-0d5d2f2f7c11"),
            ("cloud", "us_government"),
        ].map { ($0.0, changes[$0.0] ?? $0.1) }
    }

    private func make(_ stage: ConsoleStage, _ browser: Browser) async throws -> String {
        let reply = try await browser.post("/admin/provider-connections/new", fields(stage.world.tenant))
        return try #require(reply.location)
    }

    @Test func whatWasTypedStaysUntilItIsRight() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .manager)
            let wrong = try await browser.post(
                "/admin/provider-connections/new",
                fields(stage.world.tenant, ["entra_tenant_id": "contoso", "client_id": ""]))
            #expect(wrong.status == 422)
            #expect(wrong.text.contains("The Entra tenant&#39;s id must be a UUID."))
            #expect(wrong.text.contains("The application&#39;s id must be a UUID."))
            #expect(
                wrong.text.contains("value=\"contoso\"") && wrong.text.contains("value=\"Main &lt;b&gt;\""))
            #expect(wrong.text.contains("<option value=\"us_government\" selected>"))
            #expect(wrong.text.contains("<option value=\"\(stage.world.tenant)\" selected>"))

            let page = try await make(stage, browser)
            #expect(page.hasPrefix("/admin/provider-connections/"))
            let text = try await browser.get(page).text
            #expect(
                text.contains("Main &lt;b&gt;") && text.contains("US Government") && text.contains(Self.entra)
            )
            #expect(text.contains("none: nothing can be started"))
            let again = try await browser.post(
                "/admin/provider-connections/new", fields(stage.world.tenant))
            #expect(again.status == 422 && again.text.contains("has a connection of this application"))
        }
    }

    @Test func anEditIsOfWhatWasSeen() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .manager)
            let page = try await make(stage, browser)
            let edit = fields(stage.world.tenant).filter { $0.0.hasPrefix("entra") }
            func save(_ name: String, revision: String) async throws -> CollectedResponse {
                try await browser.post(
                    "\(page)/edit", edit + [("display_name", name), ("revision", revision)])
            }
            let form = try await browser.get("\(page)/edit").text
            let revision = try #require(form.firstMatch(of: #/name="revision" value="([0-9]+)"/#)).1
            #expect(try await save("Second", revision: String(revision)).location == page)
            #expect(try await browser.get(page).text.contains("Second"))
            let stale = try await save("Third", revision: String(revision))
            #expect(stale.status == 422 && stale.text.contains("Somebody else changed this connection"))
            #expect(stale.text.contains("value=\"Third\""))
            // Nothing else is nothing.
            #expect(try await save("Second", revision: String(revision)).location == page)
        }
    }

    @Test func anotherEntraTenantIsAskedForAndProved() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .manager)
            let page = try await make(stage, browser)
            let form = try await browser.get("\(page)/edit").text
            let revision = try #require(form.firstMatch(of: #/name="revision" value="([0-9]+)"/#)).1
            let fields = [
                ("display_name", "Main"), ("entra_tenant_name", "Contoso"), ("revision", String(revision)),
                ("entra_tenant_id", "00000000-0000-4000-8000-000000000001"),
            ]
            let question = try await browser.post("\(page)/edit", fields)
            #expect(question.status == 200 && question.text.contains("point to another Entra tenant?"))
            #expect(try await browser.get(page).text.contains(Self.entra))
            let reply = try await browser.post("\(page)/edit", fields + [("confirm", "yes")])
            let told = try await browser.get(try #require(reply.location))
            #expect(told.text.contains("In effect") && told.text.contains("Off the wire"))
            #expect(try await !browser.get(page).text.contains(Self.entra))
        }
    }

    @Test func theDefaultIsMovedAndAConnectionIsDisabled() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .manager)
            let page = try await make(stage, browser)
            #expect(try await browser.get(page).text.contains("Make it the default"))
            #expect(try await browser.post("\(page)/default", []).location == page)
            #expect(try await !browser.get(page).text.contains("Make it the default"))
            let id = page.split(separator: "/").last.map(String.init) ?? ""
            let fields = [("change", "connection"), ("connection", id), ("on", "no")]
            let question = try await browser.post("/admin/access", fields)
            #expect(question.status == 200 && question.text.contains("Disable the connection"))
            _ = try await browser.post("/admin/access", fields + [("confirm", "yes")])
            #expect(try await browser.get(page).text.contains(">Enable</button>"))
            let back = try await browser.post(
                "/admin/access", [("change", "connection"), ("connection", id), ("on", "yes")])
            #expect(back.status == 303 && back.location == page)
        }
    }

    // MARK: credentials

    @Test func aSecretIsSetReplacedAndNeverShown() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .manager)
            let page = try await make(stage, browser)
            let secret = "s3cret-\(UUID().uuidString)"
            func set(_ fields: [(String, String)]) async throws -> CollectedResponse {
                try await browser.post("\(page)/credential", [("kind", "secret")] + fields)
            }
            let past = try await set([("client_secret", secret), ("expires_on", "2020-01-01")])
            #expect(past.status == 422 && past.text.contains("The day on which it expires is in the past."))
            #expect(!past.text.contains(secret) && past.text.contains("value=\"2020-01-01\""))
            let spaced = try await set([("client_secret", "\(secret) x")])
            #expect(spaced.status == 422 && !spaced.text.contains(secret))

            let first = try await set([("client_secret", secret)])
            #expect(first.status == 303 && first.location == page)
            let shown = try await browser.get(page).text
            #expect(shown.contains("client secret, version 1") && !shown.contains(secret))
            let second = try await set([("client_secret", "\(secret)2")])
            let told = try await browser.get(try #require(second.location)).text
            #expect(
                told.contains("nothing is called with the one before any more") && told.contains("In effect"))
            let form = try await browser.get("\(page)/credential").text
            #expect(form.contains("version 2") && !form.contains(secret))
            #expect(try await !browser.get("/admin/audit").text.contains(secret))
        }
    }

    @Test func aCertificateComesInOneFile() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .manager)
            let page = try await make(stage, browser)
            let sample = SampleCertificate.shared
            func send(_ parts: [(String, String?, String)]) async throws -> CollectedResponse {
                try await browser.upload(
                    "\(page)/credential", parts + [("kind", nil, "certificate")])
            }
            let wrong = try await send([
                ("certificate_file", "a.pem", SampleCertificate.other.certificate),
                ("private_key", nil, sample.privateKey), ("certificate", nil, ""),
                ("private_key_file", "", ""),
            ])
            #expect(wrong.status == 422, "\(wrong.status)")
            #expect(wrong.text.contains("The private key belongs to another certificate."))
            let line = sample.privateKey.split(separator: "\n")[3]
            #expect(!wrong.text.contains(line))
            let none = try await send([("certificate", nil, sample.privateKey), ("private_key", nil, "x")])
            #expect(none.status == 422 && !none.text.contains(line))

            let both = try await send([
                ("certificate_file", "both.pem", "\(sample.privateKey)\n\(sample.certificate)\n"),
                ("certificate", nil, ""), ("private_key", nil, ""), ("private_key_file", "", ""),
            ])
            #expect(both.status == 303 && both.location == page)
            let shown = try await browser.get(page).text
            #expect(shown.contains("certificate, version 1") && shown.contains(Hex.text(sample.thumbprint)))
        }
    }
}

extension Browser {
    /// A form with files: each part with its name, the file's name (nil for a plain value), and what it holds.
    func upload(_ path: String, _ parts: [(String, String?, String)]) async throws -> CollectedResponse {
        let boundary = "----x\(UUID().uuidString)"
        var body = ""
        for (name, file, value) in parts + [("csrf", nil, formToken)] {
            body += "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\""
            if let file { body += "; filename=\"\(file)\"\r\nContent-Type: application/octet-stream" }
            body += "\r\n\r\n\(value)\r\n"
        }
        let headers: HTTPFields = [
            .contentType: "multipart/form-data; boundary=\(boundary)", .origin: ConsoleStage.origin,
        ]
        return try await CollectedResponse(
            response(.post, path, headers: headers, body + "--\(boundary)--\r\n"))
    }
}
