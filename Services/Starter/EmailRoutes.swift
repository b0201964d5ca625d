import HTTPTypes
import JSON
import Operations
import Store

/// Whether and where the caller is told by e-mail. Nobody sets it for somebody else.
struct EmailRoutes: Sendable {
    let settings: EmailSettings

    func show(_ call: Call) async throws -> Answer {
        try call.parameters.finish()
        return try await answer(call)
    }

    func set(_ call: Call) async throws -> Answer {
        let (text, isEnabled) = try await call.read { members in
            (members.text("address", limit: EmailAddress.lengthLimit), members.bool("enabled"))
        }
        guard let address = EmailAddress(text) else {
            throw Problem.faulty([.init(pointer: "/address", detail: "must be an e-mail address in ASCII")])
        }
        // What a mail tells is what this shows, of every tenant: a token for less sets no address.
        try Access.requireOwn(.operationsView, of: call.caller)
        try await settings.set(
            EmailSettings.Setting(address: address.text, isEnabled: isEnabled), of: call.caller.userID)
        return try await answer(call)
    }

    func remove(_ call: Call) async throws -> Answer {
        try await call.expectNothing()
        try Access.requireOwn(.operationsView, of: call.caller)
        try await settings.remove(of: call.caller.userID)
        return .noContent
    }

    private func answer(_ call: Call) async throws -> Answer {
        let setting = try await settings.setting(of: call.caller.userID)
        return .json(
            .ok,
            ["address": .optional(setting?.address), "enabled": .bool(setting?.isEnabled ?? false)])
    }
}
