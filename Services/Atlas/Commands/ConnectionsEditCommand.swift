import ArgumentParser
import FoundationEssentials
import JSON

struct ConnectionsEditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edit", abstract: "Change a provider connection's names or its Entra tenant.",
        discussion: """
            Another Entra tenant is another scope: what was queued for the one before is
            refused, and what is running makes no further call. The answer tells when the
            last one was off the wire. The tenant's changes wait for the next connection
            check.

            With --revision (from «show») nothing is changed if somebody else was first.
            Another application or cloud is another connection.

            EXAMPLES
              atlas connections edit 7f1f2a52-2c0b-4a39-8a3f-0d5d2f2f7c11 --name 'Contoso Intune'
              atlas connections edit ID --entra-tenant-id ID --revision 4
            """)

    @OptionGroup var argument: ConnectionArgument

    @Option(help: "What people call the connection, 1 to 200 characters.")
    var name: String?

    @Option(help: "The directory's id: a UUID, never a domain.")
    var entraTenantID: String?

    @Option(help: "What people call the directory.")
    var entraTenantName: String?

    @Option(help: "The revision that you have seen; else the present one.")
    var revision: Int?

    @OptionGroup var options: OutputOptions

    func validate() throws {
        guard name != nil || entraTenantID != nil || entraTenantName != nil else {
            throw ValidationError("Say what to change: --name, --entra-tenant-id or --entra-tenant-name.")
        }
    }

    func run() async throws {
        let output = options.output
        let doing = "change the connection"
        try await Settings().withAPI { api in
            var seen = revision
            if seen == nil { seen = try await api.get(argument.path, doing: doing)["revision"]?.integer }
            var body: JSONObject = [:]
            if let name { body["display_name"] = .string(name) }
            if let entraTenantID { body["entra_tenant_id"] = .string(entraTenantID) }
            if let entraTenantName { body["entra_tenant_name"] = .string(entraTenantName) }
            let answer = try await api.send(
                "PATCH", argument.path, .object(body), headers: [("If-Match", "\"\(seen ?? 0)\"")],
                timeout: APIClient.barrierTimeout, doing: doing)
            output.tell(answer.body) { style in
                let view = ConnectionView(answer.body).lines(style)
                guard answer.body["effective_at"] != nil else { return view }
                let sentence = "It leads to another Entra tenant now."
                return view + [""] + BarrierView(answer.body).lines(sentence, style)
            }
            if answer.status == 202 { throw ExitCode(Failure.Code.refused.rawValue) }
        }
    }
}
