internal import Waiting
internal import Foundation

/// A virtual host of its own on the test's broker, so that tests that declare the same queues don't meet.
///
/// `TEST_AMQP_URL` names the broker; `TEST_RABBITMQCTL` the command that administers it.
package struct VirtualHost: Sendable {
    /// The address of the virtual host.
    package let url: String
    private let name: String

    /// Makes a virtual host with full rights for the user in `TEST_AMQP_URL`.
    package static func make() async throws -> VirtualHost {
        let server = try TestDatabase.environment("TEST_AMQP_URL")
        guard let components = URLComponents(string: server), let user = components.user else {
            throw TestDatabase.Missing(variable: "TEST_AMQP_URL (with a user)")
        }
        let name = "test-\(UUID().uuidString.lowercased())"
        try await control(["add_vhost", name])
        try await control(["set_permissions", "-p", name, user, ".*", ".*", ".*"])
        var own = components
        own.path = "/\(name)"
        return VirtualHost(url: own.string!, name: name)
    }

    /// Removes it, and everything in it.
    package func remove() async { _ = try? await Self.control(["delete_vhost", name]) }

    /// How many messages of a queue wait for a consumer, and how many a consumer holds unsettled.
    package func messages(in queue: String) async throws -> (ready: Int, held: Int) {
        let listed = try await Self.control(
            [
                "list_queues", "-p", name, "--no-table-headers", "name", "messages_ready",
                "messages_unacknowledged",
            ])
        for line in listed.split(separator: "\n") {
            let words = line.split(separator: "\t")
            if words.count == 3, words[0] == queue, let ready = Int(words[1]), let held = Int(words[2]) {
                return (ready, held)
            }
        }
        throw NotInTime(description: "there is no queue \(queue): \(listed)")
    }

    /// Runs the command and returns what it printed.
    @discardableResult
    private static func control(_ arguments: [String]) async throws -> String {
        let command = try TestDatabase.environment("TEST_RABBITMQCTL")
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [command, "-q"] + arguments
        let output = Pipe()
        process.standardOutput = output
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            process.terminationHandler = { process in
                process.terminationStatus == 0
                    ? done.resume()
                    : done.resume(throwing: NotInTime(description: "\(command) \(arguments) failed"))
            }
            do { try process.run() } catch { done.resume(throwing: error) }
        }
        // A few lines at most: they fit into the pipe.
        return String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    }
}
