import ArgumentParser
import ServiceKit

struct AtlasCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "atlas",
        abstract: "Operates TenantAtlas: start work on tenants, see how it went, decide who may do what.",
        discussion: """
            SETTINGS (environment, or lines NAME=VALUE in the file CONFIG_FILE names)
              STARTER_URL     where the Starter answers, for example http://127.0.0.1:8080
              ATLAS_TOKEN     your token; «atlas tokens issue» makes one
              DATABASE_URL    for migrate, database-logins, demo-data, workspaces create,
                              users create, tenants create, tokens issue, accounts,
                              credentials reseal, dead-letters, audit verify, and
                              freezing everything
              AMQP_URL        for dead-letters
              Secrets may be given as files instead: ATLAS_TOKEN_FILE=/run/secrets/token
              NO_COLOR        set to anything: no colours

            EXIT CODES
              0 done   1 refused, or it ended badly   2 wrong usage or settings
              3 something could not be reached

            EXAMPLES
              atlas start compliance.snapshot --tenant Contoso --watch
              atlas runs list --outcome blocked
              atlas explain 0192f0c1-6f7e-7d13-9d3c-2f1f5f3c9a10
              atlas access revoke --user 'Omar Reyes' --workspace
            """,
        version: BuildInfo.line("atlas"),
        subcommands: [
            StartCommand.self, RunsCommand.self, ExplainCommand.self, SchedulesCommand.self,
            TenantsCommand.self, UsersCommand.self, AccessCommand.self, AuditCommand.self,
            BackupsCommand.self, RestoreCommand.self,
            ConnectionsCommand.self, CredentialsCommand.self, GroupsCommand.self, DeadLettersCommand.self,
            NotificationsCommand.self, WebhooksCommand.self, TokensCommand.self, AccountsCommand.self,
            KeysCommand.self, WorkspacesCommand.self,
            MigrateCommand.self, DatabaseLoginsCommand.self, BrokerDefinitionsCommand.self,
            DemoDataCommand.self,
            VersionCommand.self,
        ])
}
