import AMQP
import FoundationEssentials
import JSON
import Operations
import ServiceKit

/// A start request as an upstream system publishes it: a CloudEvent (1.0) in structured or in binary mode, with the
/// system's token beside it in the header `authorization`.
struct RequestEvent {
    /// The CloudEvents `type`.
    static let type = "com.tenantatlas.start.requested.v1"
    private static let structuredType = "application/cloudevents+json"
    /// The AMQP binding's prefixes; one of them in a message.
    private static let prefixes = ["cloudEvents_", "cloudEvents:"]

    /// Source and id, which together name the request: the same again is the same request.
    let key: String
    let id: String
    /// The members of the request, as JSON.
    let data: [UInt8]
    let traceParent: TraceParent?
    let isStructured: Bool

    /// Why a message is not such an event. The text repeats nothing of it.
    struct Malformed: Error {
        /// Completes «The message …».
        let detail: String
    }

    init(_ delivery: Delivery) throws(Malformed) {
        let contentType = delivery.properties.contentType ?? ""
        isStructured = contentType.lowercased().hasPrefix(Self.structuredType)
        let event = isStructured ? try Self.structured(delivery) : try Self.binary(delivery)
        guard event["specversion"]?.string == "1.0" else {
            throw Malformed(detail: "is no CloudEvent: specversion must be 1.0")
        }
        guard event["type"]?.string == Self.type else {
            throw Malformed(detail: "is no start request: type must be \(Self.type)")
        }
        guard let id = event["id"]?.string, let source = event["source"]?.string, !id.isEmpty,
            !source.isEmpty,
            StartRoute.isKey("\(source) \(id)")
        else {
            throw Malformed(
                detail: "has no usable id: source and id must be printable ASCII, together at most"
                    + " \(StartRoute.keyLimit - 1) bytes")
        }
        self.id = id
        key = "\(source) \(id)"
        data = isStructured ? try Self.data(of: event) : delivery.body
        traceParent = (event["traceparent"]?.string ?? delivery.headers["traceparent"]?.string).flatMap(
            TraceParent.init)
    }

    private static func structured(_ delivery: Delivery) throws(Malformed) -> JSON {
        guard let event = try? JSON(parsing: delivery.body), event.object != nil else {
            throw Malformed(detail: "is no JSON object")
        }
        return event
    }

    private static func data(of event: JSON) throws(Malformed) -> [UInt8] {
        if let data = event["data"] { return data.bytes }
        guard let text = event["data_base64"]?.string, let data = Data(base64Encoded: text) else {
            throw Malformed(detail: "has no data")
        }
        return Array(data)
    }

    private static func binary(_ delivery: Delivery) throws(Malformed) -> JSON {
        for prefix in prefixes where delivery.headers[prefix + "specversion"] != nil {
            var event = JSONObject()
            for field in delivery.headers.fields where field.name.hasPrefix(prefix) {
                if let text = field.value.string {
                    event[String(field.name.dropFirst(prefix.count))] = .string(text)
                }
            }
            return .object(event)
        }
        throw Malformed(
            detail: "is no CloudEvent: send content type \(structuredType), or the headers"
                + " cloudEvents_specversion, cloudEvents_type, cloudEvents_source and cloudEvents_id")
    }
}
