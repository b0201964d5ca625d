package import JSON

/// What is written down for good, of people's actions, of decisions, and of outcomes alike.
package struct AuditRecord: Sendable, Hashable {
    /// Who did it.
    package enum Actor: Sendable, Hashable {
        case user(UserID)
        case system
    }

    package let action: AuditAction
    package let workspaceID: WorkspaceID
    /// Nil for what concerns a whole workspace.
    package let tenantID: TenantID?
    package let actor: Actor
    package let runID: RunID?
    /// What was done, in stable words and ids; never a secret, never a provider's own text.
    package let details: JSON

    package init(
        action: AuditAction, workspaceID: WorkspaceID, tenantID: TenantID?, actor: Actor, runID: RunID?,
        details: JSON
    ) {
        self.action = action
        self.workspaceID = workspaceID
        self.tenantID = tenantID
        self.actor = actor
        self.runID = runID
        self.details = details
    }
}

/// The words of the audit.
package enum AuditAction: String, Sendable, CaseIterable {
    case runQueued = "run.queued"
    case runBegan = "run.began"
    case runDivided = "run.divided"
    case runWaits = "run.waits"
    case runBlocked = "run.blocked"
    case runRepaired = "run.repaired"
    case runEnded = "run.ended"
    case runCancelled = "run.cancelled"
    case runCancelRequested = "run.cancel_requested"
    case callDenied = "call.denied"
    case workspaceCreated = "workspace.created"
    case tenantCreated = "tenant.created"
    case userCreated = "user.created"
    case accessGranted = "access.granted"
    case accessRevoked = "access.revoked"
    case accessRoleChanged = "access.role_changed"
    case userDisabled = "user.disabled"
    case userEnabled = "user.enabled"
    case tenantOperabilityChanged = "tenant.operability_changed"
    case writeGateChanged = "tenant.write_gate_changed"
    case frozen = "freeze.set"
    case unfrozen = "freeze.lifted"
    /// When a change that takes authority away took effect, and when the last call under it was off the wire.
    case tookEffect = "authority.took_effect"
    case connectionCreated = "connection.created"
    case connectionChanged = "connection.changed"
    case connectionDefaultSet = "connection.default_set"
    case connectionDisabled = "connection.disabled"
    case connectionEnabled = "connection.enabled"
    case credentialSet = "credential.set"
    /// Sealed to another key. It is the same credential.
    case credentialResealed = "credential.resealed"
    case tokenIssued = "token.issued"
    case tokenRevoked = "token.revoked"
    /// Somebody signed in with the console.
    case sessionBegan = "session.began"
    /// Signed out.
    case sessionEnded = "session.ended"
    /// A password was set or taken away.
    case accountChanged = "account.changed"
    /// Somebody's account at an identity provider was linked or unlinked.
    case identityChanged = "identity.changed"
    case webhookCreated = "webhook.created"
    case webhookKeyRotated = "webhook.key_rotated"
    case webhookEnabled = "webhook.enabled"
    /// By a person, because its receiver has said that it is gone for good, or after days of failures.
    case webhookDisabled = "webhook.disabled"
    case webhookRemoved = "webhook.removed"
    /// A person asked for one try more.
    case deliveryRepeated = "delivery.repeated"
    case emailChanged = "email.changed"
    case scheduleCreated = "schedule.created"
    case scheduleEnabled = "schedule.enabled"
    case scheduleDisabled = "schedule.disabled"
    case scheduleRemoved = "schedule.removed"
    /// Due moments passed without a run.
    case scheduleSkipped = "schedule.skipped"
    /// A person wants one put back or dropped.
    case deadLetterWished = "dead_letter.wished"
    case deadLetterRedriven = "dead_letter.redriven"
    case deadLetterDropped = "dead_letter.dropped"
}
