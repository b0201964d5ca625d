import HTTPTypes
import JSON

/// The envelope of `POST /{version}/$batch`, checked as a whole.
struct Batch: Sendable {
    /// The most requests in one batch.
    static let limit = 20

    struct Entry: Sendable {
        let id: String
        let method: String
        /// Path and query below the version.
        let url: String
        let headers: [String: String]
        let body: [UInt8]
        let dependsOn: [String]
    }

    /// In an order in which each stands behind those that it depends on.
    let entries: [Entry]

    init(_ body: [UInt8]) throws(GraphRefusal) {
        guard let requests = (try? JSON(parsing: body))?["requests"]?.array, !requests.isEmpty else {
            throw .gateway("Invalid batch payload format.")
        }
        guard requests.count <= Self.limit else {
            throw .gateway("Number of batch request steps exceeds the maximum value of \(Self.limit).")
        }
        var entries: [Entry] = []
        var ids: Set<String> = []
        for request in requests {
            let entry = try Self.entry(request)
            guard ids.insert(entry.id.lowercased()).inserted else {
                throw .gateway("Duplicate request id '\(entry.id.prefix(64))' in the batch.")
            }
            entries.append(entry)
        }
        self.entries = try Self.ordered(entries)
    }

    private static func entry(_ json: JSON) throws(GraphRefusal) -> Entry {
        guard let id = json["id"]?.string, !id.isEmpty, let method = json["method"]?.string,
            let url = json["url"]?.string, !url.isEmpty, !url.contains("://")
        else { throw .gateway("A batch request needs 'id', 'method' and a relative 'url'.") }
        var headers: [String: String] = [:]
        for (name, value) in json["headers"]?.object?.members ?? [] {
            headers[name.lowercased()] = value.string
        }
        var body: [UInt8] = []
        if let content = json["body"] {
            guard headers["content-type"] != nil else {
                throw .gateway("The request '\(id.prefix(64))' has a body but no Content-Type header.")
            }
            body = content.bytes
        }
        return Entry(
            id: id, method: method.uppercased(), url: url, headers: headers, body: body,
            dependsOn: json["dependsOn"]?.array?.compactMap(\.string) ?? [])
    }

    private static func ordered(_ entries: [Entry]) throws(GraphRefusal) -> [Entry] {
        var rest = entries
        var ordered: [Entry] = []
        while !rest.isEmpty {
            let done = Set(ordered.map { $0.id.lowercased() })
            let ready = rest.firstIndex { $0.dependsOn.allSatisfy { done.contains($0.lowercased()) } }
            guard let ready else {
                throw .gateway("'dependsOn' names an unknown request, or requests wait for each other.")
            }
            ordered.append(rest.remove(at: ready))
        }
        return ordered
    }

    /// The answer to one request that waited for one that failed.
    static func failedDependency(_ errors: GraphErrors) -> Answer {
        errors.plain(424, "FailedDependency", "A request that this one depends on failed.")
    }

    /// The whole answer. Order means nothing to clients, so the last comes first.
    static func answer(_ parts: [(id: String, answer: Answer)]) -> Answer {
        let responses = parts.reversed().map { id, answer -> JSON in
            var headers = JSONObject()
            for (name, value) in answer.headers { headers[name.rawName] = .string(value) }
            var response: JSONObject = [
                "id": .string(id), "status": .int(answer.status), "headers": .object(headers),
            ]
            if !answer.body.isEmpty {
                let text = String(decoding: answer.body, as: UTF8.self)
                response["body"] = (try? JSON(parsing: answer.body)) ?? .string(text)
            }
            return .object(response)
        }
        let body: JSON = ["responses": .array(responses)]
        return Answer(status: 200, contentType: "application/json", body: body.bytes)
    }
}
