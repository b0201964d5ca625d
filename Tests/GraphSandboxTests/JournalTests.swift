import Testing

@testable import GraphSandbox

@Suite struct JournalTests {
    private func open(_ journal: Journal, tenant: String? = nil, _ path: String = "/p") -> Int {
        journal.open(received: 1, tenant: tenant, method: "GET", path: path, clientRequestID: nil)
    }

    @Test func showsCallsThatAreUnderWay() {
        let journal = Journal(capacity: 10)
        let first = open(journal)
        let second = open(journal)
        journal.close(first, answered: 5, status: 200, fault: "slow")
        let entries = journal.entries(.init()).entries
        #expect(entries.map(\.sequence) == [first, second])
        #expect(entries.map(\.answered) == [5, nil])
        #expect(entries.map(\.status) == [200, nil])
        #expect(entries.map(\.fault) == ["slow", nil])
    }

    @Test func keepsTheNewestAndGoesOnCounting() {
        let journal = Journal(capacity: 3)
        let sequences = (0..<8).map { _ in open(journal) }
        #expect(journal.entries(.init()).entries.map(\.sequence) == [6, 7, 8])
        // Closing an entry that was overwritten must not touch its successor.
        journal.close(sequences[0], answered: 9, status: 500, fault: nil)
        #expect(journal.entries(.init()).entries.allSatisfy { $0.answered == nil })
        journal.clear()
        #expect(journal.entries(.init()).entries.isEmpty)
        #expect(open(journal) == 9)
        #expect(journal.entries(.init()).entries.map(\.sequence) == [9])
    }

    @Test func filtersAndPages() {
        let journal = Journal(capacity: 100)
        for index in 0..<10 { _ = open(journal, tenant: index % 2 == 0 ? "even" : "odd", "/p/\(index)") }
        #expect(journal.entries(.init(tenant: "even")).entries.count == 5)
        #expect(journal.entries(.init(path: PathPattern("/p/3"))).entries.map(\.path) == ["/p/3"])
        #expect(journal.entries(.init(method: "POST")).entries.isEmpty)
        var filter = Journal.Filter(limit: 3)
        var seen: [Int] = []
        while true {
            let (entries, next, last) = journal.entries(filter)
            #expect(last == 10)
            guard !entries.isEmpty else { break }
            seen += entries.map(\.sequence)
            filter.since = next
        }
        #expect(seen == Array(1...10))
    }

    @Test func asksOnBehindFilteredEntries() {
        let journal = Journal(capacity: 100)
        for _ in 0..<5 { _ = open(journal, tenant: "a") }
        #expect(journal.entries(.init(tenant: "b")).next == 5)
        #expect(journal.entries(.init(since: 50)).entries.isEmpty)
    }
}
