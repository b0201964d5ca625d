/// The things in real tenants that naive readers stumble over. One device in about nine has one.
enum DeviceOddity: Sendable, Hashable {
    case nullUser
    case emptyUser
    case emptyName
    case emojiName
    case rightToLeftName
    case longName
    case escapedName
    case invisibleName
    case neverDates
    case foreverDates
    case unknownEnumMember
    case nullModel
    /// Dates with this many digits of a second's fraction (0…7).
    case fraction(UInt8)

    /// Oddities repeat every 128 devices, so that each tenant with 128 devices has them all, at known places.
    static func of(ordinal: Int) -> DeviceOddity? {
        switch ordinal % 128 {
        case 9: .nullUser
        case 17: .emptyUser
        case 25: .emptyName
        case 33: .emojiName
        case 41: .rightToLeftName
        case 49: .longName
        case 57: .escapedName
        case 65: .invisibleName
        case 73: .neverDates
        case 81: .foreverDates
        case 89: .unknownEnumMember
        case 97: .nullModel
        case let place where (104...111).contains(place): .fraction(UInt8(place - 104))
        default: nil
        }
    }

    /// The device name that this oddity brings along.
    var deviceName: String? {
        switch self {
        case .emptyName: ""
        case .emojiName: "💻 Büro-Läptop 👩🏽‍🔧 №1"
        case .rightToLeftName: "מחשב-נייד \u{202E}جهاز"
        case .longName: String(repeating: "Sehr-langer-Name", count: 16)
        case .escapedName: "C:\\dev\\\"quoted\"\t<b>&amp;\u{1}</b>\nsecond line"
        case .invisibleName: "\u{200B}\u{FEFF}e\u{301}"
        case .nullUser, .emptyUser, .neverDates, .foreverDates, .unknownEnumMember, .nullModel, .fraction: nil
        }
    }
}
