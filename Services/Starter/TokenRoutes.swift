import FoundationEssentials
import HTTPTypes
import JSON
import Operations
import ServiceKit
import Store

/// Tokens: everybody's own, and for those who manage access on the whole workspace everybody's.
///
/// Nobody gets a token to act as another person: those who manage access issue tokens for systems, and revoke any. A
/// token that is narrower than its owner issues none.
struct TokenRoutes: Sendable {
    let principals: Principals
    let tokens: TokenReading
    let access: AccessReading
    let makeID: @Sendable () -> UUID

    private struct Wish {
        let label: String
        let days: Int
        let user: UserID?
        let capabilities: Set<Capability>?
        let tenants: Set<TenantID>?

        init(_ members: inout Members) {
            label = members.text("label", limit: 200)
            days = members.optionalInteger("days", in: TokenLifetime.range) ?? TokenLifetime.standard
            user = members.optionalID("user_id")
            capabilities = members.optionalChoices("capabilities")
            tenants = members.optionalIDs("tenant_ids", limit: TokenScope.tenantLimit)
        }

        var scope: TokenScope { TokenScope(capabilities: capabilities, tenants: tenants) }
    }

    func create(_ call: Call) async throws -> Answer {
        let wish = try await call.read(Wish.init)
        let caller = call.caller
        guard caller.scope.isFull else { throw Problem.narrowToken }
        let owner = wish.user ?? caller.userID
        try await requireIssue(for: owner, caller)
        if let tenants = wish.tenants {
            // Every role sees its tenants: one that is not among them does not exist for the caller.
            let visible = try await Access.tenants(of: caller, holding: .operationsView, access)
            guard tenants.isSubset(of: visible) else { throw Problem.notFound }
        }
        let (id, token) = (makeID(), BearerToken.random())
        try await principals.issue(
            id, hash: token.hash, label: wish.label, lifetimeSeconds: wish.days * 86_400, scope: wish.scope,
            for: owner, in: caller.workspaceID, by: .user(caller.userID))
        guard let issued = try await tokens.token(id, in: caller.workspaceID) else { throw Problem.notFound }
        var body = issued.object
        body["token"] = .string(token.reveal())
        return .json(.created, .object(body))
    }

    /// For oneself, or for a system by whoever manages access on the whole workspace.
    private func requireIssue(for owner: UserID, _ caller: Principal) async throws {
        if owner != caller.userID { try await manage(caller).require(.accessManage) }
        guard let found = try await tokens.owner(owner, in: caller.workspaceID) else {
            throw Problem.notFound
        }
        guard owner == caller.userID || found.kind == .system else { throw Problem.anotherPersonsToken }
        guard found.tokens < Principals.userLimit else {
            throw Problem.conflict(
                "There are \(Principals.userLimit) tokens already, which is the most. Revoke one first.",
                reasonCode: "too_many_tokens")
        }
    }

    func list(_ call: Call) async throws -> Answer {
        var parameters = call.parameters
        let user: UserID? = parameters.id("user_id")
        let limit = parameters.pageLimit()
        let after = parameters.cursor(of: .tokens)
        try parameters.finish()
        let caller = call.caller
        let seesAll = try await manage(caller).holds(.accessManage)
        // Somebody else's are not there for those who don't manage access.
        guard seesAll || user == nil || user == caller.userID else { throw Problem.notFound }
        let page = try await tokens.tokens(
            of: seesAll ? user : caller.userID, in: caller.workspaceID, after: after, limit: limit)
        return .page("tokens", page, json: \.json, cursor: { Cursor(.tokens, after: $0.id) }, of: call)
    }

    func revoke(_ id: Identifier<Never>, _ call: Call) async throws -> Answer {
        try await call.expectNothing()
        let caller = call.caller
        guard let token = try await tokens.token(id.uuid, in: caller.workspaceID) else {
            throw Problem.notFound
        }
        if token.owner.id != caller.userID {
            guard try await manage(caller).holds(.accessManage) else { throw Problem.notFound }
        }
        // Revoked before is revoked.
        if token.revokedAt == nil {
            do {
                try await principals.revoke(id.uuid, in: caller.workspaceID, by: .user(caller.userID))
            } catch StoreError.notFound {}
        }
        return .noContent
    }

    private func manage(_ caller: Principal) async throws -> Access {
        try await Access(of: caller, at: .workspace(caller.workspaceID), access)
    }
}

extension TokenSummary {
    fileprivate var json: JSON { .object(object) }

    fileprivate var object: JSONObject {
        var object: JSONObject = [
            "token_id": .string(id.uuidString.lowercased()), "label": .string(label),
            "user": [
                "id": .string("\(owner.id)"), "name": .string(owner.name), "kind": .string(kind.rawValue),
            ],
        ]
        for (name, value) in scope.members { object[name] = value }
        object["created_at"] = Timestamp.json(createdAt)
        object["expires_at"] = Timestamp.json(expiresAt)
        object["revoked_at"] = revokedAt.json
        object["last_used_at"] = lastUsedAt.json
        object["issued_by"] = issuedBy?.json ?? .null
        return object
    }
}

extension TokenScope {
    /// Null for what is not narrower than the owner.
    var members: [(String, JSON)] {
        [
            (
                "capabilities",
                capabilities.map { .array($0.map { .string($0.rawValue) }.sorted { $0.text < $1.text }) }
                    ?? .null
            ),
            (
                "tenant_ids",
                tenants.map { .array($0.map { .string("\($0)") }.sorted { $0.text < $1.text }) } ?? .null
            ),
        ]
    }
}

extension Problem {
    fileprivate static let narrowToken = Problem(
        status: .forbidden,
        detail: "This token may do less than its owner, and so issues no tokens. Use one without limits.",
        reasonCode: "outside_token", isRetryable: false)

    fileprivate static let anotherPersonsToken = Problem(
        status: .forbidden,
        detail: "Nobody gets a token to act as another person. People issue their own; you can issue one"
            + " for a system.",
        reasonCode: "token_of_another_person", isRetryable: false)
}
