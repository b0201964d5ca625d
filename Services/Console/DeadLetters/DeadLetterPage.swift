import FoundationEssentials
import JSON
import Operations
import Store

/// What no program could process, as far as it names runs that the visitor sees: why, since when, and putting it back or
/// dropping it. The Starter notes what is wanted; whoever goes through the queue next does it.
struct DeadLetterPage: Sendable {
    private static let pageLimit = 50
    /// The longest note, in characters.
    private static let noteLimit = 500

    let letters: DeadLetterReading
    let access: AccessReading
    let starter: StarterClient

    /// What the template reads.
    private struct View: Sendable {
        struct Row: Sendable {
            let id: String
            /// As the operator's command shows it.
            let digest: String
            let label: String
            let href: String
            let tenant: String
            let queue: String
            let why: String
            let died: MomentView?
            let seen: MomentView
            let size: String
            let type: String?
            let copies: String?
            let wished: BadgeView?
            let wishedBy: String?
            let trouble: String?
            /// Why the visitor can do nothing about it; nil when it is possible.
            let obstacle: String?
        }

        let rows: [Row]
        let isEmpty: Bool
        /// Told to those who manage access to the whole workspace.
        let unnamed: String?
        let behind: String?
        let looked: MomentView?
        let next: String?
        let first: String?
    }

    func show(_ visit: Visit) async throws -> SitePage {
        let caller = visit.principal
        let visible = try await Access.tenants(of: caller, holding: .operationsView, access)
        guard !visible.isEmpty else { throw Fault.forbidden(.operationsView) }
        let before = visit.query["before"].flatMap { DeadLetterID($0) }
        let page = try await letters.list(
            in: caller.workspaceID, on: visible, before: before, limit: Self.pageLimit)
        let places = try await places(of: page.entries, visit)
        let overview = try await letters.overview()
        let manages = try await Access(of: caller, at: .workspace(caller.workspaceID), access)
            .holds(.accessManage)
        let home = SitePage.Section.deadLetters.href
        return SitePage(
            template: "dead-letters", title: "Dead letters", section: .deadLetters,
            content: View(
                rows: page.entries.map { Self.row($0, places, visit.now) }, isEmpty: page.entries.isEmpty,
                unnamed: manages && overview.unnamed > 0 ? Self.unnamed(overview.unnamed) : nil,
                behind: manages && overview.behind > 0
                    ? "\(Presentation.grouped(overview.behind)) more lie behind the oldest of their queues, and are seen when those are gone."
                    : nil, looked: overview.lookedAt.map { MomentView($0, now: visit.now) },
                next: page.hasMore ? page.entries.last.map { "\(home)?before=\($0.id)" } : nil,
                first: before == nil ? nil : home),
            isLive: true)
    }

    private static func unnamed(_ count: Int) -> String {
        (count == 1 ? "One more names" : "\(Presentation.grouped(count)) more name")
            + " no run of any workspace: the platform engineer sees what it says with «atlas dead-letters»."
    }

    /// What it takes to do something about a letter: the same as to start the run's operation.
    private static func capability(_ letter: DeadLetterSummary) -> Capability {
        OperationCatalogue.definition(named: letter.operation)?.capability ?? .accessManage
    }

    /// Where the visitor may do something about letters like these.
    private func places(
        of letters: [DeadLetterSummary], _ visit: Visit
    ) async throws -> [Capability: Set<TenantID>] {
        var places: [Capability: Set<TenantID>] = [:]
        for capability in Set(letters.map(Self.capability)) {
            places[capability] = Set(
                try await Access.tenants(of: visit.principal, holding: capability, access))
        }
        return places
    }

