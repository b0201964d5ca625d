import ArgumentParser
import JobRuntime

/// Which queue's dead letters are meant.
struct DeadLetterQueue: ParsableArguments {
    @Option(help: "Only of this queue: \(JobTopology.queues.joined(separator: ", ")).")
    var queue: String?

    func validate() throws {
        guard queue.map(JobTopology.queues.contains) ?? true else {
            throw ValidationError("--queue must be one of \(JobTopology.queues.joined(separator: ", ")).")
        }
    }

    /// The queues to look at.
    var queues: [String] { queue.map { [$0] } ?? JobTopology.queues }
}
