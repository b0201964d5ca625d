/// How a state, an outcome, a health or a condition looks, everywhere: console, command line, notifications.
package struct Badge: Sendable, Hashable {
    /// What the colour means, never the colour itself.
    package enum Tone: String, Sendable {
        case neutral, active, waiting, good, mixed, refused, bad
    }

    /// The word that people see.
    package let label: String
    package let tone: Tone
    /// One character that tells it without colour.
    package let icon: String
}

/// The one vocabulary.
package enum Presentation {
    /// The badge of a run: its outcome when it has one, else its state.
    package static func badge(state: RunState, outcome: RunOutcome?, isWaiting: Bool) -> Badge {
        switch (state, outcome) {
        case (.queued, _):
            isWaiting
                ? Badge(label: "waiting", tone: .waiting, icon: "◔")
                : Badge(label: "queued", tone: .neutral, icon: "○")
        case (.running, _): Badge(label: "running", tone: .active, icon: "▶")
        case (.completed, .succeeded?): Badge(label: "succeeded", tone: .good, icon: "✓")
        case (.completed, .partiallySucceeded?): Badge(label: "partially succeeded", tone: .mixed, icon: "◐")
        case (.completed, .failed?): Badge(label: "failed", tone: .bad, icon: "✗")
        case (.completed, .blocked?): Badge(label: "blocked", tone: .refused, icon: "⊘")
        case (.completed, .cancelled?): Badge(label: "cancelled", tone: .neutral, icon: "–")
        case (.completed, nil): Badge(label: "ended", tone: .neutral, icon: "?")
        }
    }

    /// The badge of what a connection's last check found.
    package static func badge(health: ConnectionHealth) -> Badge {
        switch health {
        case .unknown: Badge(label: "unknown", tone: .neutral, icon: "◌")
        case .healthy: Badge(label: "healthy", tone: .good, icon: "●")
        case .degraded: Badge(label: "degraded", tone: .mixed, icon: "▲")
        case .unhealthy: Badge(label: "unhealthy", tone: .bad, icon: "◆")
        }
    }

    /// The badge of whether a connection may be used. That it is off is somebody's will, not trouble.
    package static func badge(connectionIsEnabled isEnabled: Bool) -> Badge {
        isEnabled
            ? Badge(label: "enabled", tone: .good, icon: "⊕")
            : Badge(label: "disabled", tone: .refused, icon: "⊖")
    }

    /// The badge of a tenant's default connection, beside the others.
    package static let defaultConnection = Badge(label: "default", tone: .neutral, icon: "★")

    /// The badge of whether a tenant may be worked on.
    package static func badge(operability: AuthorityFacts.Operability) -> Badge {
        switch operability {
        case .operable: Badge(label: "operable", tone: .good, icon: "◎")
        case .onboarding: Badge(label: "onboarding", tone: .waiting, icon: "⋯")
        case .suspended: Badge(label: "suspended", tone: .refused, icon: "‖")
        case .archived: Badge(label: "archived", tone: .neutral, icon: "□")
        }
    }

    /// The badge of a backup set: everything of its kinds was read, or only a part of it.
    package static func badge(backupIsComplete isComplete: Bool) -> Badge {
        isComplete
            ? Badge(label: "complete", tone: .good, icon: "■")
            : Badge(label: "a part", tone: .mixed, icon: "◧")
    }

    /// What happened, in one sentence for an operator.
    package static func sentence(_ reason: RunReason) -> String {
        switch reason {
        case .denial(let reason): sentence(reason)
        case .failure(let failure): sentence(failure)
        }
    }

    /// Who could do what about it, in one sentence. `isOver`: nothing comes back by itself any more, because the run
    /// has ended or was never begun.
    package static func remedy(_ reason: RunReason, isOver: Bool) -> String {
        switch reason {
        case .denial(let reason): (isOver ? remedyAfterwards(reason) : nil) ?? remedy(reason)
        case .failure(let failure) where isOver && failure.isRetryable: "Start it again later."
        case .failure(let failure): remedy(failure)
        }
    }

    /// For what would have continued by itself; nil for everything else.
    private static func remedyAfterwards(_ reason: DenialReason) -> String? {
        switch reason {
        case .tenantSuspended: "A manager can make the tenant operable; then start it again."
        case .tenantOnboarding: "Start it again when the tenant's set-up is finished."
        case .writeGateUnhealthy: "Grant the permissions in Entra, check the connection, then start it again."
        case .writeGateStale: "Check the connection, then start it again."
        case .authorityStoreUnavailable: "Start it again."
        default: nil
        }
    }

    private static func sentence(_ reason: DenialReason) -> String {
        switch reason {
        case .initiatorMissing: "The person who started this no longer exists."
        case .initiatorDisabled: "The account that started this is disabled."
        case .workspaceMismatch: "The tenant has moved to another workspace since this was started."
        case .scopeMismatch: "What was queued does not match the tenant and connection it was started for."
        case .tenantNotEntitled: "The person who started this no longer has access to the tenant."
        case .grantSuperseded:
            "The access this was started under was withdrawn since, or everything was frozen; "
                + "access given again does not revive it."
        case .capabilityMissing: "The role of the person who started this no longer allows this operation."
        case .tenantArchived: "The tenant is archived."
        case .tenantSuspended: "The tenant is suspended."
        case .tenantOnboarding: "The tenant is still being set up."
        case .connectionMissing: "The provider connection no longer exists."
        case .connectionDisabled: "The provider connection is disabled."
        case .connectionScopeChanged: "The provider connection now points to another Entra tenant."
        case .credentialMissing: "The provider connection has no credential."
        case .writeGateClosed: "Changes to this tenant are switched off."
        case .writeGateUnhealthy: "The last connection check did not find the permissions that changes need."
        case .writeGateStale: "The last connection check is too old to allow changes."
        case .systemOperationNotAllowed: "The system may not run this operation by itself."
        case .runExpired: "It waited longer than its limit."
        case .operationUnknown: "This version does not know the operation."
        case .authorityStoreUnavailable: "The access records could not be read."
        }
    }

    private static func remedy(_ reason: DenialReason) -> String {
        switch reason {
        case .initiatorMissing, .initiatorDisabled: "Another person with access can start it again."
        case .workspaceMismatch: "Start it again in the tenant's present workspace."
        case .scopeMismatch: "Start it again. If it happens again, tell the platform engineer."
        case .tenantNotEntitled: "A manager of the workspace can give access; then start it again."
        case .grantSuperseded: "Anyone with access now can start it again."
        case .capabilityMissing: "A manager can raise the role, or a person with the right role can start it."
        case .tenantArchived: "A manager can make the tenant operable again; then start it again."
        case .tenantSuspended: "It continues by itself when a manager makes the tenant operable."
        case .tenantOnboarding: "It continues by itself when the tenant's set-up is finished."
        case .connectionMissing: "Create a connection and start it there."
        case .connectionDisabled: "A manager can enable the connection; then start it again."
        case .connectionScopeChanged: "Check that the Entra tenant is right, then start it again."
        case .credentialMissing: "A manager can set the credential; then start it again."
        case .writeGateClosed: "A manager can open the write gate; then start it again."
        case .writeGateUnhealthy: "Grant the permissions in Entra; it continues after the next good check."
        case .writeGateStale: "It continues by itself after the next connection check."
        case .systemOperationNotAllowed: "A person with the capability can start it."
        case .runExpired: "Start it again when what held it up is solved."
        case .operationUnknown: "Ask the platform engineer which version runs."
        case .authorityStoreUnavailable: "It is tried again by itself."
        }
    }

    private static func sentence(_ failure: ProviderFailure) -> String {
        switch failure {
        case .credentialInvalid: "Microsoft refused the connection's credential."
        case .credentialExpired: "The connection's credential has expired."
        case .consentMissing: "Admin consent for the application is missing in the tenant."
        case .applicationMissing: "The application does not exist in the tenant."
        case .applicationDisabled: "The application is disabled in the tenant."
        case .tenantMismatch: "The Entra tenant was not found, or is another than expected."
        case .policyBlocked: "A Conditional Access policy of the tenant refused the application."
        case .authRejected: "Microsoft refused a fresh token."
        case .permissionMissing: "The application lacks a permission in the tenant."
        case .licenceMissing: "The tenant has no active Intune licence."
        case .notFound: "What it looked for is gone."
        case .invalidRequest: "Microsoft did not accept the request."
        case .conflict: "Somebody else changed it at the same time."
        case .throttled: "Microsoft is limiting requests for this tenant."
        case .unavailable: "Microsoft's service was unavailable."
        case .timeout: "Microsoft's service did not answer in time."
        case .unknownOutcome: "It is not known whether the last change was made."
        case .malformedAnswer: "Microsoft's answer was incomplete or unreadable."
        case .answerTooLarge: "Microsoft's answer was larger than allowed."
        case .workerLost: "The program that executed it was lost."
        case .internalError: "Something went wrong on our side."
        }
    }

    private static func remedy(_ failure: ProviderFailure) -> String {
        switch failure {
        case .credentialInvalid, .credentialExpired:
            "A manager can set a new credential; then start it again."
        case .consentMissing, .permissionMissing:
            "An administrator of the tenant can grant it in Entra; then start it again."
        case .applicationMissing, .applicationDisabled:
            "An administrator of the tenant can restore the application."
        case .tenantMismatch: "Check the connection's Entra tenant id."
        case .policyBlocked: "An administrator of the tenant can exempt the application."
        case .authRejected: "Check the connection; then start it again."
        case .licenceMissing: "The tenant needs an Intune licence."
        case .notFound: "Start it again to work on what is there now."
        case .invalidRequest, .answerTooLarge, .internalError:
            "Tell the platform engineer; the run's id finds the cause."
        case .conflict: "Start it again."
        case .throttled, .unavailable, .timeout, .malformedAnswer, .workerLost:
            "It is tried again by itself, a limited number of times."
        case .unknownOutcome: "Look at the item in the tenant before starting it again."
        }
    }
}
