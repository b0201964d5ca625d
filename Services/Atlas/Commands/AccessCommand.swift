import ArgumentParser

struct AccessCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "access", abstract: "Decide who may do what, and where.",
        discussion: """
            What takes access away tells when it took effect (from then on no call to
            Microsoft begins under it) and when it settled (from then on none is on the
            wire). The exit code is 1 when nobody can tell how some call ends; they are
            listed.
            """,
        subcommands: [
            AccessGrantCommand.self, AccessRevokeCommand.self, AccessRoleCommand.self,
            AccessSuspendCommand.self, AccessResumeCommand.self, AccessWriteGateCommand.self,
            AccessFreezeCommand.self, AccessUnfreezeCommand.self, AccessDisableUserCommand.self,
            AccessEnableUserCommand.self,
        ])
}
