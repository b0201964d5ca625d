import FoundationEssentials
import JSON
import Operations
import Store

/// Restoring from a backup set: first what would be done, item by item (a run that writes nothing), then the same items
/// for real.
struct RestoreForms: Sendable {
    /// The most items that are shown before they are restored; all that were chosen are restored.
    private static let shownLimit = 500

    let backups: BackupReading
    let runs: RunReading
    let ledger: Ledger
    let access: AccessReading
    let starter: StarterClient

    /// What is to be brought back.
    private enum Extent: String {
        /// Content and assignments.
        case whole
        case content
        case assignments

        var operation: OperationType { self == .assignments ? .restoreAssignments : .restoreExecute }
    }

    // MARK: what would be done

    func preview(_ id: RunID, _ form: FormBody, _ visit: Visit) async throws -> FormAnswer {
        let set = try await restorable(id, visit)
        let extent = form["extent"].flatMap(Extent.init) ?? .whole
        var parameters: JSONObject = [
            "backup_id": .string("\(id)"), "items": try Self.items(form), "mode": "preview",
        ]
        if extent == .content { parameters["assignments"] = "leave" }
        return await .done(
            start(
                extent.operation, .object(parameters), on: set, key: form["key"], back: Link.backup(id),
                done: "Looking at what would be done; nothing is written by it.", visit))
    }

    /// The items that were ticked, or all of the set.
    private static func items(_ form: FormBody) throws -> JSON {
        if form["all"] == "yes" { return "all" }
        let chosen = form.all("item")
        guard !chosen.isEmpty else { throw Fault.invalid("Choose at least one item.") }
        return .array(chosen.map(JSON.string))
    }

    // MARK: doing it

    private struct View: Sendable {
        struct Row: Sendable {
            let name: String
            /// What would be done; nil when nothing would.
            let word: String?
            let detail: String?
        }

        let title: String
        let sentences: [String]
        let rows: [Row]
        let isCut: Bool
        let limit: String
        let action: String
        let preview: String
        let button: String
        let origin: String
    }

    /// A preview that has ended well, of which the items can be restored.
    private struct Preview {
        let run: RunDetail
        let operation: OperationType
        let endedAt: Date
    }

    func restore(_ id: RunID, _ form: FormBody, _ visit: Visit) async throws -> FormAnswer {
        let set = try await restorable(id, visit)
        guard let preview = try await preview(form["preview"], of: set) else {
            throw Fault.invalid("Look first at what would be done: choose the items, and see the preview.")
        }
        guard form.isConfirmed else { return .page(try await question(preview, set, visit)) }
        let run = preview.run.summary.id
        var parameters = preview.run.parameters?.object ?? JSONObject()
        parameters["mode"] = "execute"
        return await .done(
            start(
                preview.operation, .object(parameters), on: set, key: visit.seal.key("restore \(run)"),
                back: Link.run(run),
                done: "\(OperationCatalogue.definition(preview.operation).label): queued.",
                visit))
    }

    /// The run that showed what a restore from the set would do; nil for anything else.
    private func preview(_ text: String?, of set: BackupSummary) async throws -> Preview? {
        guard let id = text.flatMap({ RunID($0) }), let run = try await runs.run(id),
            let offer = RestoreOffer(run), offer.backup == set.id, let endedAt = run.summary.completedAt
        else { return nil }
        return Preview(run: run, operation: offer.operation, endedAt: endedAt)
    }

    private func question(
        _ preview: Preview, _ set: BackupSummary, _ visit: Visit
    ) async throws -> SitePage {
        let run = preview.run.summary.id
        let items = try await ledger.items(of: run, limit: Self.shownLimit + 1).map(\.item)
        let rows = items.prefix(Self.shownLimit).map { item in
            View.Row(
                name: item.label ?? item.key, word: RestoreOffer.word(item.result), detail: item.detail)
        }
        let moment = MomentView(preview.endedAt, now: visit.now)
        return SitePage(
            template: "restore", title: "Restore on \(set.tenant.name)?", section: .backups,
            content: View(
                title: "Restore on \(set.tenant.name)?",
                sentences: [
                    "This is what would have been done \(moment.relative) (\(moment.exact)). What has to be done is"
                        + " decided again for each item when it is its turn: for these items, and no others."
                ],
                rows: rows.filter { $0.word != nil } + rows.filter { $0.word == nil },
                isCut: items.count > Self.shownLimit, limit: Presentation.grouped(Self.shownLimit),
                action: Link.restore(set.id), preview: "\(run)",
                button: "Restore on \(set.tenant.name)", origin: Link.run(run)))
    }

    /// Leads to the run: there it is seen, item by item.
    private func start(
        _ operation: OperationType, _ parameters: JSON, on set: BackupSummary, key: String?, back: String,
        done: String, _ visit: Visit
    ) async -> Outcome {
        let answer = await starter.start(
            operation.rawValue, on: "\(set.connection.id)", parameters, key: key, as: visit.secret)
        guard let run = answer.run else { return Outcome(ofStart: answer, back: back, done: done) }
        return Outcome(path: Link.run(run), notice: Notice(.good, done))
    }

    private func restorable(_ id: RunID, _ visit: Visit) async throws -> BackupSummary {
        try await Access(of: visit.principal, at: .backup(id), access).require(.restoreExecute)
        guard let set = try await backups.set(id) else { throw Fault.notFound }
        return set
    }
}
