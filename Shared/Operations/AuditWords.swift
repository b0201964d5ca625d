/// The words of the audit, as people read them.
package enum AuditWords {
    /// What happened. A word that this version does not know stays as it is.
    package static func text(_ word: String) -> String { AuditAction(rawValue: word).map(text) ?? word }

    /// What happened, in a few words.
    package static func text(_ action: AuditAction) -> String {
        switch action {
        case .runQueued: "run queued"
        case .runBegan: "run began"
        case .runDivided: "run divided into parts"
        case .runWaits: "run waits"
        case .runBlocked: "run blocked"
        case .runRepaired: "run taken over by another program"
        case .runEnded: "run ended"
        case .runCancelled: "run cancelled"
        case .runCancelRequested: "run asked to stop"
        case .callDenied: "call to Microsoft refused"
        case .workspaceCreated: "workspace created"
        case .tenantCreated: "tenant created"
        case .userCreated: "person created"
        case .accessGranted: "access given"
        case .accessRevoked: "access taken away"
        case .accessRoleChanged: "role changed"
        case .userDisabled: "person disabled"
        case .userEnabled: "person enabled"
        case .tenantOperabilityChanged: "tenant's state changed"
        case .writeGateChanged: "write gate changed"
        case .frozen: "frozen"
        case .unfrozen: "unfrozen"
        case .tookEffect: "change of access took effect"
        case .connectionCreated: "connection created"
        case .connectionChanged: "connection changed"
        case .connectionDefaultSet: "default connection chosen"
        case .connectionDisabled: "connection disabled"
        case .connectionEnabled: "connection enabled"
        case .credentialSet: "credential set"
        case .credentialResealed: "credential sealed to another key"
        case .tokenIssued: "token made"
        case .tokenRevoked: "token revoked"
        case .sessionBegan: "signed in"
        case .sessionEnded: "signed out"
        case .accountChanged: "login or password changed"
        case .identityChanged: "account at the identity provider changed"
        case .webhookCreated: "webhook created"
        case .webhookKeyRotated: "webhook's key changed"
        case .webhookEnabled: "webhook enabled"
        case .webhookDisabled: "webhook disabled"
        case .webhookRemoved: "webhook removed"
        case .deliveryRepeated: "notification sent again"
        case .emailChanged: "e-mail settings changed"
        case .scheduleCreated: "schedule created"
        case .scheduleEnabled: "schedule resumed"
        case .scheduleDisabled: "schedule paused"
        case .scheduleRemoved: "schedule removed"
        case .scheduleSkipped: "schedule passed over due moments"
        case .deadLetterWished: "refused request to be put back or dropped"
        case .deadLetterRedriven: "refused request put into its queue again"
        case .deadLetterDropped: "refused request dropped"
        }
    }

    /// What a member of a record's details is called.
    package static func name(_ member: String) -> String {
        switch member {
        case "user_id": "person"
        case "provider_connection_id", "connection_id": "connection"
        case "tenant_ids": "tenants"
        case "open": "write gate open"
        case "operability": "state"
        case "reason_code": "reason"
        case "label": "for"
        default:
            (member.hasSuffix("_id") ? String(member.dropLast(3)) : member).replacing("_", with: " ")
        }
    }

    /// What a text in a record's details says, as the value of that member. A word that this version does not know stays
    /// as it is.
    package static func value(_ text: String, of member: String) -> String {
        switch member {
        case "operation": OperationCatalogue.definition(named: text)?.label ?? text
        case "reason_code": RunReason(code: text).map(Presentation.sentence) ?? text
        case "outcome", "kind", "origin", "decision": text.replacing("_", with: " ")
        case "change": self.text(text)
        case "wish": DeadLetterWish(rawValue: text) == .redrive ? "put back" : text
        case _ where member.hasSuffix("_at"): moment(text) ?? text
        default: text
        }
    }

    /// As the database writes moments into details, to the second; nil for anything else, and in other zones.
    private static func moment(_ text: String) -> String? {
        guard text.hasSuffix("+00:00") || text.hasSuffix("Z"), text.utf8.count >= 20,
            text.utf8.allSatisfy({ $0 < 0x80 })
        else { return nil }
        return text.prefix(19).replacing("T", with: " ") + " UTC"
    }
}
