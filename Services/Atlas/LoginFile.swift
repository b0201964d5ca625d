import AMQP
import JobRuntime
import Postgres
import Store

/// A file with the address that a service logs in by: the same file that the service reads.
enum LoginFile {
    /// An address fits, with all its options; in bytes.
    private static let limit = 4_096

    /// The database logins in these files, each a service's and each once.
    static func databaseLogins(_ paths: [String]) throws -> [(service: ServiceLogin, password: String)] {
        let known = ServiceLogin.allCases.map(\.rawValue)
        return try once(paths) { path in
            let login = try DatabaseLogin(url: read(path, "DATABASE_URL"))
            guard let service = ServiceLogin(rawValue: login.user) else {
                throw unknown(path, login.user, known)
            }
            return (login.user, (service, login.password))
        }
    }

    /// The broker logins in these files, each once, and the virtual host that they all name.
    static func brokerLogins(
        _ paths: [String]
    ) throws -> (virtualHost: String, logins: [(user: BrokerUser, password: String)]) {
        let known = BrokerUser.all
        var hosts: Set<String> = []
        let logins = try once(paths) { path in
            let address = try BrokerAddress(url: read(path, "AMQP_URL"))
            hosts.insert(address.virtualHost)
            guard let user = known.first(where: { $0.name == address.user }) else {
                throw unknown(path, address.user, known.map(\.name))
            }
            return (address.user, (user, address.password))
        }
        guard let host = hosts.first, hosts.count == 1 else {
            throw Failure(
                code: .usage, what: "The addresses name different virtual hosts.",
                why: "All services use one: \(hosts.sorted().joined(separator: ", ")).",
                next: "Write the same name behind the last / of each address.")
        }
        return (host, logins)
    }

    private static func read(_ path: String, _ variable: String) throws -> String {
        try SecretFile.readLine(path, what: "\(variable) in \(path)", limit: limit)
    }

    private static func once<Login>(
        _ paths: [String], _ login: (String) throws -> (name: String, login: Login)
    ) throws -> [Login] {
        var names: Set<String> = []
        return try paths.map { path in
            let (name, login) = try login(path)
            guard names.insert(name).inserted else {
                throw Failure(
                    code: .usage, what: "Two files are for \(name).", why: "\(path) is the second one.",
                    next: "Name one file for each service.")
            }
            return login
        }
    }

    private static func unknown(_ path: String, _ user: String, _ known: [String]) -> Failure {
        Failure(
            code: .usage, what: "Nobody of this name logs in: \(user).",
            why: "The user in \(path) has to be one of \(known.joined(separator: ", ")).",
            next: "Correct the user in the file's address.")
    }
}
