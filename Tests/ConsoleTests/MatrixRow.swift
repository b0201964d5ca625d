import Fixtures
import HTTPTypes
import Operations
import Testing
import WebFixtures

@testable import Console

/// How something is answered to each visitor: outside its scope it is not there (404), inside it takes the capability
/// (403).
struct ExpectedAnswer {
    let status: (Visitor) -> Int

    static func by(_ status: @escaping (Visitor) -> Int) -> ExpectedAnswer { ExpectedAnswer(status: status) }

    /// The same to everybody.
    static func always(_ status: Int) -> ExpectedAnswer { by { _ in status } }

    /// About one thing on the first tenant.
    static func here(_ takes: Capability, _ status: Int = 200) -> ExpectedAnswer {
        by { $0.role.map { $0.holds(takes) ? status : 403 } ?? 404 }
    }

    /// About what the visitor may see anywhere.
    static func somewhere(_ takes: Capability, _ status: Int = 200) -> ExpectedAnswer {
        by { $0.somewhere?.holds(takes) == true ? status : 403 }
    }

    /// About the visitor's whole workspace.
    static func everywhere(_ takes: Capability, _ status: Int = 200) -> ExpectedAnswer {
        by { $0.everywhere?.holds(takes) == true ? status : 403 }
    }

    /// About a person of the stage's workspace, who is not there for the other one.
    static func ours(_ expected: ExpectedAnswer) -> ExpectedAnswer {
        by { $0.isForeign ? 404 : expected.status($0) }
    }
}

/// A request of a matrix, and how it is answered.
struct MatrixRow {
    let path: String
    /// Of an action; nil of a page.
    let fields: [(String, String)]?
    let expected: ExpectedAnswer

    static func page(_ path: String, _ expected: ExpectedAnswer) -> MatrixRow {
        MatrixRow(path: path, fields: nil, expected: expected)
    }

    static func action(
        _ path: String, _ fields: [(String, String)], _ expected: ExpectedAnswer
    ) -> MatrixRow { MatrixRow(path: path, fields: fields, expected: expected) }

    /// Asks the rows of every route as every visitor, and compares. Returns how many answers there were.
    static func ask(
        _ routes: [Route], as visitors: [Visitor], _ stage: ConsoleStage, _ rows: (Route) -> [MatrixRow]
    ) async throws -> Int {
        var asked = 0
        for visitor in visitors {
            let browser = try await stage.browser(of: visitor.id)
            for route in routes {
                for row in rows(route) {
                    let path = String(row.path.prefix { $0 != "?" })
                    #expect(Route(row.fields == nil ? .get : .post, path: path) == route)
                    let reply = try await row.ask(browser)
                    #expect(
                        reply.status == row.expected.status(visitor),
                        "\(row.path) \(row.fields ?? []) by \(visitor.name): \(reply.status)")
                    // Nobody reads a name of what they may not see.
                    if visitor.role == nil {
                        #expect(!reply.text.contains("Tenant 1"), "\(row.path) by \(visitor.name)")
                    }
                    asked += 1
                }
            }
        }
        return asked
    }

    private func ask(_ browser: Browser) async throws -> CollectedResponse {
        guard let fields else { return try await browser.get(path) }
        return try await browser.post(path, fields)
    }
}
