// expect: cannot convert value of type 'QueuedExecution' to expected argument type 'ExecutionPermit'
import JobRuntime
import Operations

func callWithoutTheGate(_ handler: Handler, _ execution: QueuedExecution) async throws {
    _ = try await handler(execution)
}
