import FoundationEssentials
import Graph
import JSON
import Operations
import Store

/// Decides what has to be written of one item, from its document and the tenant as it is now.
struct ItemPlanner: Sendable {
    /// How far the provider's clock may be behind ours, in seconds.
    private static let clockTolerance = 120.0
    private static let lookAgain = Duration.seconds(2)

    let tenant: LiveTenant
    let parameters: RestoreParameters
    /// After this time a create that was begun is either listed, or was never carried out.
    let settleTime: Duration

    /// What an earlier step began and did not finish.
    struct Begun: Sendable {
        let row: Ledger.Recorded
        /// When ``settleTime`` has passed for it.
        let settlesAt: ContinuousClock.Instant

        /// Whether a create was begun whose object is not known.
        var isUnknownCreate: Bool {
            row.item.objectID == nil && row.item.result == ItemWord.creating.rawValue
        }
    }

    /// Which object an item is.
    private enum Match {
        case object(String, JSONObject)
        case none
    }

    /// The change; an empty one when all is as it should be. Throws ``Obstacle``, or what the provider did.
    func plan(_ document: BackupDocument, _ begun: Begun?, _ known: Known) async throws -> Change {
        let kind = document.item.kind
        guard let writing = PolicyWriting.of(kind) else { throw Obstacle.notWritable }
        if !parameters.isWhole, writing.assignmentsKey == nil { throw Obstacle.notAssignable }
        var change = Change()
        var live: JSONObject?
        switch try await match(document, begun, known) {
        case .object(let id, let object):
            change.objectID = id
            live = try Self.canonical(object, kind)
        case .none:
            guard parameters.isWhole else { throw Obstacle.objectMissing }
        }
        if parameters.isWhole {
            if let live, let member = writing.fixedDifference(document.content, live) {
                throw Obstacle.fixed(member)
            }
            try await planContent(document.content, live, writing, known, &change)
            if change.content != nil, document.item.secrets > 0 {
                throw Obstacle.secretsMasked(document.item.secrets)
            }
        }
        if parameters.assignments == .restore, writing.assignmentsKey != nil {
            try await planAssignments(document.content, live, writing, known, &change)
        }
        return change
    }

    private func planContent(
        _ document: JSONObject, _ live: JSONObject?, _ writing: PolicyWriting, _ known: Known,
        _ change: inout Change
    ) async throws {
        // As it was already: then nothing is written, and nothing has to be checked.
        var untouched = change
        let loose = References(tenant: tenant, known: known, isChecked: false)
        untouched.compare(content: try await loose.content(document, writing.kind), with: live, writing)
        if untouched.content == nil, untouched.actions.isEmpty {
            change = untouched
        } else {
            let checked = References(tenant: tenant, known: known, isChecked: true)
            change.compare(content: try await checked.content(document, writing.kind), with: live, writing)
        }
    }

    private func planAssignments(
        _ document: JSONObject, _ live: JSONObject?, _ writing: PolicyWriting, _ known: Known,
        _ change: inout Change
    ) async throws {
        var untouched = Change()
        let loose = References(tenant: tenant, known: known, isChecked: false)
        untouched.compare(assignments: try await loose.assignments(document), with: live, writing)
        guard untouched.assign != nil else { return }
        let checked = References(tenant: tenant, known: known, isChecked: true)
        change.compare(assignments: try await checked.assignments(document), with: live, writing)
    }

    /// The stored form of what was read now, so that the two can be compared.
    private static func canonical(_ object: JSONObject, _ kind: PolicyKind) throws -> JSONObject {
        let bytes = PolicyDocument(object, of: .of(kind)).content
        guard let document = try JSON(parsing: bytes).object else {
            throw GraphFailure(.malformedAnswer, call: "GET (policy)", httpStatus: 200)
        }
        return document
    }

    // MARK: which object it is

    private func match(_ document: BackupDocument, _ begun: Begun?, _ known: Known) async throws -> Match {
        let item = document.item
        if let id = begun?.row.item.objectID, id != item.policyID {
            guard let object = try await tenant.object(id, of: item.kind) else { throw Obstacle.vanished }
            return .object(id, object)
        }
        if let object = try await tenant.object(item.policyID, of: item.kind) {
            return .object(item.policyID, object)
        }
        let name = document.content[PolicySurface.of(item.kind).name]?.string ?? ""
        let type = document.content["@odata.type"]?.string
        let found =
            if let begun, begun.isUnknownCreate {
                try await lookUp(item, begun, named: name, type: type, known)
            } else {
                known.candidates(for: item, named: name, type: type, in: try await tenant.list(item.kind))
            }
        guard found.count <= 1 else { throw Obstacle.ambiguous(found.count, name: name) }
        guard let only = found.first, let object = try await tenant.object(only.id, of: item.kind) else {
            return .none
        }
        return .object(only.id, object)
    }

    /// Looks for what an interrupted create made, until it is listed or can't come any more.
    private func lookUp(
        _ item: BackupItem, _ begun: Begun, named name: String, type: String?, _ known: Known
    ) async throws -> [LiveTenant.Listed] {
        while true {
            let isSettled = ContinuousClock.now >= begun.settlesAt
            let list = try await tenant.list(item.kind, isFresh: true)
            let since = begun.row.intendedAt?.addingTimeInterval(-Self.clockTolerance)
            let found = known.candidates(for: item, named: name, type: type, in: list).filter { listed in
                guard let since, let createdAt = listed.createdAt else { return true }
                return createdAt >= since
            }
            if !found.isEmpty || isSettled { return found }
            let again = min(ContinuousClock.now + Self.lookAgain, begun.settlesAt)
            try await Task.sleep(until: again, clock: .continuous)
        }
    }
}
