/// One step of the schema: a number, a name and SQL.
///
/// The SQL may be several statements. It runs in one transaction, so it must not hold BEGIN, COMMIT, or what
/// PostgreSQL refuses inside a transaction. Once applied anywhere it must never change: write another one.
package struct Migration: Sendable, Hashable {
    /// Counts 1, 2, 3 … without a gap.
    package let version: Int
    package let name: String
    package let sql: String

    package init(version: Int, name: String, sql: String) {
        self.version = version
        self.name = name
        self.sql = sql
    }

    /// How messages and logs call it: «0007 add_permits».
    var title: String {
        let digits = String(version)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits + " " + name
    }
}
