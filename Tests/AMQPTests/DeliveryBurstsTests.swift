import Testing

@testable import AMQP

@Suite(.timeLimit(.minutes(1)))
struct DeliveryBurstsTests {
    private func delivery(_ number: UInt64) -> Delivery {
        Delivery(
            tag: DeliveryTag(session: 1, number: number), exchange: "", routingKey: "", redelivered: false,
            properties: MessageProperties(), headers: [:], body: [], bodySize: 0, oversized: false)
    }

    private func numbers(_ burst: [Delivery]?) -> [UInt64]? { burst.map { $0.map(\.tag.number) } }

    @Test func whatArrivesBetweenReadsComesAsOneBurst() async {
        let handover = DeliveryHandover()
        handover.push([delivery(1)])
        handover.push([])
        handover.push([delivery(2), delivery(3)])
        #expect(numbers(await handover.next()) == [1, 2, 3])
        async let later = handover.next()
        handover.push([delivery(4)])
        #expect(numbers(await later) == [4])
    }

    @Test func afterTheEndWhatIsThereCanStillBeRead() async {
        let handover = DeliveryHandover()
        handover.push([delivery(1)])
        handover.finish()
        #expect(numbers(await handover.next()) == [1])
        #expect(numbers(await handover.next()) == nil)
        #expect(numbers(await handover.next()) == nil)
    }

    @Test func aLostSessionTakesItsUnreadDeliveriesAlong() async {
        let handover = DeliveryHandover()
        handover.push([delivery(1)])
        handover.dropUnread()
        handover.push([delivery(2)])
        #expect(numbers(await handover.next()) == [2])
    }

    @Test func theEndAndCancellingTheReaderBothEndTheWait() async {
        for round in 0..<200 {
            let handover = DeliveryHandover()
            let reader = Task { await DeliveryBursts(handover: handover).first { _ in true } }
            if round % 2 == 0 { handover.finish() } else { reader.cancel() }
            #expect(numbers(await reader.value) == nil)
        }
    }
}
