import SeededRandom
import Testing

@testable import AMQP

struct SettlementTrackerTests {
    private func tracker(_ count: UInt64) -> SettlementTracker {
        var tracker = SettlementTracker()
        for number in 1...count { #expect(tracker.delivered(number) == true) }
        return tracker
    }

    private func command(
        _ number: UInt64, _ settlement: Settlement, multiple: Bool = false
    ) -> SettlementTracker.Command {
        .init(number: number, settlement: settlement, multiple: multiple)
    }

    @Test func neighboursFromTheOldestOnGoOutAsOne() {
        var tracker = tracker(6)
        for number: UInt64 in [3, 1, 2, 5] { tracker.settle(number, .acked) }
        #expect(tracker.commands() == [command(3, .acked, multiple: true), command(5, .acked)])
        #expect(tracker.commands() == [])
        tracker.settle(4, .acked)
        #expect(tracker.commands() == [command(4, .acked)], "5 is already told")
        #expect(tracker.unsettled == 1)
        tracker.settle(6, .acked)
        #expect(tracker.commands() == [command(6, .acked)])
        #expect(tracker.delivered(7) == true)
    }

    @Test func differentDecisionsEndARun() {
        var tracker = tracker(7)
        tracker.settle(1, .acked)
        tracker.settle(2, .acked)
        tracker.settle(3, .requeued)
        tracker.settle(4, .refused)
        tracker.settle(5, .refused)
        tracker.settle(7, .requeued)
        #expect(
            tracker.commands() == [
                command(2, .acked, multiple: true), command(3, .requeued),
                command(5, .refused, multiple: true),
                command(7, .requeued),
            ])
    }

    @Test func theFirstDecisionCountsAndUnknownNumbersAreDropped() {
        var tracker = tracker(2)
        #expect(tracker.settle(1, .refused) == true)
        #expect(tracker.settle(1, .acked) == false)
        for number: UInt64 in [0, 3, .max] { #expect(tracker.settle(number, .acked) == false) }
        #expect(tracker.commands() == [command(1, .refused)])
        #expect(tracker.settle(1, .acked) == false)
        #expect(tracker.commands() == [])
        #expect([2, 4, 3, 3, 4].map { tracker.delivered($0) } == [false, false, true, false, true])
    }

    /// What the broker does with the commands: the truth that the tracker is held against.
    private struct Broker {
        var open: Set<UInt64> = []
        var settled: [UInt64: Settlement] = [:]

        mutating func perform(_ command: SettlementTracker.Command) -> Bool {
            // An unknown number closes the channel.
            guard open.contains(command.number) else { return false }
            let numbers = command.multiple ? open.filter { $0 <= command.number } : [command.number]
            for number in numbers { settled[number] = command.settlement }
            open.subtract(numbers)
            return true
        }
    }

    /// All orders, all splits into two turns and all pairs of decisions for five deliveries.
    @Test func everyOrderOfFiveSettlesEachAsDecided() {
        for order in permutations([1, 2, 3, 4, 5]) {
            for split in 0...5 {
                for mask in 0..<32 {
                    var tracker = tracker(5)
                    var broker = Broker(open: [1, 2, 3, 4, 5])
                    let decide = { (number: UInt64) -> Settlement in
                        mask >> Int(number - 1) & 1 == 0 ? .acked : .requeued
                    }
                    for part in [order[..<split], order[split...]] {
                        for number in part { tracker.settle(number, decide(number)) }
                        for command in tracker.commands() where !broker.perform(command) {
                            Issue.record("\(command) is unknown: order \(order) split \(split) mask \(mask)")
                        }
                    }
                    let isAsDecided = (1...5).allSatisfy { broker.settled[$0] == decide($0) }
                    if !isAsDecided || !broker.open.isEmpty || tracker.unsettled != 0 {
                        Issue.record("order \(order) split \(split) mask \(mask): \(broker.settled)")
                    }
                }
            }
        }
    }

    @Test(arguments: 0..<200)
    func theBrokerEndsUpWithTheDecisionsMade(round: Int) {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(seed: seed)
        var tracker = SettlementTracker()
        var broker = Broker()
        var decisions: [UInt64: Settlement] = [:]
        var last: UInt64 = 0
        var words = 0
        for _ in 0..<1_500 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<4:
                last += 1
                #expect(tracker.delivered(last) == true, "seed \(seed)")
                broker.open.insert(last)
            case 4..<9:
                let number = UInt64.random(in: 0...(last + 2), using: &random)
                let settlement = [Settlement.acked, .acked, .requeued, .refused].randomElement(
                    using: &random)!
                let isNew = (1...max(1, last)).contains(number) && last > 0 && decisions[number] == nil
                #expect(tracker.settle(number, settlement) == isNew, "seed \(seed)")
                if isNew { decisions[number] = settlement }
            default:
                for command in tracker.commands() {
                    words += 1
                    #expect(broker.perform(command) == true, "unknown number, seed \(seed)")
                }
                #expect(broker.settled == decisions, "seed \(seed)")
                #expect(tracker.unsettled == broker.open.count, "seed \(seed)")
            }
        }
        #expect(words <= decisions.count, "seed \(seed)")
    }

    private func permutations(_ numbers: [UInt64]) -> [[UInt64]] {
        guard numbers.count > 1 else { return [numbers] }
        return numbers.indices.flatMap { index in
            var rest = numbers
            let first = rest.remove(at: index)
            return permutations(rest).map { [first] + $0 }
        }
    }
}
