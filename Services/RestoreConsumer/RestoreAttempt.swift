import Foundation
import Graph
import JSON
import Operations
import Store

/// One attempt of a run: goes through the items that are not settled yet, one after the other, and records of each what
/// it is about to do and what came of it.
///
/// Items are written one by one because the later ones refer to the earlier, and because then at most one of them is in
/// doubt when the process dies.
struct RestoreAttempt: Sendable {
    /// How often one item is planned anew after a write of it whose outcome is not known.
    private static let mostRounds = 3

    private let selection: Selection
    private let session: GraphSession
    private let planner: ItemPlanner
    private let ledger: Ledger
    private let backups: BackupReading
    private let permit: ExecutionPermit
    private var known: Known
    private var rows: [String: Ledger.Item]
    private var begun: [String: ItemPlanner.Begun] = [:]

    /// `rows` is what earlier attempts recorded.
    init(
        selection: Selection, session: GraphSession, planner: ItemPlanner, ledger: Ledger,
        backups: BackupReading, permit: ExecutionPermit, rows: [Ledger.Recorded]
    ) {
        self.selection = selection
        self.session = session
        self.planner = planner
        self.ledger = ledger
        self.backups = backups
        self.permit = permit
        known = Known(selection, rows)
        self.rows = Dictionary(rows.map { ($0.item.key, $0.item) }, uniquingKeysWith: { $1 })
        for row in rows { noteBegun(row) }
    }

    /// Goes through the items: first those that are in doubt, then those that nothing was done about.
    mutating func work() async throws {
        let open =
            selection.items.filter { begun[$0.key] != nil } + selection.items.filter { rows[$0.key] == nil }
        for start in stride(from: 0, to: open.count, by: BackupReading.documentLimit) {
            let items = open[start..<min(start + BackupReading.documentLimit, open.count)]
            let documents = try await backups.documents(
                items.map(\.id), of: selection.set, in: permit.execution.tenantID)
            let byID = Dictionary(uniqueKeysWithValues: documents.map { ($0.item.id, $0) })
            for item in items {
                if let document = byID[item.id] {
                    try await settle(document)
                } else {
                    try await record(refused(Obstacle.notInBackup, item.key, label: nil))
                }
            }
        }
    }

    private mutating func settle(_ document: BackupDocument) async throws {
        switch planner.parameters.mode {
        case .preview: try await record(preview(document))
        case .execute:
            let row = try await restore(document)
            try await record(row)
            if row.state == .applied, let id = row.objectID { known.note(document.item, became: id) }
        }
    }

    // MARK: preview

    private mutating func preview(_ document: BackupDocument) async throws -> Ledger.Item {
        let item = document.item
        do {
            let change = try await plan(document)
            let word: ItemWord = change.isEmpty ? .unchanged : change.objectID == nil ? .create : .update
            if word == .create { known.promise(item) }
            return Ledger.Item(
                key: item.key, state: .planned, result: word.rawValue, label: item.label,
                detail: Sentence.planned(change, document), objectID: change.objectID)
        } catch let obstacle as Obstacle {
            return refused(obstacle, item.key, label: item.label)
        }
    }

    private func refused(_ obstacle: Obstacle, _ key: String, label: String?) -> Ledger.Item {
        let isPreview = planner.parameters.mode == .preview
        return Ledger.Item(
            key: key, state: isPreview ? .planned : .failed,
            result: isPreview ? obstacle.kind.rawValue : obstacle.word, label: label,
            detail: obstacle.sentence)
    }

    /// The plan; what the provider says about this one item is an ``Obstacle``, too.
    private func plan(_ document: BackupDocument) async throws -> Change {
        do {
            return try await planner.plan(document, begun[document.item.key], known)
        } catch let failure as GraphFailure {
            if let obstacle = Obstacle(failure) { throw obstacle }
            throw failure
        }
    }

    // MARK: execution

    /// Restores one item, and says what it is then. An item stays in doubt when even looking at the tenant again does
    /// not tell what came of a write.
    private mutating func restore(_ document: BackupDocument) async throws -> Ledger.Item {
        let item = document.item
        for _ in 0..<Self.mostRounds {
            do {
                let change = try await plan(document)
                if change.isEmpty { return done(document, change) }
                if let item = try await write(change, document) { return item }
                try await readDoubts()
            } catch let obstacle as Obstacle {
                return stopped(obstacle, item)
            }
        }
        return rows[item.key]!
    }

    private func done(_ document: BackupDocument, _ change: Change) -> Ledger.Item {
        let item = document.item
        let word = rows[item.key]?.result.flatMap(ItemWord.init)?.done ?? .unchanged
        return Ledger.Item(
            key: item.key, state: .applied, result: word.rawValue, label: item.label,
            detail: Sentence.done(word, change, document), objectID: change.objectID)
    }

