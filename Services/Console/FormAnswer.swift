/// What comes of a form.
enum FormAnswer: Sendable {
    /// Something was done, or refused: told on the next page.
    case done(Outcome)
    /// A page at once: what is asked before, or what is shown once.
    case page(SitePage)
    /// The form again, with what is wrong with it.
    case again(SitePage)
}
