// What people read about what a bulk operation is to change.

extension BulkAssignment.Target {
    /// For instance «all devices»; of a group without its name.
    package var label: String {
        switch self {
        case .group: "a group"
        case .excludedGroup: "everybody but a group"
        case .allDevices: "all devices"
        case .allUsers: "all users"
        }
    }
}

extension Presentation {
    /// Why something can't be changed in bulk, by the word that a dry run uses; it completes «2 can't be: …».
    package static func ineligible(_ word: String) -> String {
        switch word {
        case "gone": "the last inventory sync did not find it"
        case "not_in_inventory": "the inventory does not have it"
        default: word.replacing("_", with: " ")
        }
    }
}
