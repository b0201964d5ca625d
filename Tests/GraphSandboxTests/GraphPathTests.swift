import Testing

@testable import GraphSandbox

@Suite struct GraphPathTests {
    private func path(_ text: String) throws -> GraphPath {
        try GraphPath(segments: text.split(separator: "/").map(String.init))
    }

    @Test(arguments: [
        ("v1.0/organization", GraphResource.organizations),
        ("v1.0/organization/x", .organization("x")),
        ("beta/deviceManagement", .deviceManagement),
        ("v1.0/DEVICEmanagement/manageddevices", .managedDevices),
        ("v1.0/deviceManagement/managedDevices/abc", .managedDevice("abc")),
        ("v1.0/deviceManagement/managedDevices('abc')", .managedDevice("abc")),
        ("v1.0/deviceManagement/managedDevices(abc)", .managedDevice("abc")),
        ("v1.0/deviceManagement/managedDevices('it''s')", .managedDevice("it's")),
        ("v1.0/deviceManagement/managedDevices/abc/syncDevice", .syncDevice("abc")),
        ("v1.0/deviceManagement/managedDevices('abc')/microsoft.graph.syncDevice", .syncDevice("abc")),
        ("v1.0/deviceManagement/managedDeviceOverview", .managedDeviceOverview),
        ("v1.0/deviceManagement/deviceCompliancePolicyDeviceStateSummary", .complianceStateSummary),
        ("v1.0/deviceManagement/deviceConfigurations", .entities(.deviceConfigurations)),
        ("beta/deviceManagement/configurationPolicies/x", .entity(.configurationPolicies, "x")),
        ("beta/deviceManagement/configurationPolicies('x')", .entity(.configurationPolicies, "x")),
        ("v1.0/deviceAppManagement/mobileApps", .entities(.mobileApps)),
        ("beta/deviceManagement/assignmentFilters/x", .entity(.assignmentFilters, "x")),
        ("v1.0/deviceManagement/deviceConfigurations/x/assign", .assign(.deviceConfigurations, "x")),
        (
            "v1.0/deviceManagement/deviceConfigurations('x')/microsoft.graph.assign",
            .assign(.deviceConfigurations, "x")
        ),
        (
            "v1.0/deviceManagement/deviceConfigurations/x/assignments",
            .assignments(.deviceConfigurations, "x")
        ),
        (
            "beta/deviceManagement/deviceConfigurations/x/getOmaSettingPlainTextValue(secretReferenceValueId='a_b')",
            .omaSettingPlainText("x", secret: "a_b")
        ),
        ("beta/deviceManagement/configurationPolicies('x')/settings", .settings("x")),
        ("v1.0/deviceManagement/deviceCompliancePolicies/x/scheduleActionsForRules", .scheduleActions("x")),
        ("v1.0/deviceAppManagement/managedAppPolicies", .managedAppPolicies),
        ("v1.0/deviceAppManagement/managedAppPolicies/x", .managedAppPolicy("x")),
        (
            "v1.0/deviceAppManagement/iosManagedAppProtections/x/targetApps",
            .targetApps(.iosManagedAppProtections, "x")
        ),
        (
            "v1.0/deviceAppManagement/androidManagedAppProtections/x/apps",
            .protectedApps(.androidManagedAppProtections, "x")
        ),
        ("v1.0/identity/conditionalAccess/policies", .entities(.conditionalAccessPolicies)),
        ("v1.0/identity/conditionalaccess/policies/x", .entity(.conditionalAccessPolicies, "x")),
        ("v1.0/groups", .entities(.groups)), ("v1.0/groups/x", .entity(.groups, "x")),
        ("v1.0/directoryObjects/getByIds", .directoryObjectsByIDs),
        ("v1.0/directoryObjects/microsoft.graph.getByIds", .directoryObjectsByIDs),
        ("beta/$batch", .batch), ("v1.0/servicePrincipals", .servicePrincipals),
        ("v1.0/servicePrincipals/x", .servicePrincipal(.id("x"))),
        ("v1.0/servicePrincipals(appId='y')", .servicePrincipal(.appID("y"))),
        ("v1.0/servicePrincipals(appId='y')/appRoleAssignments", .appRoleAssignments(.appID("y"))),
        ("v1.0/servicePrincipals/x/appRoleAssignments", .appRoleAssignments(.id("x"))),
    ])
    func namesAResource(_ text: String, _ resource: GraphResource) throws {
        #expect(try path(text).resource == resource)
    }

