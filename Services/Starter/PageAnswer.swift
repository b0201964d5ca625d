import HTTPTypes
import Hummingbird
import HummingbirdCore
import JSON
import Store

extension Answer {
    /// A page of a list under `name`, after the members `beside` it; `next` and a Link lead to the page after it,
    /// when there is one.
    static func page<Entry>(
        _ name: String, _ page: Page<Entry>, json: (Entry) -> JSON, cursor: (Entry) -> Cursor, of call: Call,
        beside: JSONObject = [:]
    ) -> Answer {
        var body = beside
        body[name] = .array(page.entries.map(json))
        var headers: HTTPFields = [:]
        if page.hasMore, let last = page.entries.last {
            let next = cursor(last).text
            body["next"] = .string(next)
            headers[.link] = "<\(address(of: next, call.request.uri))>; rel=\"next\""
        }
        var answer = Answer.json(.ok, .object(body))
        answer.headers.append(contentsOf: headers)
        return answer
    }

    /// The list's address with its parameters, which were found valid, and the new cursor.
    private static func address(of cursor: String, _ uri: URI) -> String {
        let others = (uri.query ?? "").split(separator: "&").filter { !$0.hasPrefix("cursor=") }
        return uri.path + "?" + (others + ["cursor=\(cursor)"]).joined(separator: "&")
    }
}
