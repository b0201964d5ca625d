import JSON
import Testing

@testable import GraphSandbox

/// Policies, groups and filters over the wire.
@Suite struct EntityServerTests {
    private static let configurations = "/beta/deviceManagement/deviceConfigurations"
    private static let compliance = "/beta/deviceManagement/deviceCompliancePolicies"
    private static let catalogue = "/beta/deviceManagement/configurationPolicies"
    private static let scripts = "/beta/deviceManagement/deviceManagementScripts"
    private static let filters = "/beta/deviceManagement/assignmentFilters"
    private static let tags = "/beta/deviceManagement/roleScopeTags"
    private static let protections = "/beta/deviceAppManagement/iosManagedAppProtections"
    private static let access = "/v1.0/identity/conditionalAccess/policies"
    private static let groups = "/v1.0/groups"
    private static let prefix = "#microsoft.graph."

    private static let configuration: JSON = [
        "@odata.type": .string("\(prefix)windows10GeneralConfiguration"), "displayName": "new",
        "passwordRequired": true,
    ]
    private static let script: JSON = [
        "displayName": "new", "scriptContent": "V3JpdGU=", "fileName": "a.ps1",
    ]

    private static func setting(_ value: JSON) -> JSON {
        [
            "settingInstance": [
                "@odata.type": .string("\(prefix)deviceManagementConfigurationSimpleSettingInstance"),
                "settingDefinitionId": "x", "simpleSettingValue": value,
            ]
        ]
    }

    private static func policy(_ settings: [JSON]) -> JSON {
        ["name": "new", "platforms": "windows10", "technologies": "mdm", "settings": .array(settings)]
    }

    private static let rule: JSON = [
        "ruleName": "PasswordRequired",
        "scheduledActionConfigurations": [["actionType": "block", "gracePeriodHours": 24]],
    ]
    private static let compliancePolicy: JSON = [
        "@odata.type": .string("\(prefix)windows10CompliancePolicy"), "displayName": "new",
        "scheduledActionsForRule": [rule],
    ]

    private static func accessPolicy(groups: [JSON]) -> JSON {
        [
            "displayName": "new", "state": "disabled",
            "conditions": [
                "clientAppTypes": ["all"], "applications": ["includeApplications": ["All"]],
                "users": ["includeUsers": [], "includeGroups": .array(groups)],
            ], "grantControls": ["operator": "OR", "builtInControls": ["mfa"]],
        ]
    }

    /// One of each: what a create needs.
    private static let creatable: [(path: String, set: EntitySet, body: JSON)] = [
        (configurations, .deviceConfigurations, configuration),
        (compliance, .deviceCompliancePolicies, compliancePolicy),
        (catalogue, .configurationPolicies, policy([setting(["value": 1])])),
        (scripts, .deviceManagementScripts, script),
        (
            filters, .assignmentFilters,
            ["displayName": "new", "platform": "windows10AndLater", "rule": "(device.model -eq \"x\")"]
        ),
        (tags, .roleScopeTags, ["displayName": "new"]),
        (protections, .iosManagedAppProtections, ["displayName": "new", "pinRequired": true]),
        (access, .conditionalAccessPolicies, accessPolicy(groups: [])),
    ]

