import FoundationEssentials
import HTTPTypes
import Hummingbird
import JSON
import NIOCore
import Operations
import Store

/// Records of the audit as a file, newest first: page by page, so that it takes no memory, at most ``limit``.
struct AuditExport: Sendable {
    /// The most records of a file.
    static let limit = 100_000

    let audit: AuditReading
    /// Its limit is that of a page.
    let filter: AuditFilter

    var reply: Reply {
        Reply(
            status: .ok,
            headers: [
                .contentType: "application/x-ndjson",
                .contentDisposition: "attachment; filename=\"audit.jsonl\"",
            ],
            body: ResponseBody { writer in
                try await write(to: &writer)
                try await writer.finish(nil)
            })
    }

    private func write(to writer: inout any ResponseBodyWriter) async throws {
        var filter = filter
        var written = 0
        while true {
            let page = try await audit.list(filter)
            let text = page.entries.map { "\(Self.json($0).text)\n" }.joined()
            try await writer.write(ByteBuffer(string: text))
            written += page.entries.count
            guard page.hasMore, let last = page.entries.last else { return }
            filter.before = last.entry.id
            if written >= Self.limit {
                // Whoever reads the file sees that it is not all, and from where to go on.
                let more: JSON = ["more": true, "before": .int(last.entry.id)]
                return try await writer.write(ByteBuffer(string: "\(more.text)\n"))
            }
        }
    }

    private static func json(_ record: AuditReading.Named) -> JSON {
        let entry = record.entry
        func named(_ id: String?, _ name: String?) -> JSON {
            id.map { ["id": .string($0), "name": .optional(name)] } ?? .null
        }
        return [
            "record_id": .int(entry.id), "at": Timestamp.json(entry.at), "action": .string(entry.action),
            "tenant": named(entry.tenantID?.description, record.tenantName),
            "actor": named(entry.actorID?.description, record.actorName),
            "run_id": .optional(entry.runID?.description),
            "details": (try? JSON(parsing: Array(entry.details.utf8))) ?? .null,
        ]
    }
}
