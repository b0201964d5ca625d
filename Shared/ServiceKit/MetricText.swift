/// The spelling of Prometheus' text format 0.0.4.
enum MetricText {
    static func isName(_ text: String, colons: Bool) -> Bool {
        guard let first = text.utf8.first, !(48...57).contains(first) else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case 48...57, 65...90, 97...122, 95: true
            case 58: colons
            default: false
            }
        }
    }

    static func help(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
    }

    /// `name{label="value",…} number`
    static func sample(
        _ name: String, _ labels: [String], _ values: [String], _ number: String
    ) -> String {
        guard !labels.isEmpty else { return "\(name) \(number)" }
        let pairs = zip(labels, values).map { "\($0)=\"\(help($1).replacing("\"", with: "\\\""))\"" }
        return "\(name){\(pairs.joined(separator: ","))} \(number)"
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return Int64(exactly: value).map(String.init) ?? "\(value)"
    }
}
