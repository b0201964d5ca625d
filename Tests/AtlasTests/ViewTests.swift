import FoundationEssentials
import ServiceKit
import JSON
import Operations
import Testing

@testable import Atlas

@Suite struct ViewTests {
    static let now = Date(microseconds: 1_795_260_000_000_000)
    static let style = Style(
        hasColours: false, times: Times(now: now, isExact: false, zone: { _ in 0 }))

    private func ago(_ seconds: Double) -> JSON { Timestamp.json(Self.now.addingTimeInterval(-seconds)) }

    private func run(_ changes: JSONObject = [:]) -> JSON {
        var run: JSONObject = [
            "run_id": "r-1", "operation": "compliance.snapshot", "label": "Compliance snapshot",
            "state": "running", "outcome": nil,
            "badge": ["label": "running", "tone": "active", "icon": "▶"],
            "counts": ["total": 20_000, "in_doubt": 1], "progress": ["done": 5_000, "total": 20_000],
            "attempt": 1, "queued_at": ago(70), "started_at": ago(60), "completed_at": nil,
            "next_attempt_at": nil, "expires_at": ago(-3_600), "tenant": ["id": "t-1", "name": "Contoso"],
            "provider_connection": ["id": "c-1", "display_name": "Contoso Intune"],
            "initiator": ["id": "u-1", "name": "Omar Reyes"],
        ]
        for (key, value) in changes.members { run[key] = value }
        return .object(run)
    }

