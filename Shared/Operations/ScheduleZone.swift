// The one file that needs the whole of Foundation: FoundationEssentials knows no time zones but fixed distances.
internal import Foundation
package import FoundationEssentials

/// A time zone by its IANA name, for instance `Europe/Zurich` or `UTC`.
///
/// The rules are those of the ICU data that Foundation brings along: a country that changes its rules needs a newer
/// toolchain, not a newer `tzdata` package.
package struct ScheduleZone: Sendable, Hashable {
    /// The most characters of a name.
    package static let lengthLimit = 64

    /// The name as it was written.
    package let name: String
    private let zone: TimeZone

    /// Finds a zone; nil for anything that is no IANA name. Abbreviations and distances from UTC (`PST`, `GMT+3`) are
    /// none: they say nothing about daylight saving.
    package init?(_ name: String) {
        guard name.utf8.count <= Self.lengthLimit, name == "UTC" || name.contains("/"),
            let zone = TimeZone(identifier: name)
        else { return nil }
        self.name = name
        self.zone = zone
    }

    /// The names that there are, in the order of the alphabet, `UTC` first.
    package static let names: [String] =
        ["UTC"] + TimeZone.knownTimeZoneIdentifiers.filter { $0.contains("/") }.sorted()

    /// The zone's distance from UTC at a moment, in seconds to the east.
    package func offset(at date: Date) -> Int { zone.secondsFromGMT(for: date) }

    func offset(at moment: Int) -> Int {
        zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(moment)))
    }

    /// The moment at which the zone's clocks first show `local` or later, both in seconds since 1970.
    ///
    /// A local time that does not exist gives the first moment after the gap; one that exists twice gives the first.
    func moment(showing local: Int) -> Int {
        // No zone is further than 14 hours from UTC, and none changes twice within two days.
        let (before, after) = (offset(at: local - 86_400), offset(at: local + 86_400))
        let early = local - before
        if before == after || offset(at: early) == before { return early }
        let late = local - after
        if offset(at: late) == after, offset(at: late - 1) == after { return late }
        // In the gap, or exactly at its end: the change itself.
        var (first, last) = (local - 86_400, local + 86_400)
        while last - first > 1 {
            let middle = first + (last - first) / 2
            if offset(at: middle) == before { first = middle } else { last = middle }
        }
        return last
    }
}
