import Foundation
import Testing

@testable import ServiceKit

/// Services as processes, from start to exit status.
@Suite struct ServiceRunnerTests {
    static func port(_ child: ChildProcess) async throws -> Int {
        try #require(try await child.wait(for: "listening")["port"] as? Int)
    }

    @Test func answersUntilItIsToldToStop() async throws {
        let child = try ChildProcess(.good, environment: ["TENANTATLAS_COMMIT": "abc123"])
        let connection = try PlainConnection(port: try await Self.port(child))
        let live = try connection.get("/livez")
        #expect(live.status == 200)
        #expect(
            live.text.hasSuffix(
                #"{"status":"alive","service":"child","version":"0.1.0","commit":"abc123"}"#))
        let ready = try connection.get("/readyz")
        #expect(ready.status == 200 && ready.text.hasSuffix(#"{"status":"ready"}"#))
        let verbose = try connection.get("/readyz?verbose")
        #expect(verbose.text.contains(#"{"name":"one","outcome":"ok","milliseconds":"#))
        #expect(try connection.get("/hello").status == 200)
        #expect(try connection.get("/nothing").status == 404)
        let metrics = try connection.get("/metrics")
        #expect(
            metrics.text.lowercased().contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"))
        #expect(metrics.text.contains("\napp_greetings_total 1\n"))
        #expect(
            metrics.text.contains(
                "\ntenantatlas_build_info{service=\"child\",version=\"0.1.0\",commit=\"abc123\"} 1\n"))

        let limits = try String(contentsOfFile: "/proc/\(child.identifier)/limits", encoding: .utf8)
        #expect(limits.contains(#/Max core file size +0 +0 /#))

        // The connection that is still open must not hold it up.
        let started = ContinuousClock.now
        child.send(SIGTERM)
        #expect(try await child.exitStatus() == 0)
        #expect(ContinuousClock.now - started < .seconds(8))
        #expect(child.messages == ["starting", "listening", "stopping", "stopped"])
        let first = try #require(child.lines.first)
        #expect(first["version"] as? String == "0.1.0" && first["commit"] as? String == "abc123")
        withExtendedLifetime(connection) {}
    }

    @Test func anInterruptStopsItToo() async throws {
        let child = try ChildProcess(.good, environment: ["TENANTATLAS_COMMIT": "not a commit"])
        _ = try await child.wait(for: "listening")
        child.send(SIGINT)
        #expect(try await child.exitStatus() == 0)
        #expect(child.lines.first?["commit"] as? String == "unknown")
    }

    @Test(arguments: [
        (ServiceChild.Scenario.failing, "service failed", "Failing"),
        (.ending, "service ended without being asked", "Ending"),
    ])
    func aServiceThatEndsEndsTheProcess(
        scenario: ServiceChild.Scenario, message: String, part: String
    ) async throws {
        let child = try ChildProcess(scenario)
        #expect(try await child.exitStatus() == 1)
        let line = try await child.wait(for: message)
        #expect(line["part"] as? String == part && line["level"] as? String == "error")
    }

    @Test func whatBlocksEverythingIsEnded() async throws {
        let child = try ChildProcess(.blocking)
        _ = try await child.wait(for: "blocking")
        let started = ContinuousClock.now
        child.send(SIGTERM)
        #expect(try await child.exitStatus() == 1)
        #expect((9...14).contains((ContinuousClock.now - started) / .seconds(1)))
        let line = try await child.wait(for: "did not stop in time, ending the process")
        #expect((line["still_running"] as? [String])?.contains("Blocking") == true)
        #expect(line["seconds"] as? Int == 10)
    }

    @Test func aWrongConfigurationIsExplainedAtOnce() async throws {
        let environment = ["HTTP_PORT": "eighty", "LOG_LEVEL": "loud", "SOME_NUMBER": "topsecret"]
        let child = try ChildProcess(.misconfigured, environment: environment)
        #expect(try await child.exitStatus() == 78)
        let problems = child.messages.dropFirst()
        #expect(problems.count == 4 && problems.allSatisfy { $0.hasPrefix("configuration: ") })
        for name in ["HTTP_PORT", "LOG_LEVEL", "SOME_NUMBER", "SOME_KEY"] {
            #expect(problems.contains { $0.hasPrefix("configuration: \(name) ") })
        }
        #expect(!child.messages.contains { $0.contains("topsecret") })
    }

    @Test func whatCannotStartSaysSo() async throws {
        let child = try ChildProcess(.unstartable)
        #expect(try await child.exitStatus() == 1)
        #expect(child.messages == ["starting", "can't start"])
        let held = try ChildProcess(.good)
        let port = try await Self.port(held)
        let second = try ChildProcess(.good, environment: ["HTTP_PORT": "\(port)"])
        #expect(try await second.exitStatus() == 1)
        #expect(second.messages.contains("service failed"))
        held.send(SIGTERM)
        #expect(try await held.exitStatus() == 0)
    }
}
