/// The members of a JSON object, in their order. Look-ups are linear: documents have tens of members.
package struct JSONObject: Sendable, Hashable {
    /// The members in their order. No key stands twice.
    package private(set) var members: [(key: String, value: JSON)] = []

    /// An object without members.
    package init() {}

    /// An object of these members. A key that stands twice is a programming error and traps.
    package init(_ members: [(String, JSON)]) {
        self.members = members.map { (key: $0.0, value: $0.1) }
        precondition(Set(members.map(\.0)).count == members.count, "an object's key stands twice")
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
        get { members.first { $0.key == key }?.value }
        set {
            let index = members.firstIndex { $0.key == key }
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
            && zip(left.members, right.members).allSatisfy { $0.key == $1.key && $0.value == $1.value }
    }

    package func hash(into hasher: inout Hasher) {
        for (key, value) in members {
            hasher.combine(key)
            hasher.combine(value)
        }
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, JSON)...) { self.init(elements) }
}
