import HTTPTypes
import JSON

/// The OAuth 2.0 endpoints of the login host: token, discovery, and the published key.
struct TokenEndpoint: Sendable {
    /// The largest body that is read, in bytes.
    static let bodyLimit = 65_536

    let sandbox: Sandbox

    /// The parts of a login path; nil for a path that isn't one.
    enum Path: Sendable, Hashable {
        case token(tenant: String)
        case configuration(tenant: String)
        case keys(tenant: String)

        init?(_ segments: [String]) {
            guard let tenant = segments.first else { return nil }
            switch segments.dropFirst().map({ $0.lowercased() }) {
            case ["oauth2", "v2.0", "token"]: self = .token(tenant: tenant)
            case ["v2.0", ".well-known", "openid-configuration"]: self = .configuration(tenant: tenant)
            case ["discovery", "v2.0", "keys"]: self = .keys(tenant: tenant)
            default: return nil
            }
        }

        var tenant: String {
            switch self {
            case .token(let tenant), .configuration(let tenant), .keys(let tenant): tenant
            }
        }
    }

    func answer(_ call: IncomingCall, _ path: Path) -> Answer {
        let method = if case .token = path { "POST" } else { "GET" }
        guard call.method == method else {
            var answer = Answer(status: 405)
            answer.add(.allow, method)
            return answer
        }
        do throws(Refusal) {
            let tenant = try tenant(path.tenant)
            return switch path {
            case .token: try token(call, tenant, named: path.tenant)
            case .configuration: configuration(call, tenant)
            case .keys: Answer(status: 200, contentType: Self.jsonType, body: sandbox.signer.keySet.bytes)
            }
        } catch {
            return refuse(error.refusal, about: error.subject, call)
        }
    }

    /// The endpoint's answer to a refusal, also for one that a fault wants.
    func refuse(_ refusal: TokenRefusal, about subject: String, _ call: IncomingCall) -> Answer {
        let correlation = call.clientRequestID.flatMap { GUID($0) } ?? .random()
        return refusal.answer(
            about: String(subject.prefix(200)), correlationID: correlation.description, now: sandbox.now)
    }

    /// The client id in a token request's body, for a fault's refusal.
    func clientID(in call: IncomingCall) -> String {
        QueryString(String(decoding: call.body, as: UTF8.self))["client_id"] ?? ""
    }

    /// Why there is no token, and the id or name that the sentence mentions.
    private struct Refusal: Error {
        let refusal: TokenRefusal
        let subject: String
        init(_ refusal: TokenRefusal, _ subject: String) {
            self.refusal = refusal
            self.subject = subject
        }
    }

    private static let jsonType = "application/json; charset=utf-8"

    private func tenant(_ name: String) throws(Refusal) -> Tenant {
        if ["common", "organizations", "consumers"].contains(name.lowercased()) {
            throw Refusal(.tenantNotConcrete, name)
        }
        guard GUID(name) != nil || name.contains(".") else { throw Refusal(.tenantMalformed, name) }
        guard let tenant = sandbox.tenants.named(name) else { throw Refusal(.tenantUnknown, name) }
        return tenant
    }

    private func token(
        _ call: IncomingCall, _ tenant: Tenant, named name: String
    ) throws(Refusal) -> Answer {
        let form = try TokenRequest(call, base: call.base)
        guard tenant.app.clientID == form.clientID.lowercased() else {
            let refusal: TokenRefusal =
                sandbox.tenants.knowsApp(form.clientID.lowercased()) ? .appNotConsented : .appUnknown
            throw Refusal(refusal, form.clientID)
        }
        guard form.resourceIsKnown(base: call.base) else { throw Refusal(.resourceUnknown, form.resource) }
        switch form.credential {
        case .none: throw Refusal(.noCredential, form.clientID)
        case .assertion(let text):
            try check(text, tenant, audiences: [tenant.id, name].map { endpoint(call, $0) })
            return issue(tenant, isByCertificate: true)
        case .secret(let secret):
            guard secret == tenant.app.clientSecret, !secret.isEmpty else {
                throw Refusal(.secretInvalid, form.clientID)
            }
            return issue(tenant, isByCertificate: false)
        }
    }

    /// The token endpoint's address, as the caller knows it.
    private func endpoint(_ call: IncomingCall, _ tenant: String) -> String {
        "\(call.base)/\(tenant)/oauth2/v2.0/token"
    }

