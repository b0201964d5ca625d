import Foundation
import Testing

@testable import Postgres

extension PostgresTests {
    /// What goes in as a parameter comes out of a row.
    @Suite struct ValueTests {
        @Test func everySingleType() async throws {
            let id = UUID()
            let date = PostgresTime.date(microseconds: 812_345_678_901_234)
            try await withPool { pool in
                let row = try await pool.query(
                    """
                    SELECT $1::uuid AS id, $2::text AS text, $3::int8 AS int8, $4::int4 AS int4,
                           $5::int2 AS int2, $6::float8 AS float8, $7::bool AS bool,
                           $8::timestamptz AS date, $9::jsonb AS jsonb, $10::json AS json,
                           $11::bytea AS bytes, $12::text AS nothing, $13::float4 AS float4
                    """,
                    [
                        .uuid(id), .text("Grüße, \"\\ '"), .int(.min), .int(-7), .int(32_767),
                        .double(0.1), .bool(true), .timestamp(date), .json("{\"a\": [1, null]}"),
                        .json("{\"a\":1}"), .bytes([0, 1, 255, 92]), .null, .double(1.5),
                    ])[0]
                #expect(try row.uuid("id") == id)
                #expect(try row.text("text") == "Grüße, \"\\ '")
                #expect(try row.int("int8") == .min)
                #expect(try row.int("int4") == -7)
                #expect(try row.int("int2") == 32_767)
                #expect(try row.double("float8") == 0.1)
                #expect(try row.double("float4") == 1.5)
                #expect(try row.bool("bool") == true)
                #expect(try row.date("date") == date)
                #expect(try row.json("jsonb") == "{\"a\": [1, null]}")
                #expect(try row.json("json") == "{\"a\":1}")
                #expect(try row.bytes("jsonb") == Array("{\"a\": [1, null]}".utf8))
                #expect(try row.bytes("bytes") == [0, 1, 255, 92])
                #expect(try row.isNull("nothing"))
                #expect(try row.textOrNil("nothing") == nil)
                #expect(try row.uuid(0) == id)
                #expect(try row.textOrNil(1) == "Grüße, \"\\ '")
            }
        }

        @Test func specialDoubles() async throws {
            try await withPool { pool in
                let values: [Double?] = [
                    .infinity, -.infinity, .nan, nil, -0.0, .leastNonzeroMagnitude, 1e300,
                ]
                let rows = try await pool.query(
                    "SELECT v FROM unnest($1::float8[]) WITH ORDINALITY AS t (v, n) ORDER BY n",
                    [.doubles(values)])
                for (value, row) in zip(values, rows) {
                    #expect(try row.doubleOrNil("v")?.bitPattern == value?.bitPattern)
                }
                #expect(rows.count == values.count)
            }
        }

        @Test func datesOfAllTimes() async throws {
            let microsecondsADay: Int64 = 86_400_000_000
            // 0001-01-01 is day -730,119 of PostgreSQL's calendar, 9999-12-31 is day 2,921,938.
            let days: [Int64] = [
                -730_119, -730_118, -36_525, -1, 0, 1, 59, 60, 366, 8_825, 36_583, 2_921_938,
            ]
            let times = days.flatMap { [$0 * microsecondsADay, $0 * microsecondsADay + 1_000_000] }
            try await withPool { pool in
                let rows = try await pool.query(
                    """
                    SELECT (extract(epoch FROM v - '2000-01-01T00:00:00Z'::timestamptz) * 1000000)::int8 AS us, v
                      FROM unnest($1::timestamptz[]) WITH ORDINALITY AS t (v, n) ORDER BY n
                    """, [.timestamps(times.map { PostgresTime.date(microseconds: $0) })])
                #expect(try rows.map { try Int64($0.int("us")) } == times)
                #expect(try rows.map { PostgresTime.microseconds(try $0.date("v")) } == times)
            }
        }