    @Test(arguments: StatusStyle.allCases)
    func everySetIsCreatedChangedAndDeleted(_ style: StatusStyle) async throws {
        try await RunningSandbox.run { server in
            _ = try await server.control(
                "PUT", "tenants/\(RunningSandbox.contoso)", ["statuses": .string(style.rawValue)])
            let token = try await server.writer()
            for (path, set, body) in Self.creatable {
                let created = try await server.send("POST", path, token, body)
                #expect(created.status == style.created(set), "\(path) \(created.errorMessage ?? "")")
                let id = try #require(try created.json["id"]?.string)
                let url = "\(path)/\(id)"
                #expect(try await server.get(url, token).json == created.json)
                #expect(try await server.values("\(path)?$top=1000", token).contains(id))
                var change: JSONObject = [set.model.title: "renamed ✓"]
                change["@odata.type"] = body["@odata.type"]
                let patched = try await server.send("PATCH", url, token, .object(change))
                #expect(patched.status == style.patched(set), "\(path) \(patched.errorMessage ?? "")")
                #expect(patched.body.isEmpty == (patched.status == 204))
                let after = try await server.get(url, token).json
                #expect(after[set.model.title] == "renamed ✓")
                if let version = after["version"]?.integer { #expect(version == 2) }
                let deleted = try await server.send("DELETE", url, token)
                #expect(deleted.status == style.deleted(set) && deleted.body.isEmpty)
                #expect(try await server.get(url, token).status == 404)
                #expect(try await server.send("DELETE", url, token).status == 404)
                #expect(try await server.send("PATCH", url, token, .object(change)).status == 404)
                #expect(try await !server.values("\(path)?$top=1000", token).contains(id))
            }
        }
    }

    @Test func writesNeedTheirOwnPermission() async throws {
        try await RunningSandbox.run { server in
            let reader = try await server.token()
            for (path, set, body) in Self.creatable {
                #expect(try await server.get("\(path)?$top=1", reader).status == 200, "\(path)")
                let refused = try await server.send("POST", path, reader, body)
                #expect(refused.status == 403)
                #expect(refused.errorCode == (set.isIntune ? "Forbidden" : "AccessDenied"))
            }
            // Conditional access needs two permissions.
            let one = try await server.writer(roles: ["Policy.ReadWrite.ConditionalAccess"])
            #expect(try await server.get(Self.access, one).status == 200)
            let body = Self.accessPolicy(groups: [])
            #expect(try await server.send("POST", Self.access, one, body).status == 403)
            let both = try await server.writer(roles: [
                "Policy.ReadWrite.ConditionalAccess", "Policy.Read.All",
            ])
            #expect(try await server.send("POST", Self.access, both, body).status == 201)
            // One surface's write permission opens no other.
            let scripts = try await server.writer(roles: ["DeviceManagementScripts.ReadWrite.All"])
            #expect(try await server.send("POST", Self.scripts, scripts, Self.script).status == 201)
            #expect(
                try await server.send("POST", Self.configurations, scripts, Self.configuration).status == 403)
        }
    }

