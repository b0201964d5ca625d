import AMQP
import Curl
import JSON
import Operations
import Postgres
import Sealing
import ServiceKit
import Store

extension Failure {
    /// What an error that no command handled means for a person.
    init(_ error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let error as ConfigurationError: self.init(error)
        case let error as PostgresError: self.init(error)
        case let error as AMQPError: self.init(error)
        case let error as SealingError:
            self.init(
                code: .usage, what: "The key can't be used.", why: "It is \(error).",
                next: "Make a pair with «atlas keys generate».")
        case StoreError.notFound(let what):
            self.init(
                code: .refused, what: "Nothing was changed.", why: "There is no such \(what).",
                next: "Check the names and ids.")
        case StoreError.notSettled:
            self.init(
                code: .refused, what: "The audit can't be verified yet.",
                why: "The database was restored on another server, and was not migrated there.",
                next: "Run «atlas migrate» as the database's owner; then do it again.")
        default:
            self.init(
                code: .refused, what: "Something went wrong.", why: "\(error)",
                next: "Tell the platform engineer what you did and what this says.")
        }
    }

    private init(_ error: ConfigurationError) {
        self.init(
            code: .usage, what: "A setting is missing or wrong.", why: error.problems.joined(separator: "\n"),
            next: "Set it in the environment, or in the file that CONFIG_FILE names.")
    }

    // MARK: the broker

    private init(_ error: AMQPError) {
        switch error.code {
        case .invalidAddress:
            self.init(
                code: .usage, what: "The broker's address can't be used.", why: error.message,
                next: "Check AMQP_URL.")
        default:
            self.init(
                code: .unreachable, what: "The broker could not be reached, or refused.", why: error.message,
                next: "Check AMQP_URL and that the broker runs; then do it again.")
        }
    }

    // MARK: the database

    private init(_ error: PostgresError) {
        switch error.kind {
        case .connection, .deadline, .poolExhausted, .closed:
            self.init(
                code: .unreachable, what: "The database could not be reached.", why: error.message,
                next: "Check DATABASE_URL and that the server runs; then do it again.")
        case .commitUnknown:
            self.init(
                code: .unreachable, what: "It is not known whether this was done.", why: error.message,
                next: "Do it again: it is not done twice.")
        case .configuration:
            self.init(
                code: .usage, what: "The database does not fit.", why: error.message,
                next: "Check DATABASE_URL, and that this version of atlas belongs to the database.")
        case .server(let state): self.init(state, error)
        case .decoding, .parameter:
            self.init(
                code: .refused, what: "The database answered in a way that this version does not know.",
                why: error.message, next: "Check that this version of atlas belongs to the database.")
        }
    }

    private init(_ state: String, _ error: PostgresError) {
        switch state {
        case "42P01", "42703", "42883":
            self.init(
                code: .refused, what: "The database lacks something that this version needs.",
                why: error.message, next: "Run «atlas migrate», then do it again.")
        case "42501":
            self.init(
                code: .refused, what: "The database does not allow this to its user.", why: error.message,
                next: "Migrations need the owner's DATABASE_URL; all else works with the services'.")
        case "23505":
            self.init(
                code: .refused, what: "There is such a thing already.", why: error.message,
                next: "Look at what is there; change it instead.")
        default:
            self.init(
                code: .refused, what: "The database refused.", why: "\(error.message) (SQLSTATE \(state))",
                next: error.isRetryable ? "Do it again; this passes by itself." : nil)
        }
    }

    // MARK: HTTP

    /// No answer came. `doing` completes «Could not …»; `place` names the variable with the address.
    init(_ error: TransferError, doing: String, place: String) {
        switch error.kind {
        case .invalidRequest:
            self.init(
                code: .usage, what: "Could not \(doing).", why: error.message, next: "Check \(place).")
        case .bodyTooLarge, .truncated, .protocolViolation, .timeout, .connect, .resolve, .tls, .reset,
            .cancelled, .refusedAddress, .overloaded, .mailRefused:
            let mayBeDone = error.requestMayHaveBeenSent
            self.init(
                code: .unreachable,
                what: mayBeDone ? "It is not known whether this was done: \(doing)." : "Could not \(doing).",
                why: error.message,
                next: mayBeDone
                    ? "Do it again: it is not done twice."
                    : "Check \(place) and that the service runs; then do it again.")
        }
    }

    /// The API's problem document. `doing` completes «Could not …».
    init(problem: JSON, status: Int, doing: String) {
        var why = problem["detail"]?.string ?? "The answer was \(status)."
        var next: String?
        if let reason = problem["reason_code"]?.string.flatMap(RunReason.init(code:)), status == 409 {
            (why, next) = (Presentation.sentence(reason), Presentation.remedy(reason, isOver: true))
        }
        for fault in problem["errors"]?.array ?? [] {
            guard let pointer = fault["pointer"]?.string, let detail = fault["detail"]?.string else {
                continue
            }
            why += "\n\(pointer.drop { $0 == "/" || $0 == "?" }) \(detail)"
        }
        switch status {
        case 401: next = "Set ATLAS_TOKEN to a valid token; «atlas tokens issue --user NAME» makes one."
        case 500...: next = "Do it again in a moment."
        default:
            if let run = problem["active_run"]?["run_id"]?.string ?? problem["run_id"]?.string {
                next = "See it with «atlas runs show \(run)»."
            }
        }
        self.init(
            code: [502, 503, 504].contains(status) ? .unreachable : .refused, what: "Could not \(doing).",
            why: why, next: next, problem: problem)
    }
}
