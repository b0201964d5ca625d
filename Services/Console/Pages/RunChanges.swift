import FoundationEssentials
import JSON
import Operations
import ServiceKit
import Store

/// Starting, stopping and repeating runs: through the Starter, which decides.
struct RunChanges: Sendable {
    /// The most runs that one form changes.
    static let limit = 200

    /// What a form may do with runs that are there.
    private enum Change: String {
        case cancel, retry

        /// Why it can't be done with a run; nil when it can.
        func obstacle(_ run: RunSummary) -> String? {
            switch self {
            case .cancel: run.state == .completed ? "It has ended already." : nil
            case .retry where run.state != .completed: "It has not ended yet."
            case .retry: run.outcome == .succeeded ? "It succeeded." : nil
            }
        }

        var words: String { self == .cancel ? "cancelled" : "started again" }
    }

    let runs: RunReading
    let access: AccessReading
    let starter: StarterClient
    let operations: OperationsPage

    // MARK: one run

    /// Starts an operation on a connection. The form's own key makes of a double click one run.
    func start(_ form: FormBody, _ visit: Visit) async throws -> Outcome {
        let back = Link.local(form["back"]) ?? SitePage.Section.connections.href
        let name = form["operation"] ?? ""
        let answer = await starter.start(
            name, on: form["connection"] ?? "", key: form["key"], as: visit.secret)
        let label = OperationCatalogue.definition(named: name)?.label ?? name
        return Outcome(ofStart: answer, back: back, done: "\(label): queued.")
    }

    func retry(_ id: RunID, _ form: FormBody, _ visit: Visit) async throws -> Outcome {
        let answer = await starter.retry(id, key: form["key"], as: visit.secret)
        return Outcome(ofStart: answer, back: Link.run(id), done: "Started again: queued.")
    }

    func cancel(_ id: RunID, _ form: FormBody, _ visit: Visit) async throws -> Outcome {
        let answer = await starter.cancel(id, as: visit.secret)
        guard answer.isSuccess else {
            return Outcome(path: Link.run(id), notice: Notice(.bad, answer.detail))
        }
        let isOver = answer.body["state"]?.string == RunState.completed.rawValue
        return Outcome(
            path: Link.run(id),
            notice: Notice(
                .good, isOver ? "Cancelled." : "It was asked to stop, and stops before its next step."))
    }

    // MARK: many runs

    /// What the template of the preview reads.
    private struct View: Sendable {
        struct Row: Sendable {
            let run: RunRow
            let obstacle: String?
        }

        let change: String
        let words: String
        let count: Int
        let canConfirm: Bool
        let rows: [Row]
        /// Those with which it can be done.
        let ready: [String]
        let key: String
        let back: String
        let limit: Int
        let isCut: Bool
    }

    /// What would be done, before anything is.
    func preview(_ form: FormBody, _ visit: Visit) async throws -> SitePage {
        let change = try Self.change(form)
        let (found, isCut) = try await chosen(form, visit)
        let places = try await places(of: found, visit)
        let rows = found.map { run in
            let isAllowed = places[Self.capability(run)]?.contains(run.tenant.id) == true
            return View.Row(
                run: RunRow(run, now: visit.now),
                obstacle: isAllowed
                    ? change.obstacle(run)
                    : "Your role there does not include \(Self.capability(run).rawValue).")
        }
        let ready = rows.filter { $0.obstacle == nil }
        return SitePage(
            template: "run-preview", title: "Before anything is done", section: .operations,
            content: View(
                change: change.rawValue, words: change.words, count: ready.count, canConfirm: !ready.isEmpty,
                rows: rows, ready: ready.map(\.run.id), key: Hex.random(16),
                back: Link.local(form["back"]) ?? SitePage.Section.operations.href, limit: Self.limit,
                isCut: isCut))
    }

    /// What it takes to change a run: the same as to start its operation.
    private static func capability(_ run: RunSummary) -> Capability {
        OperationCatalogue.definition(named: run.operation)?.capability ?? .accessManage
    }

    /// Where the visitor may change runs like these.
    private func places(of runs: [RunSummary], _ visit: Visit) async throws -> [Capability: Set<TenantID>] {
        var places: [Capability: Set<TenantID>] = [:]
        for capability in Set(runs.map(Self.capability)) {
            places[capability] = Set(
                try await Access.tenants(of: visit.principal, holding: capability, access))
        }
        return places
    }

    /// Does it with the runs that the preview named.
    func apply(_ form: FormBody, _ visit: Visit) async throws -> Outcome {
        let change = try Self.change(form)
        let back = Link.local(form["back"]) ?? SitePage.Section.operations.href
        var done = 0
        var refusals: [String] = []
        for id in form.all("run").prefix(Self.limit).compactMap({ RunID($0) }) {
            let answer =
                switch change {
                case .retry:
                    await starter.retry(id, key: "console \(form["key"] ?? "")", as: visit.secret)
                case .cancel: await starter.cancel(id, as: visit.secret)
                }
            if answer.isSuccess { done += 1 } else { refusals.append(answer.detail) }
        }
        let noun = done == 1 ? "run was" : "runs were"
        var text = "\(done) \(noun) \(change.words)."
        if let first = refusals.first { text += " \(refusals.count) could not be: \(first)" }
        return Outcome(path: back, notice: Notice(refusals.isEmpty ? .good : .bad, text))
    }

    private static func change(_ form: FormBody) throws -> Change {
        guard let change = form["change"].flatMap(Change.init) else {
            throw Fault.invalid("Choose what to do with the runs: cancel, or start again.")
        }
        return change
    }

    /// The runs that were ticked, or all that the list's query finds; and whether there are more than ``limit``.
    private func chosen(_ form: FormBody, _ visit: Visit) async throws -> (runs: [RunSummary], isCut: Bool) {
        var (filter, _) = try await operations.filter(form["q"] ?? "", visit)
        filter.limit = Self.limit
        guard form["all"] != "yes" else {
            let page = try await runs.list(filter)
            return (page.entries, page.hasMore)
        }
        let ids = form.all("run").prefix(Self.limit).compactMap { RunID($0) }
        guard !ids.isEmpty else { throw Fault.invalid("Choose at least one run.") }
        return (try await runs.list(ids, on: filter.tenants), false)
    }
}
