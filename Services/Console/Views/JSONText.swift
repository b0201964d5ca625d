import JSON

extension JSON {
    /// The document over several lines, for people.
    var indented: String {
        var text = ""
        write(self, depth: 0, to: &text)
        return text
    }

    private func write(_ value: JSON, depth: Int, to text: inout String) {
        let space = String(repeating: "  ", count: depth + 1)
        let end = "\n" + String(repeating: "  ", count: depth)
        if let object = value.object, !object.isEmpty {
            text += "{"
            for (index, member) in object.members.enumerated() {
                text += "\(index == 0 ? "" : ",")\n\(space)\(JSON.string(member.key).text): "
                write(member.value, depth: depth + 1, to: &text)
            }
            text += "\(end)}"
        } else if let array = value.array, !array.isEmpty {
            text += "["
            for (index, element) in array.enumerated() {
                text += "\(index == 0 ? "" : ",")\n\(space)"
                write(element, depth: depth + 1, to: &text)
            }
            text += "\(end)]"
        } else {
            text += value.text
        }
    }
}
