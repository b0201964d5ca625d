internal import CryptoExtras
internal import Foundation

/// What is kept of a password: scrypt's output with its salt and cost, in the form of the PHC
/// (`$scrypt$ln=16,r=8,p=2$salt$output`, base64 without padding).
///
/// The cost follows OWASP's password storage cheat sheet: 64 MiB and about a quarter of a second for each look. Whoever
/// calls makes sure that few happen at a time.
package struct PasswordHash: Sendable {
    /// The binary logarithm of scrypt's N, its block size r, and its parallelism p.
    private struct Cost: Hashable {
        var log2N = 16
        var blockSize = 8
        var parallelism = 2
    }

    private static let saltLength = 16
    private static let outputLength = 32
    /// The shortest and the longest password, in characters.
    package static let lengths = 12...200

    /// As it is stored.
    package let text: String

    /// What is kept of `password`.
    package init(of password: String) throws {
        var generator = SystemRandomNumberGenerator()
        let salt = (0..<Self.saltLength).map { _ in
            UInt8.random(in: .min ... .max, using: &generator)
        }
        let cost = Cost()
        let output = try Self.derive(password, salt, cost)
        text =
            "$scrypt$ln=\(cost.log2N),r=\(cost.blockSize),p=\(cost.parallelism)"
            + "$\(Self.encode(salt))$\(Self.encode(output))"
    }

    /// What was stored; nil for anything else, and for a cost that is out of bounds.
    package init?(stored text: String) {
        guard Self.parts(of: text) != nil else { return nil }
        self.text = text
    }

    /// Whether it is of this password. Takes the same time for a wrong one as for the right one.
    package func matches(_ password: String) throws -> Bool {
        guard let (cost, salt, expected) = Self.parts(of: text) else { return false }
        let output = try Self.derive(password, salt, cost)
        var difference = UInt8(output.count == expected.count ? 0 : 1)
        for (one, other) in zip(output, expected) { difference |= one ^ other }
        return difference == 0
    }

    private static func derive(_ password: String, _ salt: [UInt8], _ cost: Cost) throws -> [UInt8] {
        // The same characters may be typed in several ways (NIST SP 800-63B asks for one).
        let typed = Array(password.precomposedStringWithCompatibilityMapping.utf8)
        let key = try KDF.Scrypt.deriveKey(
            from: typed, salt: salt, outputByteCount: outputLength, rounds: 1 << cost.log2N,
            blockSize: cost.blockSize, parallelism: cost.parallelism)
        return key.withUnsafeBytes { Array($0) }
    }

    private static func parts(of text: String) -> (cost: Cost, salt: [UInt8], output: [UInt8])? {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt",
            let cost = cost(parts[2]), let salt = decode(parts[3]), let output = decode(parts[4]),
            salt.count == saltLength, output.count == outputLength
        else { return nil }
        return (cost, salt, output)
    }

    private static func cost(_ text: Substring) -> Cost? {
        guard let match = text.wholeMatch(of: #/ln=([0-9]{1,2}),r=([0-9]{1,2}),p=([0-9]{1,2})/#),
            let log2N = Int(match.1), let blockSize = Int(match.2), let parallelism = Int(match.3),
            (10...20).contains(log2N), (1...32).contains(blockSize), (1...16).contains(parallelism)
        else { return nil }
        return Cost(log2N: log2N, blockSize: blockSize, parallelism: parallelism)
    }

    private static func encode(_ bytes: [UInt8]) -> String {
        String(Data(bytes).base64EncodedString().prefix { $0 != "=" })
    }

    private static func decode(_ text: Substring) -> [UInt8]? {
        let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        return Data(base64Encoded: text + padding).map(Array.init)
    }
}
