import Foundation
import Fixtures
import Operations
import Postgres
import SeededRandom
import Store
import Testing
import WebFixtures

@testable import Console

/// Whatever a tenant's people write into names, it stays text.
struct HostileTextTests {
    private static let seeds = [
        "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "'><svg onload=alert(1)>",
        "{{page}}", "{{{csrf}}}", "{{#page}}", "&lt;script&gt;", "javascript:alert(1)", "</textarea><script>",
        "<!--", "-->", "]]>", "\u{202E}gpj.exe", "\u{2066}abc", "a\u{0}b", "\u{FEFF}",
        String(repeating: "W", count: 200),
        "<a href=\"javascript:alert(1)\">x</a>", "<style>*{display:none}</style>", "\r\nSet-Cookie: a=b",
    ]

    @Test func namesStayText() async throws {
        var random = SplitMix(seed: 20)
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .owner)
            _ = try await stage.start(browser)
            let run = try await stage.runs()[0]
            try await NotificationThings.make(stage, run, for: stage.world.owner)
            for round in 0..<100 {
                let pick = Self.seeds[Int.random(in: 0..<Self.seeds.count, using: &random)]
                let text = String((pick + "\(round)").replacing("\u{0}", with: "").prefix(200))
                _ = try await stage.pool.pipeline([
                    ("UPDATE tenants SET name = $1", [.text(text)]),
                    (
                        "UPDATE provider_connections SET display_name = $1, entra_tenant_name = $1",
                        [.text(text)]
                    ),
                    ("UPDATE users SET name = $1", [.text(text)]),
                    ("UPDATE notifications SET title = $1, body = $1", [.text(text)]),
                    ("UPDATE webhooks SET label = $1, origin = $1", [.text(text)]),
                    (
                        "UPDATE dead_letters SET type = left($1, 100), message_id = left($1, 100), reason = left($1, 100)",
                        [.text(text)]
                    ),
                    ("UPDATE saved_views SET name = left($1, 60), query = $1", [.text(text)]),
                ])
                for path in [
                    "/admin", "/admin/operations", "/admin/operations/\(run)", "/admin/tenants",
                    "/admin/provider-connections", "/admin/provider-connections/\(stage.world.connection)",
                    "/admin/me", "/admin/tenants/\(stage.world.tenant)", "/admin/access",
                    "/admin/access/\(stage.world.owner)", "/admin/audit",
                    "/admin/provider-connections/\(stage.world.connection)/edit",
                    "/admin/provider-connections/\(stage.world.connection)/credential",
                    "/admin/provider-connections/new", "/admin/notifications",
                    "/admin/notifications/webhooks", "/admin/notifications/deliveries",
                    "/admin/dead-letters",
                ] {
                    let page = try await browser.get(path)
                    #expect(page.status == 200)
                    if text.contains(where: { "<>\"'&".contains($0) }) {
                        #expect(!page.text.contains(text), "\(path) shows \(text) as it is")
                    }
                    #expect(page.text.components(separatedBy: "<script").count == 2, "\(path): \(text)")
                }
            }
        }
    }

    /// What a person types into the filter comes back as text, too.
    @Test func typedTextStaysText() async throws {
        try await ConsoleStage.with { stage in
            let browser = try await stage.browser(of: .owner)
            for text in Self.seeds {
                let page = try await browser.get("/admin/operations?q=\(text.urlEncoded)")
                #expect(page.status == 200)
                #expect(page.text.components(separatedBy: "<script").count == 2, "\(text)")
            }
        }
    }
}
