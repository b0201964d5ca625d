import JSON

/// The `$` options of a query, checked. Options without the dollar sign aren't Graph's and are ignored.
struct QueryOptions: Sendable, Hashable {
    /// The largest page that is served, in entries. Larger wishes are cut down to it.
    static let largestPage = 1_000

    /// Property names, in the client's order.
    private(set) var select: [String]?
    /// The wished page size.
    private(set) var top: Int?
    private(set) var filter: String?
    private(set) var expand: [Expansion] = []
    private(set) var skipToken: String?
    /// Whether there is a `$skip`, which Intune's device list answers with an empty page.
    private(set) var skips = false

    /// The message of the 400 answer.
    struct Failure: Error, Hashable {
        let message: String
    }

    /// - Parameter expandable: what `$expand` may name, and what inside it; without entries there is none.
    init(_ query: QueryString, expandable: [String: [String]] = [:]) throws(Failure) {
        for option in query.options where option.name.hasPrefix("$") {
            switch option.name.lowercased() {
            case "$select": select = try Self.names(option.value)
            case "$top": top = try Self.pageSize(option.value)
            case "$filter": filter = option.value
            case "$skiptoken": skipToken = option.value
            case "$skip": skips = true
            case "$count": continue
            case "$expand" where !expandable.isEmpty:
                expand = try Self.expansions(option.value, expandable)
            default:
                throw Failure(message: "The query option '\(option.name.prefix(64))' is not supported.")
            }
        }
    }

    private static func names(_ list: String) throws(Failure) -> [String] {
        let names = list.split(separator: ",").map { name in
            String(name.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
        guard !names.isEmpty, names.count <= 200 else {
            throw Failure(message: "Parsing OData Select and Expand failed: Syntax error in '$select'.")
        }
        return names
    }

    private static func expansions(
        _ text: String, _ expandable: [String: [String]]
    ) throws(Failure) -> [Expansion] {
        guard let expansions = Expansion.all(in: text) else {
            throw Failure(message: "Parsing OData Select and Expand failed: Syntax error in '$expand'.")
        }
        for expansion in expansions {
            let known = expandable[expansion.name]
            let unknown =
                known == nil ? expansion.name : expansion.nested.first { known?.contains($0) == false }
            guard let unknown else { continue }
            throw Failure(
                message: "Parsing OData Select and Expand failed: Could not find a property named"
                    + " '\(unknown.prefix(128))'.")
        }
        return expansions
    }

    private static func pageSize(_ text: String) throws(Failure) -> Int {
        guard let number = Int(text), number > 0 else {
            throw Failure(message: "Invalid value '\(text.prefix(32))' for $top query option found.")
        }
        return min(number, largestPage)
    }

    /// Refuses names in `$select` that the type doesn't have.
    func checkSelect(of type: String, knows: (String) -> Bool) throws(Failure) {
        guard let unknown = select?.first(where: { !knows($0) }) else { return }
        throw Failure(
            message: "Parsing OData Select and Expand failed: Could not find a property named"
                + " '\(unknown.prefix(128))' on type 'microsoft.graph.\(type)'.")
    }

    /// The document without what wasn't selected. `@odata.type` always stays.
    func selected(_ document: JSONObject) -> JSONObject {
        guard let select else { return document }
        var result = JSONObject()
        if let type = document["@odata.type"] { result["@odata.type"] = type }
        for name in select { result[name] = document[name] }
        return result
    }
}
