import Foundation
import Logging
import Synchronization
import Testing

@testable import ServiceKit

@Suite struct JSONLogHandlerTests {
    final class Lines: Sendable {
        private let bytes = Mutex<[[UInt8]]>([])

        var logger: Logger {
            Logger(label: "x") { _ in
                JSONLogHandler(service: "kit", level: .info) { line in self.bytes.withLock { $0.append(line) }
                }
            }
        }

        var texts: [String] { bytes.withLock { $0.map { String(decoding: $0, as: UTF8.self) } } }

        func object() throws -> [String: Any] {
            let line = try #require(texts.first)
            return try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
    }

    struct Talkative: CustomStringConvertible, Error {
        var description: String { "all about it" }
    }

    @Test func writesOneObjectALine() throws {
        let lines = Lines()
        lines.logger.info("hello", metadata: ["run": "42"])
        lines.logger.debug("not this")
        #expect(lines.texts.count == 1)
        let line = try #require(lines.texts.first)
        #expect(
            line.hasSuffix("\"level\":\"info\",\"service\":\"kit\",\"message\":\"hello\",\"run\":\"42\"}\n"))
        let time = try #require(try lines.object()["time"] as? String)
        #expect(time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
    }

    @Test func nothingInjects() throws {
        let evil = "a\nb\r\u{2028}\u{0}\"}{\"level\":\"x\\"
        let lines = Lines()
        lines.logger.info("\(evil)", metadata: ["\(evil)": "\(evil)", "level": "forged", "time": "forged"])
        #expect(
            lines.texts.count == 1 && lines.texts[0].filter { $0.isNewline && $0 != "\u{2028}" }.count == 1)
        let object = try lines.object()
        #expect(object["message"] as? String == evil)
        #expect(object[evil] as? String == evil)
        #expect(object["level"] as? String == "info" && object["level_"] as? String == "forged")
        #expect(object["time_"] as? String == "forged")
    }

    @Test func writesPlainMetadataOnly() throws {
        let id = UUID()
        let lines = Lines()
        lines.logger.info(
            "x",
            metadata: [
                "integer": .stringConvertible(-7), "big": .stringConvertible(UInt64.max),
                "real": .stringConvertible(1.5),
                "yes": .stringConvertible(true), "id": .stringConvertible(id),
                "wait": .stringConvertible(Duration.milliseconds(1_500)),
                "at": .stringConvertible(Date(timeIntervalSince1970: 1_795_255_327.042)),
                "list": .array(["a", .stringConvertible(1)]), "group": .dictionary(["b": "c"]),
                "other": .stringConvertible(Talkative()),
                "deep": .array([.array([.array([.array(["x"])])])]),
            ])
        let object = try lines.object()
        #expect(object["integer"] as? Int == -7)
        #expect(object["big"] as? String == "18446744073709551615")
        #expect(object["real"] as? Double == 1.5)
        #expect(object["yes"] as? Bool == true)
        #expect(object["id"] as? String == id.uuidString.lowercased())
        #expect(object["wait"] as? Double == 1.5)
        #expect(object["at"] as? String == "2026-11-21T10:02:07.042Z")
        #expect((object["list"] as? [Any])?.count == 2)
        #expect(object["group"] as? [String: String] == ["b": "c"])
        #expect(object["other"] as? String == "(Talkative)")
        #expect(lines.texts[0].contains("\"deep\":[[[\"(too deep)\"]]]"))
    }

    @Test func cutsWhatIsTooLong() throws {
        let lines = Lines()
        let long = String(repeating: "ä", count: 10_000)
        let many = Dictionary(
            uniqueKeysWithValues: (0..<200).map { ("key\($0)", Logger.MetadataValue.string(long)) })
        lines.logger.info("\(long)", metadata: many)
        let object = try lines.object()
        #expect(object.count == 4 + 64)
        #expect((object["message"] as? String)?.utf8.count ?? 0 <= JSONLogHandler.mostTextBytes + 3)
    }

    @Test func addsErrorAndTheLoggersOwnMetadata() throws {
        let lines = Lines()
        var logger = lines.logger
        logger[metadataKey: "own"] = "1"
        logger[metadataKey: "both"] = "logger"
        logger.error("x", error: Talkative(), metadata: ["both": "line"])
        let object = try lines.object()
        #expect(object["error"] as? String == "all about it")
        #expect(object["own"] as? String == "1" && object["both"] as? String == "line")
    }

    @Test(arguments: [
        (0.0, "1970-01-01T00:00:00.000Z"), (951_782_399.9999, "2000-02-28T23:59:59.999Z"),
        (253_402_300_799.5, "9999-12-31T23:59:59.500Z"), (-1, "(far)"), (253_402_300_800, "(far)"),
        (.infinity, "(far)"), (.nan, "(far)"),
    ])
    func timesAreISO(seconds: Double, text: String) {
        #expect(LogTime.text(Date(timeIntervalSince1970: seconds)) == text)
    }
}
