/// Everything that is wrong with a service's configuration, so that it is put right in one go.
package struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// One line each: the variable, what is wrong with it, and an example. Never its value.
    package let problems: [String]

    package init(problems: [String]) {
        self.problems = problems
    }

    package var description: String { problems.joined(separator: "\n") }
}
