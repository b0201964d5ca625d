/// One of several ways to look at a list, as the template shows them in a row.
struct Chip: Sendable {
    let label: String
    let href: String
    let isCurrent: Bool
}
