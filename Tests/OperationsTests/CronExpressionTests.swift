import Foundation
import Testing

@testable import Operations

@Suite("Cron expressions")
struct CronExpressionTests {
    @Test(
        "what a field may hold is read",
        arguments: [
            ("0", [0]), ("59", [59]), ("1,2,3", [1, 2, 3]), ("5-8", [5, 6, 7, 8]), ("*/20", [0, 20, 40]),
            ("10-40/15", [10, 25, 40]), ("7-7", [7]), ("1,10-12,*/30", [0, 1, 10, 11, 12, 30]),
        ])
    func minutes(_ text: String, _ numbers: [Int]) throws {
        let expression = try CronExpression("\(text) * * * *")
        #expect((0..<64).filter { expression.minutes.has($0) } == numbers)
    }

    @Test("names, Sunday's two numbers, blanks and letter case")
    func names() throws {
        let named = try CronExpression("  0\t0 1  JAN,dec  Mon-Fri ")
        #expect(named.text == "0 0 1 jan,dec mon-fri")
        #expect((0..<64).filter { named.months.has($0) } == [1, 12])
        #expect((0..<64).filter { named.weekdays.has($0) } == [1, 2, 3, 4, 5])
        #expect(try CronExpression("0 0 * * 7").weekdays == CronExpression("0 0 * * sun").weekdays)
        #expect(try CronExpression("0 0 * * 5-7").weekdays == 0b1100001)
        #expect(try CronExpression("0 0 * * *").weekdays == 0x7F)
        #expect(try CronExpression("@daily").minutes == 1)
        #expect(try CronExpression("@Weekly").weekdays == 1)
    }

    @Test("every number of every field is accepted, and the ones next to its range are not")
    func ranges() throws {
        for (index, field) in CronField.allCases.enumerated() {
            for number in 0...70 {
                var fields = ["*", "*", "*", "*", "*"]
                fields[index] = "\(number)"
                let text = fields.joined(separator: " ")
                if field.range.contains(number) {
                    _ = try CronExpression(text)
                } else {
                    #expect(throws: CronError.field(field, "\(number)")) { try CronExpression(text) }
                }
            }
        }
    }

    @Test(
        "what can't be read is refused with its field",
        arguments: [
            ("x * * * *", CronError.field(.minute, "x")), ("* 24 * * *", .field(.hour, "24")),
            ("* * 0 * *", .field(.day, "0")), ("* * * 13 *", .field(.month, "13")),
            ("* * * * 8", .field(.weekday, "8")), ("5/10 * * * *", .field(.minute, "5/10")),
            ("*/0 * * * *", .field(.minute, "*/0")), ("*/60 * * * *", .field(.minute, "*/60")),
            ("8-5 * * * *", .field(.minute, "8-5")), ("1-2-3 * * * *", .field(.minute, "1-2-3")),
            (",1 * * * *", .field(.minute, ",1")), ("1, * * * *", .field(.minute, "1,")),
            ("+1 * * * *", .field(.minute, "+1")), ("001 * * * *", .field(.minute, "001")),
            ("-1 * * * *", .field(.minute, "-1")), ("1/2/3 * * * *", .field(.minute, "1/2/3")),
            ("jan * * * *", .field(.minute, "jan")), ("* * * mon *", .field(.month, "mon")),
            ("* * * * fri-mon", .field(.weekday, "fri-mon")), ("* * ? * *", .field(.day, "?")),
            ("* * L * *", .field(.day, "l")), ("", .fieldCount(0)), ("* * * *", .fieldCount(4)),
            ("0 * * * * *", .fieldCount(6)), ("@never", .nameUnknown("@never")),
            (String(repeating: "1", count: 201), .tooLong),
        ])
    func refused(_ text: String, _ error: CronError) {
        #expect(throws: error) { try CronExpression(text) }
        if case .field(let field, _) = error {
            #expect(error.description.contains(field.rawValue))
            #expect(error.description.contains("from \(field.range.lowerBound) to \(field.range.upperBound)"))
        }
    }

    @Test(
        "what never fires is refused",
        arguments: [
            ("0 0 30 2 *", false), ("0 0 31 4,6,9,11 *", false), ("0 0 31 2 */2", false),
            ("0 0 29 2 *", true), ("0 0 31 4,5 *", true), ("0 0 30 2 mon", true), ("0 0 */2 2 mon", true),
            ("0 0 31 */2 *", true),
        ])
    func never(_ text: String, _ fires: Bool) throws {
        if fires {
            let cadence = Cadence(try CronExpression(text), in: ScheduleZone("UTC")!)
            #expect(cadence.next(after: Date(timeIntervalSince1970: 1_800_000_000)) > .distantPast)
        } else {
            #expect(throws: CronError.neverFires) { try CronExpression(text) }
        }
    }
}
