internal import JSON

/// What travels through a job queue: a doorbell. It names a run and an attempt, and grants nothing (H1).
package struct JobMessage: Sendable, Hashable {
    /// The run to look at.
    package let runID: RunID
    /// The attempt that the message was written for. A message of another attempt is a duplicate.
    package let attempt: Int

    /// The AMQP `type` of the message.
    package static let type = "com.tenantatlas.job.v1"
    /// The largest body that is looked at, in bytes.
    package static let byteLimit = 1_024

    package init(runID: RunID, attempt: Int) {
        self.runID = runID
        self.attempt = attempt
    }

    /// The same for every publication of this attempt.
    package var messageID: String { "\(runID):\(attempt)" }

    /// The message's body.
    package func body(traceparent: String?) -> [UInt8] {
        var object: JSONObject = ["version": 1, "run_id": .string("\(runID)"), "attempt": .int(attempt)]
        if let traceparent { object["traceparent"] = .string(traceparent) }
        return JSON.object(object).bytes
    }

    /// Why a body is not a job. The text is safe to log: it repeats nothing of the body.
    package enum Malformed: Error, Hashable {
        case tooLarge, notJSON, versionUnknown, runMissing, attemptMissing, memberUnknown
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
        let known: Set<String> = ["version", "run_id", "attempt", "traceparent"]
        guard json.object?.keys.allSatisfy(known.contains) == true else { throw .memberUnknown }
        self.init(runID: runID, attempt: attempt)
    }
}

extension RunSnapshot {
    /// The doorbell for the run's present attempt.
    package var job: JobMessage { JobMessage(runID: execution.runID, attempt: attempt) }
}
