import FoundationEssentials
import JSON
import Operations
import SeededRandom
import Testing

/// The job message: strict, small, and worth nothing to who forges it.
struct JobMessageTests {
    static let id = "00000000-0000-4000-8000-000000000006"

    @Test(arguments: [1, 2, 12, 999_999, 1_000_000], [nil, Sample.traceparent])
    func `is read back as it was written`(attempt: Int, traceparent: String?) throws {
        let job = JobMessage(runID: Sample.run, attempt: attempt)
        let body = job.body(traceparent: traceparent)
        #expect(try JobMessage(body: body) == job)
        #expect(job.messageID == "\(Self.id):\(attempt)")
        #expect(try JSON(parsing: body)["traceparent"]?.string == traceparent)
        #expect(body.count <= JobMessage.byteLimit)
    }

    @Test func `a chunk is named beside its own attempt`() throws {
        let job = JobMessage(runID: Sample.run, chunk: 7, attempt: 2)
        #expect(try JobMessage(body: job.body(traceparent: nil)) == job)
        #expect(job.messageID == "\(Self.id):7:2")
        #expect(try JSON(parsing: job.body(traceparent: nil))["chunk"] == 7)
        #expect(try JobMessage(body: job.body(traceparent: nil)) != JobMessage(runID: Sample.run, attempt: 2))
        for chunk in ["0", "-1", "1000001", "1.0", "null", "\"1\"", "[1]"] {
            let body = #"{"version":1,"run_id":"\#(Self.id)","attempt":1,"chunk":\#(chunk)}"#
            #expect(throws: Malformed.chunkMalformed) { try JobMessage(body: Array(body.utf8)) }
        }
    }

    typealias Malformed = JobMessage.Malformed

    static let refused: [(body: String, error: Malformed)] = [
        ("", .notJSON), ("{", .notJSON), ("run", .notJSON), ("\u{0}", .notJSON),
        (#"{"version":1,"version":1,"run_id":"\#(id)","attempt":1}"#, .notJSON),
        (#"{"version":1,"run_id":"\#(id)","attempt":1}{}"#, .notJSON),
        ("null", .versionUnknown), ("[]", .versionUnknown), ("{}", .versionUnknown),
        (#""x""#, .versionUnknown),
        (#"{"run_id":"\#(id)","attempt":1}"#, .versionUnknown),
        (#"{"version":0,"run_id":"\#(id)","attempt":1}"#, .versionUnknown),
        (#"{"version":2,"run_id":"\#(id)","attempt":1}"#, .versionUnknown),
        (#"{"version":"1","run_id":"\#(id)","attempt":1}"#, .versionUnknown),
        (#"{"version":1.0,"run_id":"\#(id)","attempt":1}"#, .versionUnknown),
        (#"{"version":true,"run_id":"\#(id)","attempt":1}"#, .versionUnknown),
        (#"[{"version":1,"run_id":"\#(id)","attempt":1}]"#, .versionUnknown),
        (#"{"version":1,"attempt":1}"#, .runMissing),
        (#"{"version":1,"run_id":null,"attempt":1}"#, .runMissing),
        (#"{"version":1,"run_id":6,"attempt":1}"#, .runMissing),
        (#"{"version":1,"run_id":"","attempt":1}"#, .runMissing),
        (#"{"version":1,"run_id":"6","attempt":1}"#, .runMissing),
        (#"{"version":1,"run_id":"{\#(id)}","attempt":1}"#, .runMissing),
        (#"{"version":1,"run_id":" \#(id)","attempt":1}"#, .runMissing),
        (#"{"version":1,"run_id":["\#(id)"],"attempt":1}"#, .runMissing),
        (#"{"version":1,"run_id":"\#(id)"}"#, .attemptMissing),
        (#"{"version":1,"run_id":"\#(id)","attempt":0}"#, .attemptMissing),
        (#"{"version":1,"run_id":"\#(id)","attempt":-1}"#, .attemptMissing),
        (#"{"version":1,"run_id":"\#(id)","attempt":1000001}"#, .attemptMissing),
        (#"{"version":1,"run_id":"\#(id)","attempt":99999999999999999999}"#, .attemptMissing),
        (#"{"version":1,"run_id":"\#(id)","attempt":1.0}"#, .attemptMissing),
        (#"{"version":1,"run_id":"\#(id)","attempt":"1"}"#, .attemptMissing),
        (#"{"version":1,"run_id":"\#(id)","attempt":1,"tenant_id":"\#(id)"}"#, .memberUnknown),
        (#"{"version":1,"run_id":"\#(id)","attempt":1,"capability":"provider.run"}"#, .memberUnknown),
        (#"{"version":1,"run_id":"\#(id)","attempt":1,"":0}"#, .memberUnknown),
        (#"{"version":1,"run_id":"\#(id)","attempt":1,"Attempt":2}"#, .memberUnknown),
        (#"{"version":1,"run_id":"\#(id)","attempt":1}"# + String(repeating: " ", count: 1_024), .tooLarge),
        (String(repeating: "[", count: 1_025), .tooLarge), (String(repeating: "[", count: 1_024), .notJSON),
    ]

    @Test(arguments: refused)
    func `is refused`(body: String, error: Malformed) {
        #expect(throws: error) { try JobMessage(body: Array(body.utf8)) }
    }

    @Test func `the limit of size is exact`() throws {
        let body = JobMessage(runID: Sample.run, attempt: 1).body(traceparent: nil)
        let padding = [UInt8](repeating: 0x20, count: 1_024 - body.count)
        #expect(try JobMessage(body: body + padding).runID == Sample.run)
        #expect(throws: Malformed.tooLarge) { try JobMessage(body: body + padding + [0x20]) }
    }

    /// Fifty thousand damaged messages: what is still read names the run and the attempt that stand in it.
    @Test func `a damaged message names no run that does not stand in it`() throws {
        var (random, seed) = SplitMix.announced(for: "job messages")
        let corpus = [nil, Sample.traceparent].map {
            JobMessage(runID: Sample.run, attempt: 12).body(traceparent: $0)
        }
        var accepted = 0
        for _ in 0..<50_000 {
            var body = corpus.randomElement(using: &random)!
            for _ in 0..<Int.random(in: 1...2, using: &random) { random.mutate(&body) }
            guard let job = try? JobMessage(body: body) else { continue }
            accepted += 1
            let plain = JobMessage(runID: job.runID, attempt: job.attempt)
            let text = String(decoding: body, as: UTF8.self).lowercased()
            guard try JobMessage(body: plain.body(traceparent: nil)) == job,
                text.contains("\"\(job.runID)\""),
                text.contains("\(job.attempt)"), (1...1_000_000).contains(job.attempt)
            else {
                Issue.record("seed \(seed): \(text) is read as \(job)")
                return
            }
        }
        #expect((2_000...40_000).contains(accepted))
    }
}
