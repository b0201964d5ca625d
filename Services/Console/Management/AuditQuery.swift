import FoundationEssentials
import JSON
import Operations
import Store

/// What the audit's search form says. Reading it never fails: what can't be understood is told, and the rest holds.
struct AuditQuery: Sendable {
    var action: AuditAction?
    /// A person's name or id.
    let who: String
    let run: String
    /// A tenant's id.
    let tenant: String
    /// Days in UTC, both inclusive, as browsers write them: 2026-11-21.
    let since: String
    let until: String
    var runID: RunID?
    var tenantID: TenantID?
    var sinceDate: Date?
    var untilDate: Date?
    /// What could not be understood.
    var faults: [String] = []

    private static let daySeconds = 86_400.0

    init(_ query: FormBody) {
        action = query["action"].flatMap(AuditAction.init)
        who = query["who"] ?? ""
        run = query["run"] ?? ""
        tenant = query["tenant"] ?? ""
        since = query["since"] ?? ""
        until = query["until"] ?? ""
        if query["action"] != nil, action == nil { faults.append("There is no such action.") }
        runID = RunID(run)
        if !run.isEmpty, runID == nil { faults.append("«Run» takes a run's id.") }
        tenantID = TenantID(tenant)
        if !tenant.isEmpty, tenantID == nil { faults.append("There is no such tenant.") }
        sinceDate = day(since)
        untilDate = day(until)?.addingTimeInterval(Self.daySeconds)
    }

    private mutating func day(_ text: String) -> Date? {
        guard !text.isEmpty else { return nil }
        let date = Timestamp(json: .string("\(text)T00:00:00.000000Z"))?.date
        if date == nil { faults.append("«\(text)» is not a day such as 2026-11-21.") }
        return date
    }

    /// Whether something is searched for.
    var isFiltered: Bool {
        action != nil || ![who, run, tenant, since, until].allSatisfy(\.isEmpty)
    }

    /// The query of an address that says the same.
    var text: String {
        [
            ("action", action?.rawValue ?? ""), ("who", who), ("run", run), ("tenant", tenant),
            ("since", since), ("until", until),
        ].filter { !$0.1.isEmpty }.map { "\($0.0)=\($0.1.urlEncoded)" }.joined(separator: "&")
    }
}
