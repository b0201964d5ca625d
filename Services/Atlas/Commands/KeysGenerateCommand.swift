import ArgumentParser
import JSON
import Sealing

struct KeysGenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Make a key pair for credentials.",
        discussion: """
            Whoever has the public key can seal credentials; only the private key opens them.
            Give the private key to the consumers and to nobody else. Keep a copy: without it,
            every credential has to be set again.

            EXAMPLE
              atlas keys generate --private-key credential.key --public-key credential.pub
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
                        ("private", Cell("\(privateKey) (for the consumers only)")),
                        ("public", Cell("\(publicKey) (for everything that sets credentials)")),
                    ], style)
        }
    }
}
