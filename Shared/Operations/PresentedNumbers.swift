extension Presentation {
    /// A number with its thousands apart.
    package static func grouped(_ number: Int) -> String {
        let digits = Array("\(number.magnitude)")
        let groups = stride(from: digits.count, to: 0, by: -3).map { end in
            String(digits[max(0, end - 3)..<end])
        }
        return (number < 0 ? "-" : "") + groups.reversed().joined(separator: ",")
    }

    /// A length of time in seconds, for instance «12 s», «3 min 4 s», «2 h 5 min».
    package static func length(_ seconds: Double) -> String {
        let whole = Int(max(0, seconds).rounded())
        let tenths = Int((max(0, seconds) * 10).rounded())
        if tenths < 100, tenths % 10 != 0 { return "\(tenths / 10).\(tenths % 10) s" }
        if whole < 60 { return "\(whole) s" }
        if whole < 3_600 {
            return whole % 60 == 0 ? "\(whole / 60) min" : "\(whole / 60) min \(whole % 60) s"
        }
        let minutes = whole % 3_600 / 60
        return minutes == 0 ? "\(whole / 3_600) h" : "\(whole / 3_600) h \(minutes) min"
    }

    /// How far a run is and how long it will take, for instance «4,000 of 20,000 (20 %), about 48 s left». `elapsed`: how
    /// many seconds it has been running; nil when it is not.
    package static func progress(_ done: Int, of total: Int?, elapsed: Double?) -> String {
        guard let total, total > 0 else { return "\(grouped(done)) done" }
        let text = "\(grouped(done)) of \(grouped(total)) (\(done * 100 / total) %)"
        // A guess from less than two seconds jumps about.
        guard let elapsed, elapsed > 2, done > 0, done < total else { return text }
        return text + ", about \(length(elapsed / Double(done) * Double(total - done))) left"
    }

    /// When a decision was made, for instance «when attempt 2 was to begin».
    package static func moment(_ phase: LegitimacyDecision.Phase?, attempt: Int) -> String {
        switch phase {
        case .start?: "when it was started"
        case .begin?: "when attempt \(attempt) was to begin"
        case .chunk?: "when a part of it was to begin"
        case .call?: "before a call to Microsoft, in attempt \(attempt)"
        case nil: "in attempt \(attempt)"
        }
    }
}
