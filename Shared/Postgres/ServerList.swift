/// The servers that an address names, in the order in which they are tried.
///
/// libpq goes from one to the next by itself when one refuses or is of the wrong kind. One that says nothing it
/// waits for without end while connecting does not block; hence the list can be turned, so that the next attempt
/// begins with another.
struct ServerList {
    /// The most servers of one address.
    private static let limit = 16

    /// How many there are; 1 also when the address names none, and libpq's own default is meant.
    let count: Int
    /// libpq's lists, each with one entry a server: only those that the address has.
    private let columns: [(keyword: String, entries: [Substring])]

    /// From libpq's settings of the address. Throws `.configuration` when their numbers don't fit together, which
    /// libpq itself would say only when it connects.
    init(host: String?, hostAddress: String?, port: String?) throws(PostgresError) {
        let hosts = Self.entries(host)
        let addresses = Self.entries(hostAddress)
        let ports = Self.entries(port)
        count = max(hosts.count, addresses.count, 1)
        guard count <= Self.limit else { throw Self.refusal("names more than \(Self.limit) servers") }
        guard hosts.isEmpty || addresses.isEmpty || hosts.count == addresses.count else {
            throw Self.refusal("names \(hosts.count) hosts and \(addresses.count) hostaddr")
        }
        guard ports.count <= 1 || ports.count == count else {
            throw Self.refusal("names \(ports.count) ports for \(count) hosts")
        }
        guard count == 1 || !hosts.contains("") || !addresses.isEmpty else {
            throw Self.refusal("has an empty name among its hosts")
        }
        // An empty port stands for the usual one.
        guard ports.allSatisfy({ $0.isEmpty || Int($0).map { 1...65_535 ~= $0 } == true }) else {
            throw Self.refusal("has a port that is no port")
        }
        columns = [("host", hosts), ("hostaddr", addresses), ("port", ports)].filter { $0.1.count > 1 }
    }

    /// libpq's settings with the `first`-th server (from 0, counted round) first; none for a single server.
    func turned(to first: Int) -> [(keyword: String, value: String)] {
        columns.map { column in
            let split = first % count
            return (
                column.keyword, (column.entries[split...] + column.entries[..<split]).joined(separator: ",")
            )
        }
    }

    private static func entries(_ list: String?) -> [Substring] {
        list.map { $0.split(separator: ",", omittingEmptySubsequences: false) } ?? []
    }

    private static func refusal(_ problem: String) -> PostgresError {
        PostgresError(.configuration, "the database address \(problem)")
    }
}
