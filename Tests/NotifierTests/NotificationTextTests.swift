import FoundationEssentials
import Operations
import Store
import Testing

@testable import Notifier

struct NotificationTextTests {
    static let reasons =
        DenialReason.allCases.map(RunReason.denial) + ProviderFailure.allCases.map(RunReason.failure)

    /// Words of the machine room.
    private static let forbidden: Set = [
        "job", "jobs", "message", "messages", "consumer", "consumers", "exception", "exceptions", "null",
        "nil", "queue", "outbox", "payload", "enum", "uuid", "sql", "event", "events", "worker",
        "broker", "terminal", "webhook", "retry",
    ]

    static func run(
        _ outcome: RunOutcome, _ reason: RunReason? = nil, _ counts: SummaryCounts = SummaryCounts(),
        of operation: String = OperationType.connectionCheck.rawValue
    ) -> EndedRun {
        let run = RunSnapshot(
            execution: QueuedExecution(
                runID: RunID(UUID()), operation: operation, workspaceID: WorkspaceID(UUID()),
                tenantID: TenantID(UUID()), connectionID: ConnectionID(UUID()), initiatorID: UserID(UUID()),
                expiresAt: Date(), context: nil),
            state: .completed, attempt: 1, queuedAt: Date())
        return EndedRun(
            event: TerminalEvent(
                run: run, outcome: outcome, reason: reason, counts: counts, completedAt: Date()),
            tenantName: "Contoso")
    }

    static let titles: [(RunOutcome, String)] = [
        (.succeeded, "Connection check of Contoso succeeded"),
        (.partiallySucceeded, "Connection check of Contoso partially succeeded"),
        (.failed, "Connection check of Contoso failed"),
        (.blocked, "Connection check of Contoso was blocked"),
        (.cancelled, "Connection check of Contoso was cancelled"),
    ]

    @Test(arguments: titles.indices)
    func `a title names operation, tenant and outcome`(index: Int) {
        #expect(Self.titles.count == RunOutcome.allCases.count)
        let (outcome, title) = Self.titles[index]
        #expect(NotificationText(Self.run(outcome)).title == title)
    }

    @Test func `an operation that this version does not know has a title too`() {
        #expect(
            NotificationText(Self.run(.blocked, of: "future.operation")).title
                == "An operation of Contoso was blocked")
    }

    @Test func `a body tells why, who can do what, and what was counted`() {
        var counts = SummaryCounts()
        counts[.total] = 42
        counts[.applied] = 40
        counts[.inDoubt] = 2
        #expect(
            NotificationText(Self.run(.partiallySucceeded, .denial(.tenantNotEntitled), counts)).body
                == "The person who started this no longer has access to the tenant. "
                + "A manager of the workspace can give access; then start it again. "
                + "In numbers: total 42, applied 40, in doubt 2.")
        #expect(NotificationText(Self.run(.succeeded)).body == "")
    }

    @Test(arguments: reasons)
    func `nothing promises that an ended run goes on by itself`(reason: RunReason) {
        let body = NotificationText(Self.run(.failed, reason)).body
        #expect(!body.contains("by itself, a") && !body.contains("continues"), "\(body)")
        #expect(!body.contains("tried again by itself"), "\(body)")
    }

    @Test(arguments: reasons)
    func `the words are people's`(reason: RunReason) {
        var counts = SummaryCounts()
        for key in SummaryCounts.Key.allCases { counts[key] = 1 }
        for outcome in RunOutcome.allCases {
            for operation in OperationType.allCases.map(\.rawValue) + ["future.operation"] {
                let text = NotificationText(Self.run(outcome, reason, counts, of: operation))
                for part in [text.title, text.body] {
                    let words = part.lowercased().split { !$0.isLetter && $0 != "_" }.map(String.init)
                    #expect(words.count >= 3, "\(part)")
                    #expect(Self.forbidden.isDisjoint(with: words), "\(part)")
                    #expect(!part.contains("_") && !part.contains("  "), "\(part)")
                    #expect(!part.contains("\n"), "\(part)")
                }
            }
        }
    }
}
