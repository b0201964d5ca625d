/// What the consumer decided about a delivery.
enum Settlement: Sendable, Equatable {
    /// Done with.
    case acked
    /// Back into the queue.
    case requeued
    /// Dropped, or dead-lettered where the queue says so.
    case refused
}

/// Which deliveries of a session are not settled yet, and the fewest words that tell the broker.
///
/// A pure value. The broker numbers the deliveries of a channel from 1. Settling a number that is not open
/// would close the channel, so a settlement for one is dropped here.
struct SettlementTracker {
    /// One word to the broker: settles `number`, and with `multiple` all open ones before it too.
    struct Command: Equatable {
        let number: UInt64
        let settlement: Settlement
        let multiple: Bool
    }

    private enum State: Equatable {
        case open
        case decided(Settlement)
        case told
    }

    /// `states[head]` is the delivery `oldest`; what lies before `head` is done with.
    private var states: [State] = []
    private var head = 0
    private var oldest: UInt64 = 1
    /// Decided deliveries that the broker was not told of, in the order of the decisions.
    private var decided: [UInt64] = []

    /// Deliveries the broker was not told of.
    private(set) var unsettled = 0

    /// The broker delivered `number`, which must be the one after the last. False when it is not.
    mutating func delivered(_ number: UInt64) -> Bool {
        guard number == oldest + UInt64(states.count - head) else { return false }
        states.append(.open)
        unsettled += 1
        return true
    }

    /// The consumer decided. The first decision counts; false when there is none to make.
    @discardableResult
    mutating func settle(_ number: UInt64, _ settlement: Settlement) -> Bool {
        guard number >= oldest, number - oldest < UInt64(states.count - head) else { return false }
        let index = head + Int(number - oldest)
        guard states[index] == .open else { return false }
        states[index] = .decided(settlement)
        decided.append(number)
        return true
    }

    /// What to tell the broker now, in this order. From the oldest delivery on, neighbours with the same
    /// decision go out as one `multiple`; behind the first open one each goes out alone.
    mutating func commands() -> [Command] {
        guard !decided.isEmpty else { return [] }
        var commands = commandsForPrefix()
        for number in decided where number >= oldest {
            let index = head + Int(number - oldest)
            guard case .decided(let settlement) = states[index] else { continue }
            commands.append(Command(number: number, settlement: settlement, multiple: false))
            states[index] = .told
        }
        unsettled -= decided.count
        decided.removeAll(keepingCapacity: true)
        return commands
    }

    /// Settles and forgets the deliveries before the first open one.
    private mutating func commandsForPrefix() -> [Command] {
        var commands: [Command] = []
        var run: (last: UInt64, settlement: Settlement, length: Int)?
        func end(_ run: (last: UInt64, settlement: Settlement, length: Int)?) {
            guard let run else { return }
            commands.append(
                Command(number: run.last, settlement: run.settlement, multiple: run.length > 1))
        }
        while head < states.count, states[head] != .open {
            if case .decided(let settlement) = states[head] {
                if run?.settlement == settlement {
                    run = (oldest, settlement, run!.length + 1)
                } else {
                    end(run)
                    run = (oldest, settlement, 1)
                }
            }
            head += 1
            oldest += 1
        }
        end(run)
        dropTold()
        return commands
    }

    private mutating func dropTold() {
        if head == states.count {
            states.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 1_024 {
            states.removeFirst(head)
            head = 0
        }
    }
}
