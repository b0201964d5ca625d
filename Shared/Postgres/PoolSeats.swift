/// Who may use which connection of a pool: a value that decides, and does nothing.
///
/// A connection is shared by many autocommit calls at once, or leased to one transaction. A lease may be
/// granted while earlier calls are still under way on the connection: their replies come first anyway. Calls
/// that find no seat wait in the order of their coming.
struct PoolSeats {
    enum Wish: Sendable { case share, lease }

    private struct Seat {
        var sharing = 0
        var isLeased = false
    }

    private struct Waiter {
        let id: Int
        let wish: Wish
    }

    /// The most autocommit calls under way on one connection. More than that gains nothing, and all of them
    /// are lost together with it.
    static let shareLimit = 128

    private let waitLimit: Int
    private var seats: [Seat]
    private var waiters: [Waiter] = []

    init(count: Int, waitLimit: Int) {
        seats = Array(repeating: Seat(), count: count)
        self.waitLimit = waitLimit
    }

    var waiting: Int { waiters.count }
    var leased: Int { seats.count { $0.isLeased } }
    var isIdle: Bool { waiters.isEmpty && seats.allSatisfy { !$0.isLeased && $0.sharing == 0 } }

    /// Takes a seat, unless others wait or none is free: then `nil`.
    mutating func take(_ wish: Wish, hasTrouble: (Int) -> Bool) -> Int? {
        waiters.isEmpty ? sit(wish, hasTrouble: hasTrouble) : nil
    }

    /// Queues a call that found no seat; false when too many wait already.
    mutating func wait(_ id: Int, for wish: Wish) -> Bool {
        guard waiters.count < waitLimit else { return false }
        waiters.append(Waiter(id: id, wish: wish))
        return true
    }

    /// Forgets a waiter that gave up; false when it has been seated already.
    mutating func forget(_ id: Int) -> Bool {
        guard let index = waiters.firstIndex(where: { $0.id == id }) else { return false }
        waiters.remove(at: index)
        return true
    }

    /// Gives a seat back, and seats those who can sit now.
    mutating func giveBack(
        _ seat: Int, _ wish: Wish, hasTrouble: (Int) -> Bool
    ) -> [(id: Int, seat: Int)] {
        switch wish {
        case .share: seats[seat].sharing -= 1
        case .lease: seats[seat].isLeased = false
        }
        var seated: [(id: Int, seat: Int)] = []
        while seated.count < waiters.count,
            let seat = sit(waiters[seated.count].wish, hasTrouble: hasTrouble)
        {
            seated.append((waiters[seated.count].id, seat))
        }
        waiters.removeFirst(seated.count)
        return seated
    }

    /// The free seat without trouble that the fewest share; one with trouble if there is no other.
    private mutating func sit(_ wish: Wish, hasTrouble: (Int) -> Bool) -> Int? {
        var best: (seat: Int, load: Int)?
        for (index, seat) in seats.enumerated() where !seat.isLeased {
            if wish == .share, seat.sharing >= Self.shareLimit { continue }
            let load = seat.sharing + (hasTrouble(index) ? Self.shareLimit : 0)
            if load < best?.load ?? .max { best = (index, load) }
        }
        guard let best else { return nil }
        switch wish {
        case .share: seats[best.seat].sharing += 1
        case .lease: seats[best.seat].isLeased = true
        }
        return best.seat
    }
}
