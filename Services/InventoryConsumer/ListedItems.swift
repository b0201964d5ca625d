import FoundationEssentials
import Graph
import JSON
import Operations
import Store

/// Entries of a list as rows of the inventory. An entry that can't be told from others, because it has no usable id,
/// is a failed item of the ledger, named by its position.
enum ListedItems {
    /// The longest id that is recorded, in bytes. Graph's are GUIDs.
    private static let longestID = 512
    /// The longest text that is recorded, in characters.
    private static let longestText = 1_024

    /// What is asked for of each device.
    static let deviceSelection =
        "id,deviceName,userPrincipalName,operatingSystem,osVersion,manufacturer,model,serialNumber,"
        + "azureADDeviceId,managedDeviceOwnerType,complianceState,lastSyncDateTime"

    /// One entry: what was read, or why it was not.
    enum Entry<Value: Sendable>: Sendable {
        case read(Value)
        case unread(Ledger.Item)
    }

    static func device(_ json: JSON, at position: Int) -> Entry<DeviceInventory.Device> {
        guard let id = id(json) else { return .unread(withoutID(.devices, position)) }
        var device = DeviceInventory.Device(id: id)
        device.name = text(json["deviceName"])
        device.userPrincipalName = text(json["userPrincipalName"])
        device.operatingSystem = text(json["operatingSystem"])
        device.osVersion = text(json["osVersion"])
        device.manufacturer = text(json["manufacturer"])
        device.model = text(json["model"])
        device.serialNumber = text(json["serialNumber"])
        device.entraDeviceID = text(json["azureADDeviceId"])
        device.ownerType = text(json["managedDeviceOwnerType"])
        device.complianceState = text(json["complianceState"])
        device.lastSyncAt = ProviderDate.date(json["lastSyncDateTime"])
        return .read(device)
    }

    static func policy(_ json: JSON, of surface: PolicySurface, at position: Int) -> Entry<ListedPolicy> {
        guard let object = json.object, let id = id(json) else {
            return .unread(withoutID(.policies(surface.kind), position))
        }
        return .read(
            ListedPolicy(
                id: id, name: text(json[surface.name]), type: text(json["@odata.type"]),
                modifiedAt: ProviderDate.date(json["lastModifiedDateTime"])
                    ?? ProviderDate.date(json["modifiedDateTime"]),
                listedHash: PolicyDocument.listedHash(object)))
    }

    static func group(_ json: JSON, at position: Int) -> Entry<DirectoryGroups.Group> {
        guard let id = id(json) else { return .unread(withoutID(.groups, position)) }
        return .read(DirectoryGroups.Group(id: id, name: text(json["displayName"])))
    }

    private static func withoutID(_ listing: Listing, _ position: Int) -> Ledger.Item {
        Ledger.Item(
            key: "\(listing.word) without id: \(position)", state: .failed,
            result: ProviderFailure.malformedAnswer.rawValue)
    }

    private static func id(_ json: JSON) -> String? {
        json["id"]?.string.flatMap { id in
            (1...longestID).contains(id.utf8.count) && !id.utf8.contains(0) ? id : nil
        }
    }

    /// A text as the database takes it: it knows no NUL.
    private static func text(_ json: JSON?) -> String? {
        guard let text = json?.string else { return nil }
        let plain = text.utf8.contains(0) ? text.replacing("\u{0}", with: "\u{FFFD}") : text
        return plain.utf8.count > longestText ? String(plain.prefix(longestText)) : plain
    }
}

extension Array {
    /// Divides entries into what was read and what was not.
    func divided<Value>() -> (read: [Value], unread: [Ledger.Item])
    where Element == ListedItems.Entry<Value> {
        var read: [Value] = []
        var unread: [Ledger.Item] = []
        for entry in self {
            switch entry {
            case .read(let value): read.append(value)
            case .unread(let item): unread.append(item)
            }
        }
        return (read, unread)
    }
}
