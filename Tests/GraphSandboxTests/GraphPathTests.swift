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
        ("v1.0/servicePrincipals", .servicePrincipals),
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
    ])
    func refusesUnknownSegments(_ text: String, _ segment: String) {
        #expect(throws: GraphPath.Failure.unknownSegment(segment)) { try path(text) }
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
        for resource in resources + policies {
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
        #expect(
            Set(Permissions.accepted(for: "POST", on: .syncDevice("x"))).isDisjoint(with: AppRole.readers))
    }
}
