import JSON

/// What a compliance policy does to devices that don't comply.
enum ScheduledActions {
    private static let types = [
        "noAction", "notification", "block", "retire", "wipe", "removeResourceAccessProfiles",
        "pushNotification", "remoteLock",
    ]

    /// The rules as they are stored, with ids, when they fit: exactly one rule with exactly one block action.
    static func stored(_ rules: JSON?, draws: Draws) throws(GraphRefusal) -> [JSONObject] {
        let objects = rules?.array?.compactMap(\.object) ?? []
        guard objects.count == 1, let actions = objects[0]["scheduledActionConfigurations"]?.array,
            actions.count(where: { $0["actionType"] == "block" }) == 1
        else {
            throw .service("A compliance policy must have one and only one block scheduled action.")
        }
        var stored: [JSON] = []
        for (index, action) in actions.enumerated() {
            stored.append(.object(try self.action(action, id: draws.guid(UInt64(index + 1)))))
        }
        return [
            [
                "id": .string(draws.guid(0).description), "ruleName": objects[0]["ruleName"] ?? .null,
                "scheduledActionConfigurations": .array(stored),
            ]
        ]
    }

    private static func action(_ json: JSON, id: GUID) throws(GraphRefusal) -> JSONObject {
        let known = [
            "id", "actionType", "gracePeriodHours", "notificationTemplateId", "notificationMessageCCList",
        ]
        guard let action = json.object else { throw .gateway("A scheduled action must be an object.") }
        if let other = action.keys.first(where: { !known.contains($0) && !$0.contains("@") }) {
            throw .unknownProperty(other, on: "deviceComplianceActionItem")
        }
        guard types.contains(action["actionType"]?.string ?? "") else {
            throw .gateway("'actionType' has a value that is no member of it.")
        }
        let template = action["notificationTemplateId"]?.string ?? ""
        return [
            "id": .string(id.description), "gracePeriodHours": action["gracePeriodHours"] ?? 0,
            "actionType": action["actionType"] ?? .null,
            "notificationTemplateId": .string(template.isEmpty ? GUID.zero.description : template),
            "notificationMessageCCList": action["notificationMessageCCList"] ?? [],
        ]
    }
}
