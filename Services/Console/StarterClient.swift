import Curl
import JSON

/// Asks the Starter's API to do something, as the person whose session it is. The console has no right of its own.
struct StarterClient: Sendable {
    /// Taking authority away waits for the calls that are on the wire.
    private static let timeout = Duration.seconds(300)

    /// What the Starter answered.
    struct Answer: Sendable {
        let status: Int
        /// Null when it has no content.
        let body: JSON

        var isSuccess: Bool { (200..<300).contains(status) }
        /// What to tell the person about it.
        var detail: String {
            let faults = (body["errors"]?.array ?? []).compactMap { fault in
                fault["pointer"]?.string.flatMap { pointer in
                    fault["detail"]?.string.map { "\(pointer.drop { $0 == "/" }) \($0)" }
                }
            }
            let detail = body["detail"]?.string ?? "The answer could not be read."
            return faults.isEmpty ? detail : "\(detail) (\(faults.joined(separator: "; ")))"
        }

        /// What is wrong with what was typed, each thing a sentence; `labels` says what people read for a pointer.
        func problems(_ labels: [String: String]) -> [String] {
            let faults = (body["errors"]?.array ?? []).compactMap { fault in
                fault["pointer"]?.string.flatMap { labels[$0] }.flatMap { label in
                    fault["detail"]?.string.map { "\(label) \($0)." }
                }
            }
            return faults.isEmpty ? [detail] : faults
        }
    }

    private static let unreachable =
        "The service that starts and changes things can't be reached now. Try again; if it stays so, tell the"
        + " platform engineer."

    let base: String
    let client: CurlClient

    /// Sends a request with the session's secret. Whatever can't be sent is an answer, too: 503.
    func send(
        _ method: String, _ path: String, _ body: JSON? = nil, headers: [(String, String)] = [],
        as secret: String
    ) async -> Answer {
        var request = HTTPRequest(method: method, url: base + path, timeout: Self.timeout)
        request.headers =
            [("Authorization", "Bearer \(secret)"), ("Accept", "application/json")] + headers
        if let body {
            request.headers.append(("Content-Type", "application/json"))
            request.body = body.bytes
        }
        do {
            let response = try await client.perform(request)
            let json: JSON? = response.body.isEmpty ? .null : try? JSON(parsing: response.body)
            return Answer(status: response.status, body: json ?? .null)
        } catch {
            return Answer(
                status: 503,
                body: [
                    "detail": .string(Self.unreachable)
                ])
        }
    }
}
