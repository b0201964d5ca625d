import FoundationEssentials
import JSON
import Operations

/// When something that was taken away took effect: what a person can show an auditor.
///
/// The answer travels in the address, signed by the session: the page stays what it is when it is loaded again, and
/// nobody can make one up.
struct TookEffectPage: Sendable {
    /// The most calls in doubt that are named: an address holds no more.
    private static let named = 15

    private struct View: Sendable {
        struct Call: Sendable {
            let call: String
            let href: String
            let began: MomentView
            let lost: MomentView
        }

        let done: String
        let effective: MomentView
        let effectiveExact: String
        let settledExact: String?
        /// How long it took until nothing was on the wire.
        let wait: String?
        let calls: [Call]
        let doubt: String?
        let isCut: Bool
        let origin: String
    }

    /// The address that tells the API's answer; nil for an answer of something that took nothing away.
    static func address(_ done: String, _ answer: JSON, origin: String, _ visit: Visit) -> String? {
        guard answer["effective_at"]?.string != nil else { return nil }
        let calls = answer["in_doubt"]?.array ?? []
        let told: JSON = [
            "done": .string(done), "origin": .string(origin),
            "effective_at": answer["effective_at"] ?? .null, "settled_at": answer["settled_at"] ?? .null,
            "in_doubt": .array(Array(calls.prefix(named))), "count": .int(calls.count),
        ]
        return "/admin/access/took-effect?answer=\(visit.seal.signed(told.text))"
    }

    func show(_ visit: Visit) async throws -> SitePage {
        guard let text = visit.query["answer"].flatMap(visit.seal.opened),
            let told = try? JSON(parsing: Array(text.utf8)), let done = told["done"]?.string,
            let effective = told["effective_at"].flatMap(Timestamp.init(json:))?.date
        else { throw Fault.notFound }
        let settled = told["settled_at"].flatMap(Timestamp.init(json:))?.date
        let calls = (told["in_doubt"]?.array ?? []).compactMap { Self.call($0, visit.now) }
        let count = told["count"]?.integer ?? calls.count
        let times = Times(now: visit.now, isExact: true) { _ in 0 }
        return SitePage(
            template: "took-effect", title: done, section: .access,
            content: View(
                done: done, effective: MomentView(effective, now: visit.now),
                effectiveExact: times.exact(effective, withFraction: true),
                settledExact: settled.map { times.exact($0, withFraction: true) },
                wait: settled.map { Self.wait($0.timeIntervalSince(effective)) }, calls: calls,
                doubt: settled == nil ? Self.doubt(count) : nil, isCut: count > calls.count,
                origin: Link.local(told["origin"]?.string) ?? SitePage.Section.access.href))
    }

    private static func call(_ call: JSON, _ now: Date) -> View.Call? {
        guard let run = call["run_id"]?.string.flatMap({ RunID($0) }),
            let began = call["opened_at"].flatMap(Timestamp.init(json:))?.date,
            let lost = call["deadline"].flatMap(Timestamp.init(json:))?.date
        else { return nil }
        return View.Call(
            call: call["call"]?.string ?? "", href: Link.run(run), began: MomentView(began, now: now),
            lost: MomentView(lost, now: now))
    }

    /// A revoke that had nothing to wait for takes milliseconds, and says so.
    static func wait(_ seconds: Double) -> String {
        seconds < 1 ? "\(Int((max(0, seconds) * 1_000).rounded())) ms" : Presentation.length(seconds)
    }

    private static func doubt(_ count: Int) -> String {
        (count == 1 ? "One call is" : "\(Presentation.grouped(count)) calls are")
            + " in doubt: what executed it was lost, and nobody can tell whether Microsoft still carries it out."
    }
}
