import FoundationEssentials
import HTTPTypes
import Hummingbird
import JSON
import NIOCore
import Operations
import Store

/// The runs of a list as a file: page by page, so that it takes no memory, at most ``limit``.
struct RunExport: Sendable {
    enum Format: String, Sendable, CaseIterable { case csv, json }

    /// The most runs of a file.
    static let limit = 10_000

    let runs: RunReading
    let filter: RunFilter
    let format: Format

    var reply: Reply {
        Reply(
            status: .ok,
            headers: [
                .contentType: format == .csv ? "text/csv; charset=utf-8" : "application/x-ndjson",
                .contentDisposition:
                    "attachment; filename=\"operations.\(format == .csv ? "csv" : "jsonl")\"",
            ],
            body: ResponseBody { writer in
                try await write(to: &writer)
                try await writer.finish(nil)
            })
    }

    private func write(to writer: inout any ResponseBodyWriter) async throws {
        if format == .csv { try await writer.write(ByteBuffer(string: Self.row(Self.columns))) }
        var filter = filter
        filter.limit = Page<RunSummary>.limit
        var written = 0
        while written < Self.limit {
            let page = try await runs.list(filter)
            let text = page.entries.map { format == .csv ? Self.row(Self.cells($0)) : Self.line($0) }.joined()
            try await writer.write(ByteBuffer(string: text))
            written += page.entries.count
            guard page.hasMore, let last = page.entries.last else { return }
            filter.before = last.id
        }
    }

    private static let columns = [
        "run_id", "operation", "state", "outcome", "reason", "tenant", "connection", "started_by",
        "queued_at",
        "started_at", "completed_at", "attempt",
    ]

    private static func cells(_ run: RunSummary) -> [String] {
        func text(_ date: Date?) -> String { date.map { Timestamp($0).description } ?? "" }
        return [
            "\(run.id)", run.operation, run.state.rawValue, run.outcome?.rawValue ?? "",
            run.reason?.code ?? "",
            run.tenant.name, run.connection.name, run.initiator?.name ?? "", text(run.queuedAt),
            text(run.startedAt), text(run.completedAt), "\(run.attempt)",
        ]
    }

    /// A row of RFC 4180. A cell that a spreadsheet would take for a formula gets an apostrophe before it.
    static func row(_ cells: [String]) -> String {
        cells.map { cell in
            let isFormula = cell.first.map { "=+-@\t\r".contains($0) } ?? false
            return "\"\((isFormula ? "'" : "") + cell.replacing("\"", with: "\"\""))\""
        }.joined(separator: ",") + "\r\n"
    }

    private static func line(_ run: RunSummary) -> String {
        let members = zip(columns, cells(run)).map { name, text in
            (name, text.isEmpty ? JSON.null : name == "attempt" ? .int(run.attempt) : .string(text))
        }
        return JSON.object(JSONObject(members)).text + "\n"
    }
}
