/// What is to be applied, given what has been: a decision without effects.
struct MigrationPlan {
    /// A row of `schema_migrations`.
    struct Applied {
        let version: Int
        let name: String
        let checksum: String
    }

    /// A migration and the checksum of its SQL.
    struct Known {
        let migration: Migration
        let checksum: String
    }

    let pending: [Migration]

    /// Throws `.configuration` for a gap in the numbers, for an applied migration that differs from the known
    /// one, and, unless `allowsNewer`, for a database that is ahead of this program.
    init(known: [Known], applied: [Applied], allowsNewer: Bool) throws(PostgresError) {
        for (index, known) in known.enumerated() where known.migration.version != index + 1 {
            throw Self.refusal(
                "migration \(known.migration.title) stands at place \(index + 1): numbers have no gaps")
        }
        for (index, row) in applied.enumerated() where row.version != index + 1 {
            throw Self.refusal("the database lacks migration \(index + 1), but has \(row.version)")
        }
        for (row, known) in zip(applied, known) where row.checksum != known.checksum {
            throw Self.refusal(
                "migration \(known.migration.title) was applied as «\(row.name)» with another text: "
                    + "an applied migration must not change, write a new one")
        }
        guard applied.count <= known.count || allowsNewer else {
            throw Self.refusal(
                "the database has \(applied.count) migrations, this program knows \(known.count): "
                    + "it is older than the database")
        }
        pending = known.dropFirst(applied.count).map(\.migration)
    }

    private static func refusal(_ message: String) -> PostgresError { PostgresError(.configuration, message) }
}
