import ArgumentParser
import JSON

struct NotificationsEmailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "email", abstract: "Show or set whether you are told by e-mail, too.",
        discussion: """
            Nobody is, unless they say so here. Mails go to one address, about the runs that
            you started. Without options it shows what is set.

            EXAMPLES
              atlas notifications email
              atlas notifications email --to omar@example.com
              atlas notifications email --off
              atlas notifications email --forget
            """)

    @Option(help: "Switch it on, with mails to this address.")
    var to: String?

    @Flag(help: "Switch it off; the address stays.")
    var off = false

    @Flag(help: "Switch it off, and forget the address.")
    var forget = false

    @Flag(help: "Print JSON, for machines.")
    var json = false

    func validate() throws {
        guard [to != nil, off, forget].filter({ $0 }).count <= 1 else {
            throw ValidationError("Give one of --to, --off and --forget.")
        }
    }

    func run() async throws {
        let output = Output(terminal: .standard, isJSON: json, isExact: false)
        try await Settings().withAPI { api in
            if let to { try await set(to, true, api) }
            if forget { _ = try await api.send("DELETE", "/v1/me/email", doing: "forget your address") }
            var setting = try await api.get("/v1/me/email", doing: "show what is set")
            if off, let address = setting["address"]?.string {
                try await set(address, false, api)
                setting = try await api.get("/v1/me/email", doing: "show what is set")
            }
            output.tell(setting) { Self.lines(setting, $0) }
        }
    }

    private func set(_ address: String, _ isEnabled: Bool, _ api: APIClient) async throws {
        let body: JSON = ["address": .string(address), "enabled": .bool(isEnabled)]
        _ = try await api.send("PUT", "/v1/me/email", body, doing: "set your address")
    }

    static func lines(_ setting: JSON, _ style: Style) -> [String] {
        guard let address = setting["address"]?.string else { return ["You are not told by e-mail."] }
        let place = Style.plain(address)
        return setting["enabled"]?.bool == true
            ? ["You are told by e-mail to \(place)."] : ["You are not told by e-mail. \(place) is kept."]
    }
}