        @Test func refusesDatesWithoutTextForm() {
            for date in [Date(timeIntervalSince1970: -63_000_000_000), Date(timeIntervalSince1970: .nan)] {
                #expect(throws: PostgresError.self) { try EncodedParameters([.timestamp(date)]) }
            }
        }

        @Test func readsArrays() async throws {
            let ids = (0..<3).map { _ in UUID() }
            try await withPool { pool in
                let row = try await pool.query(
                    """
                    SELECT $1::uuid[] AS ids, $2::text[] AS texts, $3::int8[] AS int8s, $3::int4[] AS int4s,
                           '{}'::text[] AS none, '{{1},{2}}'::int4[] AS deep, '{NULL}'::text[] AS nulls
                    """, [.uuids(ids), .texts(["", "NULL", "a,b{}\"\\"]), .ints([1, -2])])[0]
                #expect(try row.uuids("ids") == ids)
                #expect(try row.texts("texts") == ["", "NULL", "a,b{}\"\\"])
                #expect(try row.ints("int8s") == [1, -2])
                #expect(try row.ints("int4s") == [1, -2])
                #expect(try row.texts("none") == [])
                #expect(throws: PostgresError.self) { try row.ints("deep") }
                #expect(throws: PostgresError.self) { try row.texts("nulls") }
            }
        }

        /// Arrays of every type, of random length and content, against the server's own parser.
        @Test func arraysSurviveTheRoundTrip() async throws {
            var random = Random()
            try await withPool { pool in
                for _ in 0..<60 {
                    let sample = Sample(using: &random)
                    let rows = try await pool.query(
                        """
                        SELECT t, i, b, u, d, j, y FROM unnest($1::text[], $2::int8[], $3::bool[], $4::uuid[],
                            $5::timestamptz[], $6::json[], $7::bytea[]) WITH ORDINALITY
                            AS v (t, i, b, u, d, j, y, n) ORDER BY n
                        """,
                        [
                            .texts(sample.texts), .ints(sample.ints), .bools(sample.bools),
                            .uuids(sample.uuids), .timestamps(sample.dates), .jsons(sample.jsons),
                            .byteArrays(sample.bytes),
                        ])
                    try #require(rows.count == sample.texts.count, "seed \(random.seed)")
                    for (index, row) in rows.enumerated() {
                        let isSame =
                            try row.textOrNil("t") == sample.texts[index]
                            && row.intOrNil("i") == sample.ints[index]
                            && row.boolOrNil("b") == sample.bools[index]
                            && row.uuidOrNil("u") == sample.uuids[index]
                            && row.dateOrNil("d") == sample.dates[index]
                            && row.jsonOrNil("j") == sample.jsons[index]
                            && row.bytesOrNil("y") == sample.bytes[index]
                        try #require(isSame, "seed \(random.seed), element \(index) of \(sample)")
                    }
                }
            }
        }

        @Test func singleTextsSurviveTheRoundTrip() async throws {
            var random = Random()
            try await withPool { pool in
                for _ in 0..<200 {
                    let text = Sample.text(using: &random)
                    let row = try await pool.query("SELECT $1::text AS v", [.text(text)])[0]
                    try #require(try row.text("v") == text, "seed \(random.seed)")
                }
            }
        }

        @Test(arguments: [
            Parameter.text("a\0b"), .json("\"\0\""), .texts(["a", "b\0"]), .jsons(["\0"]),
        ])
        func refusesNUL(_ parameter: Parameter) async throws {
            let error = await postgresError { try EncodedParameters([.int(1), parameter]) }
            #expect(error?.kind == .parameter)
            #expect(error?.message.contains("$2") == true)
            #expect(error?.isRetryable == false)
        }

        @Test func refusesTooManyParametersAndBytes() async {
            let many = await postgresError { try EncodedParameters(Array(repeating: .null, count: 65_536)) }
            #expect(many?.kind == .parameter)
            let large = await postgresError {
                try EncodedParameters([.text(String(repeating: "x", count: EncodedParameters.byteLimit))])
            }
            #expect(large?.kind == .parameter)
        }