    private func check(_ text: String, _ tenant: Tenant, audiences: [String]) throws(Refusal) {
        guard let assertion = ClientAssertion(text), assertion.clientID == tenant.app.clientID,
            audiences.contains(assertion.audience),
            let certificate = tenant.app.certificates.first(where: assertion.names),
            assertion.isSigned(with: certificate), certificate.isValid(at: sandbox.now)
        else { throw Refusal(.assertionInvalid, tenant.app.clientID) }
        guard assertion.isNow(sandbox.now) else { throw Refusal(.assertionNotNow, tenant.app.clientID) }
    }

    private func issue(_ tenant: Tenant, isByCertificate: Bool) -> Answer {
        let monotonic = SandboxClock.monotonicNanoseconds()
        let lifetime =
            sandbox.faults.tokenLifetime(tenant: tenant.id, now: monotonic) ?? sandbox.options.tokenLifetime
        let removed = sandbox.faults.removedRoles(tenant: tenant.id, now: monotonic)
        let now = sandbox.now
        let token = AccessToken(
            audience: AccessToken.graphAudience, tenantID: tenant.id, clientID: tenant.app.clientID,
            principalID: ServicePrincipals.appPrincipalID(tenant),
            roles: tenant.app.roles.filter { !removed.contains($0) }, issuedAt: now,
            expiresAt: now + Int64(lifetime), isByCertificate: isByCertificate,
            serial: sandbox.nextTokenSerial())
        guard let text = try? sandbox.signer.sign(token) else { return Answer(status: 500) }
        let body: JSON = [
            "token_type": "Bearer", "expires_in": .int(lifetime), "ext_expires_in": .int(lifetime),
            "access_token": .string(text),
        ]
        var answer = Answer(status: 200, contentType: Self.jsonType, body: body.bytes)
        answer.add(.cacheControl, "no-store, no-cache")
        return answer
    }

    private func configuration(_ call: IncomingCall, _ tenant: Tenant) -> Answer {
        let root = "\(call.base)/\(tenant.id)"
        let body: JSON = [
            "token_endpoint": .string("\(root)/oauth2/v2.0/token"),
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "jwks_uri": .string("\(root)/discovery/v2.0/keys"),
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"], "id_token_signing_alg_values_supported": ["ES256"],
            "response_types_supported": ["token"], "scopes_supported": ["openid"],
            "issuer": .string("https://login.microsoftonline.com/\(tenant.id)/v2.0"),
            "authorization_endpoint": .string("\(root)/oauth2/v2.0/authorize"),
            "tenant_region_scope": "EU", "cloud_instance_name": "microsoftonline.com",
            "cloud_graph_host_name": "graph.windows.net", "msgraph_host": "graph.microsoft.com",
        ]
        return Answer(status: 200, contentType: Self.jsonType, body: body.bytes)
    }

    /// The form of a token request, checked for what must be there.
    private struct TokenRequest {
        enum Credential {
            case none
            case secret(String)
            case assertion(String)
        }

        let clientID: String
        let credential: Credential
        /// The scope without `/.default`.
        let resource: String

        init(_ call: IncomingCall, base: String) throws(Refusal) {
            let form = QueryString(String(decoding: call.body, as: UTF8.self))
            func parameter(_ name: String) throws(Refusal) -> String {
                guard let value = form[name], !value.isEmpty else { throw Refusal(.parameterMissing, name) }
                return value
            }
            let isForm = call.contentType?.lowercased().hasPrefix("application/x-www-form-urlencoded") == true
            guard isForm else { throw Refusal(.parameterMissing, "grant_type") }
            let grantType = try parameter("grant_type")
            guard grantType == "client_credentials" else { throw Refusal(.grantTypeUnsupported, grantType) }
            clientID = try parameter("client_id")
            let scope = try parameter("scope")
            guard scope.hasSuffix("/.default"), !scope.contains(" "), !scope.contains("%") else {
                throw Refusal(.scopeInvalid, scope)
            }
            resource = String(scope.dropLast("/.default".count))
            if let secret = form["client_secret"], !secret.isEmpty {
                credential = .secret(secret)
            } else {
                let isJWT = form["client_assertion_type"] == ClientAssertion.type
                credential = form["client_assertion"].map { .assertion(isJWT ? $0 : "") } ?? .none
            }
        }

        /// Graph by its name or its app id, and the sandbox by its own address.
        func resourceIsKnown(base: String) -> Bool {
            [AccessToken.graphAudience, AccessToken.graphAppID, base].contains(resource)
                || resource == AccessToken.graphAudience + "/"
        }
    }
}
