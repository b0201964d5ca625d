import CLibPQ
import Glibc

/// A configuration as the keyword and value lists of libpq.
struct ConnectionSettings {
    private let settings: [(keyword: String, value: String)]
    /// How many servers the address names.
    let serverCount: Int

    /// Throws `.configuration` when libpq can't read the address. The library's own message repeats parts of
    /// it, a password among them, and is therefore not passed on. `first`: with which of the address's servers to
    /// begin, counted round from 0. `isBlocking`: libpq itself has to watch over the time that connecting takes.
    init(
        _ configuration: PostgresConfiguration, first: Int = 0, isBlocking: Bool = false
    ) throws(PostgresError) {
        guard !configuration.url.utf8.contains(0), !configuration.applicationName.utf8.contains(0),
            let parsed = PQconninfoParse(configuration.url, nil)
        else {
            throw PostgresError(
                .configuration,
                "the database address is not one that libpq reads (postgres://user@host:port/name?…)")
        }
        defer { PQconninfoFree(parsed) }
        let options = Self.value("options", in: parsed)
        let servers = try ServerList(
            host: Self.value("host", in: parsed), hostAddress: Self.value("hostaddr", in: parsed),
            port: Self.value("port", in: parsed))
        serverCount = servers.count
        let limit = isBlocking ? [("connect_timeout", "\(configuration.connectTimeout.wholeSeconds)")] : []
        settings =
            limit + Self.defaults(configuration) + [("dbname", configuration.url)] + servers.turned(to: first)
            + [("client_encoding", "UTF8"), ("options", Self.sessionOptions(configuration, options))]
    }

    /// What the address may override: a name, which server will do (one that can be written to: a standby is passed
    /// over), and how soon the kernel notices a peer that is gone. It asks an idle one after 5 s, and gives it up
    /// with the silence limit.
    private static func defaults(_ configuration: PostgresConfiguration) -> [(String, String)] {
        [
            ("application_name", configuration.applicationName), ("gssencmode", "disable"),
            ("target_session_attrs", "read-write"),
            ("keepalives_idle", "5"), ("keepalives_interval", "2"), ("keepalives_count", "3"),
            ("tcp_user_timeout", "\(configuration.silenceLimit.milliseconds)"),
        ]
    }

    /// The session's limits, set while connecting at no extra round trip. Options of the address come last
    /// and win. UTC, so that no result depends on where the server stands.
    ///
    /// Plans are made once and kept, often while tables are small and before anybody has analysed them, and must
    /// not turn bad as they grow: the costs say that an index is cheaper than a scan from the first page on.
    /// (Forbidding scans is no way: where one is needed, its cost then hides all others.) No JIT: where the
    /// planner takes a short statement for a long one, compiling it costs a hundred times what running it does.
    private static func sessionOptions(_ configuration: PostgresConfiguration, _ own: String?) -> String {
        let limits = [
            "-c statement_timeout=\(configuration.statementTimeout.milliseconds)",
            "-c lock_timeout=\(configuration.lockTimeout.milliseconds)",
            "-c idle_in_transaction_session_timeout=\(configuration.idleInTransactionTimeout.milliseconds)",
            "-c TimeZone=UTC", "-c jit=off", "-c seq_page_cost=20", "-c random_page_cost=1",
            "-c plan_cache_mode=\(configuration.keepsPlans ? "force_generic_plan" : "auto")",
        ]
        return (limits + [own].compactMap { $0 }).joined(separator: " ")
    }

    /// What the address says for `keyword`; nil for nothing.
    static func value(
        _ keyword: String, in options: UnsafeMutablePointer<PQconninfoOption>
    ) -> String? {
        var option = options
        while let name = option.pointee.keyword {
            if strcmp(name, keyword) == 0 { return option.pointee.val.map { String(cString: $0) } }
            option += 1
        }
        return nil
    }

    /// Lends the lists, each ended by a null pointer. They die with `body`.
    func withPointers<R>(
        _ body: (UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<UnsafePointer<CChar>?>) -> R
    ) -> R {
        let keywords = settings.map { strdup($0.keyword) }
        let values = settings.map { strdup($0.value) }
        defer { for copy in keywords + values { free(copy) } }
        return body(keywords.map { UnsafePointer($0) } + [nil], values.map { UnsafePointer($0) } + [nil])
    }
}
