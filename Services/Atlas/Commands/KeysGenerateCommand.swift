import ArgumentParser
import JSON
import Sealing

struct KeysGenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Make a key pair, for credentials or for webhooks.",
        discussion: """
            Whoever has the public key can seal; only the private key opens. Give the
            private key for credentials to the consumers, the one for webhooks to the
            notifier, and to nobody else. Keep copies: without them, every credential or
            webhook has to be set again.

            EXAMPLES
              atlas keys generate --private-key credential.key --public-key credential.pub
              atlas keys generate --private-key notifier.key --public-key notifier.pub
            """)

    @Option(help: "Where the private key goes. Only you can read the file.")
    var privateKey: String

    @Option(help: "Where the public key goes.")
    var publicKey: String

    @Flag(help: "Replace what is there. What was sealed to the old key can't be opened with the new one.")
    var force = false

    @Flag(help: "Print JSON, for machines.")
    var json = false

    func run() throws {
        for path in [privateKey, publicKey] where !force && KeyFile.exists(path) {
            throw Failure(
                code: .refused, what: "No key was made.", why: "There is a file \(path) already.",
                next: "Choose another name. --force replaces it: what was sealed to its key is lost.")
        }
        let pair = SealingPrivateKey()
        try KeyFile.write(pair.text, to: privateKey, mode: 0o600, replaces: force)
        try KeyFile.write(pair.publicKey.text, to: publicKey, mode: 0o644, replaces: force)
        let output = Output(terminal: .standard, isJSON: json, isExact: false)
        let id = "\(pair.publicKey.id)"
        output.tell([
            "key_id": .string(id), "private_key_file": .string(privateKey),
            "public_key_file": .string(publicKey),
        ]) { style in
            ["Key pair \(id)"]
                + Table.pairs(
                    [
                        ("private", Cell("\(privateKey) (for the consumers or the notifier only)")),
                        ("public", Cell("\(publicKey) (for everything that seals)")),
                    ], style)
        }
    }
}
