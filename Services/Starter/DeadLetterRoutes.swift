import HTTPTypes
import JSON
import Operations
import Store

/// Messages that nobody could process, as far as they name runs of tenants that the caller sees. What is to be done with
/// one is noted, and done by the starter that goes through its queue next.
///
/// Putting one back grants nothing: it is decided about like any other. It takes what starting the run's operation takes.
struct DeadLetterRoutes: Sendable {
    let letters: DeadLetterReading
    let access: AccessReading

    /// The longest note, in characters.
    static let noteLimit = 500

    func list(_ call: Call) async throws -> Answer {
        var parameters = call.parameters
        let limit = parameters.pageLimit()
        let before = parameters.cursor(of: .deadLetters)
        try parameters.finish()
        let page = try await letters.list(
            in: call.caller.workspaceID,
            on: Access.tenants(of: call.caller, holding: .operationsView, access),
            before: before.map(DeadLetterID.init), limit: limit)
        return .page(
            "dead_letters", page, json: \.json, cursor: { Cursor(.deadLetters, after: $0.id.uuid) }, of: call)
    }

    func redrive(_ id: DeadLetterID, _ call: Call) async throws -> Answer {
        try await call.expectNothing()
        return try await wish(.redrive, for: id, note: nil, call)
    }

    func drop(_ id: DeadLetterID, _ call: Call) async throws -> Answer {
        let note = try await call.read { $0.text("note", limit: Self.noteLimit) }
        return try await wish(.drop, for: id, note: note, call)
    }

    private func wish(
        _ wish: DeadLetterWish, for id: DeadLetterID, note: String?, _ call: Call
    ) async throws -> Answer {
        let place = try await Access(of: call.caller, at: .deadLetter(id), access)
        let definition = place.operation.flatMap(OperationCatalogue.definition(named:))
        try place.require(definition?.capability ?? .accessManage)
        try await letters.wish(wish, for: id, note: note, in: place.workspace, by: call.caller.userID)
        guard let letter = try await letters.letter(id) else { throw Problem.notFound }
        return .json(.accepted, letter.json)
    }
}

extension DeadLetterSummary {
    fileprivate var json: JSON {
        [
            "dead_letter_id": .string("\(id)"), "digest": .string(digest), "queue": .string(queue),
            "count": .int(count), "run_id": .string("\(run)"), "href": .string(RunAddress.path(of: run)),
            "operation": .string(operation), "tenant": tenant.json, "reason": .optional(reason),
            "died_at": diedAt.json, "first_seen_at": Timestamp.json(firstSeenAt),
            "message_id": .optional(messageID), "type": .optional(type), "size": .int(size),
            "wish": wished.map { wished in
                [
                    "wish": .string(wished.word.rawValue), "by": wished.by.json,
                    "at": Timestamp.json(wished.at),
                ]
            } ?? .null,
            "trouble": .optional(trouble),
        ]
    }
}
