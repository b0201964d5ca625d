import FoundationEssentials
import JSON
import Operations
import Store

/// Making a schedule. When it would be due is shown before it is made.
struct ScheduleForm: Sendable {
    static let address = "/admin/schedules/new"

    let names: NameReading
    let outlook: StartOutlook
    let access: AccessReading
    let starter: StarterClient

    /// As whom it starts runs.
    private enum Authority: String, CaseIterable {
        case me, system
    }

    /// What can be started without anything else to choose.
    private static let operations = OperationType.allCases.filter { type in
        do {
            _ = try RunParameters.accept(nil, for: type)
            return true
        } catch {
            return false
        }
    }

    /// Where somebody may make one.
    static func places(of caller: Principal, _ access: AccessReading) async throws -> Set<TenantID> {
        var places: Set<TenantID> = []
        for capability in Set(operations.map { OperationCatalogue.definition($0).capability }) {
            places.formUnion(try await Access.tenants(of: caller, holding: capability, access))
        }
        return places
    }

    // MARK: the form

    private struct View: Sendable {
        let problems: [String]
        let operations: [Option]
        let connections: [Option]
        let rhythms: [Option]
        let time: String
        let weekdays: [Option]
        let days: [Option]
        let cron: String
        let zone: String
        /// Whether nobody said it: the browser may know it better.
        let isZoneGuessed: Bool
        let zones: [String]
        let isAsSystem: Bool
        /// Why it can't be under the system's authority; nil when it can.
        let systemObstacle: String?
        let systemOperations: String
    }

    func new(_ visit: Visit) async throws -> SitePage { try await page(visit.query, problems: [], visit) }

    private func page(_ form: FormBody, problems: [String], _ visit: Visit) async throws -> SitePage {
        let places = try await Self.places(of: visit.principal, access)
        guard !places.isEmpty else { throw Fault.forbidden(.providerRun) }
        let connection = form["connection"].flatMap { ConnectionID($0) }
        if let connection { _ = try await Access(of: visit.principal, at: .connection(connection), access) }
        let cadence = CadenceForm(form)
        let managesAccess = try await !Access.tenants(
            of: visit.principal, holding: .accessManage, access
        ).isEmpty
        return SitePage(
            template: "schedule-form", title: "New schedule", section: .schedules,
            content: View(
                problems: problems,
                operations: Self.operations.map {
                    Option(
                        value: $0.rawValue, label: OperationCatalogue.definition($0).label,
                        isChosen: $0.rawValue == form["operation"] ?? OperationType.backupRun.rawValue)
                },
                connections: try await names.connections(of: Array(places)).map {
                    Option(
                        value: "\($0.id)", label: "\($0.tenant) · \($0.name)", isChosen: $0.id == connection)
                },
                rhythms: CadenceForm.Rhythm.allCases.map {
                    Option(value: $0.rawValue, label: $0.label, isChosen: $0 == cadence.rhythm)
                }, time: cadence.time,
                weekdays: CadenceForm.weekdays.map {
                    Option(value: "\($0.0)", label: $0.1, isChosen: $0.0 == cadence.weekday)
                },
                days: CadenceForm.days.map {
                    Option(value: "\($0)", label: "\($0)", isChosen: $0 == cadence.day)
                }, cron: cadence.cron, zone: cadence.zone, isZoneGuessed: form["time_zone"] == nil,
                zones: ScheduleZone.names,
                isAsSystem: managesAccess && form["run_as"] == Authority.system.rawValue,
                systemObstacle: managesAccess
                    ? nil
                    : "That takes \(Capability.accessManage.rawValue), which your role does not include.",
                systemOperations: OperationCatalogue.all.filter(\.systemMayRun).map(\.label)
                    .joined(separator: ", ")))
    }

    // MARK: making it

    private struct Wish {
        let definition: OperationDefinition
        let connection: ConnectionID
        let authority: Authority
        let cadence: Cadence
    }

