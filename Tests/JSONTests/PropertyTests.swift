import JSON
import SeededRandom
import Testing

/// What holds for every value and every text.
struct PropertyTests {
    @Test func `whatever is written is read back, byte for byte`() throws {
        var (random, seed) = SplitMix.announced(for: "round trip")
        for _ in 0..<3_000 {
            let value = random.json(depth: 5)
            let bytes = value.bytes
            let read = try JSON(parsing: bytes)
            let sorted = try JSON(parsing: value.canonicalBytes)
            // Bytes too: Swift's strings are equal in different normal forms.
            guard read == value, read.bytes == bytes, sorted.canonicalBytes == value.canonicalBytes else {
                Issue.record("seed \(seed): \(value.text) is read as \(read.text)")
                return
            }
        }
    }

    @Test func `a hundred thousand damaged texts are refused or understood`() throws {
        var (random, seed) = SplitMix.announced(for: "mutations")
        var accepted = 0
        for _ in 0..<100_000 {
            var bytes = Self.corpus.randomElement(using: &random)!
            for _ in 0..<Int.random(in: 1...3, using: &random) { random.mutate(&bytes) }
            let value: JSON
            do { value = try JSON(parsing: bytes) } catch {
                guard (0...bytes.count + 1).contains(error.offset) else {
                    Issue.record("seed \(seed): the error's offset is outside \(bytes)")
                    return
                }
                continue
            }
            accepted += 1
            guard try JSON(parsing: value.bytes) == value else {
                Issue.record("seed \(seed): \(bytes) is not read again as the same")
                return
            }
        }
        // Else the mutations would be so wild that nothing but the refusals was tried.
        #expect((5_000...60_000).contains(accepted))
    }

    static let corpus: [[UInt8]] = [
        #"{"a":1,"b":[true,null]}"#, #"["\u00e9\ud83d\ude00","x\n\"\\"]"#,
        #"[-0,12.5e-3,9223372036854775807]"#,
        #"{"k":{"k":{"k":[]}}}"#, "\"é😀\"", "  [ 1 , 2 ]  ", "-1.0E+2", "[[[[[[]]]]]]",
        #"{"version":1,"run_id":"8d3c","attempt":3}"#,
    ].map { Array($0.utf8) }
}

extension SplitMix {
    /// Any value that JSON can express.
    fileprivate mutating func json(depth: Int) -> JSON {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &self) {
        case 0: .null
        case 1: .bool(Bool.random(using: &self))
        case 2: .integer(Int64(bitPattern: next()) >> Int64.random(in: 0..<64, using: &self))
        case 3: .number(double())
        case 4, 5: .string(string())
        case 6: .array((0..<Int.random(in: 0..<5, using: &self)).map { _ in json(depth: depth - 1) })
        default: .object(object(depth: depth - 1))
        }
    }

    private mutating func object(depth: Int) -> JSONObject {
        var object = JSONObject()
        for _ in 0..<Int.random(in: 0..<16, using: &self) {
            object[string()] = .some(json(depth: min(depth, 2)))
        }
        return object
    }

    private mutating func double() -> Double {
        while true {
            let value = Double(bitPattern: next())
            if value.isFinite { return Bool.random(using: &self) ? value : value.rounded() }
        }
    }

    private mutating func string() -> String {
        var scalars = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0..<9, using: &self) {
            let limit: UInt32 = [0x22, 0x80, 0x3000, 0x10FFFF].randomElement(using: &self)!
            if let scalar = Unicode.Scalar(UInt32.random(in: 0...limit, using: &self)) {
                scalars.append(scalar)
            }
        }
        return String(scalars)
    }
}
