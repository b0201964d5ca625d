import Operations
import ServiceKit
import Store
import Synchronization

/// Verifies a workspace's chain while somebody waits: bounded, and one at a time.
final class AuditCheck: Sendable {
    /// What fits a request; the command line looks at everything.
    static let bounds = AuditVerification.Bounds(records: 500_000, duration: .seconds(20))

    /// What came of it, in words.
    struct Verdict: Sendable {
        enum Tone: String { case good, bad, mixed }

        let tone: String
        let icon: String
        let sentence: String
        let remark: String
        /// The chain's newest hash; to be kept elsewhere.
        let head: String?
    }

    private let verification: AuditVerification
    private let isBusy = Mutex(false)

    init(_ verification: AuditVerification) { self.verification = verification }

    func run(_ workspace: WorkspaceID) async throws -> Verdict {
        let begins = isBusy.withLock { isBusy in
            defer { isBusy = true }
            return !isBusy
        }
        guard begins else {
            return Verdict(
                .mixed, "Somebody else has the audit verified at this moment.",
                remark: "Try again in a minute.",
                head: nil)
        }
        defer { isBusy.withLock { $0 = false } }
        do {
            let chains = try await verification.verify(workspace, knownHead: nil, within: Self.bounds) {
                _, _ in
            }
            guard let chain = chains.first else { throw Fault.notFound }
            return Verdict(chain)
        } catch StoreError.notSettled {
            return Verdict(
                .mixed, "The database came to another server, and the audit was not settled there yet.",
                remark: "The platform engineer has to run «atlas migrate»; then it can be verified.",
                head: nil)
        }
    }
}

extension AuditCheck.Verdict {
    fileprivate init(_ tone: Tone, _ sentence: String, remark: String, head: String?) {
        self.tone = tone.rawValue
        icon =
            switch tone {
            case .good: "✓"
            case .bad: "✗"
            case .mixed: "◐"
            }
        self.sentence = sentence
        self.remark = remark
        self.head = head
    }

    init(_ chain: AuditVerification.Chain) {
        let looked =
            "\(Presentation.grouped(chain.records)) records in \(Presentation.grouped(chain.blocks)) blocks"
            + " were looked at."
        let fresh =
            chain.unsealed == 0
            ? ""
            : " \(Presentation.grouped(chain.unsealed)) are too fresh to be sealed: they will be in a second."
        let head = chain.head.isEmpty || chain.isCut ? nil : Hex.text(chain.head)
        if let finding = chain.finding {
            self.init(
                .bad, "The audit is not as it was recorded. \(finding.sentence)",
                remark: "\(looked) Tell the platform engineer, and keep an export.", head: nil)
        } else if chain.isCut {
            self.init(
                .mixed, "What was looked at is as it was recorded, but there is more than fits here.",
                remark: "\(looked) The platform engineer can verify all of it with «atlas audit verify».",
                head: nil)
        } else {
            self.init(.good, "The whole audit is as it was recorded.", remark: looked + fresh, head: head)
        }
    }
}

extension AuditVerification.Finding {
    fileprivate var sentence: String {
        let record = recordID.map { "Record \(Presentation.grouped($0))" } ?? ""
        let said = entry.map { " (\(AuditWords.text($0.action)), \(Timestamp($0.at)))" } ?? ""
        return switch change {
        case .altered: "\(record)\(said) was altered."
        case .removed: "\(record) was removed."
        case .inserted where block == nil:
            "\(record)\(said) was slipped in later, or what vouched for it was removed."
        case .inserted: "\(record)\(said) was slipped in later."
        case .blockAltered: "Block \(block ?? 0) of the chain was altered, or the one before it was."
        case .blockRemoved: "Block \(block ?? 0) of the chain was removed."
        }
    }
}
