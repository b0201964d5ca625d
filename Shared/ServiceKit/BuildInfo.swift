import Glibc

/// Which build is running.
package enum BuildInfo {
    package static let version = "0.1.0"

    /// The commit that the build was made from: `TENANTATLAS_COMMIT`, at most 64 letters and digits, or
    /// `unknown`.
    package static let commit: String = {
        guard let value = getenv("TENANTATLAS_COMMIT").map({ String(cString: $0) }),
            (1...64).contains(value.utf8.count),
            value.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) })
        else { return "unknown" }
        return value
    }()
}
