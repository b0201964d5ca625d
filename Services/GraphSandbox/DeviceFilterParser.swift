extension DeviceFilter {
    /// The longest filter that is read, in characters.
    static let lengthLimit = 2_000
    /// How deep parentheses may be nested.
    static let depthLimit = 16

    /// Reads the text of a `$filter` option.
    init(_ text: String) throws(Failure) {
        guard text.count <= Self.lengthLimit else { throw Failure(message: "The $filter is too long.") }
        var parser = Parser(tokens: try FilterToken.all(in: text))
        self = try parser.disjunction(depth: 0)
        guard parser.isAtEnd else { throw Failure.syntax }
    }
}

extension DeviceFilter.Failure {
    static let syntax = DeviceFilter.Failure(message: "Invalid filter clause: Syntax error.")
}

enum FilterToken: Hashable {
    case word(String)
    case text(String)
    case open, close, comma

    static func all(in text: String) throws(DeviceFilter.Failure) -> [FilterToken] {
        var tokens: [FilterToken] = []
        var rest = text[...]
        while let first = rest.first {
            switch first {
            case " ": rest.removeFirst()
            case "(":
                tokens.append(.open)
                rest.removeFirst()
            case ")":
                tokens.append(.close)
                rest.removeFirst()
            case ",":
                tokens.append(.comma)
                rest.removeFirst()
            case "'": tokens.append(.text(try literal(&rest)))
            default:
                let word = rest.prefix { !" (),'".contains($0) }
                tokens.append(.word(String(word)))
                rest = rest.dropFirst(word.count)
            }
        }
        return tokens
    }

    /// A literal in quotes; a doubled quote stands for one.
    private static func literal(_ rest: inout Substring) throws(DeviceFilter.Failure) -> String {
        var text = ""
        rest.removeFirst()
        while let character = rest.popFirst() {
            if character != "'" {
                text.append(character)
            } else if rest.first == "'" {
                text.append("'")
                rest.removeFirst()
            } else {
                return text
            }
        }
        throw .syntax
    }
}

private struct Parser {
    private var tokens: ArraySlice<FilterToken>

    init(tokens: [FilterToken]) { self.tokens = tokens[...] }

    var isAtEnd: Bool { tokens.isEmpty }

    mutating func disjunction(depth: Int) throws(DeviceFilter.Failure) -> DeviceFilter {
        guard depth <= DeviceFilter.depthLimit else { throw .syntax }
        var filter = try conjunction(depth: depth)
        while skip("or") { filter = .or(filter, try conjunction(depth: depth)) }
        return filter
    }

    private mutating func conjunction(depth: Int) throws(DeviceFilter.Failure) -> DeviceFilter {
        var filter = try term(depth: depth)
        while skip("and") { filter = .and(filter, try term(depth: depth)) }
        return filter
    }

    private mutating func term(depth: Int) throws(DeviceFilter.Failure) -> DeviceFilter {
        switch tokens.popFirst() {
        case .open:
            let filter = try disjunction(depth: depth + 1)
            try expect(.close)
            return filter
        case .word("startswith"): return try startsWith()
        case .word(let name): return try comparison(try property(name))
        case .text, .close, .comma, nil: throw .syntax
        }
    }

    private mutating func startsWith() throws(DeviceFilter.Failure) -> DeviceFilter {
        try expect(.open)
        guard case .word(let name) = tokens.popFirst() else { throw .syntax }
        try expect(.comma)
        guard case .text(let prefix) = tokens.popFirst() else { throw .syntax }
        try expect(.close)
        return .startsWith(try property(name), prefix)
    }

    private mutating func comparison(_ property: DeviceProperty) throws(DeviceFilter.Failure) -> DeviceFilter
    {
        guard case .word(let name) = tokens.popFirst(),
            let comparison = DeviceFilter.Comparison(rawValue: name)
        else { throw .syntax }
        let literal: DeviceFilter.Literal
        switch tokens.popFirst() {
        case .text(let text): literal = .text(text)
        case .word("true"): literal = .bool(true)
        case .word("false"): literal = .bool(false)
        case .word("null"): literal = .null
        case .word(let word):
            guard let date = GraphDate(word) else { throw .syntax }
            literal = .date(date)
        case .open, .close, .comma, nil: throw .syntax
        }
        try check(property, comparison, literal)
        return .compare(property, comparison, literal)
    }

    /// Refuses a literal of another type than the property's, and an order where there is none.
    private func check(
        _ property: DeviceProperty, _ comparison: DeviceFilter.Comparison, _ literal: DeviceFilter.Literal
    ) throws(DeviceFilter.Failure) {
        let isDate = property == .lastSyncDateTime || property == .enrolledDateTime
        let isFlag = property == .isEncrypted
        let fits: Bool =
            switch literal {
            case .date: isDate
            case .bool: isFlag
            case .text, .null: !isDate && !isFlag
            }
        guard fits else {
            throw DeviceFilter.Failure(
                message: "A binary operator with incompatible types was detected on '\(property.rawValue)'.")
        }
        guard isDate || comparison == .eq || comparison == .ne else {
            throw DeviceFilter.Failure(
                message: "The operator '\(comparison.rawValue)' is not supported on '\(property.rawValue)'.")
        }
    }

    private func property(_ name: String) throws(DeviceFilter.Failure) -> DeviceProperty {
        guard let property = DeviceProperty(rawValue: name) else {
            throw DeviceFilter.Failure(
                message: "Could not find a property named '\(name)' on type 'microsoft.graph.managedDevice'.")
        }
        guard DeviceFilter.properties.contains(property) else {
            throw DeviceFilter.Failure(message: "Filtering on the property '\(name)' is not supported.")
        }
        return property
    }

    private mutating func skip(_ word: String) -> Bool {
        guard case .word(word) = tokens.first else { return false }
        tokens.removeFirst()
        return true
    }

    private mutating func expect(_ token: FilterToken) throws(DeviceFilter.Failure) {
        guard tokens.popFirst() == token else { throw .syntax }
    }
}
