import JSON
import Testing

@testable import GraphSandbox

@Suite struct EntityBodyTests {
    private static let general = "#microsoft.graph.windows10GeneralConfiguration"
    private static let ios = "#microsoft.graph.iosGeneralDeviceConfiguration"

    private static func configuration(_ more: JSONObject = [:]) -> JSON {
        var body: JSONObject = ["@odata.type": .string(general), "displayName": "x"]
        for (name, value) in more.members { body[name] = value }
        return .object(body)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let set: EntitySet
        let body: JSON
        var version = GraphVersion.beta
        var purpose = EntityBody.Purpose.create
        /// A piece of the refusal's message; nil: it is accepted.
        let refusal: String?
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(name: "fits", set: .deviceConfigurations, body: configuration(), refusal: nil),
        Case(
            name: "unknown", set: .deviceConfigurations, body: configuration(["nope": 1]),
            refusal: "'nope' does not exist"),
        Case(
            name: "another subtype's", set: .deviceConfigurations,
            body: configuration(["passcodeRequired": true]), refusal: "'passcodeRequired' does not exist"),
        Case(
            name: "beta only", set: .deviceConfigurations, body: configuration(["roleScopeTagIds": ["0"]]),
            version: .v1, refusal: "'roleScopeTagIds' does not exist"),
        Case(
            name: "the same in beta", set: .deviceConfigurations,
            body: configuration(["roleScopeTagIds": ["0"]]), refusal: nil),
        Case(
            name: "no type", set: .deviceConfigurations, body: ["displayName": "x"], refusal: "abstract class"
        ),
        Case(
            name: "unknown type", set: .deviceConfigurations,
            body: ["@odata.type": "#microsoft.graph.nope", "displayName": "x"], refusal: "resolved"),
        Case(
            name: "beta's type", set: .deviceConfigurations,
            body: ["@odata.type": "#microsoft.graph.windowsWifiConfiguration", "displayName": "x"],
            version: .v1, refusal: "resolved"),
        Case(
            name: "wrong kind", set: .deviceConfigurations, body: configuration(["passwordRequired": "yes"]),
            refusal: "Cannot convert"),
        Case(
            name: "no member", set: .deviceConfigurations,
            body: configuration(["privacyAdvertisingId": "sometimes"]), refusal: "enumeration"),
        Case(
            name: "no base64", set: .deviceManagementScripts,
            body: ["displayName": "x", "scriptContent": "Write-Host"], refusal: "Cannot convert"),
        Case(
            name: "base64", set: .deviceManagementScripts,
            body: ["displayName": "x", "scriptContent": "V3JpdGU="], refusal: nil),
        Case(
            name: "flags", set: .configurationPolicies,
            body: ["name": "x", "technologies": "mdm,microsoftSense"], refusal: nil),
        Case(
            name: "unknown flag", set: .configurationPolicies,
            body: ["name": "x", "technologies": "mdm,nope"], refusal: "enumeration"),
        Case(
            name: "displayName for name", set: .configurationPolicies, body: ["displayName": "x"],
            refusal: "'displayName' does not exist"),
        Case(
            name: "no name", set: .deviceManagementScripts, body: ["description": "x"],
            refusal: "displayName must not be empty"),
        Case(
            name: "empty name", set: .deviceManagementScripts, body: ["displayName": ""],
            refusal: "displayName must not be empty"),
        Case(name: "no object", set: .deviceManagementScripts, body: [], refusal: "Unable to read JSON"),
        Case(
            name: "scope tags of filters", set: .assignmentFilters,
            body: ["displayName": "x", "roleScopeTagIds": ["0"]], refusal: "'roleScopeTagIds' does not exist"),
        Case(
            name: "PATCH needs no name", set: .deviceConfigurations,
            body: ["@odata.type": .string(general), "description": .null],
            purpose: .change(type: general), refusal: nil),
        Case(
            name: "PATCH to another type", set: .deviceConfigurations, body: configuration(),
            purpose: .change(type: ios), refusal: "can't be changed"),
        Case(
            name: "a filter's platform", set: .assignmentFilters, body: ["platform": "iOS"],
            purpose: .change(type: ""), refusal: "platform"),
        Case(
            name: "scheduled actions", set: .deviceCompliancePolicies,
            body: [
                "@odata.type": "#microsoft.graph.iosCompliancePolicy", "scheduledActionsForRule": [],
            ], purpose: .change(type: "#microsoft.graph.iosCompliancePolicy"),
            refusal: "scheduleActionsForRules"),
    ]

    @Test(arguments: cases)
    func bodiesAreAcceptedOrRefused(_ test: Case) {
        let result = Result { () throws(GraphRefusal) in
            try EntityBody(test.body.bytes, test.set, test.version, test.purpose)
        }
        switch result {
        case .success: #expect(test.refusal == nil)
        case .failure(let refusal):
            #expect(refusal.status == 400)
            #expect(refusal.message.contains(test.refusal ?? "(accepted)"), "\(refusal.message)")
        }
    }

