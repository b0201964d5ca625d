import ArgumentParser
import Operations

/// A name that somebody gives to something new.
enum NewName {
    /// Throws a validation error unless it has 1 to 200 characters that can be seen.
    static func check(_ name: String) throws {
        guard (1...200).contains(name.count), name.contains(where: { !$0.isWhitespace }) else {
            throw ValidationError("A name has 1 to 200 characters, and not spaces alone.")
        }
    }

    /// What came of it, for people.
    static func outcome(isNew: Bool, _ style: Style) -> String {
        isNew ? style.paint("made", .good) : "was there already, and stays as it is"
    }
}
