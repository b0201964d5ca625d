import JSON
import Operations

/// What a change would stop, as a person sees it.
struct OutlookView {
    private let outlook: JSON

    init(_ outlook: JSON) { self.outlook = outlook }

    func lines(_ style: Style) -> [String] {
        let runs = outlook["runs"]?.array ?? []
        let schedules = outlook["schedules"]?.array ?? []
        let (runCount, scheduleCount) = (count("run_count"), count("schedule_count"))
        guard runCount + scheduleCount > 0 else {
            return ["It would stop nothing that is queued, executes or is scheduled. Nothing was changed."]
        }
        var lines = [
            style.bold(
                "It would stop \(Self.number(runCount, "run")) and \(Self.number(scheduleCount, "schedule"))."
            )
                + " Nothing was changed."
        ]
        if !runs.isEmpty {
            let rows = runs.map { run in
                [
                    text(run, "label"), text(run, "tenant"),
                    Cell(run["initiator"]?.string ?? "the system"), text(run, "state"),
                    run["ends"]?.bool == true ? Cell("ends", .refused) : Cell("waits", .waiting),
                    Cell(run["reason"]?["sentence"]?.string ?? ""), text(run, "run_id"),
                ]
            }
            lines += [""]
            lines += Table.lines(
                ["OPERATION", "TENANT", "STARTED BY", "NOW", "THEN", "WHY", "RUN"], rows, style)
        }
        if !schedules.isEmpty {
            let rows = schedules.map { schedule in
                [
                    text(schedule, "label"), text(schedule, "tenant"),
                    Cell(schedule["person"]?.string ?? "the system"),
                    Cell(schedule["reason"]?["sentence"]?.string ?? ""), text(schedule, "schedule_id"),
                ]
            }
            lines += [""]
            lines += Table.lines(["OPERATION", "TENANT", "RUNS AS", "WHY", "SCHEDULE"], rows, style)
        }
        if runs.count < runCount || schedules.count < scheduleCount || outlook["whole"]?.bool == false {
            lines.append(style.faint("There are more than are shown."))
        }
        return lines
    }

    private func count(_ name: String) -> Int { outlook[name]?.integer ?? 0 }

    private func text(_ entry: JSON, _ name: String) -> Cell { Cell(entry[name]?.string ?? "") }

    private static func number(_ count: Int, _ noun: String) -> String {
        "\(Presentation.grouped(count)) \(noun)\(count == 1 ? "" : "s")"
    }
}