    @Test func whatOnlyTheServiceWritesIsIgnored() throws {
        let body = Self.configuration([
            "id": "x", "version": 7, "createdDateTime": "2026-01-01T00:00:00Z", "assignments": [],
            "supportsScopeTags": false, "assignments@odata.context": "y",
        ])
        let read = try EntityBody(body.bytes, .deviceConfigurations, .beta, .create)
        #expect(read.values.keys == ["displayName"])
        #expect(
            read.ignored == ["id", "version", "createdDateTime", "assignments", "supportsScopeTags"])
    }

    @Test func aPatchOfAPolicyLeavesItsSettings() throws {
        let body: JSON = ["name": "x", "settings": []]
        let patch = try EntityBody(body.bytes, .configurationPolicies, .beta, .change(type: ""))
        #expect(patch.values.keys == ["name"])
        #expect(patch.ignored == ["settings"])
        #expect(try EntityBody(body.bytes, .configurationPolicies, .beta, .replace).values["settings"] == [])
    }
}

@Suite struct AssignmentSetTests {
    private static let group = "11111111-1111-4111-8111-111111111111"
    private static let other = "22222222-2222-4222-8222-222222222222"
    private static let filter = "33333333-3333-4333-8333-333333333333"

    private static func target(_ type: String, _ more: JSONObject = [:]) -> JSON {
        var target: JSONObject = ["@odata.type": .string("#microsoft.graph.\(type)")]
        for (name, value) in more.members { target[name] = value }
        return ["target": .object(target)]
    }

    private static func inGroup(_ id: String, _ more: JSONObject = [:]) -> JSON {
        var members: JSONObject = ["groupId": .string(id)]
        for (name, value) in more.members { members[name] = value }
        return target("groupAssignmentTarget", members)
    }

    private static func filtered(_ id: String, _ type: JSON = "include") -> JSONObject {
        [
            "deviceAndAppManagementAssignmentFilterId": .string(id),
            "deviceAndAppManagementAssignmentFilterType": type,
        ]
    }

    private func read(
        _ elements: [JSON], key: String = "assignments", set: EntitySet = .deviceConfigurations,
        _ version: GraphVersion = .beta, _ platform: AssignmentPlatform? = .windows
    ) -> Result<[AssignmentTarget], GraphRefusal> {
        let body: JSON = .object(JSONObject([(key, .array(elements))]))
        let context = AssignmentSet.Context(
            set: set, version: version, platform: platform,
            filterPlatform: { $0 == Self.filter ? "windows10AndLater" : nil })
        return Result { () throws(GraphRefusal) in try AssignmentSet(body.bytes, context).targets }
    }

    @Test func readsAllTargets() throws {
        let elements = [
            Self.inGroup(Self.group, Self.filtered(Self.filter)),
            Self.target("exclusionGroupAssignmentTarget", ["groupId": .string(Self.other)]),
            Self.target("allDevicesAssignmentTarget"), Self.target("allLicensedUsersAssignmentTarget"),
        ]
        let targets = try read(elements).get()
        #expect(
            targets == [
                .group(Self.group).filtered(Self.filter, "include"), .exclusion(Self.other), .allDevices,
                .allLicensedUsers,
            ])
        #expect(try read([]).get().isEmpty)
    }

    static let refused: [(JSON, String)] = [
        (inGroup("not-a-guid"), "AADGroupId"), (target("groupAssignmentTarget"), "AADGroupId"),
        (inGroup(group, filtered(other)), "Scope Tags validation failed : Filters"),
        (inGroup(group, ["deviceAndAppManagementAssignmentFilterType": "include"]), "Scope Tags"),
        (inGroup(group, filtered(filter, "sometimes")), "no member"),
        (target("nopeAssignmentTarget"), "resolved"), (["target": [:]], "resolved"), ([:], "'target'"),
        (inGroup(group, ["nope": 1]), "'nope' does not exist"),
        (target("allDevicesAssignmentTarget", ["groupId": .string(group)]), "'groupId' does not exist"),
    ]

    @Test(arguments: refused)
    func refuses(_ element: JSON, _ reason: String) {
        guard case .failure(let refusal) = read([element]) else {
            Issue.record("accepted")
            return
        }
        #expect(refusal.status == 400 && refusal.message.contains(reason), "\(refusal.message)")
    }

    @Test func refusesOneGroupTwiceAndTheWrongKey() {
        let exclusion = Self.target("exclusionGroupAssignmentTarget", ["groupId": .string(Self.group)])
        for twice in [
            [Self.inGroup(Self.group), Self.inGroup(Self.group.uppercased())],
            [Self.inGroup(Self.group), exclusion],
        ] {
            #expect(throws: GraphRefusal.self) { try read(twice).get() }
        }
        #expect(throws: GraphRefusal.self) {
            try read([], key: "deviceManagementScriptAssignments").get()
        }
        #expect(throws: Never.self) {
            try read([], key: "deviceManagementScriptAssignments", set: .deviceManagementScripts).get()
        }
    }

    @Test func filtersAreBetasAndOfOnePlatform() {
        let element = Self.inGroup(Self.group, Self.filtered(Self.filter))
        #expect(throws: GraphRefusal.self) { try read([element], .v1).get() }
        #expect(throws: GraphRefusal.self) { try read([element], .beta, .ios).get() }
        #expect(throws: Never.self) { try read([element], .beta, .windows).get() }
    }
}

