package import Postgres

/// The database's schema: numbered SQL files that are only ever added to.
package enum Schema {
    /// All migrations in their order.
    package static var migrations: [Migration] {
        [
            Migration(
                version: 1, name: "foundation",
                sql: String(decoding: PackageResources._001_foundation_sql, as: UTF8.self))
        ]
    }
}
