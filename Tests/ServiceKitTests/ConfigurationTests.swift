import Foundation
import Logging
import Testing

@testable import ServiceKit

@Suite struct ConfigurationTests {
    enum Color: String, CaseIterable { case red, green }

    static func problems(_ environment: [String: String], _ read: (Configuration) -> Void) -> [String] {
        let configuration = Configuration(environment: environment)
        read(configuration)
        do {
            try configuration.check()
            return []
        } catch {
            return error.problems
        }
    }

    static func withFile<R>(_ text: String, _ body: (String) throws -> R) throws -> R {
        let url = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).conf")
        try Data(text.utf8).write(to: url)
        defer { try? FileManager.default.removeItem(at: url) }
        return try body(url.path)
    }

    @Test func readsWhatIsSet() throws {
        let configuration = Configuration(environment: [
            "TEXT": "some text", "NUMBER": "8080", "WAIT": "0.25", "ON": "true", "COLOR": "green",
            "PLACE": "postgres://u:p@h/d", "KEY": "k",
        ])
        #expect(configuration.string("TEXT", example: "x") == "some text")
        #expect(configuration.optional("TEXT") == "some text")
        #expect(configuration.integer("NUMBER", in: 1...65_535) == 8080)
        #expect(configuration.seconds("WAIT", default: 1, in: 0...10) == .milliseconds(250))
        #expect(configuration.bool("ON", default: false))
        #expect(configuration.choice("COLOR", default: Color.red) == .green)
        #expect(configuration.url("PLACE", schemes: ["postgres"], example: "x") == "postgres://u:p@h/d")
        #expect(configuration.secret("KEY").matches("k"))
        try configuration.check()
    }

    /// An empty variable is what `NAME=` in a compose file means: not set.
    @Test(arguments: [
        [:], ["TEXT": "", "NUMBER": "", "WAIT": "", "ON": "", "COLOR": "", "PLACE": "", "KEY": ""],
    ])
    func fallsBack(environment: [String: String]) throws {
        let configuration = Configuration(environment: environment)
        #expect(configuration.string("TEXT", default: "d", example: "x") == "d")
        #expect(configuration.optional("TEXT") == nil)
        #expect(configuration.integer("NUMBER", default: 7, in: 1...9) == 7)
        #expect(configuration.seconds("WAIT", default: 1.5, in: 0...10) == .milliseconds(1_500))
        #expect(configuration.bool("ON", default: true))
        #expect(configuration.choice("COLOR", default: Color.red) == .red)
        #expect(
            configuration.url("PLACE", schemes: ["http"], default: "http://d", example: "x") == "http://d")
        #expect(configuration.optionalURL("PLACE", schemes: ["http"], example: "x") == nil)
        #expect(configuration.optionalSecret("KEY") == nil)
        try configuration.check()
    }

    @Test func namesEverythingThatIsMissing() {
        let problems = Self.problems([:]) {
            _ = $0.string("TEXT", example: "blue")
            _ = $0.integer("NUMBER", in: 1...9)
            _ = $0.url("PLACE", schemes: ["amqp"], example: "amqp://broker")
            _ = $0.secret("API_KEY")
        }
        #expect(
            problems == [
                "TEXT is not set; for example TEXT=blue", "NUMBER is not set; for example NUMBER=1",
                "PLACE is not set; for example PLACE=amqp://broker",
                "API_KEY is not set; set it, or API_KEY_FILE=/run/secrets/api_key",
            ])
    }

    @Test(arguments: ["0", "10", "-1", "1.5", "x", " 1", "99999999999999999999"])
    func refusesNumbers(text: String) {
        let problems = Self.problems(["NUMBER": text]) { _ = $0.integer("NUMBER", default: 3, in: 1...9) }
        #expect(problems == ["NUMBER is not a whole number from 1 to 9; for example NUMBER=3"])
    }

    @Test(arguments: ["-1", "11", "x", "nan", "inf", ""])
    func refusesTimes(text: String) {
        let problems = Self.problems(["WAIT": text]) { _ = $0.seconds("WAIT", default: 3, in: 0...10) }
        #expect(
            problems
                == (text.isEmpty
                    ? [] : ["WAIT is not a number of seconds from 0.0 to 10.0; for example WAIT=3.0"]))
    }

    @Test(arguments: [
        "secret", "http://secret", "amqp:secret", "amqp:/secret", "amqp://", "amqp:///secret",
        "amqp://h/ secret",
        "amqp://h/\nsecret", "AMQP://secret", "://secret", "amqp://sécret",
    ])
    func refusesURLsWithoutShowingThem(text: String) {
        let problems = Self.problems(["PLACE": text]) {
            _ = $0.url("PLACE", schemes: ["amqp", "amqps"], example: "amqp://broker")
        }
        #expect(
            problems == [
                "PLACE is not a URL that begins with amqp:// or amqps://; for example PLACE=amqp://broker"
            ])
    }

    @Test func refusesURLsThatTheirReaderCanNotUse() {
        let problems = Self.problems(["PLACE": "amqp://one,secret:x", "OTHER": "amqp://one"]) { settings in
            for name in ["PLACE", "OTHER"] {
                _ = settings.url(name, schemes: ["amqp"], example: "amqp://broker") { url in
                    url.hasSuffix("x") ? "a port is no port" : nil
                }
            }
        }
        #expect(problems == ["PLACE can't be used: a port is no port; for example PLACE=amqp://broker"])
    }

    @Test func refusesOtherChoices() {
        let problems = Self.problems(["ON": "yes", "COLOR": "blue", "LOG_LEVEL": "loud"]) {
            _ = $0.bool("ON", default: true)
            _ = $0.choice("COLOR", default: Color.red)
            _ = $0.choice("LOG_LEVEL", default: Logger.Level.info)
        }
        #expect(
            problems == [
                "ON is neither true nor false; for example ON=true",
                "COLOR is not one of red, green; for example COLOR=red",
                "LOG_LEVEL is not one of trace, debug, info, notice, warning, error, critical; "
                    + "for example LOG_LEVEL=info",
            ])
    }

    @Test func readsSecretsFromFiles() throws {
        for (text, value) in [("s", "s"), ("s\n", "s"), ("s\r\n", "s"), ("s\n\n", "s\n"), (" s ", " s ")] {
            try Self.withFile(text) { path in
                let configuration = Configuration(environment: ["KEY_FILE": path, "PLACE_FILE": path])
                #expect(configuration.secret("KEY").matches(value))
                try configuration.check()
            }
        }
        try Self.withFile("amqp://user:pass@broker\n") { path in
            let configuration = Configuration(environment: ["PLACE_FILE": path])
            #expect(configuration.url("PLACE", schemes: ["amqp"], example: "x") == "amqp://user:pass@broker")
        }
    }

    @Test func explainsSecretFiles() throws {
        let gone = Self.problems(["KEY_FILE": "/no/such/file"]) { _ = $0.secret("KEY") }
        #expect(gone == ["KEY_FILE names no readable text file of at most 65536 bytes"])
        try Self.withFile("\n") { path in
            #expect(
                Self.problems(["KEY_FILE": path]) { _ = $0.secret("KEY") } == ["KEY_FILE names an empty file"]
            )
        }
        try Self.withFile(String(repeating: "x", count: 65_537)) { path in
            #expect(Self.problems(["KEY_FILE": path]) { _ = $0.optionalSecret("KEY") }.count == 1)
        }
        try Self.withFile("s") { path in
            let both = Self.problems(["KEY_FILE": path, "KEY": "t"]) { _ = $0.secret("KEY") }
            #expect(both == ["KEY and KEY_FILE are both set; keep one"])
        }
    }

    @Test func readsTheFileBelowTheEnvironment() throws {
        let text = "# comment\n\nONE=file\r\nTWO=a = b\nTHREE=\nKEY_FILE=/no/such/file\n"
        try Self.withFile(text) { path in
            let configuration = Configuration(environment: [
                "CONFIG_FILE": path, "ONE": "environment", "KEY_FILE": "",
            ])
            #expect(configuration.string("ONE", example: "x") == "environment")
            #expect(configuration.string("TWO", example: "x") == "a = b")
            #expect(configuration.optional("THREE") == nil)
            try configuration.check()
            #expect(configuration.optionalSecret("KEY") == nil)
            #expect(throws: ConfigurationError.self) { try configuration.check() }
        }
    }

    @Test func explainsTheFile() throws {
        #expect(
            Self.problems(["CONFIG_FILE": "/no/such/file"]) { _ in }
                == ["CONFIG_FILE names no readable text file of at most 262144 bytes"])
        try Self.withFile("A=1\nsecret line\nA=2\n9X=3\nb=4\n=5\n") { path in
            #expect(
                Self.problems(["CONFIG_FILE": path]) { _ in }
                    == [
                        "CONFIG_FILE: line 2 is not NAME=VALUE", "CONFIG_FILE: line 3 sets A a second time",
                        "CONFIG_FILE: line 4 is not NAME=VALUE", "CONFIG_FILE: line 5 is not NAME=VALUE",
                        "CONFIG_FILE: line 6 is not NAME=VALUE",
                    ])
        }
    }
}
