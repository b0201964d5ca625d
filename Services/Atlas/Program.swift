import ArgumentParser
import FoundationEssentials
import JSON
import ServiceKit

/// Runs one command and ends with its exit code: 0 done, 1 refused or a failed outcome, 2 wrong usage or
/// settings, 3 something could not be reached.
@main
enum Program {
    static func main() async {
        Hardening.apply()
        do {
            var command = try await AtlasCommand.asyncParseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            exit(with: error)
        }
    }

    private static func exit(with error: any Error) -> Never {
        let parserCode = AtlasCommand.exitCode(for: error)
        if parserCode == .success {
            StandardOutput.write(Array((AtlasCommand.fullMessage(for: error) + "\n").utf8))
            AtlasCommand.exit()
        }
        // A command that has told its outcome itself ends with a bare code.
        if let code = error as? ExitCode { AtlasCommand.exit(withError: code) }
        let isUsage = parserCode == .validationFailure
        let failure = isUsage ? usage(error) : Failure(error)
        if CommandLine.arguments.contains("--json") {
            StandardError.write(failure.json.text)
        } else if isUsage {
            StandardError.write(AtlasCommand.fullMessage(for: error))
        } else {
            StandardError.write(failure.lines(.standardError).joined(separator: "\n"))
        }
        AtlasCommand.exit(withError: ExitCode(failure.code.rawValue))
    }

    private static func usage(_ error: any Error) -> Failure {
        Failure(
            code: .usage, what: "The command was not understood.", why: AtlasCommand.message(for: error),
            next: "See «atlas --help».")
    }
}
