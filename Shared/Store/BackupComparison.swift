package import FoundationEssentials
package import Operations
internal import Postgres

/// What became of the policies between two backup sets of one connection.
package enum BackupComparison {
    /// How many there are of each sort, of the kinds that both sets have.
    package struct Counts: Sendable, Hashable {
        package let added: Int
        package let removed: Int
        package let changed: Int
        package let unchanged: Int

        /// How many differ.
        package var differing: Int { added + removed + changed }
    }

    /// A policy that is not the same in both sets.
    package struct Difference: Sendable, Hashable {
        /// As it is in the earlier set; nil when only the later one has it.
        package let before: BackupItem?
        /// As it is in the later set; nil when only the earlier one has it.
        package let after: BackupItem?

        /// The policy, as it was last.
        package var item: BackupItem { (after ?? before)! }
    }
}

extension BackupReading {
    // Kinds that only one of the two sets was to have differ for no reason of the tenant's.

    private static let counts: Statement = """
        SELECT count(*) FILTER (WHERE e.hash IS NULL) AS added, count(*) FILTER (WHERE l.hash IS NULL) AS removed,
               count(*) FILTER (WHERE e.hash <> l.hash) AS changed,
               count(*) FILTER (WHERE e.hash = l.hash) AS unchanged
        FROM (SELECT item_id, hash FROM backup_items
              WHERE tenant_id = $1::uuid AND backup_id = $2::uuid AND kind = ANY ($4::text[])) e
        FULL JOIN (SELECT item_id, hash FROM backup_items
                   WHERE tenant_id = $1::uuid AND backup_id = $3::uuid AND kind = ANY ($4::text[])) l USING (item_id)
        """

    /// Compares two sets of the tenant. `kinds` are those that both have.
    package func comparison(
        of earlier: RunID, with later: RunID, in tenant: TenantID, kinds: [PolicyKind]
    ) async throws -> BackupComparison.Counts {
        let row = try await pool.query(
            Self.counts,
            [
                .uuid(tenant.uuid), .uuid(earlier.uuid), .uuid(later.uuid), .texts(kinds.map(\.rawValue)),
            ])[0]
        return BackupComparison.Counts(
            added: try row.int("added"), removed: try row.int("removed"), changed: try row.int("changed"),
            unchanged: try row.int("unchanged"))
    }

    private static let differences: Statement = """
        WITH stored AS MATERIALIZED (
            SELECT i.*, c.secrets, i.backup_id = $3::uuid AS is_later
            FROM backup_items i JOIN policy_contents c ON c.tenant_id = i.tenant_id AND c.hash = i.hash
            WHERE i.tenant_id = $1::uuid AND i.backup_id IN ($2::uuid, $3::uuid) AND i.kind = ANY ($4::text[])
        ), differing AS (
            SELECT b.*, first_value(coalesce(b.name, '')) OVER (PARTITION BY b.item_id ORDER BY b.is_later DESC) AS title
            FROM stored b
            WHERE NOT EXISTS (SELECT FROM stored o
                              WHERE o.item_id = b.item_id AND o.is_later <> b.is_later AND o.hash = b.hash)
        ), page AS (
            SELECT DISTINCT kind, title, item_id FROM differing
            WHERE $5::uuid IS NULL
               OR (kind, title, item_id) > (SELECT DISTINCT kind, title, item_id FROM differing WHERE item_id = $5::uuid)
            ORDER BY kind, title, item_id LIMIT $6::int
        )
        SELECT d.item_id, d.kind, d.policy_id, d.name, d.type, d.hash, d.secrets, d.is_later
        FROM page p JOIN differing d USING (item_id)
        ORDER BY p.kind, p.title, p.item_id, d.is_later
        """

    /// The policies that differ, by kind and name; those after the item `after`.
    package func differences(
        of earlier: RunID, with later: RunID, in tenant: TenantID, kinds: [PolicyKind], after: UUID?,
        limit: Int
    ) async throws -> Page<BackupComparison.Difference> {
        let rows = try await pool.query(
            Self.differences,
            [
                .uuid(tenant.uuid), .uuid(earlier.uuid), .uuid(later.uuid), .texts(kinds.map(\.rawValue)),
                after.map(Parameter.uuid) ?? .null, .int(Page<BackupComparison.Difference>.rows(for: limit)),
            ]
        ).map { (item: try BackupItem($0), isLater: try $0.bool("is_later")) }
        var found: [BackupComparison.Difference] = []
        for (item, isLater) in rows {
            if isLater, let last = found.last, last.before?.id == item.id {
                found[found.count - 1] = BackupComparison.Difference(before: last.before, after: item)
            } else {
                found.append(
                    BackupComparison.Difference(before: isLater ? nil : item, after: isLater ? item : nil))
            }
        }
        return Page(rows: found, limit: limit)
    }
}
