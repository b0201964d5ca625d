import FoundationEssentials
import Sealing
import Testing

@Suite struct KeyTests {
    @Test func textFormsReadBack() throws {
        let key = SealingPrivateKey()
        #expect(key.text.hasPrefix("ta-private:"))
        #expect(key.publicKey.text.hasPrefix("ta-public:"))
        #expect(try SealingPrivateKey(text: key.text).publicKey.text == key.publicKey.text)
        #expect(try SealingPublicKey(text: " \n\(key.publicKey.text)\r\n").id == key.publicKey.id)
    }

    @Test func idsAreShortAndDiffer() {
        let ids = (0..<100).map { _ in SealingPrivateKey().publicKey.id }
        #expect(Set(ids).count == 100)
        for id in ids {
            #expect(id.description.count == 16)
            #expect(id.description.allSatisfy { $0.isHexDigit && !$0.isUppercase })
        }
    }

    /// A stored credential must open with tomorrow's program, too.
    @Test func whatWasSealedOnceStillOpens() throws {
        let key = try SealingPrivateKey(text: "ta-private:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=")
        #expect(key.publicKey.id.description == "aaa8fff703b50b22")
        let bytes = try #require(
            Data(
                base64Encoded:
                    "AYmyiDjUc9beH5fLQ7/wmdvui+cQ4f7vJ4Pruzt2FWBcPMlkVn/7FTcYsn2eqbj9YIlAJrFcjB8plpG1wqS5vVSCuelZEC1ovoihvg=="
            ))
        let value = try Opener(privateKeys: [key]).open(
            Sealed(keyID: key.publicKey.id, bytes: Array(bytes)), Sample.context)
        #expect(String(decoding: Sample.bytes(value), as: UTF8.self) == "kept from the first version")
    }

    static let notKeys = [
        "", " ", "ta-private:", "ta-public:", "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=",
        "ta-private:AQID", "ta-public:AQID", "ta-private:!!!!", "ta-public:!!!!",
        "TA-PRIVATE:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=",
        "ta-private:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAh",
        "x ta-private:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=",
    ]

    @Test(arguments: notKeys) func whatIsNoKeyIsRefused(_ text: String) {
        #expect(throws: SealingError.notAPrivateKey) { try SealingPrivateKey(text: text) }
        #expect(throws: SealingError.notAPublicKey) { try SealingPublicKey(text: text) }
    }

    @Test func halvesAreNotTakenForEachOther() {
        let key = SealingPrivateKey()
        #expect(throws: SealingError.notAPrivateKey) { try SealingPrivateKey(text: key.publicKey.text) }
        #expect(throws: SealingError.notAPublicKey) { try SealingPublicKey(text: key.text) }
    }
}

@Suite struct RedactionTests {
    /// Everything that a log line, an interpolation or a debugger would print.
    private func prints<Value>(_ value: Value) -> [String] {
        var dumped = ""
        dump(value, to: &dumped)
        return ["\(value)", String(describing: value), String(reflecting: value), dumped, "\([value])"]
    }

    @Test func nothingPrintsASecret() {
        for text in prints(Secret(Array("hunter2".utf8))) {
            #expect(!text.contains("hunter2"))
            // The first bytes as numbers.
            #expect(!text.contains("104"))
        }
    }

    @Test func nothingPrintsAPrivateKey() {
        let key = SealingPrivateKey()
        let secret = key.text.dropFirst("ta-private:".count)
        for text in prints(key) + prints(Opener(privateKeys: [key])) { #expect(!text.contains(secret)) }
    }
}
