import FoundationEssentials
import JSON
import Operations
import ServiceKit
import Store

/// Where a page of a list ended. Callers hand it back as they got it; what it holds is nobody's business.
struct Cursor: Sendable, Hashable {
    /// The lists that have pages. A cursor is of one of them.
    enum List: UInt8, Sendable {
        case runs = 1
        case tenants, connections, notifications, users, backups, backupItems, schedules, runItems,
            auditRecords
        case webhooks, deliveries, tokens, groups, deadLetters

        /// Whether its entries are told apart by keys, not by ids.
        fileprivate var hasKeys: Bool { self == .runItems || self == .auditRecords || self == .groups }
    }

    let list: List
    /// The last entry of the page.
    private let place: Place

    /// What entries are told apart by.
    private enum Place: Hashable {
        case id(UUID)
        case key(String)
    }

    /// The form of the bytes: raised when it changes, so that an old cursor is refused, not misread.
    private static let version: UInt8 = 1
    /// Version and list.
    private static let headLength = 2
    private static let idLength = 16
    /// The longest key, in bytes: 512 characters.
    private static let keyLimit = 2_048

    init(_ list: List, after id: UUID) {
        self.list = list
        place = .id(id)
    }

    /// After an item of a run.
    init(afterItem key: String) {
        list = .runItems
        place = .key(key)
    }

    /// After a record of the audit.
    init(afterRecord number: Int) {
        list = .auditRecords
        place = .key("\(number)")
    }

    /// After a group.
    init(afterGroup position: DirectoryReading.Position) {
        list = .groups
        place = .key(
            JSON.array([
                .string(position.name), .string(position.group), .string("\(position.connection)"),
            ]).text)
    }

    /// Reads a cursor; nil for anything else.
    init?(_ text: String) {
        guard text.utf8.count <= 2 * Self.keyLimit, let bytes = Base64URL.decode(text),
            bytes.count > Self.headLength, bytes[0] == Self.version, let list = List(rawValue: bytes[1])
        else { return nil }
        let rest = bytes.dropFirst(Self.headLength)
        if list.hasKeys {
            guard rest.count <= Self.keyLimit, !rest.contains(0),
                let key = String(validating: rest, as: UTF8.self)
            else { return nil }
            place = .key(key)
            if list == .groups && Self.group(key) == nil { return nil }
        } else {
            guard rest.count == Self.idLength else { return nil }
            place = .id(
                bytes.withUnsafeBytes {
                    UUID(uuid: $0.loadUnaligned(fromByteOffset: Self.headLength, as: uuid_t.self))
                })
        }
        self.list = list
    }

    /// The last entry of the page, where entries have ids.
    var id: UUID? { if case .id(let id) = place { id } else { nil } }

    /// The last item of the page, where entries have keys.
    var key: String? { if case .key(let key) = place { key } else { nil } }

    /// Where the last group of the page stands.
    var group: DirectoryReading.Position? { key.flatMap(Self.group) }

    private static func group(_ key: String) -> DirectoryReading.Position? {
        guard let parts = (try? JSON(parsing: key))?.array, parts.count == 3, let name = parts[0].string,
            let group = parts[1].string, let connection = parts[2].string.flatMap(ConnectionID.init),
            !name.utf8.contains(0), !group.utf8.contains(0)
        else { return nil }
        return DirectoryReading.Position(name: name, group: group, connection: connection)
    }

    /// The text that is given to the caller.
    var text: String {
        let last =
            switch place {
            case .id(let id): withUnsafeBytes(of: id.uuid) { Array($0) }
            case .key(let key): Array(key.utf8)
            }
        return Base64URL.encode([Self.version, list.rawValue] + last)
    }
}
