/// A service's settings: environment variables, and below them the lines of a file.
///
/// Reading never fails at once. A value that is missing or wrong is noted, a stand-in is returned, and
/// ``check()`` throws everything that was noted. A service reads all its settings, then checks, then starts.
///
/// A variable that is set but empty counts as not set. Of each secret or URL `NAME`, the variable
/// `NAME_FILE` may name a file with the value instead; the file's last line end is dropped.
package final class Configuration {
    private static let mostFileBytes = 256 * 1024
    private static let mostSecretBytes = 64 * 1024

    private let environment: [String: String]
    private var fileValues: [String: String] = [:]
    private var problems: [String] = []

    /// Settings from `environment`. Its variable `CONFIG_FILE` may name a file of lines `NAME=VALUE`, at
    /// most 256 KiB; blank lines and lines that begin with `#` are skipped, and nothing is unquoted.
    package init(environment: [String: String]) {
        self.environment = environment
        if let path = set(environment["CONFIG_FILE"]) { readFile(path) }
    }

    /// Throws what was noted so far, all at once. Call it after the last read, and before using anything.
    package func check() throws(ConfigurationError) {
        if !problems.isEmpty { throw ConfigurationError(problems: problems) }
    }

    /// A text. Without `default` it is required.
    package func string(_ name: String, default fallback: String? = nil, example: String) -> String {
        if let value = value(name) ?? fallback { return value }
        missing(name, example: example)
        return ""
    }

    /// A text that may be left out.
    package func optional(_ name: String) -> String? { value(name) }

    /// A whole number within `range`. Without `default` it is required.
    package func integer(_ name: String, default fallback: Int? = nil, in range: ClosedRange<Int>) -> Int {
        let example = "\(fallback ?? range.lowerBound)"
        guard let text = value(name) else {
            if fallback == nil { missing(name, example: example) }
            return fallback ?? range.lowerBound
        }
        guard let number = Int(text), range.contains(number) else {
            let bounds = "\(range.lowerBound) to \(range.upperBound)"
            wrong(name, "is not a whole number from \(bounds)", example: example)
            return range.lowerBound
        }
        return number
    }

    /// A time in seconds within `range`, for example `30` or `0.5`, to the millisecond.
    package func seconds(_ name: String, default fallback: Double, in range: ClosedRange<Double>) -> Duration
    {
        var number = fallback
        if let text = value(name) {
            if let given = Double(text), range.contains(given) {
                number = given
            } else {
                let bounds = "\(range.lowerBound) to \(range.upperBound)"
                wrong(name, "is not a number of seconds from \(bounds)", example: "\(fallback)")
            }
        }
        return .milliseconds(Int((number * 1_000).rounded()))
    }

    /// `true` or `false`.
    package func bool(_ name: String, default fallback: Bool) -> Bool {
        switch value(name) {
        case nil: return fallback
        case "true": return true
        case "false": return false
        default:
            wrong(name, "is neither true nor false", example: "\(fallback)")
            return fallback
        }
    }

    /// One of the cases of `T`.
    package func choice<T: RawRepresentable<String> & CaseIterable>(_ name: String, default fallback: T) -> T
    {
        guard let text = value(name) else { return fallback }
        if let choice = T(rawValue: text) { return choice }
        let choices = T.allCases.map(\.rawValue).joined(separator: ", ")
        wrong(name, "is not one of \(choices)", example: fallback.rawValue)
        return fallback
    }

    /// A URL with one of `schemes`, a host, and no spaces or control characters. It may hold a password.
    /// Without `default` it is required. `problem` says what else is wrong with it, without quoting it.
    package func url(
        _ name: String, schemes: [String], default fallback: String? = nil, example: String,
        problem: (String) -> String? = { _ in nil }
    ) -> String {
        guard let url = optionalURL(name, schemes: schemes, example: example) ?? fallback else {
            if !isNoted(name) { missing(name, example: example) }
            return ""
        }
        if let problem = problem(url) { wrong(name, "can't be used: \(problem)", example: example) }
        return url
    }

    /// The same, when it may be left out.
    package func optionalURL(_ name: String, schemes: [String], example: String) -> String? {
        guard let text = valueOrFile(name) else { return nil }
        let scheme = text.prefix { $0 != ":" }
        let rest = text.dropFirst(scheme.count)
        let printable = text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        guard printable, schemes.contains(String(scheme)), rest.hasPrefix("://"),
            let first = rest.dropFirst(3).first, first != "/"
        else {
            wrong(
                name, "is not a URL that begins with \(schemes.joined(separator: ":// or "))://",
                example: example)
            return nil
        }
        return text
    }

    /// A secret that is required.
    package func secret(_ name: String) -> Secret {
        if let secret = optionalSecret(name) { return secret }
        if !isNoted(name) {
            problems.append("\(name) is not set; set it, or \(name)_FILE=/run/secrets/\(name.lowercased())")
        }
        return Secret("")
    }

    /// A secret that may be left out.
    package func optionalSecret(_ name: String) -> Secret? { valueOrFile(name).map(Secret.init) }

    private func value(_ name: String) -> String? { set(environment[name]) ?? set(fileValues[name]) }

    private func set(_ text: String?) -> String? { text?.isEmpty == false ? text : nil }

    private func valueOrFile(_ name: String) -> String? {
        guard let path = value("\(name)_FILE") else { return value(name) }
        guard value(name) == nil else {
            problems.append("\(name) and \(name)_FILE are both set; keep one")
            return nil
        }
        guard var text = TextFile.read(path, limit: Self.mostSecretBytes) else {
            problems.append(
                "\(name)_FILE names no readable text file of at most \(Self.mostSecretBytes) bytes")
            return nil
        }
        // (CR LF is one character.)
        if text.last == "\n" || text.last == "\r\n" { text.removeLast() }
        guard !text.isEmpty else {
            problems.append("\(name)_FILE names an empty file")
            return nil
        }
        return text
    }

    private func missing(_ name: String, example: String) {
        problems.append("\(name) is not set; for example \(name)=\(example)")
    }

    private func wrong(_ name: String, _ problem: String, example: String) {
        problems.append("\(name) \(problem); for example \(name)=\(example)")
    }

    private func isNoted(_ name: String) -> Bool {
        problems.contains { $0.hasPrefix("\(name) ") || $0.hasPrefix("\(name)_FILE ") }
    }

    private func readFile(_ path: String) {
        guard let text = TextFile.read(path, limit: Self.mostFileBytes) else {
            problems.append("CONFIG_FILE names no readable text file of at most \(Self.mostFileBytes) bytes")
            return
        }
        let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        for (index, line) in lines.enumerated() where !line.isEmpty && !line.hasPrefix("#") {
            let name = String(line.prefix { $0 != "=" })
            guard line.contains("="), Self.isName(name) else {
                problems.append("CONFIG_FILE: line \(index + 1) is not NAME=VALUE")
                continue
            }
            guard fileValues[name] == nil else {
                problems.append("CONFIG_FILE: line \(index + 1) sets \(name) a second time")
                continue
            }
            fileValues[name] = String(line.dropFirst(name.count + 1))
        }
    }

    private static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(48...57).contains(first) else { return false }
        return text.utf8.allSatisfy { (65...90).contains($0) || (48...57).contains($0) || $0 == 95 }
    }
}
