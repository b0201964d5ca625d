import Graph
import JSON
internal import Operations
import Store

/// `provider.connection.check`: does the connection work, and for what?
///
/// In order: a fresh token, what it says about itself, the directory it leads to, Intune, and one small read
/// per surface. Each is an item of the ledger. What the tenant's people can mend goes into the connection's
/// health; trouble that passes by itself says nothing about the connection, and the run comes back.
struct ConnectionCheck: Sendable {
    let gateway: GraphGateway
    let ledger: Ledger
    let connections: ProviderConnections

    /// Executes one attempt. Throws the database's errors and cancellation.
    func execute(_ permit: ExecutionPermit) async throws -> ExecutionResult {
        var report = CheckReport()
        do {
            try await perform(permit, &report)
            try await record(report, under: permit)
            if let failure = report.ending {
                return .failed(failure.failure, report.counts, retryAfterSeconds: failure.retryAfterSeconds)
            }
            return .completed(report.counts)
        } catch {
            let counts = report.counts
            guard let result = await ExecutionResult(endingWith: error, counts: { counts }) else {
                throw error
            }
            return result
        }
    }

    private func record(_ report: CheckReport, under permit: ExecutionPermit) async throws {
        guard let result = report.connectionResult else { return }
        try await connections.record(result, under: permit)
    }

    /// Goes on until a step fails that the following ones need.
    private func perform(_ permit: ExecutionPermit, _ report: inout CheckReport) async throws {
        var claims: TokenClaims?
        var session: GraphSession?
        try await step(.token, permit, &report) {
            session = try await gateway.session(under: permit)
            claims = try await session!.renewToken()
        }
        guard let session, !report.isOver else { return }
        report.permitsChanges = claims.map(ChangePermissions.areIn) ?? false
        try await step(.claims, permit, &report) {
            try CheckReport.compare(claims, entraTenantID: session.entraTenantID, clientID: session.clientID)
        }
        guard !report.isOver else { return }
        try await step(.organization, permit, &report) { try await organization(session) }
        guard !report.isOver else { return }
        try await step(.deviceManagement, permit, &report) { try await deviceManagement(session, claims) }
        guard !report.isOver else { return }
        try await probe(session, permit, &report)
    }

    /// Performs one step and records how it came out.
    private func step(
        _ step: CheckStep, _ permit: ExecutionPermit, _ report: inout CheckReport,
        _ body: () async throws -> Void
    ) async throws {
        do {
            try await body()
            report.note(step, nil)
        } catch let failure as GraphFailure {
            report.note(step, failure)
        }
        try await ledger.record(report.items([step]), progress: report.progress, under: permit)
    }

    private func organization(_ session: GraphSession) async throws {
        let page = try await session.page(
            "/v1.0/organization", [("$select", "id,displayName,verifiedDomains,tenantType")])
        guard let id = page.items.first?["id"]?.string else {
            throw GraphFailure(.malformedAnswer, call: "GET /v1.0/organization", httpStatus: 200)
        }
        guard id.lowercased() == session.entraTenantID.lowercased() else {
            throw GraphFailure(.tenantMismatch, call: "GET /v1.0/organization", httpStatus: 200)
        }
    }

    private func deviceManagement(_ session: GraphSession, _ claims: TokenClaims?) async throws {
        let path: GraphPath = "/v1.0/deviceManagement"
        let options: [(name: StaticString, value: String)] = [
            ("$select", "id,subscriptionState,intuneAccountId")
        ]
        do {
            let document = try await session.get(path, options)
            try CheckReport.judgeSubscription(document["subscriptionState"]?.string)
        } catch let failure as GraphFailure {
            throw failure.readAsLicence(grantsDeviceManagement: claims?.grantsDeviceManagement ?? false)
        }
    }

    /// All surfaces at once: none needs another.
    private func probe(
        _ session: GraphSession, _ permit: ExecutionPermit, _ report: inout CheckReport
    ) async throws {
        let outcomes = try await withThrowingTaskGroup(of: (CheckStep, GraphFailure?).self) { group in
            for surface in CheckSurface.allCases {
                group.addTask {
                    do {
                        _ = try await session.page(surface.path, [("$top", "1"), ("$select", "id")])
                        return (.probe(surface), nil)
                    } catch let failure as GraphFailure {
                        return (.probe(surface), failure)
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        for (step, failure) in outcomes { report.note(step, failure) }
        try await ledger.record(report.items(outcomes.map(\.0)), progress: report.progress, under: permit)
    }
}
