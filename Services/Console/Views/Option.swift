/// One of several things to choose from in a form.
struct Option: Sendable {
    let value: String
    let label: String
    let isChosen: Bool
}
