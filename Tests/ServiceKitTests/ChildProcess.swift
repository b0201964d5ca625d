import Waiting
import Foundation
import Synchronization
import Testing

@testable import ServiceKit

/// A service in a process of its own, with what it logged.
final class ChildProcess: Sendable {
    private let process = Process()
    private let output = Mutex(Data())

    init(_ scenario: ServiceChild.Scenario, environment: [String: String] = [:]) throws {
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = ["--testing-library", "swift-testing", "--filter", "ServiceChild"]
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
            .merging([ServiceChild.variable: scenario.rawValue]) { $1 }
        let pipe = Pipe()
        process.standardOutput = pipe
        pipe.fileHandleForReading.readabilityHandler = { handle in
            let more = handle.availableData
            self.output.withLock { $0 += more }
            if more.isEmpty { handle.readabilityHandler = nil }
        }
        try process.run()
    }

    var identifier: Int32 { process.processIdentifier }

    /// What it logged so far; the test library's own output is left out.
    var lines: [[String: Any]] {
        let text = output.withLock { String(decoding: $0, as: UTF8.self) }
        return text.split(separator: "\n").compactMap { line in
            try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        }.filter { $0["service"] as? String == "child" }
    }

    var messages: [String] { lines.compactMap { $0["message"] as? String } }

    func send(_ signal: Int32) { kill(identifier, signal) }

    /// Waits for a log line.
    func wait(for message: String) async throws -> [String: Any] {
        var found: [String: Any]?
        try await wait {
            found = lines.first { $0["message"] as? String == message }; return found != nil
        }
        return found!
    }

    /// The exit status, when it has ended by itself; 0 to 255.
    func exitStatus() async throws -> Int32 {
        try await wait { !process.isRunning }
        #expect(process.terminationReason == .exit)
        return process.terminationStatus
    }

    private func wait(until condition: () -> Bool) async throws {
        do { try await eventually("the child gets on", condition) } catch {
            kill(identifier, SIGKILL)
            try #require(Bool(false), "waited in vain; it logged \(messages)")
        }
    }
}

/// A connection on which requests are written as they are.
final class PlainConnection {
    private let descriptor: Int32

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == 0, "no connection to port \(port): errno \(errno)")
    }

    deinit { close(descriptor) }

    /// Status line, headers and body as they come; the connection stays open.
    func get(_ path: String) throws -> (status: Int, text: String) {
        let request = Array("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
        try #require(write(descriptor, request, request.count) == request.count)
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while !Self.isComplete(received) {
            let count = read(descriptor, &buffer, buffer.count)
            try #require(count > 0, "the connection ended")
            received += buffer[..<count]
        }
        let text = String(decoding: received, as: UTF8.self)
        return (try #require(Int(text.dropFirst(9).prefix(3))), text)
    }

    private static func isComplete(_ bytes: [UInt8]) -> Bool {
        let parts = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n\r\n", maxSplits: 1)
        guard let head = parts.first,
            let match = head.firstMatch(of: /(?i)content-length: (\d+)/), let length = Int(match.1)
        else { return false }
        return (parts.count > 1 ? parts[1].utf8.count : 0) >= length
    }
}
