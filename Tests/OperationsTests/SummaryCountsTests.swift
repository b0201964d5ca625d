import JSON
import Operations
import Testing

/// Allowed words, whole numbers, never negative.
struct SummaryCountsTests {
    static let general = ["total", "applied", "untouched", "failed", "skipped", "in_doubt"]
    static let restorePreview = ["to_create", "to_update", "unchanged", "conflict", "not_restorable"]
    static let own: [OperationType: [String]] = [
        .complianceSnapshot: [
            "compliant", "noncompliant", "unknown", "conflict", "error", "other", "in_grace_period",
            "config_manager",
        ],
        .inventorySync: ["changed", "gone"], .policySync: ["changed", "gone"],
        .restoreExecute: ["created", "updated"] + restorePreview,
        .restoreAssignments: ["updated"] + restorePreview,
    ]

    @Test(arguments: OperationType.allCases)
    func `an operation reports its own words and the general ones`(type: OperationType) {
        let definition = OperationCatalogue.definition(type)
        let allowed = Set(Self.general + (Self.own[type] ?? []))
        for key in SummaryCounts.Key.allCases {
            let json: JSON = .object(JSONObject([(key.rawValue, 3)]))
            if allowed.contains(key.rawValue) {
                let counts = try? SummaryCounts(json: json, for: definition)
                #expect(counts?[key] == 3)
                #expect(counts?.json == json)
                #expect(counts?.allowed(for: definition) == counts)
            } else {
                #expect(throws: SummaryCounts.Refusal.keyNotAllowed(key.rawValue)) {
                    try SummaryCounts(json: json, for: definition)
                }
                #expect(Sample.counts([key: 3]).allowed(for: definition).isEmpty)
            }
        }
    }

    typealias Refusal = SummaryCounts.Refusal

    static let refused: [(json: JSON, refusal: Refusal)] = [
        (["secret": 1], Refusal.keyNotAllowed("secret")), (["Total": 1], .keyNotAllowed("Total")),
        (["": 1], .keyNotAllowed("")), (["total": 1, "client_secret": 2], .keyNotAllowed("client_secret")),
        (["total": -1], .negative("total")), (["total": .integer(.min)], .negative("total")),
        (["total": 1.0], .notWhole("total")), (["total": 0.5], .notWhole("total")),
        (["total": "1"], .notWhole("total")), (["total": nil], .notWhole("total")),
        (["total": true], .notWhole("total")), (["total": []], .notWhole("total")),
        (["applied": 1, "failed": -2], .negative("failed")),
    ]

    @Test(arguments: refused)
    func `is refused`(json: JSON, refusal: Refusal) {
        #expect(throws: refusal) {
            try SummaryCounts(json: json, for: OperationCatalogue.definition(.backupRun))
        }
    }

    @Test func `what was not counted is 0, and what was counted as 0 is there`() {
        var counts = SummaryCounts()
        #expect(counts.isEmpty)
        #expect(counts[.applied] == 0)
        counts[.applied] = 0
        #expect(!counts.isEmpty)
        #expect(counts.json == ["applied": 0])
        counts[.total] = 5
        #expect(counts.json.object?.keys == ["total", "applied"])
    }

    @Test func `a negative count in code ends the program`() async {
        await #expect(processExitsWith: .failure) {
            var counts = SummaryCounts()
            counts[.applied] = -1
        }
    }
}
