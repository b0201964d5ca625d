import Graph
internal import Operations
import Store

/// A part of the provider that operations work on.
enum CheckSurface: String, Sendable, CaseIterable {
    case managedDevices, deviceConfigurations, configurationPolicies, mobileApps

    /// Where it is read.
    var path: GraphPath {
        switch self {
        case .managedDevices: "/v1.0/deviceManagement/managedDevices"
        case .deviceConfigurations: "/v1.0/deviceManagement/deviceConfigurations"
        // Only beta has the settings catalog.
        case .configurationPolicies: "/beta/deviceManagement/configurationPolicies"
        case .mobileApps: "/v1.0/deviceAppManagement/mobileApps"
        }
    }
}

/// A step of the connection check.
enum CheckStep: Sendable, Hashable {
    case token, claims, organization, deviceManagement
    case probe(CheckSurface)

    /// All steps in their order.
    static let all: [CheckStep] =
        [.token, .claims, .organization, .deviceManagement] + CheckSurface.allCases.map(CheckStep.probe)

    /// Its name in the ledger.
    var key: String {
        switch self {
        case .token: "token"
        case .claims: "claims"
        case .organization: "organization"
        case .deviceManagement: "device_management"
        case .probe(let surface): "probe:\(surface.rawValue)"
        }
    }

    /// Whether the connection does not work at all when this fails.
    var isVital: Bool {
        switch self {
        case .token, .claims, .organization: true
        case .deviceManagement, .probe: false
        }
    }
}

/// What a connection check has found so far, and what follows from it.
struct CheckReport: Sendable {
    private var failures: [CheckStep: GraphFailure] = [:]
    private var done: Set<CheckStep> = []
    /// Whether the token holds what changes need.
    var permitsChanges = false

    /// Notes how a step came out; nil is good.
    mutating func note(_ step: CheckStep, _ failure: GraphFailure?) {
        done.insert(step)
        failures[step] = failure
    }

    /// The first failure, in the order of the steps.
    private var firstFailure: (step: CheckStep, failure: GraphFailure)? {
        CheckStep.all.lazy.compactMap { step in failures[step].map { (step, $0) } }.first
    }

    /// Trouble that passes by itself. It says nothing about the connection.
    private var passing: GraphFailure? {
        CheckStep.all.lazy.compactMap { failures[$0] }.first { $0.failure.isRetryable }
    }

    /// Whether the remaining steps make no sense.
    var isOver: Bool {
        guard let (step, failure) = firstFailure else { return false }
        return step.isVital || passing != nil || failure.failure == .licenceMissing
    }

    /// What ends the run as failed; nil when the check went through, whatever it found.
    var ending: GraphFailure? {
        if let passing { return passing }
        guard let (step, failure) = firstFailure, step.isVital else { return nil }
        return failure
    }

    /// What to write down about the connection; nil when nothing was found out about it.
    var connectionResult: ProviderConnections.CheckResult? {
        guard passing == nil else { return nil }
        guard let (step, failure) = firstFailure else {
            return .init(health: .healthy, reason: nil, permitsChanges: permitsChanges)
        }
        // Our own trouble is not the connection's.
        guard failure.failure != .internalError else { return nil }
        return .init(
            health: health(step, failure), reason: failure.failure,
            permitsChanges: permitsChanges && !step.isVital && failure.failure != .licenceMissing)
    }

    private func health(_ step: CheckStep, _ failure: GraphFailure) -> ConnectionHealth {
        // A directory that may not be read is no proof against the connection.
        if step == .organization, failure.failure == .permissionMissing { return .degraded }
        if step.isVital || failure.failure == .licenceMissing { return .unhealthy }
        let works = CheckSurface.allCases.contains { failures[.probe($0)] == nil }
        return works ? .degraded : .unhealthy
    }

    /// Total is all steps; what was not reached is untouched, or skipped when there is no licence.
    var counts: SummaryCounts {
        var counts = SummaryCounts()
        counts[.total] = CheckStep.all.count
        counts[.applied] = done.count - failures.count
        counts[.failed] = failures.count
        let left = CheckStep.all.count - done.count
        let isWithoutLicence = firstFailure?.failure.failure == .licenceMissing
        counts[isWithoutLicence ? .skipped : .untouched] = left
        return counts
    }

    /// How far the check is.
    var progress: Ledger.Progress {
        Ledger.Progress(done: done.count, total: CheckStep.all.count, cursor: nil)
    }

    /// The ledger's items of these steps.
    func items(_ steps: [CheckStep]) -> [Ledger.Item] {
        steps.map { step in
            let failure = failures[step]
            return Ledger.Item(
                key: step.key, state: failure == nil ? .applied : .failed,
                result: failure?.failure.rawValue ?? "ok")
        }
    }

    // MARK: judging what came back

    /// Compares what the token says about itself with the connection. A token that can't be read says nothing:
    /// the following steps tell more.
    static func compare(
        _ claims: TokenClaims?, entraTenantID: String, clientID: String
    ) throws(GraphFailure) {
        guard let claims else { return }
        let call: StaticString = "reading the token"
        if let tenantID = claims.tenantID, tenantID.lowercased() != entraTenantID.lowercased() {
            throw GraphFailure(.tenantMismatch, call: call)
        }
        if let application = claims.clientID, application.lowercased() != clientID.lowercased() {
            throw GraphFailure(.applicationMissing, call: call)
        }
        if claims.roles.isEmpty { throw GraphFailure(.consentMissing, call: call) }
    }

    /// Refuses the states of an Intune subscription that are known not to work. A new word is none of them.
    static func judgeSubscription(_ state: String?) throws(GraphFailure) {
        switch state {
        case "pending", "disabled", "deleted", "blocked", "lockedOut":
            throw GraphFailure(.licenceMissing, call: "GET /v1.0/deviceManagement", httpStatus: 200)
        default: break
        }
    }
}

extension GraphFailure {
    /// A tenant without Intune refuses even the right question: as a bad request, or as forbidden although the
    /// permission is there.
    func readAsLicence(grantsDeviceManagement: Bool) -> GraphFailure {
        switch failure {
        case .invalidRequest: with(.licenceMissing)
        case .permissionMissing, .authRejected: grantsDeviceManagement ? with(.licenceMissing) : self
        default: self
        }
    }
}

extension TokenClaims {
    /// Whether any permission for Intune is in the token.
    var grantsDeviceManagement: Bool { roles.contains { $0.hasPrefix("DeviceManagement") } }
}

/// The application permissions that operations with changes need.
enum ChangePermissions {
    /// One of each group must be there.
    private static let groups: [Set<String>] = [
        ["DeviceManagementConfiguration.ReadWrite.All"],
        ["DeviceManagementApps.ReadWrite.All"],
        [
            "DeviceManagementManagedDevices.PrivilegedOperations.All",
            "DeviceManagementManagedDevices.ReadWrite.All",
        ],
    ]

    /// Whether the token holds them.
    static func areIn(_ claims: TokenClaims) -> Bool {
        groups.allSatisfy { !$0.isDisjoint(with: claims.roles) }
    }
}
