import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// The context of a request: it keeps the connection at hand, so that a fault can reset it.
struct SandboxContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}

/// Takes each request through the same steps: who calls, journal, faults, handler, delay, answer.
struct SandboxResponder: HTTPResponder {
    let sandbox: Sandbox
    private let control: ControlSurface?
    private let graph: GraphEndpoint
    private let login: TokenEndpoint

    init(_ sandbox: Sandbox) {
        self.sandbox = sandbox
        control = ControlSurface(sandbox)
        graph = GraphEndpoint(sandbox: sandbox)
        login = TokenEndpoint(sandbox: sandbox)
    }

    func respond(to request: Request, context: SandboxContext) async throws -> Response {
        let received = SandboxClock.monotonicNanoseconds()
        var call = IncomingCall(request)
        if let control, call.segments.first == ControlSurface.segment {
            guard try await collect(request, into: &call, limit: ControlSurface.bodyLimit) else {
                return Response(status: .contentTooLarge)
            }
            return response(control.answer(call), to: call, context.channel)
        }
        if let path = TokenEndpoint.Path(call.segments) {
            return try await respond(to: request, call, received, context, .login(path))
        }
        return try await respond(to: request, call, received, context, .graph(graph.caller(call)))
    }

    /// Which of the two services is meant.
    private enum Destination {
        case login(TokenEndpoint.Path)
        case graph(GraphEndpoint.Caller)
    }

    private func respond(
        to request: Request, _ incoming: IncomingCall, _ received: Int64, _ context: SandboxContext,
        _ destination: Destination
    ) async throws -> Response {
        var call = incoming
        let step = begin(call, destination, received)
        let isComplete = try await collect(request, into: &call, limit: step.target.bodyLimit)
        let answer = await finish(step, call, destination, isTooLarge: !isComplete)
        if answer.delivery == .reset { await reset(context.channel) }
        return response(answer, to: call, context.channel)
    }

    /// What is known of a call before it is handled.
    private struct Step {
        let target: FaultTarget
        /// The journal's number.
        let sequence: Int?
        let plan: Faults.Plan
        let errors: GraphErrors
    }

    /// Enters a call in the journal, and asks the faults.
    ///
    /// - Parameter batch: the number of the batch that the call came in.
    private func begin(
        _ call: IncomingCall, _ destination: Destination, _ received: Int64, batch: Int? = nil,
        inBatch: Bool = false
    ) -> Step {
        let target = target(call, destination, inBatch: inBatch)
        let sequence = sandbox.journal?.open(
            received: received, tenant: target.tenant, method: call.method, path: call.path,
            clientRequestID: call.clientRequestID, traceParent: call.traceParent, batch: batch)
        let requestID = GUID.random()
        return Step(
            target: target, sequence: sequence, plan: sandbox.faults.plan(for: target, now: received),
            errors: GraphErrors(
                requestID: requestID, clientRequestID: call.clientRequestID ?? requestID.description,
                now: sandbox.now))
    }

    /// Handles a call and completes its journal entry.
    private func finish(
        _ step: Step, _ call: IncomingCall, _ destination: Destination, isTooLarge: Bool = false
    ) async -> Answer {
        let (plan, errors) = (step.plan, step.errors)
        var answer: Answer
        if isTooLarge {
            answer = errors.plain(413, "RequestEntityTooLarge", "The request body is too large.")
        } else if let batch = await batch(call, destination, step) {
            answer = batch
        } else {
            answer = self.answer(call, destination, plan, errors)
        }
        answer = FaultAnswers.spoil(answer, plan.afterwards)
        if plan.delayMilliseconds > 0 { try? await Task.sleep(for: .milliseconds(plan.delayMilliseconds)) }
        addHeaders(to: &answer, errors, destination)
        if call.method == "HEAD" { answer.body = [] }
        if let sequence = step.sequence {
            sandbox.journal?.close(
                sequence, answered: SandboxClock.monotonicNanoseconds(),
                status: answer.delivery == .reset ? nil : answer.status,
                fault: plan.kinds.isEmpty ? nil : plan.kinds.joined(separator: "+"), written: answer.written)
        }
        return answer
    }

    /// The answer to a batch that may be taken apart; nil when the call is none.
    private func batch(_ call: IncomingCall, _ destination: Destination, _ step: Step) async -> Answer? {
        guard step.plan.refusal == nil, !step.target.inBatch, call.method == "POST",
            case .graph(let caller) = destination, case .app = caller,
            let path = try? GraphPath(segments: call.segments), path.resource == .batch
        else { return nil }
        let batch: Batch
        do throws(GraphRefusal) {
            batch = try Batch(call.body)
        } catch {
            return step.errors.plain(error.status, error.code, error.message)
        }
        var parts: [(id: String, answer: Answer)] = []
        for entry in batch.entries {
            let inner = IncomingCall(entry, of: call, version: path.version)
            let failed = parts.contains { part in
                part.answer.status >= 400
                    && entry.dependsOn.contains { $0.lowercased() == part.id.lowercased() }
            }
            guard !failed else {
                parts.append((entry.id, Batch.failedDependency(step.errors)))
                continue
            }
            let innerStep = begin(
                inner, destination, SandboxClock.monotonicNanoseconds(), batch: step.sequence, inBatch: true)
            let answer = await finish(innerStep, inner, destination)
            parts.append((entry.id, answer))
            // There is one connection only: it can't be reset for one of them.
            if answer.delivery == .reset {
                var reset = Answer(status: 500)
                reset.delivery = .reset
                return reset
            }
        }
        return Batch.answer(parts)
    }