    @Test func aRunThatIsUnderWay() {
        #expect(
            RunView(run()).lines(Self.style) == [
                "▶ running  Compliance snapshot on Contoso", "",
                "run         r-1", "connection  Contoso Intune", "started by  Omar Reyes",
                "queued      1 minute ago", "started     1 minute ago", "gives up    in 1 hour",
                "progress    5,000 of 20,000 (25 %), about 3 min left",
                "counts      total 20,000 · in doubt 1",
            ])
    }

    @Test func aRunThatHasEndedSaysWhyAndWhatHappened() {
        let ended = run([
            "state": "completed", "outcome": "blocked",
            "badge": ["label": "blocked", "tone": "refused", "icon": "⊘"],
            "reason": ["code": "tenant_not_entitled", "sentence": "No access.", "remedy": "Ask a manager."],
            "completed_at": ago(10), "attempt": 2, "progress": nil, "counts": [:], "initiator": nil,
            "timeline": [
                ["at": ago(70), "action": "run.queued"],
                [
                    "at": ago(10), "action": "run.blocked", "outcome": "blocked",
                    "reason_code": "tenant_archived",
                ],
                ["at": ago(9), "action": "run.sung"],
            ],
            "items": ["applied": 8, "failed": 1],
        ])
        let lines = RunView(ended).lines(Self.style)
        #expect(
            lines.prefix(3) == [
                "⊘ blocked  Compliance snapshot on Contoso", "  No access.", "  Ask a manager.",
            ])
        #expect(lines.contains("started by  the system"))
        #expect(lines.contains("ended       10 seconds ago, after 50 s"))
        #expect(lines.contains("attempt     2"))
        #expect(lines.contains("items       applied 8 · failed 1"))
        #expect(!lines.contains { $0.hasPrefix("gives up") || $0.hasPrefix("counts") })
        #expect(
            lines.suffix(4) == [
                "What happened", "  1 minute ago    queued",
                "  10 seconds ago  blocked: blocked. The tenant is archived.", "  9 seconds ago   run.sung",
            ])
    }

    @Test(
        arguments: [
            (["done": 7] as JSON, "7 done"), (["done": 7, "total": nil], "7 done"),
            (["done": 0, "total": 0], "0 done"), (["done": 0, "total": 10], "0 of 10 (0 %)"),
            (["done": 10, "total": 10], "10 of 10 (100 %)"),
        ] as [(JSON, String)])
    func progress(json: JSON, text: String) {
        #expect(RunView(run(["progress": json])).progress(now: Self.now) == text)
    }

    @Test func aListHasOneLineARun() {
        let page: JSON = [
            "runs": [
                run([
                    "badge": ["label": "waiting", "tone": "waiting", "icon": "◔"],
                    "reason": ["sentence": "It waits."],
                ])
            ], "next": "cursor",
        ]
        #expect(
            RunsListCommand.lines(page, Self.style) == [
                "STATE      OPERATION            TENANT   STARTED BY  QUEUED        RUN  BECAUSE",
                "◔ waiting  Compliance snapshot  Contoso  Omar Reyes  1 minute ago  r-1  It waits.",
                "There are more; see --limit.",
            ])
        #expect(RunsListCommand.lines(["runs": []], Self.style) == ["There are no such runs."])
    }

    @Test func aChangeThatHasSettled() {
        let view = BarrierView(["effective_at": ago(0.25), "settled_at": ago(0), "in_doubt": []])
        #expect(view.isSettled)
        #expect(
            view.lines("Revoked.", Self.style) == [
                "Revoked.",
                "effective  just now (2026-11-21 11:19:59.750 UTC): since then no call to Microsoft begins"
                    + " under it",
                "settled    just now (2026-11-21 11:20:00.000 UTC): since then none is on the wire",
            ])
    }

    @Test func aChangeThatLeftACallInDoubt() throws {
        let answer: JSON = [
            "effective_at": ago(90), "settled_at": nil,
            "in_doubt": [
                [
                    "call_id": "p-1", "run_id": "r-1", "call": "GET devices", "opened_at": ago(100),
                    "deadline": ago(40),
                ]
            ],
        ]
        let view = BarrierView(answer)
        #expect(!view.isSettled)
        let lines = view.lines("Revoked.", Self.style)
        #expect(!lines.contains { $0.hasPrefix("settled") })
        #expect(lines.contains { $0.hasPrefix("1 call is in doubt") })
        #expect(lines.contains { $0.hasPrefix("GET devices") && $0.hasSuffix("r-1") })
        #expect(throws: (any Error).self) { try view.tell("Revoked.", Self.silent) }
        #expect(!BarrierView(["effective_at": ago(90), "settled_at": nil, "in_doubt": []]).isSettled)
    }

    private static let silent = Output(
        terminal: Terminal(isInteractive: false, hasColours: false) { _ in }, isJSON: true, isExact: false)

    @Test func anExplanationInPlainWords() {
        let denied: JSON = [
            "decision": "denied", "phase": "begin", "attempt": 2, "reason_code": "grant_superseded",
            "checks": [
                "operation_known": "passed", "system_allowlisted": "not_applicable",
                "grant_current": "grant_superseded",
            ],
            "facts": ["read_at": ago(120)],
        ]
        let allowed: JSON = [
            "decision": "allowed", "phase": "call", "attempt": 2, "facts": ["read_at": ago(0)],
        ]
        let lines = ExplanationView(
            [
                "then": denied, "replayed": ["equal": true, "decision": denied], "now": allowed,
                "unblock": "Ask Nadia.",
            ], of: run()
        ).lines(Self.style)
        #expect(
            lines == [
                "▶ running  Compliance snapshot on Contoso", "",
                "Then", "  ⊘ refused  when attempt 2 was to begin, 2 minutes ago",
                "  " + Presentation.sentence(.denial(.grantSuperseded)), "    ✓ the operation is known",
                "    ✗ it is the access that it was started under, and no freeze came since",
                "  Decided again from what was known then, it comes out the same.", "", "Now",
                "  ✓ allowed  before a call to Microsoft, in attempt 2, just now", "",
                "What would unblock it", "  Ask Nadia.",
            ])
    }

    @Test func anExplanationWhoseRecordWasChanged() {
        let changed: JSON = ["then": ["decision": "allowed"], "replayed": ["equal": false], "now": nil]
        let view = ExplanationView(changed, of: run())
        #expect(view.isReplayEqual == false)
        #expect(view.lines(Self.style).contains { $0.contains("comes out differently!") })
    }

    @Test(arguments: [
        ("running", "allowed", "  Nothing stands in the way."),
        ("completed", "allowed", "  It stays as it ended. Nothing stands in the way of starting it again."),
        (
            "completed", "denied",
            "  It stays as it ended. Started again now, it would be refused as shown above."
        ),
    ])
    func anExplanationWithNothingToUnblock(state: String, now: String, text: String) {
        let explanation: JSON = [
            "then": nil, "replayed": nil, "now": ["decision": .string(now)], "unblock": nil,
        ]
        let view = ExplanationView(explanation, of: run(["state": .string(state)]))
        #expect(view.isReplayEqual == nil)
        #expect(view.lines(Self.style)[3] == "  Nothing was decided yet.")
        #expect(view.lines(Self.style).last == text)
    }

    /// What people read holds no code words.
    @Test func checksHaveWords() {
        for check in LegitimacyCheck.allCases {
            #expect(!check.words.contains("_") && !check.words.isEmpty)
        }
        #expect(Set(LegitimacyCheck.allCases.map(\.words)).count == LegitimacyCheck.allCases.count)
    }
}
