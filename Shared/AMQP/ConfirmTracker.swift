/// Which published messages the broker still owes an answer, in the order of their delivery tags.
///
/// A pure value. `Ticket` is whatever names a message to the caller. The broker numbers the messages of a
/// channel from 1; it may answer in any order, and for many at once.
struct ConfirmTracker<Ticket> {
    /// Unanswered messages at most.
    static var messageLimit: Int { 1_000 }
    /// Unanswered bytes at most. So much fits the socket's buffer: the library blocks when it is full. A
    /// single message may be larger, when nothing else is unanswered.
    static var byteLimit: Int { 256 << 10 }

    private enum State {
        case open
        case returned(code: UInt16, text: String)
        case answered
    }

    private struct Slot {
        let ticket: Ticket
        let bytes: Int
        var state: State
    }

    /// `slots[head]` is the message with tag `oldestTag`; what lies before `head` is done with.
    private var slots: [Slot] = []
    private var head = 0
    private var oldestTag: UInt64 = 1

    /// Messages without an answer.
    private(set) var openMessages = 0
    /// Bytes of the messages without an answer.
    private(set) var openBytes = 0

    func hasRoom(for bytes: Int) -> Bool {
        openMessages < Self.messageLimit && (openMessages == 0 || openBytes + bytes <= Self.byteLimit)
    }

    /// Records a message that was just written. Returns its tag.
    @discardableResult
    mutating func published(_ ticket: Ticket, bytes: Int) -> UInt64 {
        slots.append(Slot(ticket: ticket, bytes: bytes, state: .open))
        openMessages += 1
        openBytes += bytes
        return oldestTag + UInt64(slots.count - head - 1)
    }

    /// Marks the oldest open message that `matches` as returned: a return carries no tag. The broker also
    /// acks it afterwards; it counts as returned all the same. False when there is none.
    mutating func returned(code: UInt16, text: String, where matches: (Ticket) -> Bool) -> Bool {
        for index in head..<slots.count {
            if case .open = slots[index].state, matches(slots[index].ticket) {
                slots[index].state = .returned(code: code, text: text)
                return true
            }
        }
        return false
    }

    /// The broker's answer for `tag`, and with `multiple` for all before it too (tag 0: all there are). Calls
    /// `settle` once for each message that it answers, oldest first; tags already answered are passed over.
    mutating func answered(
        _ tag: UInt64, multiple: Bool, accepted: Bool, settle: (Ticket, PublishOutcome) -> Void
    ) {
        let open = UInt64(slots.count - head)
        let tag = tag == 0 && multiple ? oldestTag + open - 1 : tag
        guard open > 0, tag >= oldestTag, tag - oldestTag < open else { return }
        let index = head + Int(tag - oldestTag)
        for index in (multiple ? head : index)...index { answer(index, accepted: accepted, settle: settle) }
        dropAnswered()
    }

    /// The channel is gone: gives back every ticket without an answer, oldest first, and starts anew with
    /// tag 1.
    mutating func reset() -> [Ticket] {
        let open = slots[head...].filter { if case .answered = $0.state { false } else { true } }
        self = ConfirmTracker()
        return open.map(\.ticket)
    }

    private mutating func answer(
        _ index: Int, accepted: Bool, settle: (Ticket, PublishOutcome) -> Void
    ) {
        let outcome: PublishOutcome
        switch slots[index].state {
        case .answered: return
        case .open: outcome = accepted ? .confirmed : .rejected
        case .returned(let code, let text): outcome = .returned(code: code, text: text)
        }
        slots[index].state = .answered
        openMessages -= 1
        openBytes -= slots[index].bytes
        settle(slots[index].ticket, outcome)
    }

    private mutating func dropAnswered() {
        while head < slots.count, case .answered = slots[head].state {
            head += 1
            oldestTag += 1
        }
        if head == slots.count {
            slots.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= Self.messageLimit {
            slots.removeFirst(head)
            head = 0
        }
    }
}
