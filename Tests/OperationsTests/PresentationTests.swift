import Operations
import Testing

/// The words and badges that people see (Q-WORDS, Q-BADGE).
struct PresentationTests {
    static let reasons =
        DenialReason.allCases.map(RunReason.denial) + ProviderFailure.allCases.map(RunReason.failure)

    /// Words of the machine room.
    static let forbidden: Set = [
        "job", "jobs", "message", "messages", "consumer", "consumers", "exception", "exceptions", "null",
        "nil",
        "queue", "outbox", "payload", "enum", "uuid", "sql",
    ]

    @Test(arguments: reasons)
    func `every reason has a sentence and a remedy for people`(reason: RunReason) {
        for text in [Presentation.sentence(reason), Presentation.remedy(reason, isOver: false)] {
            let words = text.lowercased().split { !$0.isLetter && $0 != "_" }.map(String.init)
            #expect(words.count >= 3, "\(text)")
            #expect(Self.forbidden.isDisjoint(with: words), "\(text)")
            #expect(!text.contains("_"), "\(text)")
            #expect(!text.contains(reason.code) || !reason.code.contains("_"), "\(text)")
            #expect(text.first?.isUppercase == true && text.last == ".", "\(text)")
            // A name in camel case is a name in the code.
            #expect(!text.split(separator: " ").contains { $0.dropFirst().contains(where: \.isUppercase) })
        }
    }

    @Test func `no two reasons are told in the same sentence`() {
        #expect(Set(Self.reasons.map(Presentation.sentence)).count == Self.reasons.count)
    }

    @Test(arguments: DenialReason.allCases)
    func `what comes back by itself says so, what does not says what to do`(reason: DenialReason) {
        let remedy = Presentation.remedy(.denial(reason), isOver: false)
        let continues = remedy.contains("by itself") || remedy.contains("it continues")
        #expect(continues == reason.isRetryable, "\(remedy)")
    }

    @Test(arguments: reasons)
    func `of what is over nothing is said to come back by itself`(reason: RunReason) {
        let remedy = Presentation.remedy(reason, isOver: true)
        #expect(!remedy.contains("by itself") && !remedy.contains("it continues"), "\(remedy)")
    }

    typealias Row = (
        state: RunState, outcome: RunOutcome?, isWaiting: Bool, label: String, tone: Badge.Tone
    )

    static let badges: [Row] = [
        (.queued, nil, false, "queued", .neutral), (.queued, nil, true, "waiting", .waiting),
        (.running, nil, false, "running", .active),
        (.completed, .succeeded, false, "succeeded", .good),
        (.completed, .partiallySucceeded, false, "partially succeeded", .mixed),
        (.completed, .failed, false, "failed", .bad), (.completed, .blocked, false, "blocked", .refused),
        (.completed, .cancelled, false, "cancelled", .neutral),
        (.completed, nil, false, "ended", .neutral),
    ]

    @Test(arguments: badges.indices)
    func `a badge is`(index: Int) {
        let row = Self.badges[index]
        let badge = Presentation.badge(state: row.state, outcome: row.outcome, isWaiting: row.isWaiting)
        #expect(badge.label == row.label)
        #expect(badge.tone == row.tone)
        #expect(badge.icon.count == 1)
        // Nothing waits but what is queued.
        let other = Presentation.badge(state: row.state, outcome: row.outcome, isWaiting: !row.isWaiting)
        #expect((badge == other) == (row.state != .queued))
    }

    /// What is told of things: connections and tenants.
    static let conditions: [(badge: Badge, label: String, tone: Badge.Tone)] = [
        (Presentation.badge(health: .unknown), "unknown", .neutral),
        (Presentation.badge(health: .healthy), "healthy", .good),
        (Presentation.badge(health: .degraded), "degraded", .mixed),
        (Presentation.badge(health: .unhealthy), "unhealthy", .bad),
        (Presentation.badge(connectionIsEnabled: true), "enabled", .good),
        (Presentation.badge(connectionIsEnabled: false), "disabled", .refused),
        (Presentation.defaultConnection, "default", .neutral),
        (Presentation.badge(operability: .operable), "operable", .good),
        (Presentation.badge(operability: .onboarding), "onboarding", .waiting),
        (Presentation.badge(operability: .suspended), "suspended", .refused),
        (Presentation.badge(operability: .archived), "archived", .neutral),
    ]

    @Test func `every condition has a badge`() {
        for (badge, label, tone) in Self.conditions {
            #expect(badge.label == label)
            #expect(badge.tone == tone, "\(label)")
            #expect(badge.icon.count == 1, "\(label)")
        }
        // One of them for each case.
        let labels = Set(Self.conditions.map(\.label))
        #expect(labels.isSuperset(of: ConnectionHealth.allCases.map(\.rawValue)))
        #expect(labels.isSuperset(of: AuthorityFacts.Operability.allCases.map(\.rawValue)))
    }

    @Test func `no two badges share a label or an icon`() {
        let runs = Self.badges.map {
            Presentation.badge(state: $0.state, outcome: $0.outcome, isWaiting: $0.isWaiting)
        }
        let badges = runs + Self.conditions.map(\.badge)
        #expect(Set(badges.map(\.label)).count == badges.count)
        #expect(Set(badges.map(\.icon)).count == badges.count)
        // Every outcome has a tone of its own but the cancelled one, which is neither good nor bad.
        #expect(Set(runs.map(\.tone)).count == runs.count - 2)
    }

    @Test func `what is refused never looks like what failed`() {
        let all = Self.badges.map {
            Presentation.badge(state: $0.state, outcome: $0.outcome, isWaiting: $0.isWaiting)
        }
        let badges = all + Self.conditions.map(\.badge)
        let refused = badges.filter { $0.tone == .refused }
        let bad = badges.filter { $0.tone == .bad }
        #expect(refused.map(\.label) == ["blocked", "disabled", "suspended"])
        #expect(bad.map(\.label) == ["failed", "unhealthy"])
    }

    @Test func `blocked and failed never look alike`() {
        let blocked = Presentation.badge(state: .completed, outcome: .blocked, isWaiting: false)
        let failed = Presentation.badge(state: .completed, outcome: .failed, isWaiting: false)
        #expect(blocked.label != failed.label)
        #expect(blocked.tone != failed.tone)
        #expect(blocked.icon != failed.icon)
    }
}
