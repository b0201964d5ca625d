import Testing

@testable import AMQP

struct ContentAssemblerTests {
    private let delivery = ContentAssembler.Origin.delivery(
        number: 1, redelivered: false, exchange: "e", routingKey: "k")
    private let returned = ContentAssembler.Origin.returned(
        code: 312, text: "t", exchange: "e", routingKey: "k")

    private func feed(
        _ assembler: inout ContentAssembler, _ bytes: [UInt8]
    ) throws(AMQPError) -> ContentAssembler.Content? {
        // The pointer is used inside the call only, as the library's frame memory is.
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { copy.deallocate() }
        copy.copyBytes(from: bytes)
        return try assembler.piece(UnsafeRawBufferPointer(copy))
    }

    @Test(arguments: [[10], [1, 9], [3, 3, 4], [0, 10]])
    func aBodyIsPutTogetherFromItsPieces(lengths: [Int]) throws {
        var assembler = ContentAssembler(bodyLimit: 10)
        var properties = MessageProperties()
        properties.id = "x"
        try assembler.begin(delivery)
        let early = try assembler.header(properties, ["h": 1], bodySize: 10)
        #expect(early == nil)
        var rest = Array(0..<UInt8(10))[...]
        for (index, length) in lengths.enumerated() {
            let content = try feed(&assembler, Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
            if index < lengths.count - 1 {
                #expect(content == nil)
            } else {
                #expect(content?.body == Array(0..<10))
                #expect(content?.origin == delivery && content?.properties.id == "x")
                #expect(content?.headers == ["h": 1] && content?.oversized == false)
            }
        }
    }

    @Test func anEmptyBodyNeedsNoPieceAndMessagesFollowEachOther() throws {
        var assembler = ContentAssembler(bodyLimit: 10)
        for _ in 0..<3 {
            try assembler.begin(delivery)
            let content = try assembler.header(MessageProperties(), [:], bodySize: 0)
            #expect(content?.body == [])
        }
    }

    @Test func aBodyAboveTheLimitAndAReturnedOneAreCountedAndThrownAway() throws {
        var assembler = ContentAssembler(bodyLimit: 4)
        for origin in [delivery, returned] {
            try assembler.begin(origin)
            _ = try assembler.header(MessageProperties(), [:], bodySize: 5)
            let early = try feed(&assembler, [1, 2, 3, 4])
            #expect(early == nil)
            let content = try feed(&assembler, [5])
            #expect(content?.body == [] && content?.bodySize == 5 && content?.oversized == true)
        }
        // The size alone reserves nothing: this would be 2⁶³ bytes.
        try assembler.begin(delivery)
        _ = try assembler.header(MessageProperties(), [:], bodySize: 1 << 63)
        let early = try feed(&assembler, [1])
        #expect(early == nil)
    }

    @Test func framesOutOfOrderAreAViolation() throws {
        var idle = ContentAssembler(bodyLimit: 4)
        #expect(throws: AMQPError.self) { _ = try idle.header(MessageProperties(), [:], bodySize: 1) }
        #expect(throws: AMQPError.self) { _ = try feed(&idle, [1]) }

        var begun = ContentAssembler(bodyLimit: 4)
        try begun.begin(delivery)
        #expect(throws: AMQPError.self) { try begun.begin(delivery) }
        #expect(throws: AMQPError.self) { _ = try feed(&begun, [1]) }
        _ = try begun.header(MessageProperties(), [:], bodySize: 2)
        #expect(throws: AMQPError.self) { _ = try begun.header(MessageProperties(), [:], bodySize: 2) }
        #expect(throws: AMQPError.self) { _ = try feed(&begun, [1, 2, 3]) }
        begun.reset()
        try begun.begin(delivery)
    }
}
