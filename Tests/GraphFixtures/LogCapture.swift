package import Logging
internal import Synchronization

/// Keeps every line that is logged, at every level.
package final class LogCapture: Sendable {
    private let lines = Mutex<[String]>([])

    /// What was logged so far, with its metadata.
    package var text: String { lines.withLock { $0.joined(separator: "\n") } }

    package var logger: Logger {
        var logger = Logger(label: "test") { _ in Handler(capture: self) }
        logger.logLevel = .trace
        return logger
    }

    fileprivate func add(_ line: String) { lines.withLock { $0.append(line) } }

    private struct Handler: LogHandler {
        let capture: LogCapture
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level = .trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            capture.add("\(event.level) \(event.message) \(event.metadata ?? [:]) \(metadata)")
        }
    }
}
