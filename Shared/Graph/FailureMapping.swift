internal import Curl
internal import Operations

/// What a failed call means. Decided from statuses and stable words only, never from a text for people.
enum FailureMapping {
    // MARK: token endpoint

    /// What an error answer of the token endpoint means: the status first, then the number, then the word.
    static func token(status: Int, error: String?, codes: [Int]) -> ProviderFailure {
        switch status {
        case 429: return .throttled
        case 500...: return .unavailable
        case 400..<500: break
        default: return .malformedAnswer
        }
        return codes.lazy.compactMap(token(code:)).first ?? token(word: error, status: status)
    }

    private static func token(code: Int) -> ProviderFailure? {
        switch code {
        case 7_000_222: .credentialExpired
        case 7_000_215, 700_027, 700_024: .credentialInvalid
        case 7_000_229, 700_016, 65_001: .consentMissing
        case 7_000_112: .applicationDisabled
        case 90_002, 900_020...900_029, 500_011: .tenantMismatch
        // 530xx and 50005x, with or without a further digit: access policies.
        case 53_000...53_099, 530_000...530_999, 50_005, 500_050...500_059: .policyBlocked
        case 50_196: .throttled
        case 90_033, 90_055: .unavailable
        case 7_000_216, 7_000_218, 900_144, 90_014, 1_002_012, 70_011, 70_003: .invalidRequest
        default: nil
        }
    }

    private static func token(word: String?, status: Int) -> ProviderFailure {
        switch word {
        case "invalid_client": .credentialInvalid
        case "unauthorized_client": .applicationMissing
        case "invalid_grant", "interaction_required": .policyBlocked
        case "invalid_tenant": .tenantMismatch
        case "temporarily_unavailable": .unavailable
        default: status == 401 ? .credentialInvalid : .invalidRequest
        }
    }

    // MARK: Graph

    /// What an error status of Graph means for a call that only reads.
    static func graph(status: Int) -> ProviderFailure {
        switch status {
        case 401: .authRejected
        case 402: .licenceMissing
        case 403: .permissionMissing
        case 404, 410: .notFound
        case 408, 504: .timeout
        case 409, 412, 423: .conflict
        case 429: .throttled
        case 400..<500: .invalidRequest
        case 500..<600: .unavailable
        default: .malformedAnswer
        }
    }

    /// The same for a call that changes something. What broke on the provider's side may have broken after the
    /// change; only a throttled call, and one that an unavailable service turned away, was surely not carried out.
    static func write(status: Int) -> ProviderFailure {
        switch status {
        case 503: .unavailable
        case 408, 500..<600: .unknownOutcome
        case 400..<500: graph(status: status)
        default: .unknownOutcome
        }
    }

    // MARK: no answer

    /// What a transfer without a complete answer means for a call that only reads; nil when the call was
    /// cancelled.
    static func transfer(_ kind: TransferError.Kind) -> ProviderFailure? {
        switch kind {
        case .timeout: .timeout
        case .connect, .resolve, .tls, .reset, .overloaded: .unavailable
        case .truncated, .protocolViolation: .malformedAnswer
        case .bodyTooLarge: .answerTooLarge
        case .refusedAddress, .invalidRequest, .mailRefused: .internalError
        case .cancelled: nil
        }
    }

    /// The same for a call that changes something: what may have been sent may have been done.
    static func write(_ error: TransferError) -> ProviderFailure? {
        guard let failure = transfer(error.kind) else { return nil }
        return error.requestMayHaveBeenSent ? .unknownOutcome : failure
    }
}
