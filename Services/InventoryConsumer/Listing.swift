import Graph
import JSON
import Operations

/// One list that a run goes through.
enum Listing: Sendable, Hashable {
    case devices
    case groups
    case policies(PolicyKind)

    private static let devicesWord = "devices"
    private static let groupsWord = "groups"

    /// Its name in cursors and in the ledger.
    var word: String {
        switch self {
        case .devices: Self.devicesWord
        case .groups: Self.groupsWord
        case .policies(let kind): kind.rawValue
        }
    }

    init?(word: String) {
        if word == Self.devicesWord {
            self = .devices
        } else if word == Self.groupsWord {
            self = .groups
        } else if let kind = PolicyKind(rawValue: word) {
            self = .policies(kind)
        } else {
            return nil
        }
    }

    /// Where it is; names the calls of following pages.
    var path: GraphPath {
        switch self {
        case .devices: "/v1.0/deviceManagement/managedDevices"
        case .groups: "/v1.0/groups"
        case .policies(let kind): PolicySurface.of(kind).path
        }
    }
}

/// From where another attempt goes on: a list, and the page in it.
struct ListingCursor: Sendable, Hashable {
    /// Stored when all lists were read to their end: an attempt that finds it reads none of them again.
    static let end = "end"

    let listing: Listing
    /// How many entries the lists before it had.
    let start: Int
    /// The page; nil is the first one.
    var link: String?

    init(listing: Listing, start: Int, link: String?) {
        self.listing = listing
        self.start = start
        self.link = link
    }

    /// Reads a stored cursor; nil when it is none.
    init?(stored: String) {
        guard let json = try? JSON(parsing: stored),
            let listing = json["listing"]?.string.flatMap(Listing.init(word:)),
            let start = json["start"]?.integer, start >= 0
        else { return nil }
        self.init(listing: listing, start: start, link: json["link"]?.string)
    }

    /// As it is stored.
    var text: String {
        JSON.object([
            "listing": .string(listing.word), "start": .int(start), "link": .optional(link),
        ]).text
    }
}
