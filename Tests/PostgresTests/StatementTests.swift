import Testing

@testable import Postgres

extension PostgresTests {
    @Suite struct StatementTests {
        @Test func theTextIsTheIdentity() {
            let one = Statement("SELECT 1")
            let same: Statement = "SELECT 1"
            let other: Statement = "SELECT 2"
            #expect(one == same && one.hashValue == same.hashValue && one.preparedName == same.preparedName)
            #expect(one != other && one.preparedName != other.preparedName)
            // The server cuts names off at 63 bytes; the last character here is the NUL.
            #expect(one.preparedName.count <= 64 && one.preparedName.last == 0)
        }

        @Test(
            arguments: [
                ("SELECT 1", true), ("\n   select\n*", true), ("VALUES (1)", true), ("SHOW all", true),
                ("INSERT INTO t VALUES (1)", false), ("WITH x AS (SELECT 1) DELETE FROM t", false),
                ("SELECTED", false), ("-- SELECT\nDELETE FROM t", false), ("", false),
            ] as [(Statement, Bool)])
        func knowsWhatOnlyReads(_ statement: Statement, _ expected: Bool) {
            #expect(statement.onlyReads == expected)
        }
    }

    @Suite struct QueueTests {
        /// Against an array that does the same.
        @Test func behavesAsAnArray() {
            var random = Random()
            var queue = Queue<Int>()
            var model: [Int] = []
            for n in 0..<20_000 {
                switch Int.random(in: 0..<100, using: &random) {
                case 0..<50:
                    queue.append(n)
                    model.append(n)
                case 50..<97: #expect(queue.popFirst() == (model.isEmpty ? nil : model.removeFirst()))
                case 97..<99:
                    _ = queue.withFirst { $0 += 1 }
                    if !model.isEmpty { model[0] += 1 }
                default:
                    #expect(queue.contains { $0 % 7 == 0 } == model.contains { $0 % 7 == 0 })
                }
                if n % 5_000 == 4_999 {
                    #expect(queue.drain() == model, "seed \(random.seed)")
                    model = []
                }
                guard queue.first == model.first, queue.isEmpty == model.isEmpty else {
                    Issue.record("seed \(random.seed), step \(n)")
                    return
                }
            }
        }
    }

    @Suite struct ErrorTests {
        @Test(arguments: [
            ("40001", true), ("40P01", true), ("55P03", true), ("57P01", true), ("57P02", true),
            ("57P03", true),
            ("53300", true), ("08006", true), ("57014", true), ("25006", true), ("23505", false),
            ("42P01", false), ("22012", false), ("28P01", false),
        ])
        func knowsWhatPassesByItself(_ state: String, _ expected: Bool) {
            let error = PostgresError(.server(state), "text")
            #expect(error.isRetryable == expected)
            #expect(error.sqlState == state)
        }
    }
}
