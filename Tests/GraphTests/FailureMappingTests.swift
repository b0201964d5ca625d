import Curl
import Operations
import Testing

@testable import Graph

@Suite struct FailureMappingTests {
    /// Numbers of the token endpoint, with the status and word they come with.
    static let tokenErrors: [(Int, Int, String, ProviderFailure)] = [
        (7_000_215, 401, "invalid_client", .credentialInvalid),
        (7_000_222, 401, "invalid_client", .credentialExpired),
        (700_027, 401, "invalid_client", .credentialInvalid),
        (700_024, 401, "invalid_client", .credentialInvalid),
        (7_000_216, 401, "invalid_client", .invalidRequest),
        (7_000_218, 401, "invalid_client", .invalidRequest),
        (700_016, 400, "unauthorized_client", .consentMissing),
        (700_016, 400, "invalid_client", .consentMissing),
        (7_000_229, 401, "invalid_client", .consentMissing),
        (65_001, 400, "invalid_grant", .consentMissing),
        (7_000_112, 401, "unauthorized_client", .applicationDisabled),
        (7_000_112, 401, "invalid_client", .applicationDisabled),
        (90_002, 400, "invalid_request", .tenantMismatch),
        (90_002, 400, "invalid_tenant", .tenantMismatch),
        (900_021, 400, "invalid_request", .tenantMismatch),
        (900_023, 400, "invalid_request", .tenantMismatch),
        (500_011, 400, "invalid_resource", .tenantMismatch),
        (900_144, 400, "invalid_request", .invalidRequest),
        (90_014, 400, "invalid_request", .invalidRequest),
        (1_002_012, 400, "invalid_scope", .invalidRequest),
        (70_011, 400, "invalid_scope", .invalidRequest),
        (70_003, 400, "unsupported_grant_type", .invalidRequest),
        (53_003, 400, "invalid_grant", .policyBlocked),
        (53_000, 400, "interaction_required", .policyBlocked),
        (530_032, 400, "invalid_grant", .policyBlocked),
        (50_005, 400, "interaction_required", .policyBlocked),
        (500_053, 400, "invalid_grant", .policyBlocked),
        (50_196, 400, "invalid_grant", .throttled),
        (90_033, 400, "temporarily_unavailable", .unavailable),
        (90_055, 400, "temporarily_unavailable", .unavailable),
    ]

    @Test(arguments: tokenErrors)
    func tokenNumbers(_ code: Int, _ status: Int, _ word: String, _ expected: ProviderFailure) {
        #expect(FailureMapping.token(status: status, error: word, codes: [code]) == expected)
        // An unknown number beside it changes nothing.
        #expect(FailureMapping.token(status: status, error: word, codes: [1, code]) == expected)
    }

    /// Numbers may change: the status and the word must do.
    static let wordCases: [(Int, String?, ProviderFailure)] = [
        (401, "invalid_client", .credentialInvalid), (400, "invalid_client", .credentialInvalid),
        (400, "unauthorized_client", .applicationMissing), (400, "invalid_grant", .policyBlocked),
        (400, "interaction_required", .policyBlocked), (400, "invalid_tenant", .tenantMismatch),
        (400, "temporarily_unavailable", .unavailable), (400, "invalid_request", .invalidRequest),
        (400, "invalid_scope", .invalidRequest), (400, "invalid_resource", .invalidRequest),
        (400, "unsupported_grant_type", .invalidRequest), (400, nil, .invalidRequest),
        (401, nil, .credentialInvalid), (404, nil, .invalidRequest), (429, nil, .throttled),
        (429, "invalid_client", .throttled), (500, nil, .unavailable), (503, "invalid_client", .unavailable),
        (302, nil, .malformedAnswer), (201, nil, .malformedAnswer),
    ]

    @Test(arguments: wordCases)
    func tokenWords(_ status: Int, _ word: String?, _ expected: ProviderFailure) {
        #expect(FailureMapping.token(status: status, error: word, codes: [999_999_999]) == expected)
        #expect(FailureMapping.token(status: status, error: word, codes: []) == expected)
    }

    /// Trouble of the endpoint is never taken for a bad credential.
    @Test(arguments: [429, 500, 502, 503, 504]) func statusBeforeNumber(_ status: Int) {
        let failure = FailureMapping.token(status: status, error: "invalid_client", codes: [7_000_222])
        #expect(failure.isRetryable)
    }

    static let statuses: [(Int, ProviderFailure, Bool)] = [
        (400, .invalidRequest, false), (401, .authRejected, false), (402, .licenceMissing, false),
        (403, .permissionMissing, false), (404, .notFound, false), (405, .invalidRequest, false),
        (408, .timeout, true), (409, .conflict, false), (410, .notFound, false), (412, .conflict, false),
        (413, .invalidRequest, false), (415, .invalidRequest, false), (418, .invalidRequest, false),
        (423, .conflict, false), (429, .throttled, true), (500, .unavailable, true),
        (501, .unavailable, true), (502, .unavailable, true), (503, .unavailable, true),
        (504, .timeout, true), (509, .unavailable, true), (301, .malformedAnswer, true),
        (204, .malformedAnswer, true), (100, .malformedAnswer, true),
    ]

    @Test(arguments: statuses)
    func graphStatuses(_ status: Int, _ expected: ProviderFailure, _ isRetryable: Bool) {
        #expect(FailureMapping.graph(status: status) == expected)
        #expect(expected.isRetryable == isRetryable)
    }

    static let transferCases: [(TransferError.Kind, ProviderFailure?)] = [
        (.timeout, .timeout), (.connect, .unavailable), (.resolve, .unavailable), (.tls, .unavailable),
        (.reset(sent: true), .unavailable), (.reset(sent: false), .unavailable),
        (.bodyTooLarge, .answerTooLarge), (.truncated, .malformedAnswer),
        (.protocolViolation, .malformedAnswer), (.refusedAddress, .internalError),
        (.invalidRequest, .internalError), (.overloaded, .unavailable), (.cancelled, nil),
    ]

    @Test(arguments: transferCases)
    func transfersWithoutAnswer(_ kind: TransferError.Kind, _ expected: ProviderFailure?) {
        #expect(FailureMapping.transfer(kind) == expected)
    }

    // MARK: changes

    /// Whether a change is repeated depends on this: what may have been carried out never is.
    @Test(arguments: statuses)
    func writeStatuses(_ status: Int, _ reading: ProviderFailure, _ isRetryable: Bool) {
        let isRefused = [503, 429].contains(status) || (400..<500).contains(status) && status != 408
        #expect(FailureMapping.write(status: status) == (isRefused ? reading : .unknownOutcome))
    }

    @Test(arguments: transferCases)
    func writesWithoutAnswer(_ kind: TransferError.Kind, _ reading: ProviderFailure?) {
        let unsent = TransferError(kind: kind, message: "", requestMayHaveBeenSent: false)
        #expect(FailureMapping.write(unsent) == reading)
        let sent = TransferError(kind: kind, message: "", requestMayHaveBeenSent: true)
        #expect(FailureMapping.write(sent) == (reading == nil ? nil : .unknownOutcome))
    }
}
