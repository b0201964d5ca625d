import JSON
import Synchronization

/// What the sandbox was asked and what it answered, for tests that must know what was on the wire.
///
/// A call is entered when it is received, and completed when its answer is decided, so a call that is still
/// waiting can be seen as well.
final class Journal: Sendable {
    struct Entry: Sendable {
        let sequence: Int
        /// CLOCK_MONOTONIC nanoseconds when the request's head was there.
        let received: Int64
        /// The same when the answer was ready to be written; nil: still under way.
        var answered: Int64?
        let tenant: String?
        let method: String
        /// Without the query.
        let path: String
        /// Nil while under way, and when the connection was reset instead.
        var status: Int?
        let clientRequestID: String?
        let traceParent: String?
        /// The kinds of the faults that were applied, joined by `+`.
        var fault: String?
        /// The sequence number of the batch that the call came in.
        var batch: Int?
        /// What the call changed, also when the connection was reset afterwards; nil: nothing.
        var written: Answer.Written?
    }

    struct Filter: Sendable {
        /// Only entries with a higher sequence number.
        var since = 0
        var tenant: String?
        var path: PathPattern?
        var method: String?
        /// Only calls that changed something.
        var writes = false
        var limit = 1_000

        /// The largest `limit`.
        static let largest = 100_000
    }

    /// The largest number of entries that are kept; the oldest go first.
    let capacity: Int
    private let state = Mutex(State())

    private struct State {
        /// Grows up to `capacity`; then the entry `sequence` replaces the one at `(sequence - 1) % capacity`.
        var ring: [Entry] = []
        var last = 0
        /// The first sequence number that is still wanted: clearing doesn't start numbers anew.
        var first = 1
    }

    init(capacity: Int) { self.capacity = capacity }

    /// Enters a received call and returns its sequence number.
    func open(
        received: Int64, tenant: String?, method: String, path: String, clientRequestID: String?,
        traceParent: String? = nil, batch: Int? = nil
    ) -> Int {
        state.withLock { state in
            state.last += 1
            let entry = Entry(
                sequence: state.last, received: received, tenant: tenant, method: method, path: path,
                clientRequestID: clientRequestID, traceParent: traceParent, batch: batch)
            if state.ring.count < capacity {
                state.ring.append(entry)
            } else {
                state.ring[(state.last - 1) % capacity] = entry
            }
            return state.last
        }
    }

    /// Completes the entry, if it is still kept.
    func close(_ sequence: Int, answered: Int64, status: Int?, fault: String?, written: Answer.Written? = nil)
    {
        state.withLock { state in
            let index = (sequence - 1) % capacity
            guard state.ring.indices.contains(index), state.ring[index].sequence == sequence else { return }
            state.ring[index].answered = answered
            state.ring[index].status = status
            state.ring[index].fault = fault
            state.ring[index].written = written
        }
    }

    /// Forgets all entries. Numbers go on.
    func clear() {
        state.withLock { $0.first = $0.last + 1 }
    }

    /// The entries that pass, oldest first, and the number to ask on with.
    func entries(_ filter: Filter) -> (entries: [Entry], next: Int, last: Int) {
        state.withLock { state in
            var found: [Entry] = []
            var next = filter.since
            let oldest = max(state.first, state.last - state.ring.count + 1, filter.since + 1)
            guard oldest <= state.last else { return ([], max(filter.since, state.last), state.last) }
            for sequence in oldest...state.last {
                guard found.count < filter.limit else { break }
                next = sequence
                let entry = state.ring[(sequence - 1) % capacity]
                if filter.passes(entry) { found.append(entry) }
            }
            return (found, next, state.last)
        }
    }
}

extension Journal.Filter {
    fileprivate func passes(_ entry: Journal.Entry) -> Bool {
        (tenant == nil || entry.tenant == tenant) && (method == nil || entry.method == method)
            && (!writes || entry.written != nil) && (path?.matches(entry.path) ?? true)
    }
}

extension Journal.Entry {
    /// Appends the entry as a JSON object.
    func write(to text: inout JSONText) {
        text.raw("{\"seq\":")
        text.write(Int64(sequence))
        text.raw(",\"receivedNs\":")
        text.write(received)
        text.raw(",\"answeredNs\":")
        text.write(optional: answered)
        text.raw(",\"tenant\":")
        text.write(optional: tenant)
        text.raw(",\"method\":")
        text.write(method)
        text.raw(",\"path\":")
        text.write(path)
        text.raw(",\"status\":")
        text.write(optional: status.map(Int64.init))
        text.raw(",\"clientRequestId\":")
        text.write(optional: clientRequestID)
        text.raw(",\"traceparent\":")
        text.write(optional: traceParent)
        text.raw(",\"fault\":")
        text.write(optional: fault)
        text.raw(",\"batch\":")
        text.write(optional: batch.map(Int64.init))
        text.raw(",\"objectSet\":")
        text.write(optional: written?.set)
        text.raw(",\"objectId\":")
        text.write(optional: written?.id)
        text.raw(",\"change\":")
        text.write(optional: written?.change.rawValue)
        text.raw(",\"ignored\":")
        text.raw(JSON.array((written?.ignored ?? []).map(JSON.string)).bytes)
        text.raw("}")
    }
}

extension JSONText {
    fileprivate mutating func write(optional text: String?) {
        if let text { write(text) } else { raw("null") }
    }

    fileprivate mutating func write(optional number: Int64?) {
        if let number { write(number) } else { raw("null") }
    }
}
