/// Graph itself: routing, then the token, then the permission, then the resource, in the order in which the
/// real service decides.
struct GraphEndpoint: Sendable {
    /// The largest body that is read, in bytes.
    static let bodyLimit = 4 * 1_024 * 1_024

    let sandbox: Sandbox

    /// Who calls, or why that is not known.
    enum Caller: Sendable {
        case app(AccessToken, Tenant)
        case unknown(reason: String)

        var tenantID: String? { if case .app(_, let tenant) = self { tenant.id } else { nil } }
    }

    /// Looks at signature, audience, time and revocation.
    func caller(_ call: IncomingCall) -> Caller {
        guard let text = call.bearerToken, !text.isEmpty else {
            return .unknown(reason: "Access token is empty.")
        }
        guard let token = sandbox.signer.verify(text) else {
            return .unknown(reason: "IDX14100: JWT is not well formed, or its signature is not valid.")
        }
        let audiences = [AccessToken.graphAudience, AccessToken.graphAppID]
        guard audiences.contains(token.audience) else {
            return .unknown(reason: "Access token validation failure. Invalid audience.")
        }
        guard sandbox.now < token.expiresAt else {
            return .unknown(reason: "Lifetime validation failed, the token is expired.")
        }
        guard let tenant = sandbox.tenants[token.tenantID] else {
            return .unknown(reason: "The tenant of the token does not exist.")
        }
        guard token.serial > tenant.revokedTokens else {
            return .unknown(reason: "Access token validation failure. The token was revoked.")
        }
        return .app(token, tenant)
    }

    /// What faults look at in the call.
    func target(_ call: IncomingCall, _ caller: Caller, inBatch: Bool) -> FaultTarget {
        var target = FaultTarget(
            endpoint: .graph, tenant: caller.tenantID, method: call.method, path: call.path, page: .none,
            inBatch: inBatch)
        guard let resource = try? GraphPath(segments: call.segments).resource else { return target }
        target.isWrite = resource.isWrite(call.method)
        target.listsDevices = resource == .managedDevices
        if call.method == "GET", resource.isPaged {
            target.page = call.query["$skiptoken"] == nil ? .first : .following
        }
        return target
    }

    func answer(_ call: IncomingCall, _ caller: Caller, _ plan: Faults.Plan, _ errors: GraphErrors) -> Answer
    {
        let path: GraphPath
        do throws(GraphPath.Failure) {
            path = try GraphPath(segments: call.segments)
        } catch {
            return errors.unroutable(error)
        }
        if case .assignments = path.resource, call.method == "POST" { return errors.noRoute }
        guard path.resource.methods.contains(call.method) else {
            return errors.methodNotAllowed(path.resource)
        }
        switch caller {
        case .unknown(let reason): return errors.unauthenticated(reason)
        case .app(let token, let tenant):
            let accepted = Permissions.accepted(for: call.method, on: path.resource)
            let revoked = sandbox.faults.revokedRoles(
                tenant: tenant.id, now: SandboxClock.monotonicNanoseconds())
            let granted = Set(token.roles).subtracting(revoked)
            let needed = Permissions.alsoNeeded(for: call.method, on: path.resource)
            let isAccepted = accepted.isEmpty || accepted.contains(where: granted.contains)
            guard isAccepted, needed.allSatisfy(granted.contains) else {
                return errors.forbidden(path.resource, accepted: accepted, path: call.path)
            }
            guard tenant.intune || !path.resource.isIntune else {
                return errors.withoutIntune(path: call.path)
            }
            return answer(
                GraphCall(
                    call: call, path: path, tenant: tenant, sandbox: sandbox, errors: errors, plan: plan))
        }
    }

    private func answer(_ graph: GraphCall) -> Answer {
        switch graph.path.resource {
        case .organizations: return Organization(graph: graph).list()
        case .organization(let id): return Organization(graph: graph).get(id)
        case .deviceManagement: return Organization(graph: graph).deviceManagement()
        case .managedDevices: return ManagedDevices(graph).list()
        case .managedDevice(let id):
            switch graph.call.method {
            case "PATCH": return ManagedDevices(graph).patch(id)
            case "DELETE": return ManagedDevices(graph).delete(id)
            default: return ManagedDevices(graph).get(id)
            }
        case .syncDevice(let id): return ManagedDevices(graph).sync(id)
        case .managedDeviceOverview: return DeviceSummaries(graph: graph).overview()
        case .complianceStateSummary: return DeviceSummaries(graph: graph).complianceStates()
        case .entities(let set):
            return graph.call.method == "POST"
                ? EntityWrites(graph: graph, set: set).create() : Entities(graph, set).list()
        case .entity(let set, let id): return entity(graph, set, id)
        case .assignments(let set, let id): return Entities(graph, set).assignments(id)
        case .assign(let set, let id): return EntityWrites(graph: graph, set: set).assign(id)
        case .settings(let id): return Entities(graph, .configurationPolicies).settings(id)
        case .scheduleActions(let id):
            return EntityWrites(graph: graph, set: .deviceCompliancePolicies).scheduleActions(id)
        case .omaSettingPlainText(let id, let secret):
            return Entities(graph, .deviceConfigurations).plainText(id, secret: secret)
        case .protectedApps(let set, let id): return Entities(graph, set).protectedApps(id)
        case .targetApps(let set, let id): return EntityWrites(graph: graph, set: set).targetApps(id)
        case .managedAppPolicies: return ManagedAppPolicies(graph: graph).list()
        case .managedAppPolicy(let id): return ManagedAppPolicies(graph: graph).get(id)
        case .directoryObjectsByIDs: return DirectoryObjects(graph: graph).byIDs()
        // The responder takes a batch apart; only its refusals come from here.
        case .batch: return graph.badRequest("A batch can't hold a batch.")
        case .servicePrincipals: return ServicePrincipals(graph: graph).list()
        case .servicePrincipal(let key): return ServicePrincipals(graph: graph).get(key)
        case .appRoleAssignments(let key): return ServicePrincipals(graph: graph).appRoleAssignments(key)
        }
    }

    private func entity(_ graph: GraphCall, _ set: EntitySet, _ id: String) -> Answer {
        switch graph.call.method {
        case "PATCH": EntityWrites(graph: graph, set: set).patch(id)
        case "PUT": EntityWrites(graph: graph, set: set).put(id)
        case "DELETE": EntityWrites(graph: graph, set: set).delete(id)
        default: Entities(graph, set).get(id)
        }
    }
}
