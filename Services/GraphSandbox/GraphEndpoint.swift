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

    /// Whether the call lists devices, and whether behind the first page.
    func page(_ call: IncomingCall) -> FaultTarget.Page {
        guard call.method == "GET", let path = try? GraphPath(segments: call.segments),
            path.resource == .managedDevices
        else { return .none }
        return call.query["$skiptoken"] == nil ? .first : .following
    }

    func answer(_ call: IncomingCall, _ caller: Caller, _ plan: Faults.Plan, _ errors: GraphErrors) -> Answer
    {
        let path: GraphPath
        do throws(GraphPath.Failure) {
            path = try GraphPath(segments: call.segments)
        } catch {
            return errors.unroutable(error)
        }
        guard path.resource.methods.contains(call.method) else {
            return errors.methodNotAllowed(path.resource)
        }
        switch caller {
        case .unknown(let reason): return errors.unauthenticated(reason)
        case .app(let token, let tenant):
            let accepted = Permissions.accepted(for: call.method, on: path.resource)
            let revoked = sandbox.faults.revokedRoles(
                tenant: tenant.id, now: SandboxClock.monotonicNanoseconds())
            guard token.roles.contains(where: { accepted.contains($0) && !revoked.contains($0) }) else {
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
        case .policies(let set): return Policies(graph: graph, set: set).list()
        case .policy(let set, let id): return Policies(graph: graph, set: set).get(id)
        case .servicePrincipals: return ServicePrincipals(graph: graph).list()
        case .servicePrincipal(let key): return ServicePrincipals(graph: graph).get(key)
        case .appRoleAssignments(let key): return ServicePrincipals(graph: graph).appRoleAssignments(key)
        }
    }
}
