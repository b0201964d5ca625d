import ArgumentParser
import JSON
import Operations
import ServiceKit

/// Which operation is to be started or scheduled, where, and what is asked of it.
struct OperationOptions: ParsableArguments {
    @Argument(help: "The operation's name.")
    var operation: String

    @Option(help: "The provider connection's id.")
    var connection: String?

    @Option(help: "The tenant, by unique name or id: its default connection.")
    var tenant: String?

    @Option(help: "What is asked of the operation beyond its name: a JSON object, or @FILE with one.")
    var parameters: String?

    func validate() throws {
        guard (connection == nil) != (tenant == nil) else {
            throw ValidationError("Say where: --tenant NAME or --connection ID, one of them.")
        }
        if let parameters, !parameters.hasPrefix("@"), (try? JSON(parsing: parameters))?.object == nil {
            throw ValidationError("--parameters is no JSON object.")
        }
    }

    /// What people call the operation.
    var label: String { OperationCatalogue.definition(named: operation)?.label ?? operation }

    /// The members that the API's requests about an operation have in common.
    func body(_ api: APIClient) async throws -> JSONObject {
        var body: JSONObject = ["operation": .string(operation)]
        if let tenant {
            let place = try await api.tenant(tenant)
            body["provider_connection_id"] = .string("\(try await api.defaultConnection(of: place))")
        } else {
            body["provider_connection_id"] = .optional(connection)
        }
        if let parameters { body["parameters"] = try Self.read(parameters) }
        return body
    }

    /// The parameters themselves, or those in the file that `@` names.
    private static func read(_ parameters: String) throws -> JSON {
        guard parameters.hasPrefix("@") else { return try JSON(parsing: parameters) }
        let path = String(parameters.dropFirst())
        let limit = RunParameters.byteLimit
        guard let json = TextFile.read(path, limit: limit).flatMap({ try? JSON(parsing: $0) }) else {
            throw Failure(
                code: .usage, what: "The parameters could not be read.",
                why: "\(path) is not there, or is no JSON of at most \(limit) bytes.", next: nil)
        }
        return json
    }
}
