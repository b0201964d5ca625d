import Mustache

/// The templates, as they stand in the folder of that name.
enum Templates {
    /// Each by its file's name.
    static let sources: [(name: String, bytes: [UInt8])] = [
        ("layout", PackageResources.layout_mustache), ("outside", PackageResources.outside_mustache),
        ("badge", PackageResources.badge_mustache), ("moment", PackageResources.moment_mustache),
        ("progress", PackageResources.progress_mustache), ("fault", PackageResources.fault_mustache),
        ("sign-in", PackageResources.sign_in_mustache), ("overview", PackageResources.overview_mustache),
        ("overview-live", PackageResources.overview_live_mustache),
        ("operations", PackageResources.operations_mustache),
        ("operations-live", PackageResources.operations_live_mustache),
        ("operations-rows", PackageResources.operations_rows_mustache),
        ("run-table", PackageResources.run_table_mustache),
        ("run-preview", PackageResources.run_preview_mustache), ("run", PackageResources.run_mustache),
        ("run-live", PackageResources.run_live_mustache), ("decision", PackageResources.decision_mustache),
        ("run-items", PackageResources.run_items_mustache), ("tenants", PackageResources.tenants_mustache),
        ("connections", PackageResources.connections_mustache),
        ("connection", PackageResources.connection_mustache),
        ("connection-live", PackageResources.connection_live_mustache),
        ("connection-form", PackageResources.connection_form_mustache),
        ("credential", PackageResources.credential_mustache), ("tenant", PackageResources.tenant_mustache),
        ("tenant-live", PackageResources.tenant_live_mustache), ("access", PackageResources.access_mustache),
        ("person", PackageResources.person_mustache), ("question", PackageResources.question_mustache),
        ("took-effect", PackageResources.took_effect_mustache), ("audit", PackageResources.audit_mustache),
        ("backups", PackageResources.backups_mustache), ("backup", PackageResources.backup_mustache),
        ("backup-item", PackageResources.backup_item_mustache),
        ("comparison", PackageResources.comparison_mustache), ("restore", PackageResources.restore_mustache),
        ("me", PackageResources.me_mustache), ("token-made", PackageResources.token_made_mustache),
        ("news", PackageResources.news_mustache), ("inbox", PackageResources.inbox_mustache),
        ("notification-tabs", PackageResources.notification_tabs_mustache),
        ("webhooks", PackageResources.webhooks_mustache),
        ("webhook-key", PackageResources.webhook_key_mustache),
        ("deliveries", PackageResources.deliveries_mustache), ("email", PackageResources.email_mustache),
        ("dead-letters", PackageResources.dead_letters_mustache),
        ("dead-letters-live", PackageResources.dead_letters_live_mustache),
        ("dead-letter-drop", PackageResources.dead_letter_drop_mustache),
        ("bulk", PackageResources.bulk_mustache), ("bulk-live", PackageResources.bulk_live_mustache),
        ("bulk-choice", PackageResources.bulk_choice_mustache),
        ("bulk-dry-run", PackageResources.bulk_dry_run_mustache),
        ("schedules", PackageResources.schedules_mustache),
        ("schedules-live", PackageResources.schedules_live_mustache),
        ("schedule", PackageResources.schedule_mustache),
        ("schedule-live", PackageResources.schedule_live_mustache),
        ("schedule-form", PackageResources.schedule_form_mustache),
        ("schedule-preview", PackageResources.schedule_preview_mustache),
    ]

    /// Throws when one can't be read.
    static func library() throws -> MustacheLibrary {
        var library = MustacheLibrary()
        for (name, bytes) in sources {
            try library.register(String(decoding: bytes, as: UTF8.self), named: name)
        }
        return library
    }
}
