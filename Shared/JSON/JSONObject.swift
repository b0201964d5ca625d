/// The members of a JSON object, in their order. Look-ups are linear: documents have tens of members.
///
/// Names are told apart by their bytes (RFC 8259, section 8.3), so a document may have two that Swift's
/// strings take for equal because they differ in Unicode normal form only.
package struct JSONObject: Sendable, Hashable {
    /// The members in their order. No key stands twice.
    package private(set) var members: [(key: String, value: JSON)] = []

    /// An object without members.
    package init() {}

    /// An object of these members. A key that stands twice is a programming error and traps.
    package init(_ members: [(String, JSON)]) {
        self.members = members.map { (key: $0.0, value: $0.1) }
        precondition(Self.keysDiffer(self.members), "an object's key stands twice")
    }

    /// For literals: whoever writes one sees its keys, so only a debug build looks at them.
    init(literal members: [(String, JSON)]) {
        self.members = members.map { (key: $0.0, value: $0.1) }
        assert(Self.keysDiffer(self.members), "a literal's key stands twice")
    }

    /// For the parser, which has looked for duplicates itself.
    init(unchecked members: [(key: String, value: JSON)]) { self.members = members }

    /// Whether there is no member.
    package var isEmpty: Bool { members.isEmpty }

    /// The keys in their order.
    package var keys: [String] { members.map(\.key) }

    /// The member called `key`. Setting keeps a present member's place and appends a new one;
    /// setting nil removes it.
    package subscript(key: String) -> JSON? {
        get { members.first { Self.isSame($0.key, key) }?.value }
        set {
            let index = members.firstIndex { Self.isSame($0.key, key) }
            switch (index, newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append((key, value))
            case (nil, nil): break
            }
        }
    }

    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.members.count == right.members.count
            && zip(left.members, right.members).allSatisfy { isSame($0.key, $1.key) && $0.value == $1.value }
    }

    package func hash(into hasher: inout Hasher) {
        for (key, value) in members {
            hasher.combine(key)
            hasher.combine(value)
        }
    }

    /// Strings' own comparison first: it is the quicker one, and mostly tells them apart.
    private static func isSame(_ key: String, _ other: String) -> Bool {
        key == other && key.utf8.elementsEqual(other.utf8)
    }

    /// Whether no key stands twice. Comparing pairwise is quicker than a set while there are few.
    static func keysDiffer(_ members: [(key: String, value: JSON)]) -> Bool {
        if members.count > 12 {
            return Set(members.map(\.key)).count == members.count
                || Set(members.map { Array($0.key.utf8) }).count == members.count
        }
        for (index, member) in members.enumerated() {
            for other in members[..<index] where isSame(other.key, member.key) { return false }
        }
        return true
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, JSON)...) { self.init(literal: elements) }
}
