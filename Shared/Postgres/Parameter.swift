import FoundationEssentials

/// A value for `$1`, `$2` … of a ``Statement``.
///
/// Single values travel as text, so the SQL says their type where the server can't infer it: `$1::uuid`.
/// Arrays travel in binary, so the SQL names exactly the type that stands beside each: `$1::text[]`. They are
/// one-dimensional; a `nil` element is NULL.
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
    /// `text[]`.
    case texts([String?])
    /// An array of any integers; travels as text.
    case ints([Int?])
    /// `float8[]`.
    case doubles([Double?])
    /// `bool[]`.
    case bools([Bool?])
    /// `uuid[]`.
    case uuids([UUID?])
    /// `timestamptz[]`, rounded to a microsecond; years 1 to 9999.
    case timestamps([Date?])
    /// `json[]`, of JSON texts. Cast an element to `jsonb` where that is computed with.
    case jsons([String?])
    /// `bytea[]`.
    case byteArrays([[UInt8]?])
}
