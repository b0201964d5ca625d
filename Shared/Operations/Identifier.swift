package import FoundationEssentials

/// The id of one kind of thing. The phantom type keeps a tenant's id from being passed as a run's.
package struct Identifier<Subject>: Sendable, Hashable, CustomStringConvertible {
    /// The value as it stands in the database.
    package let uuid: UUID

    /// Wraps a value.
    package init(_ uuid: UUID) { self.uuid = uuid }

    /// Parses the 36-character form, in either case; nil for anything else.
    package init?(_ text: String) {
        guard text.utf8.count == 36, let uuid = UUID(uuidString: text) else { return nil }
        self.uuid = uuid
    }

    /// The 36-character form in lower case.
    package var description: String { uuid.uuidString.lowercased() }
}

/// What the ids name. The cases exist only as types.
package enum Subject {
    /// A service provider's organisation.
    package enum Workspace {}
    /// A customer's Microsoft tenant.
    package enum Tenant {}
    /// A person, or a system with a token.
    package enum User {}
    /// One act of giving a person a role; removed and given again is another one.
    package enum Grant {}
    /// A provider connection: an application in a customer's directory.
    package enum Connection {}
    /// One operation on one tenant, from start to outcome.
    package enum Run {}
    /// Leave for one provider call.
    package enum Call {}
}

package typealias WorkspaceID = Identifier<Subject.Workspace>
package typealias TenantID = Identifier<Subject.Tenant>
package typealias UserID = Identifier<Subject.User>
package typealias GrantID = Identifier<Subject.Grant>
package typealias ConnectionID = Identifier<Subject.Connection>
package typealias RunID = Identifier<Subject.Run>
package typealias CallID = Identifier<Subject.Call>
