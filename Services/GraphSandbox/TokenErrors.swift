import JSON

/// The refusals of the token endpoint that the sandbox gives.
enum TokenRefusal: Int, Sendable, CaseIterable {
    case secretExpired = 7_000_222
    case secretInvalid = 7_000_215
    case noCredential = 7_000_216
    case assertionInvalid = 700_027
    case assertionNotNow = 700_024
    case appUnknown = 700_016
    case appNotConsented = 7_000_229
    case appDisabled = 7_000_112
    case tenantUnknown = 90_002
    case tenantMalformed = 900_023
    case tenantNotConcrete = 50_059
    case parameterMissing = 900_144
    case scopeInvalid = 1_002_012
    case resourceUnknown = 500_011
    case grantTypeUnsupported = 70_003
    case policyBlocked = 53_003

    /// The OAuth word.
    var error: String {
        switch self {
        case .secretExpired, .secretInvalid, .noCredential, .assertionInvalid, .assertionNotNow,
            .appNotConsented:
            "invalid_client"
        case .appUnknown, .appDisabled: "unauthorized_client"
        case .tenantUnknown, .tenantMalformed, .tenantNotConcrete, .parameterMissing: "invalid_request"
        case .scopeInvalid: "invalid_scope"
        case .resourceUnknown: "invalid_resource"
        case .grantTypeUnsupported: "unsupported_grant_type"
        case .policyBlocked: "invalid_grant"
        }
    }

    var status: Int {
        switch self {
        case .secretExpired, .secretInvalid, .noCredential, .assertionInvalid, .assertionNotNow,
            .appNotConsented, .appDisabled:
            401
        case .appUnknown, .tenantUnknown, .tenantMalformed, .tenantNotConcrete, .parameterMissing,
            .scopeInvalid, .resourceUnknown, .grantTypeUnsupported, .policyBlocked:
            400
        }
    }

    /// The sentence behind the code. `subject` is the id or name that it is about.
    func text(_ subject: String) -> String {
        switch self {
        case .secretExpired:
            "The provided client secret keys for app '\(subject)' are expired."
        case .secretInvalid:
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret"
                + " value, not the client secret ID, for a secret added to app '\(subject)'."
        case .noCredential:
            "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant"
                + " type."
        case .assertionInvalid:
            "The certificate with identifier used to sign the client assertion is not registered on"
                + " application."
        case .assertionNotNow: "Client assertion is not within its valid time range."
        case .appUnknown:
            "Application with identifier '\(subject)' was not found in the directory."
        case .appNotConsented:
            "The client application '\(subject)' is missing service principal in the tenant."
        case .appDisabled: "Application '\(subject)' is disabled."
        case .tenantUnknown:
            "Tenant '\(subject)' not found. Check to make sure you have the correct tenant ID and are signing"
                + " into the correct cloud."
        case .tenantMalformed:
            "Specified tenant identifier '\(subject)' is neither a valid DNS name, nor a valid external"
                + " domain."
        case .tenantNotConcrete:
            "No tenant-identifying information found in either the request or implied by any provided"
                + " credentials."
        case .parameterMissing:
            "The request body must contain the following parameter: '\(subject)'."
        case .scopeInvalid:
            "The provided value for scope \(subject) is not valid. Client credential flows must have a scope"
                + " value with /.default suffixed to the resource identifier (application ID URI)."
        case .resourceUnknown:
            "The resource principal named \(subject) was not found in the tenant."
        case .grantTypeUnsupported:
            "The app requested an unsupported grant type '\(subject)'."
        case .policyBlocked:
            "Access has been blocked by Conditional Access policies."
        }
    }

    /// The answer of the token endpoint.
    func answer(about subject: String, correlationID: String, now: Int64) -> Answer {
        let trace = GUID.random().description
        let stamp = String(GraphDate(seconds: now).text.map { $0 == "T" ? " " : $0 })
        let description =
            "AADSTS\(rawValue): \(text(subject)) Trace ID: \(trace) Correlation ID: \(correlationID)"
            + " Timestamp: \(stamp)"
        var body: JSONObject = [
            "error": .string(error), "error_description": .string(description),
            "error_codes": [.int(rawValue)], "timestamp": .string(stamp), "trace_id": .string(trace),
            "correlation_id": .string(correlationID),
            "error_uri": .string("https://login.microsoftonline.com/error?code=\(rawValue)"),
        ]
        if self == .policyBlocked {
            body["suberror"] = "message_only"
            let policies: JSON = ["essential": true, "values": ["00000000-0000-0000-0000-00000000ca01"]]
            body["claims"] = .string(JSON.object(["access_token": ["capolids": policies]]).text)
        }
        return Answer(
            status: status, contentType: "application/json; charset=utf-8", body: JSON.object(body).bytes)
    }
}
