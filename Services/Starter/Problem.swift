import HTTPTypes
import JSON
import Operations
import Postgres
import Store

/// Why a request was not fulfilled, told as a problem document (RFC 9457). The one place that makes them.
struct Problem: Error, Sendable {
    /// What is wrong with one member of a body (a JSON pointer) or one parameter of the query (`?name`).
    struct Fault: Sendable, Hashable {
        let pointer: String
        let detail: String
    }

    let status: HTTPResponse.Status
    /// What happened, and what to do about it.
    let detail: String
    var reasonCode: String?
    var denialClass: DenialClass?
    /// Whether the same request may succeed later without anybody changing anything.
    var isRetryable: Bool?
    /// The run that it is about.
    var runID: RunID?
    /// The run that stands in the way, and its operation.
    var activeRun: (id: RunID, operation: String)?
    var faults: [Fault] = []
    var headers: HTTPFields = [:]

    /// The members of the document.
    var members: JSONObject {
        var body: JSONObject = [
            "type": "about:blank", "title": .string(status.reasonPhrase), "status": .int(status.code),
            "detail": .string(detail),
        ]
        if let reasonCode { body["reason_code"] = .string(reasonCode) }
        if let denialClass { body["denial_class"] = .string(denialClass.rawValue) }
        if let isRetryable { body["retryable"] = .bool(isRetryable) }
        if let runID { body["run_id"] = .string("\(runID)") }
        if let activeRun {
            body["active_run"] = [
                "run_id": .string("\(activeRun.id)"), "operation": .string(activeRun.operation),
                "href": .string(RunAddress.path(of: activeRun.id)),
            ]
        }
        if !faults.isEmpty {
            body["errors"] = .array(
                faults.map { ["pointer": .string($0.pointer), "detail": .string($0.detail)] })
        }
        return body
    }

    /// The answer that tells it.
    var answer: Answer {
        var headers = headers
        headers[.contentType] = "application/problem+json"
        return Answer(status: status, headers: headers, body: JSON.object(members).bytes)
    }
}

// MARK: who asks

extension Problem {
    static let unauthorized = Problem(
        status: .unauthorized,
        detail: "This needs a valid token. Send «Authorization: Bearer ta_…»;"
            + " whoever runs the platform can issue one.",
        headers: [.wwwAuthenticate: "Bearer"])

    /// The same for what does not exist and for what the caller may not know.
    static let notFound = Problem(
        status: .notFound,
        detail: "There is nothing here that you may see. Check the address and the ids in the request;"
            + " a manager of the workspace can give access.")

    /// Why somebody was turned away, as an answer.
    init(_ refusal: AccessRefusal) {
        switch refusal {
        case .notFound: self = .notFound
        case .lacks(let capability): self = .forbidden(capability)
        case .outsideToken(let capability): self = .outsideToken(capability)
        }
    }

    private static let schedulesPersonOnly = Problem(
        status: .forbidden, detail: ScheduleAccess.OfAnotherPerson.sentence,
        reasonCode: "schedule_of_another_person", isRetryable: false)

    private static func forbidden(_ capability: Capability) -> Problem {
        Problem(
            status: .forbidden,
            detail: "Your role here does not include \(capability.rawValue)."
                + " A manager of the workspace can raise it.",
            reasonCode: DenialReason.capabilityMissing.rawValue,
            denialClass: DenialReason.capabilityMissing.denialClass, isRetryable: false)
    }

    private static func outsideToken(_ capability: Capability) -> Problem {
        Problem(
            status: .forbidden,
            detail: "This token is not for \(capability.rawValue). Use another token, or issue one that is.",
            reasonCode: "outside_token", isRetryable: false)
    }

    /// `seconds` until the next request is let through.
    static func tooManyRequests(retryAfter seconds: Int) -> Problem {
        Problem(
            status: .tooManyRequests,
            detail: "This token sends more requests than allowed. Send the next one after \(seconds) s.",
            isRetryable: true, headers: [.retryAfter: "\(seconds)"])
    }
}

// MARK: what is asked

extension Problem {
    static func methodNotAllowed(_ allowed: [HTTPRequest.Method]) -> Problem {
        let methods = allowed.map(\.rawValue).joined(separator: ", ")
        return Problem(
            status: .methodNotAllowed, detail: "Use \(methods) here.", headers: [.allow: methods])
    }

    static func headersTooLarge(limit: Int) -> Problem {
        Problem(
            status: .requestHeaderFieldsTooLarge,
            detail: "The headers may have at most \(limit) bytes together. Send fewer.")
    }

    static func addressTooLong(limit: Int) -> Problem {
        Problem(status: .uriTooLong, detail: "The address may have at most \(limit) bytes.")
    }

    static func bodyTooLarge(limit: Int) -> Problem {
        Problem(status: .contentTooLarge, detail: "A body may have at most \(limit) bytes. Send less.")
    }

    static let notJSONType = Problem(
        status: .unsupportedMediaType, detail: "Send the body as JSON, with «Content-Type: application/json»."
    )

    static func notJSON(_ error: JSON.ParseError) -> Problem {
        Problem(status: .badRequest, detail: "The body is \(error). Send one JSON object.")
    }

    static let notAnObject = Problem(
        status: .unprocessableContent, detail: "The body must be a JSON object.",
        faults: [Fault(pointer: "", detail: "must be an object")])

    static func badHeader(_ name: String, _ rule: String) -> Problem {
        Problem(status: .badRequest, detail: "The header \(name) \(rule).")
    }

    static func faulty(_ faults: [Fault]) -> Problem {
        Problem(
            status: .unprocessableContent,
            detail: "Some of what was sent is not valid. Correct what «errors» lists and send it again.",
            faults: faults)
    }

    static func conflict(_ detail: String, reasonCode: String, runID: RunID? = nil) -> Problem {
        Problem(
            status: .conflict, detail: detail, reasonCode: reasonCode, isRetryable: false, runID: runID)
    }
}

// MARK: what went wrong

extension Problem {
    static let internalError = Problem(
        status: .internalServerError,
        detail:
            "Something went wrong on our side. Tell the platform engineer the X-Request-Id of this answer.")

    private static func unavailable(_ detail: String) -> Problem {
        Problem(
            status: .serviceUnavailable, detail: detail, isRetryable: true, headers: [.retryAfter: "1"])
    }

    /// What an error that nobody handled means for the caller. Says nothing of the error itself.
    init(_ error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let refusal as AccessRefusal: self.init(refusal)
        case is ScheduleAccess.OfAnotherPerson: self = .schedulesPersonOnly
        case StoreError.notFound: self = .notFound
        case let error as PostgresError where error.kind == .commitUnknown:
            self = .unavailable(
                "It is not known whether this took effect. Send the same request again:"
                    + " it is not done twice.")
        case let error as PostgresError where error.isRetryable || error.kind == .closed:
            self = .unavailable("The database can't be reached. Nothing was changed; send it again.")
        case is CancellationError:
            self = .unavailable("The service is stopping. Send the request again.")
        default: self = .internalError
        }
    }
}
