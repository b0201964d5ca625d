import HTTPTypes
import JSON
import Operations
import Store

/// What a bulk operation would change if it began now, by the inventory. Nothing is started, and no provider called.
struct DryRunRoute: Sendable {
    let division: RunDivision
    let access: AccessReading

    private static let operationLimit = 100

    private struct Asked: Sendable {
        let operation: String
        let connection: ConnectionID
        let parameters: JSON?
    }

    func answer(_ call: Call) async throws -> Answer {
        let asked = try await call.read { members in
            Asked(
                operation: members.text("operation", limit: Self.operationLimit),
                connection: members.id("provider_connection_id"),
                parameters: members.optionalValue("parameters"))
        }
        guard let definition = OperationCatalogue.definition(named: asked.operation),
            definition.family == .bulk
        else {
            throw Problem.faulty([
                .init(pointer: "/operation", detail: "must be an operation of the bulk family")
            ])
        }
        let parameters: BulkParameters
        do {
            parameters = try BulkParameters(asked.parameters, for: definition.type)
        } catch {
            throw Problem.faulty(
                error.faults.map { .init(pointer: "/parameters\($0.pointer)", detail: $0.detail) })
        }
        let place = try await Access(of: call.caller, at: .connection(asked.connection), access)
        try place.require(definition.capability)
        let choice = try await division.choice(parameters.selection, of: asked.connection)
        let ineligible = choice.ineligible.sorted { $0.key < $1.key }.map { ($0.key, JSON.int($0.value)) }
        return .json(
            .ok,
            [
                "operation": .string(asked.operation),
                "eligible": .int(choice.eligible), "not_eligible": .object(JSONObject(ineligible)),
                "examples": .array(choice.examples.map(JSON.string)),
                "item_limit": .int(RunDivision.itemLimit),
            ])
    }
}