    private func target(
        _ call: IncomingCall, _ destination: Destination, inBatch: Bool
    ) -> FaultTarget {
        switch destination {
        case .login(let path):
            FaultTarget(
                endpoint: .token, tenant: sandbox.tenants.named(path.tenant)?.id, method: call.method,
                path: call.path, page: .none)
        case .graph(let caller): graph.target(call, caller, inBatch: inBatch)
        }
    }

    private func answer(
        _ call: IncomingCall, _ destination: Destination, _ plan: Faults.Plan, _ errors: GraphErrors
    ) -> Answer {
        if let refusal = plan.refusal {
            if case .tokenError(let code) = refusal {
                return login.refuse(code, about: login.clientID(in: call), call)
            }
            let target = FaultAnswers(errors: errors, call: call)
            if let answer = target.answer(refusal, quotaWait: plan.quotaWait) { return answer }
        }
        return switch destination {
        case .login(let path): login.answer(call, path)
        case .graph(let caller): graph.answer(call, caller, plan, errors)
        }
    }

    /// Reads the body into the call; false when it is larger than `limit`.
    private func collect(_ request: Request, into call: inout IncomingCall, limit: Int) async throws -> Bool {
        do {
            let buffer = try await request.body.collect(upTo: limit)
            call.body = Array(buffer.readableBytesView)
            return true
        } catch is NIOTooManyBytesError {
            return false
        }
    }

    private func addHeaders(to answer: inout Answer, _ errors: GraphErrors, _ destination: Destination) {
        answer.add(.strictTransportSecurity, "max-age=31536000")
        answer.add(.clientRequestID, errors.clientRequestID)
        switch destination {
        case .login: answer.add(.msRequestID, errors.requestID.description)
        case .graph:
            answer.add(.requestID, errors.requestID.description)
            answer.add(.diagnostic, Self.diagnostic)
            if answer.status < 400 { answer.add(.odataVersion, "4.0") }
        }
    }

    private static let diagnostic =
        #"{"ServerInfo":{"DataCenter":"Germany West Central","Slice":"E","Ring":"5","ScaleUnit":"002","#
        + #""RoleInstance":"FR2PEPF00000ABC"}}"#

    // MARK: Delivery

    /// C's `struct linger`, whose Swift form belongs to an internal module of NIO.
    private struct Linger {
        let isOn: CInt = 1
        let seconds: CInt = 0
    }

    /// Ends the connection with a reset: lingering is switched off, so closing sends RST instead of FIN.
    private func reset(_ channel: any Channel) async {
        if let socket = channel as? any SocketOptionProvider {
            try? await socket.unsafeSetSocketOption(level: .socket, name: .so_linger, value: Linger()).get()
        }
        try? await channel.close().get()
    }

    private func response(_ answer: Answer, to call: IncomingCall, _ channel: any Channel) -> Response {
        var fields = HTTPFields()
        fields.reserveCapacity(answer.headers.count + 2)
        // The server closes without a word; a client that isn't told would use the connection again.
        if call.isLast { fields.append(HTTPField(name: .connection, value: "close")) }
        for (name, value) in answer.headers { fields.append(HTTPField(name: name, value: value)) }
        let body: ResponseBody =
            switch answer.delivery {
            case .complete, .reset: ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body))
            case .truncated(let bytes): truncated(answer.body, bytes, channel)
            case .trickled(let bytes, let pause): trickled(answer.body, bytes, pause)
            }
        return Response(
            status: HTTPResponse.Status(code: answer.status), headers: fields,
            body: answer.body.isEmpty ? ResponseBody() : body)
    }

    /// The client was promised more than it got.
    private struct BrokenOff: Error {}

    private func truncated(_ body: [UInt8], _ bytes: Int, _ channel: any Channel) -> ResponseBody {
        ResponseBody(contentLength: body.count) { writer in
            try await writer.write(ByteBuffer(bytes: body.prefix(bytes)))
            try await channel.close().get()
            throw BrokenOff()
        }
    }

    private func trickled(_ body: [UInt8], _ bytes: Int, _ pause: Duration) -> ResponseBody {
        ResponseBody(contentLength: body.count) { writer in
            for start in stride(from: 0, to: body.count, by: bytes) {
                if start > 0 { try await Task.sleep(for: pause) }
                try await writer.write(ByteBuffer(bytes: body[start...].prefix(bytes)))
            }
            try await writer.finish(nil)
        }
    }
}

extension FaultTarget {
    fileprivate var bodyLimit: Int {
        endpoint == .token ? TokenEndpoint.bodyLimit : GraphEndpoint.bodyLimit
    }
}
