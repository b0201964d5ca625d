import CLibPQ
import Logging

/// Takes the server's notices, which libpq would print to the standard error.
final class Notices: Sendable {
    private let logger: Logger

    init(logger: Logger) { self.logger = logger }

    /// The connection must not outlive this object.
    func attach(to handle: OpaquePointer) {
        _ = PQsetNoticeProcessor(
            handle,
            { context, message in
                guard let context, let message else { return }
                Unmanaged<Notices>.fromOpaque(context).takeUnretainedValue().log(String(cString: message))
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    private func log(_ message: String) {
        logger.debug("notice of the database", metadata: ["notice": "\(oneLine(message))"])
    }
}

/// A message of libpq without its line breaks.
func oneLine(_ message: String) -> String {
    message.split(whereSeparator: \.isNewline).joined(separator: "; ")
}
