internal import FoundationEssentials
import JSON
import Logging

/// Writes each log line as one JSON object: `time`, `level`, `service`, `message`, then the metadata.
///
/// Everything is encoded, so a text from outside can neither begin a line nor end a member. Metadata is
/// written only when it is plain: texts, numbers, truth values, ids, times, and lists and groups of them.
/// Of anything else only the type is named, because nobody has looked at what it would say.
package struct JSONLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    package var logLevel: Logger.Level

    /// Longer texts are cut off there. A line has at most 64 members, and lists as many elements.
    static let mostTextBytes = 4_096
    private static let mostMembers = 64
    private static let deepest = 3
    private static let reserved: Set = ["time", "level", "service", "message", "error"]

    private let service: String
    private let write: @Sendable ([UInt8]) -> Void

    /// - Parameter write: takes one line with its end; `StandardOutput.write` in a service.
    package init(service: String, level: Logger.Level, write: @escaping @Sendable ([UInt8]) -> Void) {
        self.service = service
        self.write = write
        logLevel = level
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var line: JSONObject = [
            "time": .string(LogTime.text(.now)), "level": .string(event.level.rawValue),
            "service": .string(service), "message": .string(Self.cut(event.message.description)),
        ]
        if let error = event.error { line["error"] = .string(Self.cut(String(describing: error))) }
        var values = metadata
        for more in [metadataProvider?.get(), event.metadata].compactMap(\.self) {
            values.merge(more) { $1 }
        }
        for (key, value) in values.sorted(by: { $0.key < $1.key }).prefix(Self.mostMembers) {
            let name = Self.reserved.contains(key) ? key + "_" : key
            line[Self.cut(name)] = Self.plain(value, depth: 1)
        }
        write(JSON.object(line).bytes + [UInt8(ascii: "\n")])
    }

    private static func plain(_ value: Logger.Metadata.Value, depth: Int) -> JSON {
        switch value {
        case .string(let text): return .string(cut(text))
        case .stringConvertible(let value): return plain(value)
        case .array(let values) where depth <= deepest:
            return .array(values.prefix(mostMembers).map { plain($0, depth: depth + 1) })
        case .dictionary(let values) where depth <= deepest:
            let members = values.sorted { $0.key < $1.key }.prefix(mostMembers)
            return .object(JSONObject(members.map { ($0.key, plain($0.value, depth: depth + 1)) }))
        case .array, .dictionary: return "(too deep)"
        }
    }

    private static func plain(_ value: any CustomStringConvertible) -> JSON {
        switch value {
        case let text as String: .string(cut(text))
        case let text as Substring: .string(cut(String(text)))
        case let text as StaticString: .string(cut(text.description))
        case let value as Bool: .bool(value)
        case let number as any BinaryInteger:
            Int64(exactly: number).map(JSON.integer) ?? .string(number.description)
        case let number as Double: .number(number)
        case let number as Float: .number(Double(number))
        case let id as UUID: .string(id.uuidString.lowercased())
        case let duration as Duration: .number(duration / .seconds(1))
        case let date as Date: .string(LogTime.text(date))
        default: .string("(\(type(of: value)))")
        }
    }

    private static func cut(_ text: String) -> String {
        guard text.utf8.count > mostTextBytes else { return text }
        return String(decoding: text.utf8.prefix(mostTextBytes), as: UTF8.self) + "…"
    }
}