    func create(_ form: FormBody, _ visit: Visit) async throws -> FormAnswer {
        guard form["step"] != "change" else { return .page(try await page(form, problems: [], visit)) }
        let wish: Wish
        do {
            wish = try Self.wish(form)
        } catch {
            return .again(try await page(form, problems: error.sentences, visit))
        }
        try await Access(of: visit.principal, at: .connection(wish.connection), access)
            .require(wish.authority == .me ? wish.definition.capability : .accessManage)
        guard form["step"] == "save" else { return .page(try await preview(wish, form, visit)) }
        let answer = await starter.send(
            "POST", "/v1/schedules",
            [
                "operation": .string(wish.definition.type.rawValue),
                "provider_connection_id": .string("\(wish.connection)"),
                "cron": .string(wish.cadence.expression.text),
                "time_zone": .string(wish.cadence.zone.name),
                "run_as": .string(wish.authority.rawValue),
            ], as: visit.secret)
        guard answer.isSuccess, let id = answer.body["schedule_id"]?.string.flatMap({ ScheduleID($0) }) else {
            return .again(try await page(form, problems: answer.problems(Self.labels), visit))
        }
        return .done(
            Outcome(
                path: Link.schedule(id),
                notice: Notice(
                    .good,
                    answer.status == 201 ? "The schedule was made." : "There is such a schedule already.")))
    }

    private static let labels = [
        "/operation": "The operation", "/cron": "The cron expression", "/time_zone": "The time zone",
        "/run_as": "As whom it runs",
    ]

    private static func wish(_ form: FormBody) throws(CadenceForm.Problems) -> Wish {
        var problems: [String] = []
        let definition = form["operation"].flatMap(OperationCatalogue.definition(named:)).flatMap {
            operations.contains($0.type) ? $0 : nil
        }
        if definition == nil { problems.append("Choose the operation.") }
        let connection = form["connection"].flatMap { ConnectionID($0) }
        if connection == nil { problems.append("Choose the connection.") }
        let authority = form["run_as"].flatMap(Authority.init) ?? .me
        if let definition, authority == .system, !definition.systemMayRun {
            problems.append("The system may not run this by itself: let it run as you.")
        }
        var cadence: Cadence?
        do { cadence = try CadenceForm(form).cadence() } catch { problems += error.sentences }
        guard problems.isEmpty, let definition, let connection, let cadence else {
            throw CadenceForm.Problems(sentences: problems)
        }
        return Wish(definition: definition, connection: connection, authority: authority, cadence: cadence)
    }

    // MARK: what it would be

    private struct Preview: Sendable {
        let label: String
        let place: LinkView
        let cadence: String
        let cron: String
        let moments: [DueView]
        let runsAs: String
        let obstacle: String?
        let remedy: String?
        let fields: [Question.Field]
    }

    private func preview(_ wish: Wish, _ form: FormBody, _ visit: Visit) async throws -> SitePage {
        let isOwn = wish.authority == .me
        let obstacle = try await outlook.obstacles(of: [
            StartRequest(
                operation: wish.definition.type.rawValue, connectionID: wish.connection,
                initiatorID: isOwn ? visit.principal.userID : nil, origin: .schedule)
        ])[0]
        let place = try await Access(of: visit.principal, at: .connection(wish.connection), access)
        let name = try await names.names(
            of: [wish.connection.uuid], in: visit.principal.workspaceID, on: place.tenant.map { [$0] } ?? [])
        let cron = wish.cadence.expression.text
        return SitePage(
            template: "schedule-preview", title: "Before the schedule is made", section: .schedules,
            content: Preview(
                label: wish.definition.label,
                place: LinkView(
                    label: name[wish.connection.uuid]?.name ?? "\(wish.connection)",
                    href: Link.connection(wish.connection)),
                cadence: wish.cadence.words ?? "\(cron) (\(wish.cadence.zone.name))", cron: cron,
                moments: DueView.next(wish.cadence, now: visit.now),
                runsAs: isOwn ? "you: you must still have access each time it is due" : "the system",
                obstacle: obstacle.map { Presentation.sentence(.denial($0)) },
                remedy: obstacle.map { Presentation.remedy(.denial($0), isOver: false) },
                fields: form.pairs.filter { $0.name != "csrf" && $0.name != "step" }.map {
                    Question.Field(name: $0.name, value: $0.value)
                }))
    }
}
