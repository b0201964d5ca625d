import SeededRandom
import Testing

@testable import AMQP

struct ConfirmTrackerTests {
    /// The tracker with what it settled.
    private struct Story {
        var tracker = ConfirmTracker<Int>()
        var settled: [Int: PublishOutcome] = [:]

        mutating func answered(_ tag: UInt64, multiple: Bool = false, accepted: Bool = true) -> [Int] {
            var order: [Int] = []
            tracker.answered(tag, multiple: multiple, accepted: accepted) { ticket, outcome in
                order.append(ticket)
                settled[ticket] = outcome
            }
            return order
        }
    }

    @Test func singleMultipleAndRefusedAnswers() {
        var story = Story()
        #expect((10..<20).map { story.tracker.published($0, bytes: 5) } == Array(1...10))
        #expect(story.tracker.openMessages == 10 && story.tracker.openBytes == 50)
        #expect(story.answered(3) == [12])
        #expect(story.answered(3) == [])
        #expect(story.answered(5, multiple: true) == [10, 11, 13, 14])
        #expect(story.answered(6, accepted: false) == [15])
        #expect(story.answered(4, multiple: true) == [])
        #expect(story.answered(11, multiple: true) == [], "not published yet")
        #expect(story.answered(.max, multiple: true) == [])
        #expect(story.answered(0) == [])
        #expect(story.answered(0, multiple: true) == [16, 17, 18, 19], "0 means all there are")
        #expect(story.answered(0, multiple: true) == [])
        #expect(story.settled[12] == .confirmed && story.settled[15] == .rejected)
        #expect(story.tracker.openMessages == 0 && story.tracker.openBytes == 0)
        #expect(story.tracker.published(99, bytes: 1) == 11)
    }

    @Test func aReturnedMessageStaysReturnedThoughItIsAcked() {
        var story = Story()
        for ticket in 0..<4 { story.tracker.published(ticket, bytes: 1) }
        #expect(story.tracker.returned(code: 312, text: "NO_ROUTE") { $0 % 2 == 1 } == true)
        #expect(story.tracker.returned(code: 313, text: "x") { $0 % 2 == 1 } == true, "the next that matches")
        #expect(story.tracker.returned(code: 312, text: "NO_ROUTE") { $0 % 2 == 1 } == false)
        #expect(story.answered(4, multiple: true) == [0, 1, 2, 3])
        #expect(story.settled[1] == .returned(code: 312, text: "NO_ROUTE"))
        #expect(story.settled[3] == .returned(code: 313, text: "x"))
        #expect(story.settled[0] == .confirmed && story.settled[2] == .confirmed)
    }

    @Test func roomEndsAtMessagesAndBytesButOneMessageAlwaysFits() {
        var tracker = ConfirmTracker<Int>()
        #expect(tracker.hasRoom(for: ConfirmTracker<Int>.byteLimit * 4))
        tracker.published(0, bytes: ConfirmTracker<Int>.byteLimit - 10)
        #expect(tracker.hasRoom(for: 10))
        #expect(!tracker.hasRoom(for: 11))
        tracker.answered(1, multiple: false, accepted: true) { _, _ in }
        for ticket in 0..<ConfirmTracker<Int>.messageLimit {
            #expect(tracker.hasRoom(for: 1))
            tracker.published(ticket, bytes: 1)
        }
        #expect(!tracker.hasRoom(for: 1))
    }

    @Test func resetGivesBackWhatHasNoAnswer() {
        var story = Story()
        for ticket in 0..<5 { story.tracker.published(ticket, bytes: 1) }
        _ = story.answered(2)
        _ = story.tracker.returned(code: 312, text: "") { $0 == 3 }
        #expect(story.tracker.reset() == [0, 2, 3, 4])
        #expect(story.tracker.openMessages == 0 && story.tracker.openBytes == 0)
        #expect(story.tracker.published(9, bytes: 1) == 1)
    }

    /// Whatever the broker answers, each message is settled once, as a plain dictionary says.
    @Test(arguments: 0..<200)
    func behavesLikeADictionary(round: Int) {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(seed: seed)
        var tracker = ConfirmTracker<UInt64>()
        var open: [UInt64: (bytes: Int, isReturned: Bool)] = [:]
        var last: UInt64 = 0
        for _ in 0..<600 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                last += 1
                let bytes = Int.random(in: 0..<100, using: &random)
                #expect(tracker.published(last, bytes: bytes) == last, "seed \(seed)")
                open[last] = (bytes, false)
            case 5:
                let wanted = UInt64.random(in: 1...(last + 1), using: &random)
                let expected = open[wanted].map { !$0.isReturned } ?? false
                #expect(tracker.returned(code: 1, text: "") { $0 == wanted } == expected, "seed \(seed)")
                if expected { open[wanted]?.isReturned = true }
            default:
                let tag = UInt64.random(in: 0...(last + 2), using: &random)
                let multiple = Bool.random(using: &random)
                let accepted = Int.random(in: 0..<5, using: &random) > 0
                let answers = expectedAnswers(open, last: last, tag: tag, multiple: multiple)
                var settled: [UInt64] = []
                tracker.answered(tag, multiple: multiple, accepted: accepted) { ticket, outcome in
                    settled.append(ticket)
                    let isReturned = open[ticket]?.isReturned ?? false
                    let expected: PublishOutcome =
                        isReturned ? .returned(code: 1, text: "") : accepted ? .confirmed : .rejected
                    #expect(outcome == expected, "seed \(seed)")
                }
                #expect(settled == answers, "seed \(seed)")
                for tag in settled { open[tag] = nil }
            }
            #expect(tracker.openMessages == open.count, "seed \(seed)")
            #expect(tracker.openBytes == open.values.reduce(0) { $0 + $1.bytes }, "seed \(seed)")
        }
        #expect(tracker.reset() == open.keys.sorted(), "seed \(seed)")
    }

    private func expectedAnswers(
        _ open: [UInt64: (bytes: Int, isReturned: Bool)], last: UInt64, tag: UInt64, multiple: Bool
    ) -> [UInt64] {
        let tag = multiple && tag == 0 ? last : tag
        if tag > last { return [] }
        return open.keys.filter { multiple ? $0 <= tag : $0 == tag }.sorted()
    }
}
