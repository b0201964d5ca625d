/// Why a provider's answer ended or delayed a run: a stable code, never the provider's own text.
/// Source of the codes: the classification of Graph failures (`graph-reference`, section 9).
package enum ProviderFailure: String, Sendable, CaseIterable {
    case credentialInvalid = "credential_invalid"
    case credentialExpired = "credential_expired"
    case consentMissing = "consent_missing"
    case applicationMissing = "application_missing"
    case applicationDisabled = "application_disabled"
    case tenantMismatch = "tenant_mismatch"
    case policyBlocked = "policy_blocked"
    case authRejected = "auth_rejected"
    case permissionMissing = "permission_missing"
    case licenceMissing = "licence_missing"
    case notFound = "not_found"
    case invalidRequest = "invalid_request"
    case conflict
    case throttled
    case unavailable
    case timeout
    case unknownOutcome = "unknown_outcome"
    case malformedAnswer = "malformed_answer"
    case answerTooLarge = "answer_too_large"
    /// Our own trouble: a worker was lost too often, or a handler failed in a way it did not name.
    case workerLost = "worker_lost"
    case internalError = "internal_error"

    /// Whether another attempt of the same run may succeed without anybody changing anything.
    package var isRetryable: Bool {
        switch self {
        case .throttled, .unavailable, .timeout, .malformedAnswer, .workerLost: true
        case .credentialInvalid, .credentialExpired, .consentMissing, .applicationMissing,
            .applicationDisabled, .tenantMismatch, .policyBlocked, .authRejected, .permissionMissing,
            .licenceMissing, .notFound, .invalidRequest, .conflict, .unknownOutcome, .answerTooLarge,
            .internalError:
            false
        }
    }
}
