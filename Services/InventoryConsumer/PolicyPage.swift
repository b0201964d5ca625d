import Graph
import JSON
import Operations
import Store

/// The policies of one page, read as a whole.
struct PolicyPage: Sendable {
    private(set) var policies: [ReadPolicy] = []
    /// Those whose content could not be read, though they are there.
    private(set) var unread: [ListedPolicy] = []
    /// Entries that failed, or vanished while the list was read.
    private(set) var others: [Ledger.Item] = []
    /// The ledger's keys of those that were read: what it said of them before is over.
    private(set) var cleared: [String] = []

    /// The most policies that are read at once; the gateway paces the calls besides.
    private static let mostAtOnce = 4

    private enum Outcome: Sendable {
        case read(ReadPolicy)
        case failed(ListedPolicy, GraphFailure)
        case withoutID(Ledger.Item)
    }

    /// Reads what the list left out. Throws what ends the attempt: failures that may pass, and refusals.
    static func read(
        _ page: ListingWalk.Page, of surface: PolicySurface, _ session: GraphSession
    ) async throws -> PolicyPage {
        var outcomes: [(position: Int, outcome: Outcome)] = []
        try await withThrowingTaskGroup(of: (Int, Outcome).self) { group in
            for (offset, item) in page.items.enumerated() {
                if offset >= mostAtOnce { outcomes.append(try await group.next()!) }
                let position = page.position + offset
                group.addTask { (offset, try await one(item, at: position, of: surface, session)) }
            }
            for try await outcome in group { outcomes.append(outcome) }
        }
        var result = PolicyPage()
        for (_, outcome) in outcomes.sorted(by: { $0.position < $1.position }) {
            result.note(outcome, surface)
        }
        return result
    }

    private static func one(
        _ item: JSON, at position: Int, of surface: PolicySurface, _ session: GraphSession
    ) async throws -> Outcome {
        switch ListedItems.policy(item, of: surface, at: position) {
        case .unread(let item): return .withoutID(item)
        case .read(let listed):
            do {
                let whole = try await session.whole(item.object!, id: listed.id, of: surface)
                let document = PolicyDocument(whole, of: surface)
                return .read(
                    ReadPolicy(
                        listed: listed, content: document.content, hash: document.hash,
                        secrets: document.secrets))
            } catch let failure as GraphFailure where concernsOnePolicy(failure) {
                return .failed(listed, failure)
            }
        }
    }

    private static func concernsOnePolicy(_ failure: GraphFailure) -> Bool {
        switch failure.failure {
        case .notFound, .invalidRequest, .permissionMissing, .conflict, .answerTooLarge: true
        default: false
        }
    }

    private mutating func note(_ outcome: Outcome, _ surface: PolicySurface) {
        switch outcome {
        case .read(let policy):
            policies.append(policy)
            cleared.append(Self.key(policy.listed.id, surface.kind))
        case .withoutID(let item): others.append(item)
        case .failed(let policy, let failure):
            // Deleted since it was listed: nothing is wrong.
            let hasVanished = failure.failure == .notFound
            if !hasVanished { unread.append(policy) }
            others.append(
                Ledger.Item(
                    key: Self.key(policy.id, surface.kind), state: hasVanished ? .skipped : .failed,
                    result: hasVanished ? "vanished" : failure.failure.rawValue))
        }
    }

    /// The ledger's key of a policy; ids of different kinds may be equal.
    private static func key(_ id: String, _ kind: PolicyKind) -> String {
        String("\(kind.rawValue): \(id)".prefix(512))
    }
}
