import ArgumentParser
import Operations
import Store

/// The workspace in which something is made, past the API.
struct WorkspaceOption: ParsableArguments {
    @Option(help: "The workspace: a unique name, or an id. Not needed where there is one only.")
    var workspace: String?

    /// The one that is named, or the only one.
    func resolve(_ administration: Administration) async throws -> Named<Subject.Workspace> {
        let all = try await administration.workspaces().map {
            Named<Subject.Workspace>(id: $0.id, name: $0.name)
        }
        guard let workspace else {
            if all.count == 1 { return all[0] }
            throw Failure(
                code: .refused, what: "Nothing was made.",
                why: all.isEmpty ? "There is no workspace yet." : "There are \(all.count) workspaces.",
                next: all.isEmpty ? "Make it: atlas workspaces create NAME" : "Say which with --workspace.")
        }
        if let id = WorkspaceID(workspace), let found = all.first(where: { $0.id == id }) { return found }
        return try Naming.pick(workspace, from: all, kind: "workspace")
    }
}
