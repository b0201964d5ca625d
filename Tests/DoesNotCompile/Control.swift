// What a handler may do: the flags that refuse the other files accept this one.
import Operations
import Store

func mayAskForACall(_ permit: ExecutionPermit, _ permits: CallPermits) async throws {
    let call = try await permits.open(under: permit, call: "GET /organization", timeLimit: .seconds(5))
    try await permits.close(call.id, status: 200)
}
