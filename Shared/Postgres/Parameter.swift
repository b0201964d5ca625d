import FoundationEssentials

/// A value for `$1`, `$2` … of a ``Statement``.
///
/// Values travel as text, so the SQL says their type where the server can't infer it: `$1::uuid[]`.
/// Arrays are one-dimensional; a `nil` element is NULL.
package enum Parameter: Sendable {
    case null
    case text(String)
    case int(Int)
    case double(Double)
    case bool(Bool)
    case uuid(UUID)
    /// `timestamptz`, rounded to a microsecond; years 1 to 9999.
    case timestamp(Date)
    /// The text of a JSON value, for `json` or `jsonb`.
    case json(String)
    case bytes([UInt8])
    case texts([String?])
    case ints([Int?])
    case doubles([Double?])
    case bools([Bool?])
    case uuids([UUID?])
    case timestamps([Date?])
    case jsons([String?])
    case byteArrays([[UInt8]?])
}
