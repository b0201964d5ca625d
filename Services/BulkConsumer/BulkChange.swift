import Graph
import JSON
import Operations
import Store

/// What a bulk operation does to each of its items: everything in which the operations differ.
///
/// All functions throw as ``GraphSession`` does.
protocol BulkChange: Sendable {
    /// Looks, before anything is changed, whether what the run refers to is there.
    func check(_ session: GraphSession) async throws

    /// What is to be done about an item, as it is right now.
    func plan(_ id: String, _ session: GraphSession) async throws -> BulkPlan

    /// Whether a write that nobody knows the end of was done; nil when the provider can't tell.
    func wasDone(_ id: String, _ session: GraphSession) async throws -> Bool?

    /// What it means that the provider does not know the item.
    var whenMissing: BulkPlan.Result { get }
}

/// One item's change.
enum BulkPlan: Sendable {
    /// How an item came out, and a stable word for why.
    struct Result: Sendable {
        let state: Ledger.Item.State
        let word: String
    }

    case write(WriteMethod, GraphPath, JSON?)
    /// Nothing is to be done, or nothing may be.
    case leave(Result)
}
