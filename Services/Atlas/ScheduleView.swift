import FoundationEssentials
import JSON
import Operations

/// A schedule from the API, as a person sees it.
struct ScheduleView {
    private let schedule: JSON

    init(_ schedule: JSON) { self.schedule = schedule }

    /// The columns of a list.
    static let header = ["OPERATION", "TENANT", "WHEN", "NEXT", "LAST", "RUNS AS", "NOW", "ID"]

    func row(_ style: Style) -> [Cell] {
        [
            Cell(label), Cell(tenant), Cell(cadence), next(style), last, Cell(authority), eligible, Cell(id),
        ]
    }

    /// Everything about it.
    func lines(_ style: Style) -> [String] {
        var pairs: [(String, Cell)] = [
            ("schedule", Cell(id)), ("operation", Cell(label)), ("tenant", Cell(tenant)),
            ("connection", Cell(schedule["provider_connection"]?["display_name"]?.string ?? "")),
            ("when", Cell(cadence)), ("cron", Cell("\(cron) in \(zone)")), ("next", next(style)),
        ]
        if let parameters = schedule["parameters"], !parameters.isNull {
            pairs.append(("parameters", Cell(parameters.text)))
        }
        if let obstacle = schedule["waits_for"]?.string {
            pairs.append(("waits", Cell(Self.waiting(obstacle), .waiting)))
        }
        pairs.append(("last", last))
        if let run = schedule["last_run"]?["run_id"]?.string {
            let queued = schedule["last_run"]?["queued_at"].flatMap(Timestamp.init(json:))?.date
            pairs.append(("last run", Cell("\(run), \(queued.map(style.times.text) ?? "")")))
            if let reason = schedule["last_run"]?["reason"]?["sentence"]?.string {
                pairs.append(("because", Cell(reason)))
            }
        }
        pairs += [("runs as", Cell(authority)), ("now", eligible)]
        if let remedy = schedule["obstacle"]?["remedy"]?.string { pairs.append(("remedy", Cell(remedy))) }
        pairs.append(("made by", Cell(schedule["created_by"]?["name"]?.string ?? "")))
        return Table.pairs(pairs, style)
    }

    private var id: String { schedule["schedule_id"]?.string ?? "" }
    private var label: String { schedule["label"]?.string ?? schedule["operation"]?.string ?? "" }
    private var tenant: String { schedule["tenant"]?["name"]?.string ?? "" }
    private var cron: String { schedule["cron"]?.string ?? "" }
    private var zone: String { schedule["time_zone"]?.string ?? "" }
    private var cadence: String { schedule["words"]?.string ?? "\(cron) (\(zone))" }
    private var authority: String { schedule["person"]?["name"]?.string ?? "the system" }

    private func next(_ style: Style) -> Cell {
        guard schedule["enabled"]?.bool == true else { return Cell("paused", .refused) }
        let date = schedule["next_due_at"].flatMap(Timestamp.init(json:))?.date
        return Cell(date.map(style.times.text) ?? "")
    }

    private var last: Cell {
        guard let badge = schedule["last_run"]?["badge"] else { return Cell("never") }
        return Cell(badge: badge)
    }

    /// What would come of it if it were due now.
    private var eligible: Cell {
        if schedule["eligible_now"]?.bool == true { return Cell("allowed", .good) }
        return Cell(schedule["obstacle"]?["sentence"]?.string ?? "refused", .refused)
    }

    private static func waiting(_ word: String) -> String {
        FiringAnswer.Obstacle(rawValue: word)?.words ?? word.replacing("_", with: " ")
    }
}
