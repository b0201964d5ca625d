import ArgumentParser
import Foundation
import JSON
import Testing

@testable import Atlas

@Suite struct ArgumentTests {
    @Test(arguments: [
        ("30s", 30), ("5m", 300), ("2h", 7_200), ("1d", 86_400), ("365d", 365 * 86_400), ("1s", 1),
    ])
    func lengthsOfTime(text: String, seconds: Int) {
        #expect(TimeSpan(argument: text)?.seconds == seconds)
    }

    @Test(arguments: [
        "", "s", "30", "0s", "-5m", "+5m", "1.5h", " 5m", "5 m", "5M", "366d", "99999999999999999999d", "1w",
    ])
    func whatIsNoLengthOfTime(text: String) {
        #expect(TimeSpan(argument: text) == nil)
    }

    /// Every command with its path, for instance `["runs", "list"]`.
    static let commands: [(path: [String], type: any ParsableCommand.Type)] = {
        func below(
            _ type: any ParsableCommand.Type, _ path: [String]
        ) -> [(path: [String], type: any ParsableCommand.Type)] {
            type.configuration.subcommands.flatMap { command in
                let own = path + [command.configuration.commandName!]
                return [(own, command)] + below(command, own)
            }
        }
        return below(AtlasCommand.self, [])
    }()

    @Test func allCommandsAreThere() {
        let leaves = Self.commands.filter { $0.type.configuration.subcommands.isEmpty }
        #expect(
            Set(leaves.map { $0.path.joined(separator: " ") }) == [
                "start", "runs list", "runs show", "runs items", "restore preview", "restore execute",
                "runs watch", "runs cancel", "runs retry", "explain",
                "schedules add", "schedules list", "schedules show", "schedules pause", "schedules resume",
                "schedules remove", "dead-letters list", "dead-letters show", "dead-letters redrive",
                "dead-letters drop", "access grant",
                "access revoke", "access role", "access suspend", "access resume", "access write-gate open",
                "access write-gate close", "access freeze", "access unfreeze", "access disable-user",
                "access enable-user", "backups list", "backups show", "connections list",
                "connections show", "connections create", "connections edit", "connections default",
                "connections enable", "connections disable", "credentials set", "credentials reseal",
                "groups list", "audit list", "audit export", "audit verify",
                "notifications list", "notifications deliveries", "notifications redeliver",
                "notifications email", "webhooks add", "webhooks list", "webhooks rotate", "webhooks disable",
                "webhooks enable", "webhooks remove", "tokens create", "tokens list", "tokens issue",
                "tokens revoke", "accounts set", "accounts link", "keys generate", "migrate", "demo-data",
                "database-logins", "broker-definitions", "version", "workspaces create", "users create",
                "users list", "tenants create", "tenants list",
            ])
    }

    /// An example that does not work is worse than none.
    @Test func helpHasExamplesThatAreUnderstood() throws {
        for (path, type) in Self.commands + [([], AtlasCommand.self)] {
            let help = type.configuration
            #expect(!help.abstract.isEmpty)
            if help.subcommands.isEmpty { #expect(help.discussion.contains("EXAMPLE"), "\(path)") }
            for line in help.discussion.split(separator: "\n") {
                // Prose is broken by us; a command stands in one line, so that it can be copied.
                #expect(line.count <= (line.hasPrefix("  ") ? 90 : 80), "too long for a terminal: \(line)")
                guard let start = line.range(of: " atlas "), line.hasPrefix("  "),
                    line[..<start.lowerBound].split(separator: " ").allSatisfy({ $0.contains("=") })
                else { continue }
                let arguments = Self.words(line[start.upperBound...])
                #expect(arguments.starts(with: path), "\(line)")
                do { _ = try AtlasCommand.parseAsRoot(arguments) } catch {
                    Issue.record("«\(line)» is not understood: \(AtlasCommand.message(for: error))")
                }
            }
        }
    }

    /// The words of a shell's command line, and an id in place of the word ID.
    private static func words(_ line: Substring) -> [String] {
        var words: [String] = [""]
        var isQuoted = false
        for character in line {
            switch character {
            case "'": isQuoted.toggle()
            case " " where !isQuoted: words.append("")
            default: words[words.count - 1].append(character)
            }
        }
        return words.map { $0 == "ID" ? UUID().uuidString : $0 }
    }

    @Test(arguments: [
        ["nonsense"], ["workspaces", "create", " "], ["tenants", "create"], ["tenants", "create", "A", "a"],
        ["users", "create", "A", "--role", "king"], ["start"], ["start", "compliance.snapshot"],
        ["start", "compliance.snapshot", "--tenant", "A", "--connection", "B"],
        ["start", "x", "--tenant", "A", "--wait-limit", "soon"], ["runs", "list", "--limit", "0"],
        ["runs", "list", "--limit", "201"], ["runs", "list", "--state", "ended"],
        ["runs", "list", "--outcome", "good"], ["runs", "show"], ["runs", "show", "7"],
        ["runs", "watch", "--timeout", "0s", "00000000-0000-0000-0000-000000000001"],
        ["access", "grant", "--user", "A", "--tenant", "B", "--role", "king"],
        ["access", "revoke", "--user", "A"],
        ["access", "revoke", "--user", "A", "--tenant", "B", "--workspace"],
        ["access", "freeze"], ["access", "freeze", "--everything", "--workspace"],
        ["access", "freeze", "--connection", "Contoso"], ["tokens", "issue"],
        ["tokens", "issue", "--user", "A", "--days", "0"], ["tokens", "issue", "--user", "A", "--label", ""],
        ["tokens", "issue", "--user", "A", "--days", "366"], ["tokens", "create"],
        ["tokens", "create", "--label", "x", "--capability", "root"],
        ["tokens", "revoke", "7"], ["connections", "edit", "00000000-0000-0000-0000-000000000001"],
        ["connections", "create", "--tenant", "A", "--name", "B"],
        ["credentials", "set", "00000000-0000-0000-0000-000000000001", "--key", "k.pem"],
        ["credentials", "set", "00000000-0000-0000-0000-000000000001", "--expires", "soon"],
        ["credentials", "set", "00000000-0000-0000-0000-000000000001", "--client-secret", "x"],
        ["groups", "list"], ["groups", "list", "Contoso", "--limit", "0"],
        ["keys", "generate"], ["notifications", "--limit", "201"],
    ])
    func wrongUsage(_ arguments: [String]) async throws {
        let finished = try await AtlasProcess(environment: [:]).run(arguments)
        #expect(finished.status == 2)
        #expect(finished.output.isEmpty)
        #expect(finished.errors.contains("Usage:") || finished.errors.contains("See"), "\(finished.errors)")
        let machine = try await AtlasProcess(environment: [:]).run(arguments + ["--json"])
        #expect(machine.status == 2)
        #expect(machine.error?["exit_code"] == 2)
    }

    @Test func helpAndVersionGoToTheOutput() async throws {
        for arguments in [
            ["--help"], ["help", "runs", "list"], ["access", "-h"], ["runs"], ["version"], [],
        ] {
            let finished = try await AtlasProcess(environment: [:]).run(arguments)
            #expect(finished.status == 0, "\(arguments)")
            #expect(!finished.output.isEmpty)
            #expect(finished.errors.isEmpty)
        }
        let version = try await AtlasProcess(environment: ["TENANTATLAS_COMMIT": "abc123"]).run(
            "version", "--json")
        #expect(try version.json["commit"] == "abc123")
    }
}
