package import FoundationEssentials
package import Operations
package import Postgres

/// The devices of tenants as they were seen last. Pages are written by one statement each.
package struct DeviceInventory: Sendable {
    /// A device as a list shows it. Texts hold no NUL; what the list does not say is nil.
    package struct Device: Sendable, Hashable {
        /// The provider's id. 1 to 512 characters.
        package var id: String
        package var name: String?
        package var userPrincipalName: String?
        package var operatingSystem: String?
        package var osVersion: String?
        package var manufacturer: String?
        package var model: String?
        package var serialNumber: String?
        package var entraDeviceID: String?
        package var ownerType: String?
        package var complianceState: String?
        /// Moves by itself: no change of the device.
        package var lastSyncAt: Date?

        package init(id: String) { self.id = id }
    }

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    private static let upsert: Statement = """
        INSERT INTO inventory_devices AS d (
            tenant_id, connection_id, device_id, name, user_principal_name, operating_system, os_version,
            manufacturer, model, serial_number, entra_device_id, owner_type, compliance_state, last_sync_at,
            seen_run, changed_run)
        SELECT r.tenant_id, r.connection_id, i.*, r.id, r.id
        FROM runs r, unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
                            $10::text[], $11::text[], $12::text[], $13::text[], $14::timestamptz[]) AS i
        WHERE r.id = $1::uuid AND r.attempt = $2::int AND r.state = 'running'
        ON CONFLICT (tenant_id, connection_id, device_id) DO UPDATE SET
            name = excluded.name, user_principal_name = excluded.user_principal_name,
            operating_system = excluded.operating_system, os_version = excluded.os_version,
            manufacturer = excluded.manufacturer, model = excluded.model,
            serial_number = excluded.serial_number, entra_device_id = excluded.entra_device_id,
            owner_type = excluded.owner_type, compliance_state = excluded.compliance_state,
            last_sync_at = excluded.last_sync_at, seen_at = excluded.seen_at, seen_run = excluded.seen_run,
            (changed_at, changed_run) = (
                SELECT CASE WHEN c.is_changed THEN excluded.seen_at ELSE d.changed_at END,
                       CASE WHEN c.is_changed THEN excluded.seen_run ELSE d.changed_run END
                FROM (SELECT d.gone_at IS NOT NULL
                             OR (d.name, d.user_principal_name, d.operating_system, d.os_version, d.manufacturer,
                                 d.model, d.serial_number, d.entra_device_id, d.owner_type, d.compliance_state)
                             IS DISTINCT FROM
                                (excluded.name, excluded.user_principal_name, excluded.operating_system,
                                 excluded.os_version, excluded.manufacturer, excluded.model,
                                 excluded.serial_number, excluded.entra_device_id, excluded.owner_type,
                                 excluded.compliance_state) AS is_changed) AS c),
            gone_at = NULL, gone_run = NULL
        """

    /// What the run did not see, once it has seen all there was.
    private static let markGone: Statement = """
        UPDATE inventory_devices d SET gone_at = clock_timestamp(), gone_run = r.id
        FROM runs r
        WHERE r.id = $1::uuid AND r.attempt = $2::int AND r.state = 'running'
          AND d.tenant_id = r.tenant_id AND d.connection_id = r.connection_id
          AND d.gone_at IS NULL AND d.seen_run <> r.id
        """

    /// Records a page, and how far the run is, in one transaction. With the last page of the list, whatever the run
    /// did not see is gone. `failed` are entries of the page that could not be read.
    ///
    /// Throws ``CallRefusal/attemptLost`` when the run was taken away from this attempt.
    package func record(
        _ devices: [Device], failed: [Ledger.Item], isLast: Bool, progress: Ledger.Progress,
        under permit: ExecutionPermit
    ) async throws {
        let run: [Parameter] = [.uuid(permit.execution.runID.uuid), .int(permit.attempt)]
        let devices = devices.lastOfEach(\.id)
        var calls: [(Statement, [Parameter])] = []
        if !devices.isEmpty { calls.append((Self.upsert, run + Self.columns(devices))) }
        if isLast { calls.append((Self.markGone, run)) }
        calls += Ledger.calls(failed, progress: progress, under: permit)
        try Ledger.checkMoved(await pool.pipeline(calls))
    }

    private static func columns(_ devices: [Device]) -> [Parameter] {
        [
            .texts(devices.map(\.id)), .texts(devices.map(\.name)), .texts(devices.map(\.userPrincipalName)),
            .texts(devices.map(\.operatingSystem)), .texts(devices.map(\.osVersion)),
            .texts(devices.map(\.manufacturer)), .texts(devices.map(\.model)),
            .texts(devices.map(\.serialNumber)), .texts(devices.map(\.entraDeviceID)),
            .texts(devices.map(\.ownerType)), .texts(devices.map(\.complianceState)),
            .timestamps(devices.map(\.lastSyncAt)),
        ]
    }

    /// What a run saw, found changed (or new, or back), and found gone.
    package func tally(of run: QueuedExecution) async throws -> InventoryTally {
        try await pool.query(
            """
            SELECT count(*) FILTER (WHERE seen_run = $3::uuid), count(*) FILTER (WHERE changed_run = $3::uuid),
                   count(*) FILTER (WHERE gone_run = $3::uuid)
            FROM inventory_devices WHERE tenant_id = $1::uuid AND connection_id = $2::uuid
            """, [.uuid(run.tenantID.uuid), .uuid(run.connectionID.uuid), .uuid(run.runID.uuid)]
        ).map(InventoryTally.init)[0]
    }
}

/// What a run came to, in items of the inventory.
package struct InventoryTally: Sendable, Hashable {
    package var seen: Int
    package var changed: Int
    package var gone: Int

    init(_ row: Row) throws {
        seen = try row.int(0)
        changed = try row.int(1)
        gone = try row.int(2)
    }

    package static func + (left: InventoryTally, right: InventoryTally) -> InventoryTally {
        var sum = left
        sum.seen += right.seen
        sum.changed += right.changed
        sum.gone += right.gone
        return sum
    }
}
