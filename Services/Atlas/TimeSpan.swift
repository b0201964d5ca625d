import ArgumentParser

/// A length of time as an argument: a whole number and its unit, for instance `30s`, `5m`, `2h` or `1d`.
struct TimeSpan: ExpressibleByArgument, Sendable, Equatable {
    let seconds: Int

    init(seconds: Int) { self.seconds = seconds }

    /// Nil for anything else, and for more than a year.
    init?(argument: String) {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        guard let unit = argument.last.flatMap({ units[$0] }), argument.first?.isNumber == true,
            let count = Int(argument.dropLast()), (1...365 * 86_400 / unit).contains(count)
        else { return nil }
        seconds = count * unit
    }

    var defaultValueDescription: String { seconds % 60 == 0 ? "\(seconds / 60)m" : "\(seconds)s" }
}
