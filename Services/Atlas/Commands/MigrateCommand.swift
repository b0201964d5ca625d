import ArgumentParser
import JSON
import Operations
import Postgres
import Store

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Bring the database to this version. Needs DATABASE_URL.",
        discussion: """
            Safe to repeat, and while services run. Use the database's owner: the services'
            own user may not change tables. After a dump was restored on another server it
            also lets the audit go on there.

            EXAMPLES
              DATABASE_URL=postgres://owner@db/tenantatlas atlas migrate
              atlas migrate --dry-run
            """)

    @Flag(help: "Only tell what would be applied.")
    var dryRun = false

    @Flag(help: "Print JSON, for machines.")
    var json = false

    func run() async throws {
        let output = Output(terminal: .standard, isJSON: json, isExact: false)
        try await Self.migrate(Settings(), isDryRun: dryRun, output)
    }

    static func migrate(_ settings: Settings, isDryRun: Bool, _ output: Output) async throws {
        let all = Schema.migrations
        let database = try settings.database()
        let affected =
            isDryRun
            ? try await Migrations.pending(all, in: database, logger: Settings.quiet)
            : try await Migrations.apply(all, to: database, logger: Settings.quiet)
        if !isDryRun {
            // Also when nothing was pending: months go by between versions, and a dump may have come from elsewhere.
            try await settings.withDatabase { pool in
                _ = try await pool.query(makePartitions)
                try await AuditSeals(pool: pool).settle()
            }
        }
        output.tell([
            "dry_run": .bool(isDryRun),
            "migrations": .array(
                affected.map { ["version": .int($0.version), "name": .string($0.name)] }),
        ]) { style in
            let word = isDryRun ? "would apply" : "applied"
            let lines = affected.map { "\(style.paint(word, .good)) \($0.version) \($0.name)" }
            return lines.isEmpty ? ["The database is up to date, at version \(all.count)."] : lines
        }
    }

    private static let makePartitions: Statement = "SELECT make_audit_partitions()"
}