    private static func row(
        _ letter: DeadLetterSummary, _ places: [Capability: Set<TenantID>], _ now: Date
    ) -> View.Row {
        let capability = capability(letter)
        let isAllowed = places[capability]?.contains(letter.tenant.id) == true
        return View.Row(
            id: "\(letter.id)", digest: String(letter.digest.prefix(16)),
            label: OperationCatalogue.definition(named: letter.operation)?.label ?? letter.operation,
            href: Link.run(letter.run), tenant: letter.tenant.name, queue: place(of: letter.queue),
            why: why(letter.reason), died: letter.diedAt.map { MomentView($0, now: now) },
            seen: MomentView(letter.firstSeenAt, now: now),
            size: "\(Presentation.grouped(letter.size)) B",
            type: letter.type.flatMap { own.contains($0) ? nil : $0 },
            copies: letter.count > 1 ? "\(Presentation.grouped(letter.count)) that are the same" : nil,
            wished: letter.wished.map { BadgeView(Presentation.badge(wish: $0.word)) },
            wishedBy: letter.wished?.by.name, trouble: letter.trouble,
            obstacle: isAllowed ? nil : "Your role there does not include \(capability.rawValue).")
    }

    /// The types of the system's own: they tell people nothing that the queue does not.
    private static let own: Set<String> = [JobMessage.type, TerminalEvent.type]

    /// What a queue is for, as people read it.
    private static func place(of queue: String) -> String {
        switch queue {
        case "notifier.terminal": "notifications"
        case _ where queue.hasPrefix("jobs."): "\(queue.dropFirst("jobs.".count)) operations"
        default: queue
        }
    }

    /// The broker's word, as people read it.
    private static func why(_ word: String?) -> String {
        switch word {
        case "rejected": "a program refused it for good"
        case "expired": "it waited too long"
        case "maxlen": "its queue was full"
        case "delivery_limit": "it was tried too often"
        case let word?: word
        case nil: "nothing was noted"
        }
    }

    // MARK: changes

    /// What the template that asks for a note reads.
    private struct DropView: Sendable {
        let letter: View.Row
        let problems: [String]
        let note: String
        let noteLimit: Int
    }

    func change(_ form: FormBody, _ visit: Visit) async throws -> FormAnswer {
        guard let wish = form["change"].flatMap(DeadLetterWish.init) else {
            throw Fault.invalid("Choose what to do with it: put it back, or drop it.")
        }
        let letter = try await letter(form, visit)
        switch wish {
        case .redrive:
            let answer = await starter.send(
                "POST", "/v1/dead-letters/\(letter.id)/redrive", as: visit.secret)
            return .done(
                Self.outcome(answer, done: "It is put back in a moment, and decided about like any other."))
        case .drop:
            guard form.isConfirmed, let note = form["note"] else {
                let problems = form.isConfirmed ? ["Say why: the audit keeps it."] : []
                let page = Self.question(letter, form, problems: problems, visit.now)
                return form.isConfirmed ? .again(page) : .page(page)
            }
            let answer = await starter.send(
                "POST", "/v1/dead-letters/\(letter.id)/drop", ["note": .string(note)], as: visit.secret)
            guard answer.status != 422 else {
                let problems = answer.problems(["/note": "The note"])
                return .again(Self.question(letter, form, problems: problems, visit.now))
            }
            return .done(Self.outcome(answer, done: "It is dropped in a moment."))
        }
    }

    /// The letter that a form is about, for whoever may do something about it.
    private func letter(_ form: FormBody, _ visit: Visit) async throws -> DeadLetterSummary {
        guard let id = form["letter"].flatMap({ DeadLetterID($0) }) else { throw Fault.notFound }
        let place = try await Access(of: visit.principal, at: .deadLetter(id), access)
        guard let letter = try await letters.letter(id) else { throw Fault.notFound }
        try place.require(Self.capability(letter))
        return letter
    }

    private static func question(
        _ letter: DeadLetterSummary, _ form: FormBody, problems: [String], _ now: Date
    ) -> SitePage {
        SitePage(
            template: "dead-letter-drop", title: "Drop it?", section: .deadLetters,
            content: DropView(
                letter: row(letter, [capability(letter): [letter.tenant.id]], now), problems: problems,
                note: form["note"] ?? "", noteLimit: noteLimit))
    }

    private static func outcome(_ answer: StarterClient.Answer, done: String) -> Outcome {
        Outcome(
            path: SitePage.Section.deadLetters.href,
            notice: answer.isSuccess ? Notice(.good, done) : Notice(.bad, answer.detail))
    }
}

extension Site {
    func reply(to route: DeadLetterRoute, _ visit: Visit) async throws -> Reply {
        switch route {
        case .list: try await show(visit, deadLetters.show)
        case .change: try await answered(visit, deadLetters.change)
        }
    }
}
