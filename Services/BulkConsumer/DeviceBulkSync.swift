import Graph
import Operations
import Store

/// `device.bulk_sync`: each device is asked to check in. Nothing at the provider tells whether it was asked, so a request
/// whose end is unknown stays in doubt: it is harmless, and is not repeated.
struct DeviceBulkSync: BulkChange {
    let whenMissing = BulkPlan.Result(state: .failed, word: ProviderFailure.notFound.rawValue)

    func check(_ session: GraphSession) async throws {}

    func plan(_ id: String, _ session: GraphSession) async throws -> BulkPlan {
        .write(.post, "/v1.0/deviceManagement/managedDevices/\(id)/syncDevice", nil)
    }

    func wasDone(_ id: String, _ session: GraphSession) async throws -> Bool? { nil }
}