    @Test func whatOnlyBetaHasIsUnknownToV1() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.writer()
            for name in [
                "configurationPolicies", "deviceManagementScripts", "assignmentFilters", "roleScopeTags",
            ] {
                let reply = try await server.get("/v1.0/deviceManagement/\(name)", token)
                #expect(reply.status == 400)
                #expect(reply.errorMessage == "Resource not found for the segment '\(name)'.")
            }
            let v1 = Self.configurations.replacing("beta", with: "v1.0")
            var body = try #require(Self.configuration.object)
            body["roleScopeTagIds"] = ["0"]
            #expect(try await server.send("POST", v1, token, .object(body)).status == 400)
            #expect(try await server.send("POST", v1, token, Self.configuration).status == 201)
            #expect(try await server.get("\(v1)?$select=roleScopeTagIds", token).status == 400)
            let all = try await server.get("\(v1)?$expand=assignments", token).json["value"]?.array
            for document in try #require(all) {
                #expect(document["roleScopeTagIds"] == nil)
                for assignment in document["assignments"]?.array ?? [] {
                    #expect(assignment.object?.keys == ["id", "target"])
                }
            }
        }
    }

    @Test func complianceActionsHaveTheirOwnWays() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.writer()
            var without = try #require(Self.compliancePolicy.object)
            without["scheduledActionsForRule"] = nil
            let refused = try await server.send("POST", Self.compliance, token, .object(without))
            #expect(refused.status == 400)
            #expect(refused.errorMessage?.contains("one and only one block scheduled action") == true)
            let created = try await server.send("POST", Self.compliance, token, Self.compliancePolicy)
            let url = "\(Self.compliance)/\(try #require(try created.json["id"]?.string))"
            #expect(try await server.get(url, token).json["scheduledActionsForRule"] == nil)
            let expanded = "\(url)?$expand=scheduledActionsForRule"
            let rule = try await server.get(expanded, token).json["scheduledActionsForRule"]?[0]
            #expect(rule?["ruleName"] == "PasswordRequired")
            #expect(rule?["scheduledActionConfigurations"] == nil)
            let whole = "\(expanded)($expand=scheduledActionConfigurations)"
            func hours() async throws -> JSON? {
                try await server.get(whole, token).json["scheduledActionsForRule"]?[0]?[
                    "scheduledActionConfigurations"]?[0]?["gracePeriodHours"]
            }
            #expect(try await hours() == 24)
            let navigation = try await server.get("\(url)/scheduledActionsForRule", token)
            #expect(navigation.status == 400 && navigation.errorCode == "No method match route template")
            let rules: JSON = [
                ["scheduledActionConfigurations": [["actionType": "block", "gracePeriodHours": 1]]]
            ]
            let action = "\(url)/scheduleActionsForRules"
            #expect(
                try await server.send("POST", action, token, ["scheduledActionsForRule": rules]).status == 400
            )
            let body: JSON = ["deviceComplianceScheduledActionForRules": rules]
            #expect(try await server.send("POST", action, token, body).status == 200)
            #expect(try await hours() == 1)
            #expect(try await server.send("PATCH", url, token, Self.compliancePolicy).status == 400)
            #expect(try await server.get("\(url)?$expand=nope", token).status == 400)
        }
    }

    @Test func settingsArePagedAndReplacedByPUT() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.writer()
            let policies = try await server.get(Self.catalogue, token).json["value"]?.array
            let large = try #require(policies?.first { $0["settingCount"] == 300 }?["id"]?.string)
            let pages = try await server.pages("\(Self.catalogue)('\(large)')/settings", token)
            #expect(pages.map(\.count) == [Int](repeating: 25, count: 12))
            #expect(Set(pages.flatMap(\.self).compactMap { $0["id"]?.string }).count == 300)
            let expanded = try await server.get("\(Self.catalogue)/\(large)?$expand=settings", token)
            #expect(try expanded.json["settings"]?.array == pages.flatMap(\.self))
            let url = "\(Self.catalogue)/\(large)"
            let settings = [Self.setting(["value": 1]), Self.setting(["value": 2])]
            let patch = try await server.send(
                "PATCH", url, token, ["name": "p", "settings": .array(settings)])
            #expect(try patch.json["settingCount"] == 300 && patch.json["name"] == "p")
            #expect(try await server.send("PUT", url, token, Self.policy([])).status == 400)
            #expect(try await server.send("PUT", url, token, ["name": "x"]).status == 400)
            #expect(try await server.send("PUT", url, token, Self.policy(settings)).status == 204)
            let after = try await server.get(url, token).json
            #expect(after["settingCount"] == 2 && after["name"] == "new" && after["settings"] == nil)
            let many = try await server.control(
                "PUT", "tenants/\(RunningSandbox.contoso)", ["entities": ["configurationPolicies": 30]])
            #expect(many.status == 400, "the seed is fixed when the tenant is made")
        }
    }

    @Test func secretsCannotBeCarriedToAnotherTenant() async throws {
        try await RunningSandbox.run { server in
            let (here, there) = (
                try await server.writer(), try await server.writer(RunningSandbox.fabrikam)
            )
            let type = JSON.string("\(Self.prefix)deviceManagementConfigurationSecretSettingValue")
            let plain = Self.setting(["@odata.type": type, "value": "pw", "valueState": "notEncrypted"])
            let created = try await server.send("POST", Self.catalogue, here, Self.policy([plain]))
            let url = "\(Self.catalogue)/\(try #require(try created.json["id"]?.string))"
            let value = try await server.get("\(url)/settings", here).json["value"]?[0]?["settingInstance"]?[
                "simpleSettingValue"]
            #expect(value?["valueState"] == "encryptedValueToken" && value?["value"] != "pw")
            let copy = Self.policy([Self.setting(try #require(value))])
            #expect(try await server.send("POST", Self.catalogue, there, copy).status == 400)
            let second = try await server.send("POST", Self.catalogue, here, copy)
            #expect(second.status == 201)
            // The token outlives its policies in this tenant.
            for id in [try created.json["id"], try second.json["id"]] {
                let policy = "\(Self.catalogue)/\(try #require(id?.string))"
                #expect(try await server.send("DELETE", policy, here).status == 204)
            }
            #expect(try await server.send("POST", Self.catalogue, here, copy).status == 201)
            let state = try await server.control(
                "GET", "tenants/\(RunningSandbox.contoso)/entities/configurationPolicies")
            let last = try state.json["value"]?.array?.last
            #expect(last?["secrets"]?.object?.members.map(\.value) == ["pw"])
        }
    }

    @Test func omaValuesAreMaskedAndReadOneByOne() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.writer()
            let all = try await server.get(Self.configurations, token).json["value"]?.array
            let custom = try #require(
                all?.first { $0["@odata.type"]?.string?.contains("windows10Custom") == true })
            let setting = try #require(custom["omaSettings"]?[0])
            #expect(setting["value"] == "****" && setting["isEncrypted"] == true)
            let url = "\(Self.configurations)/\(try #require(custom["id"]?.string))"
            func plain(_ setting: JSON?) async throws -> JSON? {
                let secret = try #require(setting?["secretReferenceValueId"]?.string)
                let function = "getOmaSettingPlainTextValue(secretReferenceValueId='\(secret)')"
                return try await server.get("\(url)/\(function)", token).json["value"]
            }
            #expect(try await plain(setting)?.string?.hasPrefix("plain-") == true)
            let unknown = "\(url)/getOmaSettingPlainTextValue(secretReferenceValueId='x')"
            #expect(try await server.get(unknown, token).status == 404)
            // Who writes the mask back loses the value.
            let body: JSON = [
                "@odata.type": custom["@odata.type"] ?? .null, "omaSettings": custom["omaSettings"] ?? .null,
            ]
            let patched = try await server.send("PATCH", url, token, body).json
            #expect(try await plain(patched["omaSettings"]?[0]) == "****")
        }
    }

    @Test func scriptsShowTheirContentOneByOne() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.token()
            let list = try await server.get(Self.scripts, token).json["value"]?.array
            #expect(list?.isEmpty == false && list?.allSatisfy { $0["scriptContent"] == .null } == true)
            let one = try await server.get("\(Self.scripts)/\(list?[0]["id"]?.string ?? "")", token)
            #expect(try one.json["scriptContent"]?.string?.isEmpty == false)
        }
    }

    @Test func assignReplacesTheWholeSet() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.writer()
            let groups = try await server.values(Self.groups, token)
            let filter = try await server.values(Self.filters, token)[0]
            for (path, set, body) in Self.creatable
            where set.hasAssignments && set != .iosManagedAppProtections {
                let created = try await server.send("POST", path, token, body)
                let url = "\(path)/\(try #require(try created.json["id"]?.string))"
                func assign(_ targets: [JSON]) async throws -> RunningSandbox.Reply {
                    let elements = JSON.array(targets.map { ["target": $0] })
                    return try await server.send(
                        "POST", "\(url)/assign", token,
                        .object(JSONObject([(AssignmentSet.key(set), elements)])))
                }
                let group: JSON = [
                    "@odata.type": .string("\(Self.prefix)groupAssignmentTarget"),
                    "groupId": .string(groups[0]),
                    "deviceAndAppManagementAssignmentFilterId": .string(filter),
                    "deviceAndAppManagementAssignmentFilterType": "include",
                ]
                let everybody: JSON = [
                    "@odata.type": .string("\(Self.prefix)allLicensedUsersAssignmentTarget")
                ]
                #expect(try await assign([group, everybody]).status == 200, "\(path)")
                let read = try await server.get("\(url)/assignments", token).json["value"]?.array
                #expect(read?.count == 2)
                #expect(read?[0]["target"]?["deviceAndAppManagementAssignmentFilterId"]?.string == filter)
                let id = try #require(read?[0]["id"]?.string)
                #expect(id.hasSuffix((set == .deviceManagementScripts ? ":" : "_") + groups[0]))
                #expect(try await assign([everybody]).status == 200)
                #expect(try await server.values("\(url)/assignments", token).count == 1)
                #expect(try await assign([]).status == 200)
                #expect(try await server.values("\(url)/assignments", token).isEmpty)
                #expect(try await assign([group, group]).status == 400)
                let single = try await server.send("POST", "\(url)/assignments", token, ["target": group])
                #expect(single.errorCode == "No method match route template")
            }
        }
    }

    @Test func whatAPolicySetAssignsStaysAndCanBeDoubled() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.writer()
            let all = try await server.get("\(Self.configurations)?$expand=assignments", token)
            let policy = try #require(
                try all.json["value"]?.array?.first { $0["assignments"]?[0]?["source"] == "policySets" })
            let inherited = try #require(policy["assignments"]?[0])
            #expect(inherited["sourceId"] != policy["id"])
            let url = "\(Self.configurations)/\(try #require(policy["id"]?.string))"
            let empty = try await server.send("POST", "\(url)/assign", token, ["assignments": []])
            #expect(try empty.json["value"] == [inherited])
            let copy: JSON = ["target": inherited["target"] ?? .null]
            _ = try await server.send("POST", "\(url)/assign", token, ["assignments": [copy]])
            let after = try await server.get("\(url)/assignments", token).json["value"]?.array
            #expect(after?.map { $0["source"] } == ["policySets", "direct"])
            #expect(after?[0]["target"] == after?[1]["target"])
        }
    }

    @Test func appProtectionsHaveTypedSetsAndAMixedList() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.writer()
            let ids = try await server.values(Self.protections, token)
            #expect(ids.count == 2 && ids.allSatisfy { $0.hasPrefix("T_") })
            let url = "\(Self.protections)/\(ids[0])"
            let target: JSON = [
                "@odata.type": .string("\(Self.prefix)groupAssignmentTarget"),
                "groupId": .string(GUID.random().description),
            ]
            let assigned = try await server.send(
                "POST", "\(url)/assign", token, ["assignments": [["target": target]]])
            #expect(assigned.status == 204, "a group that doesn't exist is not reliably refused")
            #expect(try await server.values("\(url)/assignments", token).count == 1)
            let app: JSON = [
                "mobileAppIdentifier": [
                    "@odata.type": .string("\(Self.prefix)iosMobileAppIdentifier"), "bundleId": "com.example",
                ]
            ]
            let targeted = try await server.send(
                "POST", "\(url)/targetApps", token, ["apps": [app], "appGroupType": "selectedPublicApps"])
            #expect(targeted.status == 204)
            #expect(try await server.values("\(url)/apps", token).count == 1)
            let expanded = try await server.get("\(url)?$expand=apps,assignments", token).json
            #expect(expanded["apps"]?.array?.count == 1 && expanded["deployedAppCount"] == 1)
            #expect(expanded["@odata.type"] == nil)
            let mixed = "/beta/deviceAppManagement/managedAppPolicies"
            let pages = try await server.pages("\(mixed)?$top=3", token)
            #expect(pages.map(\.count) == [3, 1])
            #expect(Set(pages.flatMap(\.self).compactMap { $0["@odata.type"]?.string }).count == 2)
            #expect(try await server.get("\(mixed)/\(ids[0])", token).status == 200)
            #expect(
                try await server.get("\(mixed)/\(ids[0])/assignments", token).errorCode
                    == "No method match route template")
        }
    }

    @Test func conditionalAccessChecksItsReferences() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.writer()
            let group = try await server.values(Self.groups, token)[0]
            let good = Self.accessPolicy(groups: [.string(group)])
            #expect(try await server.send("POST", Self.access, token, good).status == 201)
            let bad = Self.accessPolicy(groups: [.string(GUID.random().description)])
            let refused = try await server.send("POST", Self.access, token, bad)
            #expect(refused.status == 400 && refused.errorMessage?.contains("malformed or incorrect") == true)
            let state: JSON = ["displayName": "x", "state": "sometimes"]
            #expect(try await server.send("POST", Self.access, token, state).status == 400)
            let existing = try await server.values(Self.access, token)[0]
            let patched = try await server.send(
                "PATCH", "\(Self.access)/\(existing)", token, ["state": "disabled"])
            #expect(patched.status == 204)
            let path = "tenants/\(RunningSandbox.contoso)/entities/groups/\(group)"
            #expect(try await server.control("DELETE", path).status == 204)
            #expect(try await server.send("POST", Self.access, token, good).status == 400)
        }
    }

    @Test func groupsAreFilteredAndLookedUp() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.token()
            let filter = "\(Self.groups)?$select=id,displayName&$filter=displayName%20eq%20'Pilot'"
            #expect(try await server.values(filter, token).count == 2)
            #expect(try await server.get("\(Self.groups)?$filter=mail%20eq%20'x'", token).status == 400)
            #expect(try await server.send("POST", Self.groups, token, ["displayName": "x"]).status == 405)
            let ids = try await server.values("\(Self.groups)?$top=2", token)
            let unknown = GUID.random().description
            let body: JSON = [
                "ids": .array((ids + [unknown, ids[0]]).map(JSON.string)), "types": ["group"],
            ]
            let found = try await server.send("POST", "/v1.0/directoryObjects/getByIds", token, body)
            #expect(found.status == 200)
            #expect(try found.json["value"]?.array?.compactMap { $0["id"]?.string } == ids)
            let paged = try await server.pages("\(Self.groups)?$top=5&$select=id", token)
            #expect(paged.map(\.count) == [5, 5, 2])
        }
    }

    @Test func uniqueNamesConflict() async throws {
        try await RunningSandbox.run { server in
            let token = try await server.writer()
            let tag: JSON = ["displayName": "Twice"]
            #expect(try await server.send("POST", Self.tags, token, tag).status == 201)
            #expect(try await server.send("POST", Self.tags, token, tag).status == 409)
            #expect(try await server.send("DELETE", "\(Self.tags)/0", token).status == 400)
            for _ in 0..<2 {
                let created = try await server.send("POST", Self.configurations, token, Self.configuration)
                #expect(created.status == 201, "names of policies are not unique")
            }
        }
    }

    @Test func largeTenantsAreMadeOnDemand() async throws {
        try await RunningSandbox.run { server in
            let id = "eeeeeeee-0000-4000-8000-000000000009"
            let made = try await server.control(
                "POST", "tenants",
                [
                    "id": .string(id), "app": ["clientId": .string(id), "clientSecret": "a-secret"],
                    "entities": ["deviceConfigurations": 1_500, "groups": 0],
                ])
            #expect(try made.json["entities"]?["deviceConfigurations"] == 1_500)
            #expect(try made.json["entities"]?["groups"] == 0)
            let form = RunningSandbox.form(["client_id": id, "client_secret": "a-secret"])
            let token = try #require(try await server.requestToken(id, form).json["access_token"]?.string)
            let pages = try await server.pages("\(Self.configurations)?$select=id", token)
            #expect(pages.map(\.count) == [1_000, 500])
            #expect(Set(pages.flatMap(\.self)).count == 1_500)
        }
    }
}
