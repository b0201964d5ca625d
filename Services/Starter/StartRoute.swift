import HTTPTypes
import HummingbirdCore
import JSON
import Operations
import ServiceKit
import Store

/// Starting a run: the route that upstream systems call thousands of times. And starting one once more.
struct StartRoute: Sendable {
    let starts: StartService
    let runs: RunReading
    let access: AccessReading
    let publish: @Sendable ([PendingMessage]) -> Void

    /// The longest operation name that is looked up, in characters.
    static let operationLimit = 100
    /// The longest key of a caller, in bytes.
    static let keyLimit = 255

    /// What was started, by this request or by an earlier one.
    struct Started: Sendable {
        let run: RunID
        let state: RunState
        let isDuplicate: Bool

        var json: JSONObject {
            [
                "run_id": .string("\(run)"), "state": .string(state.rawValue),
                "duplicate": .bool(isDuplicate), "href": .string(RunAddress.path(of: run)),
            ]
        }
    }

    func start(_ call: Call) async throws -> Answer {
        var request = try await call.read { Self.request(&$0, call.caller) }
        request.idempotencyKey = try idempotencyKey(call, limit: Self.keyLimit)
        request.traceparent = Self.trace(call)
        return answer(try await start(request, by: call.caller))
    }

    /// The members of a start request, whichever door it comes through.
    static func request(_ members: inout Members, _ caller: Principal) -> StartRequest {
        StartRequest(
            operation: members.text("operation", limit: operationLimit),
            connectionID: members.id("provider_connection_id"),
            parameters: members.optionalValue("parameters"), initiatorID: caller.userID,
            origin: caller.kind == .person ? .person : .upstream,
            waitLimitSeconds: members.optionalInteger("wait_limit_seconds"))
    }

    /// The caller's own trace, or a new one.
    static func trace(_ caller: TraceParent?) -> String {
        var generator = SystemRandomNumberGenerator()
        return (caller ?? .random(using: &generator)).description
    }

    private static func trace(_ call: Call) -> String {
        trace(call.request.headers[.traceparent].flatMap(TraceParent.init))
    }

    /// The start gate knows what people may do; a token may be for less.
    private func requireOfToken(_ request: StartRequest, _ caller: Principal) async throws {
        guard !caller.scope.isFull, let definition = OperationCatalogue.definition(named: request.operation)
        else { return }
        try await Access(of: caller, at: .connection(request.connectionID), access)
            .require(definition.capability)
    }

    /// Starts what ended otherwise than it should once more: a run of its own, as the caller. Whoever may start the
    /// operation may retry it.
    func retry(_ id: RunID, _ call: Call) async throws -> Answer {
        try await call.expectNothing()
        // The key is the caller's for this run: the same for another run is another key.
        let prefix = "retry \(id) "
        let key = try idempotencyKey(call, limit: Self.keyLimit - prefix.utf8.count)
        let place = try await Access(of: call.caller, at: .run(id), access)
        let definition = place.operation.flatMap(OperationCatalogue.definition(named:))
        try place.require(definition?.capability ?? .accessManage)
        guard let first = try await runs.repeatable(id) else { throw Problem.notFound }
        guard first.state == .completed else { throw Problem.notEnded(id) }
        guard first.outcome != .succeeded else { throw Problem.nothingToRetry(id) }
        // Everything that was asked of the first run is asked again.
        let request = StartRequest(
            operation: first.operation, connectionID: first.connectionID, parameters: first.parameters,
            initiatorID: call.caller.userID, origin: call.caller.kind == .person ? .person : .upstream,
            idempotencyKey: key.map { prefix + $0 }, retryOf: id,
            traceparent: Self.trace(call))
        return answer(try await start(request, by: call.caller))
    }

    private func idempotencyKey(_ call: Call, limit: Int) throws(Problem) -> String? {
        guard let key = call.request.headers[.idempotencyKey] else { return nil }
        guard Self.isKey(key), key.utf8.count <= limit else {
            throw .badHeader("Idempotency-Key", "must have 1 to \(limit) printable ASCII characters")
        }
        return key
    }

    /// Whether a caller may name a start so.
    static func isKey(_ text: String) -> Bool {
        (1...keyLimit).contains(text.utf8.count) && text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    }

    /// Starts what was asked for. Throws ``Problem`` when it is not to be started, and the database's errors.
    func start(_ request: StartRequest, by caller: Principal) async throws -> Started {
        try await requireOfToken(request, caller)
        switch try await starts.start(request) {
        case .accepted(let run, let message):
            publish([message])
            return Started(run: run.execution.runID, state: .queued, isDuplicate: false)
        case .duplicate(let run):
            // Named by a key, it may have ended long ago.
            guard let state = try await runs.state(of: run) else { throw Problem.notFound }
            return Started(run: run, state: state, isDuplicate: true)
        case .busy(let run, let operation): throw Problem.busy(run, operation)
        case .keyReused(let run):
            throw Problem.conflict(
                "This Idempotency-Key was used before to start something else. Use a new key for each start.",
                reasonCode: "idempotency_key_reused", runID: run)
        case .refused(let refusal): throw Problem(refusal)
        }
    }

    private func answer(_ started: Started) -> Answer {
        var answer = Answer.json(started.isDuplicate ? .ok : .accepted, .object(started.json))
        answer.headers[.location] = RunAddress.path(of: started.run)
        return answer
    }
}

extension Problem {
    fileprivate static func notEnded(_ run: RunID) -> Problem {
        .conflict(
            "This run has not ended. Wait for its end, or cancel it, before it is retried.",
            reasonCode: "run_not_ended", runID: run)
    }

    fileprivate static func nothingToRetry(_ run: RunID) -> Problem {
        .conflict(
            "This run succeeded: there is nothing to retry. Start the operation again with POST /v1/runs.",
            reasonCode: "run_succeeded", runID: run)
    }

    fileprivate static func busy(_ run: RunID, _ operation: String) -> Problem {
        let label = OperationCatalogue.definition(named: operation)?.label ?? operation
        return Problem(
            status: .conflict,
            detail: "«\(label)» is under way on this connection. Start this when it has ended.",
            reasonCode: "busy", isRetryable: true, activeRun: (run, operation))
    }

    /// Why nothing was started.
    init(_ refusal: StartRefusal) {
        switch refusal {
        case .notFound: self = .notFound
        case .forbidden(let capability): self.init(AccessRefusal.lacks(capability))
        case .denied(let reason):
            self.init(
                status: .conflict,
                detail: Presentation.sentence(.denial(reason)) + " "
                    + Presentation.remedy(.denial(reason), isOver: true),
                reasonCode: reason.rawValue, denialClass: reason.denialClass, isRetryable: reason.isRetryable)
        case .operationUnknown:
            let names = OperationType.allCases.map(\.rawValue).joined(separator: ", ")
            self = .faultyOperation("operation_unknown", "is none of \(names)")
        case .operationUnavailable:
            self = .faultyOperation("operation_unavailable", "is not offered by this installation")
        case .waitLimitInvalid(let allowed):
            self = .faulty([
                Fault(
                    pointer: "/wait_limit_seconds",
                    detail: "must be from \(allowed.lowerBound) to \(allowed.upperBound)")
            ])
        case .parametersInvalid(let faults):
            self = .faulty(faults.map { Fault(pointer: "/parameters\($0.pointer)", detail: $0.detail) })
        }
    }

    private static func faultyOperation(_ code: String, _ detail: String) -> Problem {
        var problem = Problem.faulty([Fault(pointer: "/operation", detail: detail)])
        problem.reasonCode = code
        problem.isRetryable = false
        return problem
    }
}
