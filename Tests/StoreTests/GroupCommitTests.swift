@testable import Postgres
@testable import Store
import Testing

@Suite("Group commit")
struct GroupCommitTests {
    @Test("a lone item goes at once, by itself")
    func alone() async throws {
        let server = Server()
        let group = server.group()
        #expect(try await group.submit(1) == "1")
        #expect(try await group.submit(2) == "2")
        #expect(await server.batches == [[1], [2]])
    }

    @Test("what arrives while a flush is under way goes into the next one, in order")
    func gathers() async throws {
        let server = Server(isHeld: true)
        let group = server.group()
        let first = Task.immediate { try await group.submit(0) }
        await server.hasBatch()
        let others = (1...9).map { item in Task.immediate { try await group.submit(item) } }
        #expect(await group.submit([]).isEmpty)
        await server.release()
        #expect(try await first.value == "0")
        for (item, task) in zip(1..., others) { #expect(try await task.value == "\(item)") }
        #expect(await server.batches == [[0], Array(1...9)])
    }

    @Test("a batch takes no further submission once the limit is reached, and tears none apart")
    func limit() async throws {
        let server = Server(isHeld: true)
        let group = server.group(limit: 4)
        let first = Task.immediate { await group.submit([0]) }
        await server.hasBatch()
        let others = [[1, 2, 3], [4, 5, 6], [7], [8]].map { items in
            Task.immediate { await group.submit(items) }
        }
        #expect(await group.submit([]).isEmpty)
        await server.release()
        _ = await first.value
        for task in others { for result in await task.value { _ = try result.get() } }
        #expect(await server.batches == [[0], [1, 2, 3, 4, 5, 6], [7, 8]])
    }

    @Test("each item has its own outcome, in the order of its submission")
    func order() async throws {
        let items = [5, 3, 9, 1, 3]
        let results = await Server().group().submit(items)
        #expect(try results.map { try $0.get() } == items.map(String.init))
    }

    @Test("bad items fail alone", arguments: [[13], [0], [99], [13, 14, 77], Array(0..<100)])
    func split(bad: [Int]) async throws {
        let server = Server(bad: Set(bad))
        let results = await server.group().submit(Array(0..<100))
        for (item, result) in results.enumerated() {
            switch result {
            case .success(let text): #expect(text == "\(item)" && !bad.contains(item))
            case .failure(let error):
                #expect(bad.contains(item))
                #expect((error as? PostgresError)?.sqlState == "23505")
            }
        }
        #expect(await server.committed == Set(0..<100).subtracting(bad))
    }

    @Test(
        "what says nothing about single rows fails the whole batch, after one try",
        arguments: [PostgresError.Kind.connection, .commitUnknown, .deadline, .poolExhausted])
    func whole(kind: PostgresError.Kind) async throws {
        let server = Server(failures: [PostgresError(kind, "gone")])
        let results = await server.group().submit([1, 2, 3])
        #expect(results.count == 3)
        for result in results {
            #expect { try result.get() } throws: { ($0 as? PostgresError)?.kind == kind }
        }
        #expect(await server.batches == [[1, 2, 3]])
    }

    @Test("another error than the database's fails the whole batch")
    func foreign() async throws {
        let server = Server(failures: [StoreError.workerEnded])
        for result in await server.group().submit([1, 2]) {
            #expect(throws: StoreError.workerEnded) { try result.get() }
        }
        #expect(await server.batches == [[1, 2]])
    }

    @Test("a deadlock is nobody's fault: the same batch goes again", arguments: ["40P01", "40001"])
    func again(state: String) async throws {
        let deadlock = PostgresError(.server(state), "conflict")
        let server = Server(failures: [deadlock, deadlock])
        let results = await server.group().submit([1, 2])
        #expect(try results.map { try $0.get() } == ["1", "2"])
        #expect(await server.batches == [[1, 2], [1, 2], [1, 2]])
    }

    @Test("a conflict that does not pass ends: no item is tried for ever")
    func ends() async throws {
        let deadlock = PostgresError(.server("40P01"), "conflict")
        let server = Server(failures: Array(repeating: deadlock, count: 1_000))
        for result in await server.group().submit([1, 2, 3, 4]) {
            #expect(throws: PostgresError.self) { try result.get() }
        }
        #expect(await server.batches.count == 3 * 7)
    }

    @Test("after a failed batch the next one is committed")
    func goesOn() async throws {
        let group = Server(failures: [PostgresError(.connection, "gone")]).group()
        await #expect(throws: PostgresError.self) { try await group.submit(1) }
        #expect(try await group.submit(2) == "2")
    }
}

/// Takes batches, as the database does: holds the first until it is released, and refuses what it was told to.
private actor Server {
    private(set) var batches: [[Int]] = []
    private(set) var committed: Set<Int> = []
    private let bad: Set<Int>
    private var failures: [any Error]
    private var isHeld: Bool
    private var held: CheckedContinuation<Void, Never>?
    private var waiting: CheckedContinuation<Void, Never>?

    init(bad: Set<Int> = [], failures: [any Error] = [], isHeld: Bool = false) {
        self.bad = bad
        self.failures = failures
        self.isHeld = isHeld
    }

    nonisolated func group(limit: Int = 500) -> GroupCommit<Int, String> {
        GroupCommit(limit: limit) { try await self.flush($0) }
    }

    /// Returns when the first batch has arrived.
    func hasBatch() async {
        if batches.isEmpty { await withCheckedContinuation { waiting = $0 } }
    }

    func release() {
        isHeld = false
        held?.resume()
        held = nil
    }

    private func flush(_ items: [Int]) async throws -> [String] {
        batches.append(items)
        waiting?.resume()
        waiting = nil
        if isHeld { await withCheckedContinuation { held = $0 } }
        if !failures.isEmpty { throw failures.removeFirst() }
        guard bad.isDisjoint(with: items) else { throw PostgresError(.server("23505"), "taken") }
        committed.formUnion(items)
        return items.map(String.init)
    }
}