    /// An item that can't be restored. When something of it was begun it has failed only if it is known what is there.
    private func stopped(_ obstacle: Obstacle, _ item: BackupItem) -> Ledger.Item {
        guard let row = rows[item.key] else { return refused(obstacle, item.key, label: item.label) }
        let isUnknown = begun[item.key]?.isUnknownCreate == true
        let before = row.result.flatMap(ItemWord.init)?.doubt ?? ""
        return Ledger.Item(
            key: item.key, state: isUnknown ? .inDoubt : .failed,
            result: isUnknown ? row.result : obstacle.word,
            label: item.label, detail: "\(before) \(obstacle.sentence)", objectID: row.objectID)
    }

    /// Writes a change, intent first. Nil when it is not known whether all of it was carried out.
    private mutating func write(_ change: Change, _ document: BackupDocument) async throws -> Ledger.Item? {
        let item = document.item
        let wasBegun = rows[item.key] != nil
        var step = WrittenStep(isAnythingWritten: wasBegun)
        try await intend(change, item)
        do {
            try await send(change, item, &step)
            return done(document, change.with(objectID: step.objectID))
        } catch let failure as GraphFailure where failure.failure == .unknownOutcome {
            return nil
        } catch let failure as GraphFailure {
            if let obstacle = Obstacle(failure) {
                if step.isAnythingWritten { return stopped(obstacle, item) }
                return refused(obstacle, item.key, label: item.label)
            }
            if !step.isAnythingWritten { try await takeBack(item) }
            throw failure
        } catch let refusal as CallRefusal {
            // Nothing was sent. Whoever lost the run finds that out here as well, and changes nothing.
            if !step.isAnythingWritten { try await takeBack(item) }
            throw refusal
        }
    }

    /// How far the requests of one item got.
    private struct WrittenStep {
        var isAnythingWritten: Bool
        var objectID: String?
    }

    private mutating func send(_ change: Change, _ item: BackupItem, _ step: inout WrittenStep) async throws {
        let surface = PolicySurface.of(item.kind)
        step.objectID = change.objectID
        if let content = change.content {
            if let id = change.objectID {
                let update = PolicyWriting.of(item.kind)!.update
                _ = try await session.write(
                    update == .put ? .put : .patch, surface.path.appending("/\(id)"), content)
            } else {
                let answer = try await session.write(.post, surface.path, content)
                guard let id = answer.body?["id"]?.string else {
                    // It is there; which it is has to be looked up.
                    throw GraphFailure(.unknownOutcome, call: "POST (policy)", httpStatus: answer.status)
                }
                step.objectID = id
                known.note(item, became: id)
                try await record(begunItem(.created, item, objectID: id))
            }
            step.isAnythingWritten = true
        }
        let path = surface.path.appending("/\(step.objectID!)")
        for action in change.actions {
            _ = try await session.write(.post, path.appending(Self.path(of: action.name)), action.body)
            step.isAnythingWritten = true
        }
        if let assign = change.assign {
            _ = try await session.write(.post, path.appending("/assign"), assign)
        }
    }

    /// Names of actions are ours, so they stand in the path's template.
    private static func path(of action: String) -> GraphPath { GraphPath(stringLiteral: "/\(action)") }

    // MARK: the ledger

    /// Records what is about to be written, before anything is sent.
    private mutating func intend(_ change: Change, _ item: BackupItem) async throws {
        var word: ItemWord = change.objectID == nil ? .creating : .updating
        // What this run created is created, whatever is still missing.
        if rows[item.key]?.result.flatMap(ItemWord.init)?.done == .created, word == .updating {
            word = .created
        }
        try await record(begunItem(word, item, objectID: change.objectID))
    }

    private func begunItem(_ word: ItemWord, _ item: BackupItem, objectID: String?) -> Ledger.Item {
        Ledger.Item(
            key: item.key, state: .inDoubt, result: word.rawValue, label: item.label, detail: word.doubt,
            objectID: objectID)
    }

    private mutating func record(_ item: Ledger.Item) async throws {
        rows[item.key] = item
        try await ledger.record([item], progress: progress, under: permit)
    }

    /// Takes an intent back: nothing of it was sent.
    private mutating func takeBack(_ item: BackupItem) async throws {
        rows[item.key] = nil
        try await ledger.record([], cleared: [item.key], progress: progress, under: permit)
    }

    /// Reads again when the items in doubt became so.
    private mutating func readDoubts() async throws {
        for row in try await ledger.items(of: permit.execution.runID, limit: Selection.limit) {
            noteBegun(row)
        }
    }

    private mutating func noteBegun(_ row: Ledger.Recorded) {
        guard row.item.state == .inDoubt else { return }
        let left = planner.settleTime - .seconds(row.age ?? 0)
        begun[row.item.key] = ItemPlanner.Begun(row: row, settlesAt: .now + left)
    }

    private var progress: Ledger.Progress {
        let settled = rows.values.count { $0.state != .inDoubt }
        return Ledger.Progress(done: settled, total: selection.items.count, cursor: nil)
    }
}

extension BackupItem {
    /// What people call it.
    fileprivate var label: String { "\(kind.word) «\(name ?? policyID)»" }
}
