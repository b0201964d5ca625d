import FoundationEssentials
import JSON
import Operations
import Store

/// Changing who may do what, where: asked before something is taken away, with what it would stop; done by the Starter;
/// told with when it took effect.
struct AccessChanges: Sendable {
    let users: UserReading
    let names: NameReading
    let access: AccessReading
    let starter: StarterClient

    func change(_ form: FormBody, _ visit: Visit) async throws -> FormAnswer {
        let caller = visit.principal
        let request = try AuthorityRequest(form, in: caller.workspaceID)
        let place = request.place ?? .workspace(caller.workspaceID)
        try await Access(of: caller, at: place, access).require(request.capability)
        let words = try await words(request, visit)
        if try await asks(request, caller), !form.isConfirmed {
            let outlook = try await outlook(request, visit)
            return .page(
                Question(
                    words.question, words.sentences, outlook: outlook, action: "/admin/access", form,
                    button: words.button, origin: words.origin
                ).page(.access))
        }
        let call = request.apiCall
        let answer = await starter.send(
            call.method, call.path, call.body(isPreview: false), as: visit.secret)
        guard answer.isSuccess else {
            return .done(Outcome(path: words.origin, notice: Notice(.bad, answer.detail)))
        }
        if let address = TookEffectPage.address(words.done, answer.body, origin: words.origin, visit),
            request.takes || answer.body["settled_at"]?.isNull == true
        {
            return .done(Outcome(path: address, notice: nil))
        }
        return .done(Outcome(path: words.origin, notice: Notice(.good, words.done)))
    }

    /// A role on a tenant takes the one on the whole workspace away there.
    private func asks(_ request: AuthorityRequest, _ caller: Principal) async throws -> Bool {
        guard case .grant(let user, _?, _) = request else { return request.takes }
        let person = try await users.user(user, of: caller.workspaceID, grantsOn: [])
        return person?.grants.isEmpty == false
    }

    private func words(_ request: AuthorityRequest, _ visit: Visit) async throws -> AuthorityWords {
        var ids: [UUID] = []
        if let user = request.user { ids.append(user.uuid) }
        var tenants: [TenantID] = []
        switch request.place {
        case .tenant(let tenant)?:
            ids.append(tenant.uuid)
            tenants = [tenant]
        case .connection(let connection)?:
            ids.append(connection.uuid)
            let place = try await Access(of: visit.principal, at: .connection(connection), access)
            tenants = place.tenant.map { [$0] } ?? []
        default: break
        }
        let found = try await names.names(of: ids, in: visit.principal.workspaceID, on: tenants)
        return try AuthorityWords(request, found, visitor: visit.principal.userID)
    }

    /// Nil for a new role, about which the Starter foretells nothing.
    private func outlook(_ request: AuthorityRequest, _ visit: Visit) async throws -> OutlookView? {
        guard request.takes else { return nil }
        let call = request.apiCall
        let answer = await starter.send(call.method, call.path, call.body(isPreview: true), as: visit.secret)
        guard answer.isSuccess else { throw Fault(refusal: answer) }
        return OutlookView(answer.body)
    }
}
