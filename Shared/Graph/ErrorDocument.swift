internal import JSON

/// What an error answer of Graph says, as far as it is kept.
struct ErrorDocument: Sendable, Hashable {
    /// How deep errors are wrapped in each other at most.
    static let deepestWrapping = 3

    /// The innermost code, as ``Sanitiser/code(_:)`` keeps it.
    let code: String?

    /// Reads `{"error": {…}}`. Intune wraps its own error as a JSON text in `message`, up to three times;
    /// `innerError` may nest as well.
    init(_ body: [UInt8]) {
        guard let error = (try? JSON(parsing: body))?["error"] else {
            code = nil
            return
        }
        code = Self.innermostCode(error, left: Self.deepestWrapping)
    }

    private static func innermostCode(_ error: JSON, left: Int) -> String? {
        let wrapped = (error["message"] ?? error["Message"])?.string.flatMap(document)
        let inner = wrapped ?? error["innerError"] ?? error["innererror"] ?? error["InnerError"]
        let below = left > 0 ? inner.flatMap { innermostCode($0, left: left - 1) } : nil
        let own = [error["code"], error["ErrorCode"], error["CustomApiErrorPhrase"]].lazy
            .compactMap { Sanitiser.code($0?.string) }.first
        return below ?? own
    }

    private static func document(_ text: String) -> JSON? {
        guard text.utf8.first == UInt8(ascii: "{"), let json = try? JSON(parsing: text), json.object != nil
        else { return nil }
        return json["error"] ?? json
    }
}

/// What an error answer of the token endpoint says, as far as it is looked at. Its description repeats ids and
/// is not read at all.
struct TokenErrorDocument: Sendable, Hashable {
    /// The OAuth word.
    let error: String?
    /// Microsoft's numbers.
    let codes: [Int]

    init(_ body: [UInt8]) {
        let json = try? JSON(parsing: body)
        error = json?["error"]?.string
        codes = json?["error_codes"]?.array?.compactMap(\.integer) ?? []
    }
}
