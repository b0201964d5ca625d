import Operations
import SeededRandom
import Testing

/// Ids as text.
struct IdentifierTests {
    @Test func `both cases are read, the lower one is written`() {
        let text = "0F8FAD5B-D9CB-469F-A165-70867728950E"
        #expect(RunID(text)?.description == text.lowercased())
        #expect(RunID(text) == RunID(text.lowercased()))
    }

    @Test(arguments: [
        "", "0", "0f8fad5b-d9cb-469f-a165-70867728950", "0f8fad5b-d9cb-469f-a165-70867728950e0",
        "{0f8fad5b-d9cb-469f-a165-70867728950e}", "0f8fad5bd9cb469fa16570867728950e",
        "0f8fad5b-d9cb-469f-a165_70867728950e", "0f8fad5b-d9cb-469f-a165-70867728950g",
        "0x8fad5b-d9cb-469f-a165-70867728950e", " f8fad5b-d9cb-469f-a165-70867728950e",
        "+f8fad5b-d9cb-469f-a165-70867728950e", "0f8fad5-bd9cb-469f-a165-70867728950e",
        "urn:uuid:0f8fad5b-d9cb-469f-a165-708", "0f8fad5b-d9cb-469f-a165-7086772895é",
        "0f8fad5b-d9cb-469f-a165-70867728950\u{0}",
    ])
    func `anything else is no id`(text: String) {
        #expect(RunID(text) == nil)
    }

    @Test func `an id that is read is the one that was written`() {
        var (random, seed) = SplitMix.announced(for: "ids")
        for _ in 0..<20_000 {
            var bytes = Array("0f8fad5b-d9cb-469f-a165-70867728950e".utf8)
            bytes[Int.random(in: 0..<36, using: &random)] = UInt8.random(in: 0...127, using: &random)
            let text = String(decoding: bytes, as: UTF8.self)
            guard let id = RunID(text) else { continue }
            #expect(id.description == text.lowercased(), "seed \(seed)")
        }
    }
}
