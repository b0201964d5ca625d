package import Operations

/// What a caller may do to a schedule that is there, from one reading.
///
/// A schedule that starts runs as a person is that person's: nobody switches one on again for somebody else. Who manages
/// access may switch off and remove any. One under the system's authority outlives every grant, so it takes
/// `access.manage` to change it.
package struct ScheduleAccess: Sendable {
    /// The schedule is another person's, who alone may switch it on again.
    package struct OfAnotherPerson: Error, Sendable {
        package static let sentence =
            "This schedule starts runs as another person, who alone may switch it on again."
            + " You can make one of your own."
    }

    package let schedule: Schedule
    /// What the caller may do where the schedule is.
    package let place: Access
    private let caller: UserID

    /// Throws ``AccessRefusal/notFound`` when there is no such schedule, or the caller may not know of it.
    package init(
        of caller: Principal, to id: ScheduleID, _ schedules: Schedules, _ access: AccessReading
    ) async throws {
        place = try await Access(of: caller, at: .schedule(id), access)
        guard let schedule = try await schedules.schedule(id) else { throw AccessRefusal.notFound }
        self.schedule = schedule
        self.caller = caller.userID
    }

    /// To switch off or remove: the schedule's person, and who manages access. Throws ``AccessRefusal``.
    package func requireLess() throws(AccessRefusal) {
        guard schedule.person?.id == caller else { return try place.require(.accessManage) }
        try place.requireOfToken(capability)
    }

    /// To switch on: the schedule's person, who must still be able to start it; for the system, who manages access.
    /// Throws ``AccessRefusal`` or ``OfAnotherPerson``.
    package func requireMore() throws {
        guard let person = schedule.person else { return try place.require(.accessManage) }
        try place.require(person.id == caller ? capability : .accessManage)
        guard person.id == caller else { throw OfAnotherPerson() }
    }

    private var capability: Capability {
        OperationCatalogue.definition(named: schedule.operation)?.capability ?? .accessManage
    }
}
