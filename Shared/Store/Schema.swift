package import Postgres

/// The database's schema: numbered SQL files that are only ever added to.
package enum Schema {
    /// All migrations in their order.
    package static var migrations: [Migration] {
        [
            migration(1, "foundation", PackageResources._001_foundation_sql),
            migration(2, "one platform row", PackageResources._002_one_platform_row_sql),
            migration(3, "audit as written", PackageResources._003_audit_as_written_sql),
            migration(4, "inventory", PackageResources._004_inventory_sql),
            migration(5, "schedules", PackageResources._005_schedules_sql),
            migration(6, "run item details", PackageResources._006_run_item_details_sql),
            migration(7, "bulk", PackageResources._007_bulk_sql),
            migration(8, "schedule_parameters", PackageResources._008_schedule_parameters_sql),
            migration(9, "audit_chain", PackageResources._009_audit_chain_sql),
            migration(10, "notifier", PackageResources._010_notifier_sql),
            migration(11, "connections", PackageResources._011_connections_sql),
            migration(12, "sign_in", PackageResources._012_sign_in_sql),
            migration(13, "run_lists", PackageResources._013_run_lists_sql),
            migration(14, "directory", PackageResources._014_directory_sql),
            migration(
                15, "notifications_and_dead_letters",
                PackageResources._015_notifications_and_dead_letters_sql),
            migration(16, "roles_per_service", PackageResources._016_roles_per_service_sql),
            migration(17, "audit_server", PackageResources._017_audit_server_sql),
        ]
    }

    private static func migration(_ version: Int, _ name: String, _ sql: [UInt8]) -> Migration {
        Migration(version: version, name: name, sql: String(decoding: sql, as: UTF8.self))
    }
}
