import Testing

@testable import GraphSandbox

@Suite struct DeviceRosterTests {
    private let draws = Draws(seed: 7, text: "roster")

    private func ordinals(_ roster: DeviceRoster, after key: UInt64 = DeviceRoster.beginning) -> [Int] {
        var ordinals: [Int] = []
        roster.forEach(after: key) { entry in
            ordinals.append(entry.ordinal)
            return true
        }
        return ordinals
    }

    private func key(_ roster: DeviceRoster, at index: Int) -> UInt64 {
        var keys: [UInt64] = []
        roster.forEach(after: DeviceRoster.beginning) { entry in
            keys.append(entry.key)
            return keys.count <= index
        }
        return keys[index]
    }

    @Test func listsInOrderAndGoesOnBehindAKey() {
        let roster = DeviceRoster(count: 10)
        #expect(ordinals(roster) == Array(0..<10))
        #expect(ordinals(roster, after: key(roster, at: 3)) == Array(4..<10))
        #expect(ordinals(roster, after: key(roster, at: 9)).isEmpty)
        #expect(ordinals(DeviceRoster(count: 0)).isEmpty)
    }

    @Test func removedDevicesAreGone() {
        var roster = DeviceRoster(count: 3)
        let removed = [1, 1, 3, -1].map { roster.remove($0) }
        #expect(removed == [true, false, false, false])
        #expect(ordinals(roster) == [0, 2])
        #expect(roster.count == 2)
        #expect(!roster.contains(1))
    }

    @Test func editsNeedTheDevice() {
        var roster = DeviceRoster(count: 1)
        let edited = [0, 1].map { roster.edit($0) { $0.notes = "x" } }
        #expect(edited == [true, false])
        #expect(roster.edit(of: 0)?.notes == "x")
        #expect(roster.edit(of: 1) == nil)
    }

    @Test(arguments: [0, 1, 5, 1_000])
    func churnKeepsCountsAndUniqueness(_ size: Int) {
        var roster = DeviceRoster(count: size)
        var expected = size
        for round in 0..<20 {
            roster.churn(Churn(insert: 7, delete: 3, rename: 4), around: nil, draws: draws)
            expected = max(0, expected - 3) + 7
            let listed = ordinals(roster)
            #expect(listed.count == expected, "round \(round)")
            #expect(Set(listed).count == expected)
            #expect(roster.count == expected)
            #expect(listed.allSatisfy(roster.contains))
        }
    }

    @Test func churnIsRepeatable() {
        var first = DeviceRoster(count: 100)
        var second = DeviceRoster(count: 100)
        for _ in 0..<5 {
            first.churn(Churn(insert: 3, delete: 3, rename: 3), around: nil, draws: draws)
            second.churn(Churn(insert: 3, delete: 3, rename: 3), around: nil, draws: draws)
        }
        #expect(ordinals(first) == ordinals(second))
    }

    /// What a paging reader must cope with: rows that it never sees, and rows that it sees twice.
    @Test func renamesAroundAReaderMissAndDuplicateRows() {
        var roster = DeviceRoster(count: 100)
        let cursor = key(roster, at: 49)
        let read = Set(0..<50)
        roster.churn(Churn(rename: 10), around: cursor, draws: draws)
        let rest = ordinals(roster, after: cursor)
        let seenTwice = rest.filter(read.contains)
        let missed = Set(0..<100).subtracting(read).subtracting(rest)
        #expect(seenTwice.count == 5)
        #expect(missed.count == 5)
        #expect(roster.count == 100)
    }

    @Test func insertsFallOnBothSidesOfAReader() {
        var roster = DeviceRoster(count: 100)
        let cursor = key(roster, at: 49)
        roster.churn(Churn(insert: 10), around: cursor, draws: draws)
        #expect(ordinals(roster, after: cursor).count == 55)
        #expect(roster.count == 110)
    }

    @Test func churnAtTheVeryBeginningAndEndTerminates() {
        var roster = DeviceRoster(count: 2)
        for _ in 0..<50 {
            roster.churn(Churn(insert: 5, delete: 5, rename: 5), around: 1, draws: draws)
            roster.churn(Churn(insert: 5, delete: 5, rename: 5), around: key(roster, at: 0), draws: draws)
        }
        #expect(ordinals(roster).count == roster.count)
    }

    @Test func resizingKeepsAddedDevices() {
        var roster = DeviceRoster(count: 10)
        roster.churn(Churn(insert: 2, rename: 4), around: nil, draws: draws)
        roster.resize(to: 3)
        #expect(roster.count == 5)
        #expect(ordinals(roster).count == 5)
        roster.resize(to: 20)
        #expect(roster.count == 22)
        #expect(Set(ordinals(roster)).count == 22)
    }
}
