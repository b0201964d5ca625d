import JSON

/// What a conditional access policy must fulfil beyond its types: whatever it names must exist.
enum ConditionalAccess {
    /// The one sentence that the service has for every such fault.
    private static let refusal = GraphRefusal(
        status: 400, code: "BadRequest",
        message: "1007: The policy is malformed or incorrect, or one of its references does not exist.",
        isWrapped: false)

    /// - Parameter groupExists: whether the tenant has a group with this id.
    static func check(_ document: JSONObject, groupExists: (String) -> Bool) throws(GraphRefusal) {
        guard document["state"]?.string != nil, let conditions = document["conditions"]?.object,
            let users = conditions["users"]?.object, let apps = conditions["applications"]?.object
        else { throw refusal }
        let hasControls = [document["grantControls"], document["sessionControls"]].contains {
            $0?.object != nil
        }
        guard hasControls else { throw refusal }
        for group in texts(users["includeGroups"]) + texts(users["excludeGroups"]) where !groupExists(group) {
            throw refusal
        }
        try check(
            texts(users["includeUsers"]) + texts(users["excludeUsers"]),
            ["All", "None", "GuestsOrExternalUsers"])
        try check(
            texts(apps["includeApplications"]) + texts(apps["excludeApplications"]),
            ["All", "None", "Office365", "MicrosoftAdminPortals"])
    }

    /// The sandbox holds neither users nor all apps: a GUID is taken for one that exists.
    private static func check(_ ids: [String], _ words: [String]) throws(GraphRefusal) {
        guard ids.allSatisfy({ words.contains($0) || GUID($0) != nil }) else { throw refusal }
    }

    private static func texts(_ value: JSON?) -> [String] { value?.array?.compactMap(\.string) ?? [] }
}
