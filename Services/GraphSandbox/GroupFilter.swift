import JSON

/// A `$filter` on groups: comparisons of `displayName` and `id`, joined by `or`.
struct GroupFilter: Sendable {
    private enum Term: Hashable {
        case named(String), namePrefix(String), ids([String])
    }

    private let terms: [Term]

    init(_ text: String) throws(QueryOptions.Failure) {
        do throws(DeviceFilter.Failure) {
            var tokens = try FilterToken.all(in: text)[...]
            var terms = [try Self.term(&tokens)]
            while tokens.first == .word("or") {
                tokens.removeFirst()
                terms.append(try Self.term(&tokens))
            }
            guard tokens.isEmpty else { throw .syntax }
            self.terms = terms
        } catch {
            throw QueryOptions.Failure(message: error.message)
        }
    }

    /// Names compare without regard to letter case.
    func matches(_ entity: Entity) -> Bool {
        let name = entity.document["displayName"]?.string?.lowercased() ?? ""
        return terms.contains { term in
            switch term {
            case .named(let text): name == text.lowercased()
            case .namePrefix(let text): name.hasPrefix(text.lowercased())
            case .ids(let ids): ids.contains(entity.id)
            }
        }
    }

    private static func term(_ tokens: inout ArraySlice<FilterToken>) throws(DeviceFilter.Failure) -> Term {
        switch (tokens.popFirst(), tokens.popFirst()) {
        case (.word("startswith"), .open):
            guard tokens.popFirst() == .word("displayName"), tokens.popFirst() == .comma,
                case .text(let prefix) = tokens.popFirst(), tokens.popFirst() == .close
            else { throw .syntax }
            return .namePrefix(prefix)
        case (.word("displayName"), .word("eq")):
            guard case .text(let text) = tokens.popFirst() else { throw .syntax }
            return .named(text)
        case (.word("id"), .word("eq")):
            guard case .text(let text) = tokens.popFirst() else { throw .syntax }
            return .ids([text.lowercased()])
        case (.word("id"), .word("in")): return .ids(try list(&tokens))
        default: throw DeviceFilter.Failure(message: "Unsupported or invalid query filter clause.")
        }
    }

    private static func list(_ tokens: inout ArraySlice<FilterToken>) throws(DeviceFilter.Failure) -> [String]
    {
        guard tokens.popFirst() == .open else { throw .syntax }
        var ids: [String] = []
        while case .text(let text) = tokens.popFirst() {
            ids.append(text.lowercased())
            switch tokens.popFirst() {
            case .comma: continue
            case .close: return ids
            default: throw .syntax
            }
        }
        throw .syntax
    }
}