    @Test(arguments: [
        ("v1.0", ""), ("v1.0/me", "me"), ("v1.0/deviceManagement/foo", "foo"),
        ("v1.0/deviceManagement/configurationPolicies", "configurationPolicies"),
        ("v1.0/deviceManagement/deviceManagementScripts", "deviceManagementScripts"),
        ("v1.0/deviceManagement/mobileApps", "mobileApps"),
        ("v1.0/deviceAppManagement", "deviceAppManagement"),
        ("v1.0/deviceManagement/managedDevices/x/foo", "foo"),
        ("v1.0/deviceManagement/managedDevices/x/syncDevice/y", "y"),
        ("v1.0/organization/x/y", "y"), ("v1.0/servicePrincipals/x/owners", "owners"),
        ("v1.0/deviceManagement/assignmentFilters", "assignmentFilters"),
        ("v1.0/deviceManagement/groups", "groups"), ("v1.0/groups/x/assignments", "assignments"),
        ("beta/deviceManagement/deviceManagementScripts/x/settings", "settings"),
        ("beta/deviceAppManagement/mobileApps/x/assign", "assign"),
        ("v1.0/identity/policies", "policies"), ("v1.0/identity/conditionalAccess", "identity"),
    ])
    func refusesUnknownSegments(_ text: String, _ segment: String) {
        #expect(throws: GraphPath.Failure.unknownSegment(segment)) { try path(text) }
    }

    @Test(arguments: [
        "v1.0/deviceManagement/deviceCompliancePolicies/x/scheduledActionsForRule",
        "v1.0/deviceAppManagement/managedAppPolicies/x/assignments",
        "beta/deviceManagement/deviceConfigurations/x/getOmaSettingPlainTextValue",
    ])
    func knowsWhatNoServiceAnswers(_ text: String) {
        #expect(throws: GraphPath.Failure.unrouted) { try path(text) }
    }

    @Test(arguments: ["v2.0/organization", "organization", "_sandbox/tenants"])
    func refusesUnknownVersions(_ text: String) {
        let version = String(text.prefix { $0 != "/" })
        #expect(throws: GraphPath.Failure.invalidVersion(version)) { try path(text) }
    }

    @Test func everyResourceNeedsAPermissionOfTheCatalogue() throws {
        let resources: [GraphResource] = [
            .organizations, .organization(""), .deviceManagement, .managedDevices, .managedDevice(""),
            .syncDevice(""), .managedDeviceOverview, .complianceStateSummary, .servicePrincipals,
            .servicePrincipal(.id("")), .appRoleAssignments(.id("")),
        ]
        let policies = EntitySet.allCases.flatMap { [GraphResource.entities($0), .entity($0, "")] }
        let parts: [GraphResource] = [
            .assign(.deviceConfigurations, ""), .assignments(.mobileApps, ""), .settings(""),
            .scheduleActions(""), .omaSettingPlainText("", secret: ""),
            .targetApps(.iosManagedAppProtections, ""), .protectedApps(.iosManagedAppProtections, ""),
            .managedAppPolicies, .managedAppPolicy(""), .directoryObjectsByIDs,
        ]
        for resource in resources + policies + parts {
            for method in resource.methods {
                let accepted = Permissions.accepted(for: method, on: resource)
                #expect(!accepted.isEmpty)
                for name in accepted { #expect(AppRole.all[name] != nil, "\(name)") }
            }
        }
    }

    @Test func readingPermissionsDoNotAllowWrites() {
        let write = Permissions.accepted(for: "PATCH", on: .managedDevice("x"))
        #expect(Set(write).isDisjoint(with: AppRole.readers))
        for set in EntitySet.allCases where set.isWritable {
            for resource in [GraphResource.entities(set), .entity(set, ""), .assign(set, "")] {
                for method in ["POST", "PATCH", "PUT", "DELETE"] {
                    let accepted = Permissions.accepted(for: method, on: resource)
                    #expect(!accepted.isEmpty && Set(accepted).isDisjoint(with: AppRole.readers))
                }
            }
        }
        #expect(
            Set(Permissions.accepted(for: "POST", on: .syncDevice("x"))).isDisjoint(with: AppRole.readers))
    }
}