        @Test func wrongColumnsAreRefusedByName() async throws {
            try await withPool { pool in
                let row = try await pool.query("SELECT 1 AS one, NULL::text AS nothing, 1.5 AS exact")[0]
                let unknown = await postgresError { try row.int("two") }
                #expect(unknown?.kind == .decoding)
                #expect(unknown?.message.contains("two") == true)
                let type = await postgresError { try row.text("one") }
                #expect(type?.message == "column «one» is integer, not text")
                let null = await postgresError { try row.text("nothing") }
                #expect(null?.message == "column «nothing» is NULL")
                let numeric = await postgresError { try row.int("exact") }
                #expect(numeric?.message == "column «exact» is numeric, not an integer")
                let position = await postgresError { try row.int(3) }
                #expect(position?.kind == .decoding)
                // A name that is the beginning of another, and one that continues it.
                #expect(throws: PostgresError.self) { try row.int("on") }
                #expect(throws: PostgresError.self) { try row.int("ones") }
                let infinite = try await pool.query("SELECT 'infinity'::timestamptz AS at")[0]
                #expect(throws: PostgresError.self) { try infinite.date("at") }
            }
        }

        @Test func readsTenThousandRows() async throws {
            try await withPool { pool in
                let rows = try await pool.query(
                    """
                    SELECT n, 'text ' || n AS text, jsonb_build_object('n', n) AS json
                      FROM generate_series(1, 10000) AS n
                    """)
                #expect(rows.count == 10_000)
                #expect(rows.affected == 10_000)
                for (index, row) in rows.enumerated() {
                    try #require(try row.int("n") == index + 1)
                    try #require(try row.text("text") == "text \(index + 1)")
                    try #require(try row.json("json") == "{\"n\": \(index + 1)}")
                }
            }
        }
    }

    /// Parallel arrays of one random length, with nulls.
    struct Sample {
        var texts: [String?] = []
        var ints: [Int?] = []
        var bools: [Bool?] = []
        var uuids: [UUID?] = []
        var dates: [Date?] = []
        var jsons: [String?] = []
        var bytes: [[UInt8]?] = []

        init(using random: inout Random) {
            for _ in 0..<Int.random(in: 0...40, using: &random) {
                func orNil<T>(_ value: T) -> T? { Int.random(in: 0..<5, using: &random) == 0 ? nil : value }
                texts.append(orNil(Self.text(using: &random)))
                ints.append(orNil(Int.random(in: .min ... .max, using: &random)))
                bools.append(orNil(Bool.random(using: &random)))
                uuids.append(orNil(Self.uuid(using: &random)))
                let time = Int64.random(in: -60_000_000_000_000_000...200_000_000_000_000_000, using: &random)
                // A Double holds times of two thousand years to some microseconds only.
                dates.append(orNil(PostgresTime.date(microseconds: time / 1_000_000 * 1_000_000)))
                jsons.append(orNil("{\"k\\\"\": \"\(Int.random(in: 0...9, using: &random)), \\\\ {}\"}"))
                let count = Int.random(in: 0...20, using: &random)
                bytes.append(orNil((0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }))
            }
        }

        /// A text made of what quoting gets wrong, and of characters of every length in UTF-8.
        static func text(using random: inout Random) -> String {
            let pieces = [
                "\"", "\\", "'", "{", "}", ",", "NULL", "null", " ", "\n", "\t", "a", "\u{1}", "é", "€", "😀",
                "\u{301}", "$1", "--", "\u{7f}", "\u{feff}",
            ]
            return (0..<Int.random(in: 0...12, using: &random))
                .map { _ in pieces.randomElement(using: &random)! }.joined()
        }

        static func uuid(using random: inout Random) -> UUID {
            var bytes = uuid_t(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
            withUnsafeMutableBytes(of: &bytes) { raw in
                for index in raw.indices { raw[index] = UInt8.random(in: 0...255, using: &random) }
            }
            return UUID(uuid: bytes)
        }
    }
}
