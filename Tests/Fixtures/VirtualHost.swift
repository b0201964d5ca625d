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
    package func remove() async { try? await Self.control(["delete_vhost", name]) }

    private static func control(_ arguments: [String]) async throws {
        let command = try TestDatabase.environment("TEST_RABBITMQCTL")
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [command, "-q"] + arguments
        process.standardOutput = FileHandle.nullDevice
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            process.terminationHandler = { process in
                process.terminationStatus == 0
                    ? done.resume()
                    : done.resume(throwing: NotInTime(description: "\(command) \(arguments) failed"))
            }
            do { try process.run() } catch { done.resume(throwing: error) }
        }
    }
}
