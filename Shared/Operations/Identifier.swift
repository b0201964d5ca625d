package import FoundationEssentials

/// The id of one kind of thing. The phantom type keeps a tenant's id from being passed as a run's.
package struct Identifier<Subject>: Sendable, Hashable, CustomStringConvertible {
    /// The value as it stands in the database.
    package let uuid: UUID

    /// Wraps a value.
    package init(_ uuid: UUID) { self.uuid = uuid }

    /// Parses the 36-character form, in either case; nil for anything else.
    package init?(_ text: String) {
        guard Self.isWellFormed(text), let uuid = UUID(uuidString: text) else { return nil }
        self.uuid = uuid
    }

    /// Foundation takes blanks, signs and `0x` for digits: two texts would name one thing.
    private static func isWellFormed(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            guard bytes.count == 36 else { return false }
            for position in 0..<36 {
                let isWell =
                    switch (position, bytes[position]) {
                    case (8, let byte), (13, let byte), (18, let byte), (23, let byte): byte == 0x2D
                    case (_, 0x30...0x39), (_, 0x41...0x46), (_, 0x61...0x66): true
                    default: false
                    }
                guard isWell else { return false }
            }
            return true
        }
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
