/// The programs that log in to the database and to the broker, each with rights of its own.
package enum ServiceLogin: String, CaseIterable, Sendable {
    case starter
    case providerConsumer = "provider-consumer"
    case inventoryConsumer = "inventory-consumer"
    case restoreConsumer = "restore-consumer"
    case bulkConsumer = "bulk-consumer"
    case notifier
    case console

    /// The database role with the service's rights.
    var role: String { "tenantatlas_" + rawValue.replacing("-", with: "_") }
}
