/// Who is told that a run ended, and by which ways.
package enum NotificationPolicy {
    /// The ways a person can be told.
    package enum Channel: String, Sendable, CaseIterable {
        case inbox, webhook, email
    }

    /// Who is told of the end of a run.
    package enum Audience: Sendable, Hashable {
        /// A run of the system notifies no person (H12).
        case nobody
        case initiator(UserID)
        /// Once until the schedule has worked again or was changed: whoever manages access to the tenant, and the person
        /// whose schedule it is.
        case managersOnce(ScheduleID, of: UserID)
    }

    /// The initiator, or nobody. When a person's schedule is refused, the person may be gone: those are told who can do
    /// something about it, and not at every due moment.
    package static func audience(of event: TerminalEvent, schedule: ScheduleID?) -> Audience {
        guard let initiator = event.initiatorID else { return .nobody }
        if let schedule, event.outcome == .blocked { return .managersOnce(schedule, of: initiator) }
        return .initiator(initiator)
    }

    /// Which roles are told of a refused schedule.
    package static var managing: Set<Role> { Set(Role.allCases.filter { $0.holds(.accessManage) }) }

    /// Which roles are told of a webhook that was switched off.
    package static var keeping: Set<Role> { Set(Role.allCases.filter { $0.holds(.notificationsManage) }) }

    /// Which roles may be mailed about a tenant: mails name it, and whoever lost it no longer reads its name.
    package static var reading: Set<Role> { Set(Role.allCases.filter { $0.holds(.operationsView) }) }
}
