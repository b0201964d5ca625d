internal import JSON

/// What travels through a job queue: a doorbell. It names a run and an attempt, or a chunk of a divided run and the
/// chunk's attempt, and grants nothing (H1).
package struct JobMessage: Sendable, Hashable {
    /// The run to look at.
    package let runID: RunID
    /// The chunk of a divided run, from 1; nil for the run itself.
    package let chunk: Int?
    /// The attempt that the message was written for: the chunk's own where one is named. A message of another
    /// attempt is a duplicate.
    package let attempt: Int

    /// The AMQP `type` of the message.
    package static let type = "com.tenantatlas.job.v1"
    /// The largest body that is looked at, in bytes.
    package static let byteLimit = 1_024

    package init(runID: RunID, chunk: Int? = nil, attempt: Int) {
        self.runID = runID
        self.chunk = chunk
        self.attempt = attempt
    }

    /// The same for every publication of this attempt.
    package var messageID: String { chunk.map { "\(runID):\($0):\(attempt)" } ?? "\(runID):\(attempt)" }

    /// The message's body.
    package func body(traceparent: String?) -> [UInt8] {
        var object: JSONObject = ["version": 1, "run_id": .string("\(runID)"), "attempt": .int(attempt)]
        if let chunk { object["chunk"] = .int(chunk) }
        if let traceparent { object["traceparent"] = .string(traceparent) }
        return JSON.object(object).bytes
    }

    /// Why a body is not a job. The text is safe to log: it repeats nothing of the body.
    package enum Malformed: Error, Hashable {
        case tooLarge, notJSON, versionUnknown, runMissing, attemptMissing, chunkMalformed, memberUnknown
    }

    /// Reads a body. Strict: an unknown member or version is refused.
    package init(body: [UInt8]) throws(Malformed) {
        guard body.count <= Self.byteLimit else { throw .tooLarge }
        let json: JSON
        do { json = try JSON(parsing: body) } catch { throw .notJSON }
        guard json["version"]?.integer == 1 else { throw .versionUnknown }
        guard let runID = json["run_id"]?.string.flatMap(RunID.init) else { throw .runMissing }
        guard let attempt = json["attempt"]?.integer, (1...1_000_000).contains(attempt) else {
            throw .attemptMissing
        }
        let chunk = json["chunk"]?.integer
        guard json["chunk"] == nil || (1...1_000_000).contains(chunk ?? 0) else { throw .chunkMalformed }
        let known: Set<String> = ["version", "run_id", "chunk", "attempt", "traceparent"]
        guard json.object?.keys.allSatisfy(known.contains) == true else { throw .memberUnknown }
        self.init(runID: runID, chunk: chunk, attempt: attempt)
    }
}

extension RunSnapshot {
    /// The doorbell for the run's present attempt.
    package var job: JobMessage { JobMessage(runID: execution.runID, attempt: attempt) }
}
