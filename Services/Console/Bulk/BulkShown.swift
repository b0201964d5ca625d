import JSON
import Operations
import ServiceKit

/// What a dry run told somebody. It travels in the form, signed by the session: nothing is started that was not shown.
struct BulkShown: Sendable {
    struct Result: Sendable {
        let eligible: Int
        /// How many can't be changed, by the word for why.
        let ineligible: [String: Int]
        /// Names of some that would be changed.
        let examples: [String]

        /// The API's answer to a dry run.
        init(_ answer: JSON) {
            eligible = answer["eligible"]?.integer ?? 0
            let members = answer["not_eligible"]?.object?.members ?? []
            ineligible = Dictionary(uniqueKeysWithValues: members.map { ($0, $1.integer ?? 0) })
            examples = (answer["examples"]?.array ?? []).compactMap(\.string)
        }

        func isSame(as other: Result) -> Bool {
            eligible == other.eligible && ineligible == other.ineligible && examples == other.examples
        }

        fileprivate var json: JSON {
            [
                "eligible": .int(eligible),
                "not_eligible": .object(
                    JSONObject(ineligible.sorted { $0.key < $1.key }.map { ($0.key, JSON.int($0.value)) })),
                "examples": .array(examples.map(JSON.string)),
            ]
        }
    }

    let type: OperationType
    let connection: ConnectionID
    let parameters: BulkParameters
    let result: Result
    /// Tells this showing from others of the same.
    private let showing: String

    init(
        _ type: OperationType, _ connection: ConnectionID, _ parameters: BulkParameters, _ result: Result
    ) {
        self.type = type
        self.connection = connection
        self.parameters = parameters
        self.result = result
        showing = Hex.random(16)
    }

    /// Nil for what is none.
    init?(_ text: String) {
        guard let json = try? JSON(parsing: Array(text.utf8)),
            let type = json["operation"]?.string.flatMap(OperationType.init),
            let connection = json["connection"]?.string.flatMap({ ConnectionID($0) }),
            let parameters = try? BulkParameters(json["parameters"], for: type),
            let result = json["result"], let showing = json["showing"]?.string
        else { return nil }
        self.type = type
        self.connection = connection
        self.parameters = parameters
        self.result = Result(result)
        self.showing = showing
    }

    var json: JSON {
        [
            "operation": .string(type.rawValue), "connection": .string("\(connection)"),
            "parameters": parameters.json, "result": result.json, "showing": .string(showing),
        ]
    }
}
