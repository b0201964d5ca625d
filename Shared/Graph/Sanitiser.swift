/// What may be kept of a provider's answer. An allowlist: whatever does not have the form of the thing it
/// should be is dropped, never repaired.
enum Sanitiser {
    /// Codes longer than this are none.
    static let longestCode = 64

    /// The error codes that Graph and Intune are known to give.
    private static let knownCodes: Set<String> = [
        "AccessDenied", "Authentication_ExpiredToken", "Authentication_MissingOrMalformed",
        "Authorization_IdentityDisabled", "Authorization_IdentityNotFound", "Authorization_RequestDenied",
        "BadGateway", "BadRequest", "Conflict", "Directory_ExpiredPageToken", "Directory_QuotaExceeded",
        "Directory_ResultSizeLimitExceeded", "ErrorAccessDenied", "ExtensionError", "Forbidden",
        "GatewayTimeout",
        "InternalServerError", "InvalidAuthenticationToken", "Locked", "MethodNotAllowed",
        "ModelValidationFailure", "NotAcceptable", "NotFound", "NotImplemented", "NotSupported",
        "PreconditionFailed", "RequestEntityTooLarge", "Request_BadRequest",
        "Request_DataContractVersionMissing",
        "Request_InvalidDataContractVersion", "Request_ResourceNotFound", "Request_ThrottledTemporarily",
        "Request_UnsupportedQuery", "ResourceNotFound", "ServiceUnavailable", "TooManyRequests",
        "Unauthorized",
        "UnknownError", "UnprocessableEntity", "UnsupportedMediaType",
        "accessDenied", "activityLimitReached", "generalException", "invalidRequest", "itemNotFound",
        "nameAlreadyExists", "notAllowed", "notSupported", "quotaLimitReached", "resourceModified",
        "serviceNotAvailable", "unauthenticated",
    ]

    /// Stands for a code that is none of the known ones. It may be anything: a secret can have the form of a code.
    static let otherCode = "other"

    /// One of the known error codes, or a number of the token endpoint; ``otherCode`` for anything else that has the form of one (1 to 64 letters, digits,
    /// `_` and `.`), and nil for what has not.
    static func code(_ text: String?) -> String? {
        guard let text, (1...longestCode).contains(text.utf8.count),
            text.utf8.allSatisfy({ byte in
                isLetterOrDigit(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
            })
        else { return nil }
        return knownCodes.contains(text) || isTokenNumber(text) ? text : otherCode
    }

    /// The token endpoint's numbers: `AADSTS` and 5 to 7 digits.
    private static func isTokenNumber(_ text: String) -> Bool {
        guard text.hasPrefix("AADSTS") else { return false }
        let number = text.utf8.dropFirst(6)
        return (5...7).contains(number.count)
            && number.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains)
    }

    /// A GUID in its 36-character form.
    static func guid(_ text: String?) -> String? {
        guard let text, text.utf8.count == 36 else { return nil }
        for (position, byte) in text.utf8.enumerated() {
            let isDash = [8, 13, 18, 23].contains(position)
            guard isDash ? byte == UInt8(ascii: "-") : isHexDigit(byte) else { return nil }
        }
        return text.lowercased()
    }

    /// An HTTP date (IMF-fixdate), such as `Sat, 21 Nov 2026 08:15:00 GMT`.
    static func date(_ text: String?) -> String? {
        guard let text, HTTPDate.seconds(text) != nil else { return nil }
        return text
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
