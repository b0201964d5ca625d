import CLibPQ

/// Who logs in by a database address: the user and the password in it.
package struct DatabaseLogin: Sendable {
    package let user: String
    /// Never log it.
    package let password: String

    /// Throws `.configuration`, which never quotes the address, when libpq can't read it or one of the two is missing.
    package init(url: String) throws(PostgresError) {
        guard !url.utf8.contains(0), let parsed = PQconninfoParse(url, nil) else {
            throw PostgresError(.configuration, "it is not a database address that libpq reads")
        }
        defer { PQconninfoFree(parsed) }
        guard let user = ConnectionSettings.value("user", in: parsed),
            let password = ConnectionSettings.value("password", in: parsed), !user.isEmpty, !password.isEmpty
        else {
            throw PostgresError(.configuration, "a user or a password is missing in the database address")
        }
        (self.user, self.password) = (user, password)
    }
}

extension DatabaseLogin: CustomStringConvertible, CustomReflectable {
    package var description: String { user }

    /// Keeps the password out of `dump`.
    package var customMirror: Mirror { Mirror(self, children: ["user": user]) }
}
