import ArgumentParser
import FoundationEssentials
import JSON
import Operations

/// What is to be restored, and how it is started and followed.
struct RestoreSelection: ParsableArguments {
    @Option(help: "The backup set's id.")
    var backup: IDArgument<Subject.Run>

    @Option(help: "An item of the set; several times for several.")
    var item: [IDArgument<Subject.BackupItem>] = []

    @Flag(help: "All items of the set.")
    var all = false

    @Flag(help: "Only the assignments of objects that are there.")
    var assignmentsOnly = false

    @Flag(help: "Leave assignments as they are; what is created has none.")
    var leaveAssignments = false

    @Option(help: "Your own key: the same key gives the same run, also after it has ended.")
    var key: String?

    func validate() throws {
        guard all != !item.isEmpty else { throw ValidationError("Say what: --all, or --item ID.") }
        guard item.count <= RestoreParameters.itemLimit else {
            throw ValidationError("At most \(RestoreParameters.itemLimit) items can be named; use --all.")
        }
        guard !assignmentsOnly || !leaveAssignments else {
            throw ValidationError("--assignments-only and --leave-assignments leave nothing to do.")
        }
    }

    /// Starts the run, follows it to its end, and shows its items. Throws exit code 1 unless it succeeded.
    func start(_ mode: String, _ output: Output) async throws {
        try await Settings().withAPI { api in
            let set = try await api.get(
                "/v1/backups/\(backup.id)", [("limit", "1")], doing: "find the backup")
            let operation: OperationType = assignmentsOnly ? .restoreAssignments : .restoreExecute
            let answer = try await api.send(
                "POST", "/v1/runs",
                [
                    "operation": .string(operation.rawValue),
                    "provider_connection_id": set["provider_connection"]?["id"] ?? .null,
                    "parameters": .object(parameters(mode)),
                ], headers: [("Idempotency-Key", key ?? "atlas-\(UUID().uuidString.lowercased())")],
                doing: "start the restore")
            guard let run = answer.body["run_id"]?.string else { return }
            let ended = try await RunWatch(api: api, output: output)
                .follow(run, limit: RunsWatchCommand.defaultTimeout)
            let items = try await RunsItemsCommand.items(of: run, api)
            var document = ended.object ?? JSONObject()
            document["items"] = .array(items)
            output.tell(.object(document)) { style in
                RunView(ended).lines(style) + [""] + RunItemsView(items).lines(style)
            }
            guard RunView(ended).hasSucceeded else { throw ExitCode(Failure.Code.refused.rawValue) }
        }
    }

    private func parameters(_ mode: String) -> JSONObject {
        var parameters: JSONObject = [
            "backup_id": .string("\(backup.id)"), "mode": .string(mode),
            "items": all ? "all" : .array(item.map { .string("\($0.id)") }),
        ]
        if leaveAssignments { parameters["assignments"] = "leave" }
        return parameters
    }
}
