import ArgumentParser
import JSON
import Operations

/// The flag of commands that take something away for good, and what they do.
struct RemovalOptions: ParsableArguments {
    @Flag(help: "Print JSON, for machines.")
    var json = false

    /// Removes what is at `path` and tells it: machines by its `id` under `name`, people with what follows from it.
    /// `doing` completes «Could not …».
    func remove(
        _ path: String, _ name: String, _ id: some CustomStringConvertible, doing: String, so: String
    ) async throws {
        let output = Output(terminal: .standard, isJSON: json, isExact: false)
        try await Settings().withAPI { api in
            _ = try await api.send("DELETE", path, doing: doing)
            output.tell(JSON.object([name: .string("\(id)"), "removed": true])) { style in
                ["\(style.paint("removed", .good)). \(so)"]
            }
        }
    }
}
