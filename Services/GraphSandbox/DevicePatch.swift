import JSON

/// The body of a PATCH on a managed device. Unknown and read-only properties are refused, not ignored.
struct DevicePatch: Sendable {
    /// The longest text, in UTF-8 bytes.
    static let textLimit = 8_192

    private var managedDeviceName: String?
    private var notes: String??
    private var ownerType: String?

    init(_ body: [UInt8], version: GraphVersion) throws(QueryOptions.Failure) {
        guard let members = (try? JSON(parsing: body))?.object else {
            throw QueryOptions.Failure(message: "Unable to read JSON request payload.")
        }
        for (name, value) in members.members {
            switch (name, value) {
            case ("managedDeviceName", .string(let text)) where text.utf8.count <= Self.textLimit:
                managedDeviceName = text
            case ("notes", .string(let text)) where text.utf8.count <= Self.textLimit: notes = .some(text)
            case ("notes", .null): notes = .some(nil)
            case ("managedDeviceOwnerType", .string(let text))
            where version == .beta && ["unknown", "company", "personal"].contains(text):
                ownerType = text
            case ("@odata.type", "#microsoft.graph.managedDevice"): continue
            default: throw Self.refusal(of: name, version)
            }
        }
    }

    func apply(_ edit: inout DeviceRoster.Edit) {
        if let managedDeviceName { edit.managedDeviceName = managedDeviceName }
        if let notes { edit.notes = notes }
        if let ownerType { edit.ownerType = ownerType }
    }

    private static func refusal(of name: String, _ version: GraphVersion) -> QueryOptions.Failure {
        let name = name.prefix(128)
        guard DeviceProperty.named(String(name), in: version) != nil else {
            return QueryOptions.Failure(
                message:
                    "The property '\(name)' does not exist on type 'microsoft.graph.managedDevice'. Make sure"
                    + " to only use property names that are defined by the type.")
        }
        return QueryOptions.Failure(message: "The property '\(name)' can't be set to this value.")
    }
}
