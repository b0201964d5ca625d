import JSON

extension Tenant {
    /// Reads a new tenant. Needs `id` and `app` with `clientId` and `clientSecret`; the rest has defaults.
    init(_ body: inout ControlBody) throws(ControlFailure) {
        guard let id = GUID(try body.text("id") ?? "") else { throw ControlFailure("'id' must be a GUID.") }
        guard var app = try body.object("app"), let clientID = GUID(try app.text("clientId") ?? "") else {
            throw ControlFailure("'app' must have a GUID 'clientId'.")
        }
        let secret = try app.text("clientSecret") ?? ""
        let certificates = try app.certificates("certificates") ?? []
        guard !secret.isEmpty || !certificates.isEmpty else {
            throw ControlFailure("'app' must have a 'clientSecret' or 'certificates'.")
        }
        let roles = try app.roles("roles") ?? AppRole.readers
        try app.refuseUnread()
        let name = try body.text("displayName") ?? "Tenant \(id.description.prefix(8))"
        self.init(
            id: id.description, displayName: name,
            domain: try body.text("domain") ?? "t\(id.description.prefix(8)).onmicrosoft.com",
            intune: try body.flag("intune") ?? true,
            app: AppRegistration(
                clientID: clientID.description, clientSecret: secret, certificates: certificates,
                roles: roles),
            deviceSeed: try body.text("deviceSeed") ?? id.description,
            roster: DeviceRoster(count: try body.number("devices", 0...Self.deviceLimit) ?? 0),
            entities: EntityShelves(counts: try Self.counts(&body)),
            statuses: try StatusStyle(&body) ?? .documented)
        try body.refuseUnread()
    }

    /// Reads how many documents of each set are seeded.
    private static func counts(_ body: inout ControlBody) throws(ControlFailure) -> [EntitySet: Int] {
        guard var named = try body.object("entities") else { return [:] }
        var counts: [EntitySet: Int] = [:]
        for set in EntitySet.allCases {
            counts[set] = try named.number(set.rawValue, 0...EntitySet.countLimit)
        }
        try named.refuseUnread()
        return counts
    }

    /// Takes over the members that a PUT names; the others stay.
    mutating func change(_ body: ControlBody) throws(ControlFailure) {
        var body = body
        if let name = try body.text("displayName") { displayName = name }
        if let domain = try body.text("domain") { self.domain = domain }
        if let intune = try body.flag("intune") { self.intune = intune }
        if let statuses = try StatusStyle(&body) { self.statuses = statuses }
        if let devices = try body.number("devices", 0...Self.deviceLimit) { roster.resize(to: devices) }
        if var app = try body.object("app") {
            if let text = try app.text("clientId") {
                guard let clientID = GUID(text) else { throw ControlFailure("'clientId' must be a GUID.") }
                self.app.clientID = clientID.description
            }
            if let secret = try app.text("clientSecret") { self.app.clientSecret = secret }
            if let certificates = try app.certificates("certificates") {
                self.app.certificates = certificates
            }
            if let roles = try app.roles("roles") { self.app.roles = roles }
            try app.refuseUnread()
        }
        try body.refuseUnread()
    }

    /// The tenant as `GET /_sandbox/tenants` shows it: with exact counts, and without the secret.
    func json(seed: UInt64) -> JSON {
        let generator = DeviceGenerator(seed: seed, tenant: self)
        let counts = DeviceCounts(roster, generator)
        return [
            "id": .string(id), "displayName": .string(displayName), "domain": .string(domain),
            "intune": .bool(intune), "devices": .int(roster.count),
            "complianceStates": .object(
                JSONObject(counts.byState.map { ($0.text.description, .int($1)) })),
            "operatingSystems": .object(
                JSONObject(counts.bySystem.sorted { $0.key < $1.key }.map { ($0.key, .int($0.value)) })),
            "statuses": .string(statuses.rawValue),
            "entities": .object(
                JSONObject(EntitySet.allCases.map { ($0.rawValue, .int(entities[$0].count)) })),
            "app": [
                "clientId": .string(app.clientID), "roles": .array(app.roles.map(JSON.string)),
                "certificates": .array(app.certificates.map { .string($0.thumbprint) }),
            ],
        ]
    }
}

extension StatusStyle {
    /// Reads `statuses`; nil when it is absent.
    fileprivate init?(_ body: inout ControlBody) throws(ControlFailure) {
        guard let name = try body.text("statuses") else { return nil }
        guard let style = StatusStyle(rawValue: name) else {
            throw ControlFailure("'statuses' must be documented or observed.")
        }
        self = style
    }
}

/// Exact counts over all devices of a tenant.
struct DeviceCounts {
    /// All eight states in their order, zeros included.
    private(set) var byState: [(key: ComplianceState, value: Int)]
    /// By `operatingSystem`.
    private(set) var bySystem: [String: Int] = [:]

    init(_ roster: DeviceRoster, _ generator: DeviceGenerator) {
        var states = [Int](repeating: 0, count: ComplianceState.allCases.count)
        var systems: [String: Int] = [:]
        roster.forEach(after: DeviceRoster.beginning) { entry in
            let device = generator.device(entry.ordinal, nil)
            states[device.complianceState.rawValue] += 1
            systems[device.platform.operatingSystem.description, default: 0] += 1
            return true
        }
        byState = ComplianceState.allCases.map { ($0, states[$0.rawValue]) }
        bySystem = systems
    }
}
