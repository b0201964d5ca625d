import FoundationEssentials
import Operations
import ServiceKit
import Store

/// A provider connection as pages show it.
struct ConnectionView: Sendable {
    struct Credential: Sendable {
        let kind: String
        let version: Int
        let setAt: MomentView
        let setBy: String?
        let expires: MomentView?
        /// Of a certificate: what the provider finds it by.
        let thumbprint: String?
    }

    let id: String
    let href: String
    let name: String
    let tenant: String
    let entraTenantID: String
    let entraTenantName: String
    let clientID: String
    let cloud: String
    let isDefault: Bool
    let isEnabled: Bool
    let health: String
    let healthTone: String
    let healthIcon: String
    let healthReason: String?
    let checked: MomentView?
    let credential: Credential?
    let activeRun: String?

    init(_ connection: ConnectionSummary, now: Date) {
        id = "\(connection.id)"
        href = Link.connection(connection.id)
        name = connection.displayName
        tenant = connection.tenant.name
        entraTenantID = connection.entraTenantID
        entraTenantName = connection.entraTenantName
        clientID = connection.clientID
        cloud = CloudName(rawValue: connection.cloud)?.label ?? connection.cloud
        isDefault = connection.isDefault
        isEnabled = connection.isEnabled
        let badge = BadgeView(Presentation.badge(health: connection.health))
        (health, healthTone, healthIcon) = (badge.label, badge.tone, badge.icon)
        healthReason = connection.healthReason.flatMap(RunReason.init(code:)).map(Presentation.sentence)
        checked = connection.healthCheckedAt.map { MomentView($0, now: now) }
        credential = connection.credential.map { credential in
            Credential(
                kind: credential.kind == "secret" ? "client secret" : credential.kind,
                version: credential.version, setAt: MomentView(credential.setAt, now: now),
                setBy: credential.setBy?.name, expires: credential.expiresAt.map { MomentView($0, now: now) },
                thumbprint: credential.thumbprint.map(Hex.text))
        }
        activeRun = connection.activeRun.map(Link.run)
    }
}
