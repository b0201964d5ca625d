import FoundationEssentials

/// Where a page of a list ended. Callers hand it back as they got it; what it holds is nobody's business.
struct Cursor: Sendable, Hashable {
    /// The lists that have pages. A cursor is of one of them.
    enum List: UInt8, Sendable {
        case runs = 1
        case tenants, connections, notifications, users, backups, backupItems, schedules
    }

    let list: List
    /// The last entry of the page.
    let id: UUID

    /// The form of the bytes: raised when it changes, so that an old cursor is refused, not misread.
    private static let version: UInt8 = 1
    /// Version, list and id: 18 bytes, which are 24 characters without padding.
    private static let textLength = 24

    init(_ list: List, after id: UUID) {
        self.list = list
        self.id = id
    }

    /// Reads a cursor; nil for anything else.
    init?(_ text: String) {
        guard text.utf8.count == Self.textLength, let bytes = Base64URL.decode(text),
            bytes[0] == Self.version,
            let list = List(rawValue: bytes[1])
        else { return nil }
        self.list = list
        id = bytes.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(fromByteOffset: 2, as: uuid_t.self)) }
    }

    /// The text that is given to the caller.
    var text: String {
        let bytes = [Self.version, list.rawValue] + withUnsafeBytes(of: id.uuid) { Array($0) }
        return Base64URL.encode(bytes)
    }
}
