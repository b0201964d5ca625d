import AMQP
import FoundationEssentials
import JSON
import JobRuntime

/// What an upstream system is told about its start request: a CloudEvent, in the mode of the request.
struct RequestReply {
    /// In a word, what came of it.
    enum Result: String {
        /// A run was queued.
        case accepted
        /// It was started before; nothing was started twice.
        case duplicate
        /// Another run is active on the connection.
        case busy
        /// Nothing was started, and why.
        case refused
    }

    /// The CloudEvents `type`.
    static let type = "com.tenantatlas.start.answered.v1"
    private static let source = "/tenantatlas/starter"
    /// Nobody waits longer for an answer, in milliseconds.
    private static let lifetime = 3_600_000

    let result: Result
    /// Beside the result, the members of the HTTP API's answer.
    private let members: JSONObject

    init(_ started: StartRoute.Started) {
        result = started.isDuplicate ? .duplicate : .accepted
        members = started.json
    }

    init(_ problem: Problem) {
        result = problem.activeRun == nil ? .refused : .busy
        members = problem.members
    }

    /// The message that tells it; nil when nobody asked for an answer, or the queue is one of the system's own, where
    /// it would be foreign. `event` is nil when the request could not be read.
    func message(to delivery: Delivery, _ event: RequestEvent?, id: UUID, at time: Date) -> OutgoingMessage? {
        guard let queue = delivery.properties.replyTo, !queue.isEmpty, !Self.isOurs(queue) else { return nil }
        var data: JSONObject = ["result": .string(result.rawValue)]
        for (key, value) in members.members { data[key] = value }
        let id = id.uuidString.lowercased()
        let attributes: [(String, String)] = [
            ("specversion", "1.0"), ("id", id), ("source", Self.source), ("type", Self.type),
            ("time", Self.text(time)),
        ]
        var message = OutgoingMessage(
            exchange: "", routingKey: queue, id: id, type: Self.type,
            correlationID: delivery.properties.correlationID ?? event?.id ?? delivery.properties.id,
            body: JSON.object(data).bytes, timestamp: time, expirationMilliseconds: Self.lifetime)
        if event?.isStructured == true {
            var whole = JSONObject(attributes.map { ($0.0, .string($0.1)) })
            whole["datacontenttype"] = "application/json"
            whole["data"] = .object(data)
            message.contentType = "application/cloudevents+json"
            message.body = JSON.object(whole).bytes
        } else {
            for (name, value) in attributes { message.headers["cloudEvents_" + name] = .string(value) }
        }
        return message
    }

    private static func isOurs(_ queue: String) -> Bool {
        JobTopology.queues.contains { queue == $0 || queue == JobTopology.deadLetters(of: $0) }
    }

    private static func text(_ time: Date) -> String { time.formatted(.iso8601) }
}