@Suite struct ScheduledActionsTests {
    private static let block: JSON = ["actionType": "block", "gracePeriodHours": 0]
    private static let mail: JSON = ["actionType": "notification", "notificationTemplateId": ""]

    private static func rules(_ actions: [JSON]...) -> JSON {
        .array(
            actions.map {
                ["ruleName": "PasswordRequired", "scheduledActionConfigurations": .array($0)]
            })
    }

    @Test(
        arguments: [
            (nil, false), ([], false), (rules([]), false), (rules([mail]), false), (rules([block]), true),
            (rules([block, mail]), true), (rules([block, block]), false), (rules([block], [block]), false),
            (rules([block, ["actionType": "nope"]]), false),
            (rules([block, ["actionType": "notification", "nope": 1]]), false),
        ] as [(JSON?, Bool)])
    func exactlyOneBlockActionIsNeeded(_ rules: JSON?, _ fits: Bool) {
        let stored = try? ScheduledActions.stored(rules, draws: Draws(key: 1))
        #expect((stored != nil) == fits)
        #expect(stored?.count ?? 1 == 1)
    }

    @Test func anEmptyTemplateIsTheZeroGUID() throws {
        let stored = try ScheduledActions.stored(Self.rules([Self.block, Self.mail]), draws: Draws(key: 1))
        let actions = stored[0]["scheduledActionConfigurations"]
        #expect(actions?[1]?["notificationTemplateId"]?.string == GUID.zero.description)
        #expect(GUID(actions?[0]?["id"]?.string ?? "") != nil)
    }
}

@Suite struct PolicySecretsTests {
    private func secrets(_ known: [String: String] = [:]) -> PolicySecrets {
        PolicySecrets(draws: Draws(key: 5), known: { known[$0] })
    }

    @Test func textsAreMaskedAndNumbersAreNot() throws {
        var secrets = secrets()
        let stored = try secrets.masked(omaSettings: [
            [
                "@odata.type": "#microsoft.graph.omaSettingString", "omaUri": "./a", "value": "geheim",
                "displayName": "x", "secretReferenceValueId": "old", "isEncrypted": false,
            ],
            ["@odata.type": "#microsoft.graph.omaSettingInteger", "omaUri": "./b", "value": 5],
        ])
        let reference = try #require(stored[0]?["secretReferenceValueId"]?.string)
        #expect(reference != "old")
        #expect(stored[0]?["value"] == "****" && stored[0]?["isEncrypted"] == true)
        #expect(stored[1]?["value"] == 5 && stored[1]?["isEncrypted"] == false)
        #expect(secrets.plain == [reference: "geheim"])
    }

    @Test(
        arguments: [
            ["omaUri": "./a", "value": 1], ["@odata.type": "#microsoft.graph.nope", "omaUri": "./a"],
            ["@odata.type": "#microsoft.graph.omaSettingInteger", "omaUri": "a"],
            ["@odata.type": "#microsoft.graph.omaSettingInteger", "omaUri": "./a", "nope": 1], "text",
        ] as [JSON])
    func refusesOtherOMASettings(_ setting: JSON) {
        var secrets = secrets()
        #expect(throws: GraphRefusal.self) { try secrets.masked(omaSettings: [setting]) }
    }

    private static func secret(_ value: String, _ state: String) -> JSON {
        [
            "children": [
                [
                    "simpleSettingValue": [
                        "@odata.type": "#microsoft.graph.deviceManagementConfigurationSecretSettingValue",
                        "value": .string(value), "valueState": .string(state),
                    ]
                ]
            ]
        ]
    }

    @Test func plainTextsBecomeTokensWhereverTheyStand() throws {
        var secrets = secrets()
        let sealed = try secrets.sealed(Self.secret("geheim", "notEncrypted"))
        let value = sealed["children"]?[0]?["simpleSettingValue"]
        let token = try #require(value?["value"]?.string)
        #expect(value?["valueState"] == "encryptedValueToken")
        #expect(secrets.plain == [token: "geheim"])
    }

    @Test func onlyKnownTokensAreTaken() throws {
        var secrets = secrets(["t": "geheim"])
        let known = Self.secret("t", "encryptedValueToken")
        #expect(try secrets.sealed(known) == known)
        #expect(secrets.plain == ["t": "geheim"])
        for bad in [Self.secret("u", "encryptedValueToken"), Self.secret("t", "invalid")] {
            #expect(throws: GraphRefusal.self) { try secrets.sealed(bad) }
        }
    }
}
