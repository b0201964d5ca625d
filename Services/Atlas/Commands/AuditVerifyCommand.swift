import ArgumentParser
import JSON
import Operations
import ServiceKit
import Store

struct AuditVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Look whether the audit is what was recorded. Needs DATABASE_URL.",
        discussion: """
            The starter seals records once a second: blocks, each over the one before it, a
            chain for each workspace. This reads all of it and names the first record that
            was altered, removed or slipped in since (exit code 1).

            Whoever could remove the newest blocks together with their records can't be seen
            from the database alone. Keep a chain's head elsewhere, and give it with --head:
            once a head, it stays in the chain.

            EXAMPLES
              atlas audit verify
              atlas audit verify --workspace 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10
            """)

    @Option(help: "Only of this workspace.")
    var workspace: IDArgument<Subject.Workspace>?

    @Option(help: "A head that was there once: 64 hexadecimal digits.")
    var head: String?

    @Flag(help: "Print JSON, for machines.")
    var json = false

    func validate() throws {
        guard head == nil || knownHead != nil else {
            throw ValidationError("--head must be 64 hexadecimal digits.")
        }
        guard head == nil || workspace != nil else {
            throw ValidationError("Say with --workspace whose head it is.")
        }
    }

    func run() async throws {
        let output = Output(terminal: .standard, isJSON: json, isExact: true)
        let chains = try await Settings().withDatabase { pool in
            try await AuditVerification(pool: pool).verify(workspace?.id, knownHead: knownHead) {
                name, records in
                if !json {
                    output.terminal.progress("\(Style.plain(name)): \(Presentation.grouped(records)) records")
                }
            }
        }
        if !json { output.terminal.endProgress() }
        output.tell(["workspaces": .array(chains.map(\.json))]) { style in chains.flatMap { $0.lines(style) }
        }
        guard chains.allSatisfy(\.isWhole) else { throw ExitCode(Failure.Code.refused.rawValue) }
    }

    private var knownHead: [UInt8]? { head.flatMap(Hex.bytes).flatMap { $0.count == 32 ? $0 : nil } }
}

extension AuditVerification.Chain {
    fileprivate var isWhole: Bool { finding == nil && hasKnownHead != false }

    fileprivate func lines(_ style: Style) -> [String] {
        var lines = [
            "\(style.bold(Style.plain(name))): "
                + (finding == nil
                    ? style.paint("as it was recorded", .good) : style.paint("not as it was recorded", .bad))
        ]
        if let finding { lines.append("  \(finding.sentence)") }
        if hasKnownHead == false {
            lines.append(
                "  " + style.paint("The head that you know is not in the chain", .bad)
                    + ": its end was removed.")
        }
        lines += [
            "  \(Presentation.grouped(records)) records in \(Presentation.grouped(blocks)) blocks,"
                + " \(Presentation.grouped(unsealed)) too fresh to be sealed",
            "  workspace \(workspaceID)", "  head \(head.isEmpty ? "none yet" : Hex.text(head))",
        ]
        return lines
    }

    fileprivate var json: JSON {
        [
            "workspace_id": .string("\(workspaceID)"), "name": .string(name), "whole": .bool(isWhole),
            "records": .int(records), "blocks": .int(blocks), "unsealed": .int(unsealed),
            "head": head.isEmpty ? .null : .string(Hex.text(head)),
            "has_known_head": hasKnownHead.map(JSON.bool) ?? .null, "finding": finding?.json ?? .null,
        ]
    }
}

extension AuditVerification.Finding {
    fileprivate var sentence: String {
        let record = recordID.map { "Record \($0)" } ?? ""
        let said = entry.map { " (\(Style.plain($0.action)), \(Timestamp($0.at)))" } ?? ""
        let place = block.map { " Block \($0)." } ?? ""
        return switch change {
        case .altered: "\(record)\(said) was altered.\(place)"
        case .removed: "\(record) was removed.\(place)"
        case .inserted where block == nil:
            "\(record)\(said) is in no block: it was slipped in later, or its block was removed."
        case .inserted: "\(record)\(said) was slipped in later.\(place)"
        case .blockAltered: "Block \(block ?? 0) of the chain was altered, or the one before it was."
        case .blockRemoved: "Block \(block ?? 0) of the chain was removed."
        }
    }

    fileprivate var json: JSON {
        [
            "change": .string(change.rawValue), "record_id": recordID.map(JSON.int) ?? .null,
            "block": block.map(JSON.int) ?? .null, "action": .optional(entry?.action),
            "at": entry.map { Timestamp.json($0.at) } ?? .null,
        ]
    }
}
