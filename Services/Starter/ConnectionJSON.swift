import JSON
import Operations
import ServiceKit
import Store

// Provider connections as callers see them. Of a credential nothing that it is made of.

extension ConnectionSummary {
    var json: JSON { .object(object) }

    var object: JSONObject {
        [
            "provider_connection_id": .string("\(id)"), "revision": .int(revision),
            "display_name": .string(displayName), "tenant": tenant.json, "provider": .string(provider),
            "cloud": .string(cloud), "entra_tenant_id": .string(entraTenantID),
            "entra_tenant_name": .string(entraTenantName), "client_id": .string(clientID),
            "default": .bool(isDefault), "enabled": .bool(isEnabled),
            "credential": credential?.json ?? .null, "health": .string(health.rawValue),
            "health_reason": .optional(healthReason), "health_checked_at": healthCheckedAt.json,
            "active_run_id": .optional(activeRun?.description),
        ]
    }
}

extension CredentialSummary {
    var json: JSON {
        [
            "version": .int(version), "kind": .string(kind),
            "thumbprint_sha256": .optional(thumbprint.map(Hex.text)), "set_at": Timestamp.json(setAt),
            "set_by": setBy?.json ?? .null, "expires_at": expiresAt.json, "key_id": .string(keyID),
        ]
    }
}
