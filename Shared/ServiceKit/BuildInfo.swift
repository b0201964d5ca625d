import Glibc

/// Which build is running.
package enum BuildInfo {
    package static let version = "0.1.0"

    /// The commit that the build was made from: `TENANTATLAS_COMMIT`, at most 64 letters and digits, or
    /// `unknown`. An image has it set.
    package static let commit: String = {
        guard let value = getenv("TENANTATLAS_COMMIT").map({ String(cString: $0) }),
            (1...64).contains(value.utf8.count),
            value.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) })
        else { return "unknown" }
        return value
    }()

    /// One line for people, as `--version` prints it: `starter 0.1.0, commit 1a2b3c`.
    package static func line(_ program: String) -> String { "\(program) \(version), commit \(commit)" }
}
