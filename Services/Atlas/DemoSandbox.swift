import Curl
import JSON
import ServiceKit

/// Registers the demo's tenants at the sandbox, through its control surface.
struct DemoSandbox {
    /// What the application is granted: what reading needs, and what changes need, so that the write gate's
    /// check finds everything.
    private static let roles: [JSON] = [
        "Application.Read.All", "DeviceManagementApps.Read.All", "DeviceManagementApps.ReadWrite.All",
        "DeviceManagementConfiguration.Read.All", "DeviceManagementConfiguration.ReadWrite.All",
        "DeviceManagementManagedDevices.PrivilegedOperations.All",
        "DeviceManagementManagedDevices.Read.All", "DeviceManagementManagedDevices.ReadWrite.All",
        "DeviceManagementRBAC.ReadWrite.All", "DeviceManagementScripts.ReadWrite.All",
        "DeviceManagementServiceConfig.Read.All", "Group.Read.All", "Organization.Read.All",
        "Policy.Read.All", "Policy.ReadWrite.ConditionalAccess",
    ]
    private static let doing = "register the tenants at the sandbox"

    let url: String
    let token: ServiceKit.Secret
    let client: CurlClient

    /// Makes the tenant, or changes the one that is there to what the demo needs.
    func register(_ tenant: DemoWorld.Tenant) async throws {
        var body: JSONObject = [
            "displayName": .string(tenant.name), "domain": .string(tenant.domain), "intune": true,
            "devices": .int(tenant.devices),
            "app": [
                "clientId": .string(tenant.clientID), "clientSecret": .string(tenant.clientSecret),
                "roles": .array(Self.roles),
            ],
        ]
        let change = JSON.object(body)
        body["id"] = .string(tenant.entraTenantID)
        body["entities"] = ["deviceConfigurations": .int(tenant.configurations)]
        var response = try await send("POST", "tenants", .object(body))
        if response.status == 409 {
            response = try await send("PUT", "tenants/\(tenant.entraTenantID)", change)
        }
        guard (200..<300).contains(response.status) else {
            let said = (try? JSON(parsing: response.body))?["error"]?.string
            throw Failure(
                code: .refused, what: "Could not \(Self.doing).",
                why: said ?? "It answered with \(response.status).",
                next: response.status == 401
                    ? "Check SANDBOX_CONTROL_TOKEN." : "Check that the sandbox runs with --control.")
        }
    }

    private func send(_ method: String, _ path: String, _ body: JSON) async throws -> HTTPResponse {
        let request = HTTPRequest(
            method: method, url: "\(url.hasSuffix("/") ? String(url.dropLast()) : url)/_sandbox/\(path)",
            headers: [
                ("Authorization", "Bearer \(token.reveal())"), ("Content-Type", "application/json"),
            ], body: body.bytes)
        do {
            return try await client.perform(request)
        } catch {
            throw Failure(error, doing: Self.doing, place: "--sandbox")
        }
    }
}
