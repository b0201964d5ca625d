import FoundationEssentials
import HTTPTypes
import Operations
import Store
import Testing

@testable import Starter

/// The small forms that come from outside.
struct ValueTests {
    @Test func cursorsComeBackUnchangedAndNothingElseIsRead() throws {
        for list in [Cursor.List.runs, .tenants, .connections, .notifications] {
            let cursor = Cursor(list, after: UUID())
            #expect(Cursor(cursor.text) == cursor)
            #expect(Cursor(cursor.text + "A") == nil)
            #expect(Cursor(String(cursor.text.dropLast())) == nil)
        }
        for key in ["device: äöü", String(repeating: "x", count: 16), String(repeating: "ü", count: 512)] {
            let cursor = Cursor(afterItem: key)
            #expect(Cursor(cursor.text)?.key == key)
            #expect(Cursor(cursor.text)?.id == nil)
        }
        let place = DirectoryReading.Position(
            name: String(repeating: "ü", count: 128), group: "g\"1", connection: ConnectionID(UUID()))
        #expect(Cursor(Cursor(afterGroup: place).text)?.group == place)
        let text = Cursor(.runs, after: UUID()).text
        #expect(Cursor("Ag" + text.dropFirst(2)) == nil)
        #expect(Cursor(String(text.prefix(23)) + "!") == nil)
        #expect(Cursor("") == nil)
    }

    @Test func pathsLeadToRoutes() throws {
        let id = UUID()
        let text = id.uuidString.lowercased()
        #expect(try Route(.post, path: "/v1/runs") == .startRun)
        #expect(try Route(.get, path: "/v1/runs/\(text)") == .run(RunID(id)))
        #expect(try Route(.put, path: "/v1/tenants/\(text)/write-gate") == .writeGate(TenantID(id)))
        #expect(try Route(.post, path: "/v1/freezes/lift") == .liftFreeze)
        #expect(try Route(.post, path: "/v1/runs/\(text)/retry") == .retry(RunID(id)))
        #expect(try Route(.delete, path: "/v1/schedules/\(text)") == .removeSchedule(ScheduleID(id)))
        #expect(try Route(.post, path: "/v1/schedules/\(text)/resume") == .resumeSchedule(ScheduleID(id)))
        for path in [
            "", "/", "/v1", "/v1/", "/v2/runs", "v1/runs", "/v1/runs/", "/v1/runs/\(text)/", "/v1/runs/x",
            "/v1/runs/\(text)/cancel/x", "/v1/access", "/v1/access/x", "/v1/schedules/x",
            "/v1/schedules/\(text)/retry", "/v1/tenants/\(text)",
        ] {
            let problem = #expect(throws: Problem.self, "\(path)") { try Route(.get, path: path) }
            #expect(problem?.status == .notFound, "\(path)")
        }
    }
}
