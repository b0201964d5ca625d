import HTTPTypes
import JSON

/// Makes Graph's error bodies: the plain shape, the directory's, and Intune's, which wraps its own error as a
/// JSON string inside `message`.
struct GraphErrors: Sendable {
    /// The id of this answer, which also stands in its `request-id` header.
    let requestID: GUID
    /// What the client sent as `client-request-id`, else `requestID`.
    let clientRequestID: String
    /// Seconds since 1970.
    let now: Int64

    /// The plain shape of gateway and directory.
    func plain(_ status: Int, _ code: String, _ message: String) -> Answer {
        let date = JSON.string(String(GraphDate(seconds: now).text.dropLast()))
        let inner: JSON = [
            "date": date, "request-id": .string(requestID.description),
            "client-request-id": .string(clientRequestID),
        ]
        let body: JSON = ["error": ["code": .string(code), "message": .string(message), "innerError": inner]]
        return Answer(status: status, contentType: "application/json", body: body.bytes)
    }

    /// Intune's shape: `text` ends up three levels deep.
    func intune(_ status: Int, _ code: String, _ text: String, path: String) -> Answer {
        let url = "https://fef.msub01.manage.microsoft.com/DeviceFE/StatelessDeviceFEService\(path)"
        let wrapped: JSON = [
            "_version": 3,
            "Message": .string(
                "\(text) - Operation ID (for customer support): 00000000-0000-0000-0000-000000000000"
                    + " - Activity ID: \(requestID) - Url: \(url)"),
            "CustomApiErrorPhrase": "", "RetryAfter": nil, "ErrorSourceService": "", "HttpHeaders": "{}",
        ]
        return plain(status, code, wrapped.text)
    }

    /// A path that names nothing.
    func unroutable(_ failure: GraphPath.Failure) -> Answer {
        switch failure {
        case .invalidVersion(let name): plain(404, "ResourceNotFound", "Invalid version: \(name)")
        case .unknownSegment(let name):
            plain(400, "BadRequest", "Resource not found for the segment '\(name)'.")
        case .unrouted: noRoute
        }
    }

    /// 400: the metadata has the navigation or method, but Intune has no route for it.
    var noRoute: Answer { plain(400, "No method match route template", "No method match route template") }

    func methodNotAllowed(_ resource: GraphResource) -> Answer {
        let code = resource.isIntune ? "BadRequest" : "Request_BadRequest"
        var answer = plain(405, code, "Specified HTTP method is not allowed for the request target.")
        answer.add(.allow, resource.methods.joined(separator: ", "))
        return answer
    }

    /// 401 for a token that is absent, malformed, expired or for someone else.
    func unauthenticated(_ message: String) -> Answer {
        var answer = plain(401, "InvalidAuthenticationToken", message)
        answer.add(.wwwAuthenticate, Self.challenge)
        return answer
    }

    /// 401 of continuous access evaluation: the client shall fetch a token that satisfies `claims`.
    func claimsChallenge() -> Answer {
        var answer = plain(
            401, "InvalidAuthenticationToken",
            "Continuous access evaluation resulted in challenge with result: InteractionRequired"
                + " and code: TokenIssuedBeforeRevocationTimestamp")
        let claims: JSON = ["access_token": ["nbf": ["essential": true, "value": .string(String(now))]]]
        let encoded = Base64URL.encode(claims.bytes)
        answer.add(
            .wwwAuthenticate, "\(Self.challenge), error=\"insufficient_claims\", claims=\"\(encoded)\"")
        return answer
    }

    private static let challenge =
        "Bearer realm=\"\","
        + " authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\","
        + " client_id=\"\(AccessToken.graphAppID)\""

    /// 403: none of the `accepted` permissions is in the token.
    func forbidden(_ resource: GraphResource, accepted: [String], path: String) -> Answer {
        if case .entities(.conditionalAccessPolicies) = resource { return accessDenied }
        if case .entity(.conditionalAccessPolicies, _) = resource { return accessDenied }
        guard resource.isIntune else {
            return plain(
                403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
        }
        return intune(
            403, "Forbidden",
            "Application is not authorized to perform this operation."
                + " Application must have one of the following scopes: \(accepted.joined(separator: ", "))",
            path: path)
    }

    /// 403 of conditional access.
    private var accessDenied: Answer {
        plain(
            403, "AccessDenied",
            "You cannot perform the requested operation, required scopes are missing in the token.")
    }

    func withoutIntune(path: String) -> Answer {
        intune(400, "BadRequest", "Request not applicable to target tenant.", path: path)
    }

    func notFound(_ resource: GraphResource, id: String, path: String) -> Answer {
        guard resource.isIntune else {
            return plain(
                404, "Request_ResourceNotFound",
                "Resource '\(id)' does not exist or one of its queried reference-property objects are not"
                    + " present.")
        }
        return intune(404, "ResourceNotFound", "An error has occurred", path: path)
    }

    /// 400 for a query option or a body that doesn't fit.
    func badRequest(_ resource: GraphResource, _ message: String) -> Answer {
        plain(400, resource.isIntune ? "BadRequest" : "Request_BadRequest", message)
    }
}
