import Curl
import FoundationEssentials
import JSON
import Operations
import Sealing
import ServiceKit
import Store
import Testing

@testable import Atlas
@testable import Postgres

/// Every error says what happened, why, and what to do next; its code tells a script the same.
@Suite struct FailureTests {
    private static let plain = Style(hasColours: false, times: Times(now: Date(), isExact: false))

    @Test(arguments: [
        (PostgresError.Kind.connection, Failure.Code.unreachable, "could not be reached"),
        (.deadline, .unreachable, "could not be reached"),
        (.poolExhausted, .unreachable, "could not be reached"),
        (.closed, .unreachable, "could not be reached"), (.commitUnknown, .unreachable, "not known whether"),
        (.configuration, .usage, "does not fit"), (.decoding, .refused, "does not know"),
        (.parameter, .refused, "does not know"), (.server("42P01"), .refused, "lacks something"),
        (.server("42501"), .refused, "does not allow"), (.server("23505"), .refused, "already"),
        (.server("XX000"), .refused, "refused"),
    ])
    func ofTheDatabase(kind: PostgresError.Kind, code: Failure.Code, what: String) {
        let failure = Failure(PostgresError(kind, "the server's line"))
        #expect(failure.code == code)
        #expect(failure.what.contains(what))
        #expect(failure.why.contains("the server's line"))
    }

    @Test func aDatabaseThatWasNotMigratedSaysWhatToRun() {
        #expect(Failure(PostgresError(.server("42P01"), "x")).next?.contains("atlas migrate") == true)
    }

    @Test(arguments: [
        (TransferError.Kind.connect, false, Failure.Code.unreachable, "Could not start it."),
        (.resolve, false, .unreachable, "Could not start it."),
        (.tls, false, .unreachable, "Could not start it."),
        (.timeout, true, .unreachable, "It is not known whether this was done: start it."),
        (.reset(sent: true), true, .unreachable, "It is not known whether this was done: start it."),
        (.invalidRequest, false, .usage, "Could not start it."),
    ])
    func ofTheWire(kind: TransferError.Kind, sent: Bool, code: Failure.Code, what: String) {
        let failure = Failure(
            TransferError(kind: kind, message: "line", requestMayHaveBeenSent: sent), doing: "start it",
            place: "STARTER_URL")
        #expect(failure.code == code)
        #expect(failure.what == what)
        #expect(failure.next?.contains(sent ? "Do it again" : "STARTER_URL") == true)
    }

    @Test(arguments: [
        (400, Failure.Code.refused), (401, .refused), (403, .refused), (404, .refused), (409, .refused),
        (413, .refused), (422, .refused), (429, .refused), (500, .refused), (502, .unreachable),
        (503, .unreachable), (504, .unreachable),
    ])
    func ofTheAPI(status: Int, code: Failure.Code) {
        let failure = Failure(problem: ["detail": "Because."], status: status, doing: "do it")
        #expect(failure.code == code)
        #expect(failure.what == "Could not do it.")
        #expect(failure.why == "Because.")
        #expect(failure.json["error"]?["problem"]?["detail"] == "Because.")
    }

    @Test func aRefusalIsToldInTheVocabularysWords() {
        for reason in DenialReason.allCases {
            let problem: JSON = ["detail": "x", "reason_code": .string(reason.rawValue)]
            let failure = Failure(problem: problem, status: 409, doing: "start it")
            #expect(failure.why == Presentation.sentence(.denial(reason)))
            #expect(failure.next == Presentation.remedy(.denial(reason), isOver: true))
        }
    }

    @Test func busyNamesTheRun() {
        let failure = Failure(
            problem: ["detail": "Under way.", "reason_code": "busy", "active_run": ["run_id": "r-7"]],
            status: 409,
            doing: "start it")
        #expect(failure.next == "See it with «atlas runs show r-7».")
    }

    @Test func whatWasWrongIsListed() {
        let failure = Failure(
            problem: [
                "detail": "Not valid.", "errors": [["pointer": "/operation", "detail": "is unknown"]],
            ],
            status: 422, doing: "start it")
        #expect(
            failure.lines(Self.plain) == [
                "atlas: Could not start it.", "  Not valid.", "  operation is unknown",
            ])
    }

    @Test func aMissingTokenSaysHowToGetOne() {
        let failure = Failure(problem: [:], status: 401, doing: "list runs")
        #expect(failure.next?.contains("atlas tokens issue") == true)
        #expect(failure.why == "The answer was 401.")
    }

    @Test func settingsAreComplainedAboutAllAtOnce() {
        let settings = Settings(environment: ["STARTER_URL": "ftp://x"])
        #expect {
            try settings.starter()
        } throws: { error in
            let failure = Failure(error)
            return failure.code == .usage && failure.why.contains("STARTER_URL")
                && failure.why.contains("ATLAS_TOKEN")
        }
        #expect(Failure(SealingError.notAPublicKey).code == .usage)
        #expect(Failure(StoreError.notFound("tenant")).why == "There is no such tenant.")
    }

    @Test func theSandboxNeedsItsToken() throws {
        let settings = Settings(environment: [
            "GRAPH_SANDBOX_URL": "http://127.0.0.1:1", "SANDBOX_CONTROL_TOKEN": "",
        ])
        #expect(throws: Failure.self) { try settings.sandbox(url: nil, token: nil) }
        let given = try settings.sandbox(url: "http://127.0.0.1:2", token: "given")
        #expect(given?.url == "http://127.0.0.1:2")
        #expect(given?.token.reveal() == "given")
        #expect(try Settings(environment: [:]).sandbox(url: nil, token: nil) == nil)
    }

    // MARK: names

    private static let tenants = [("Contoso", 1), ("Fabrikam", 2), ("fabrikam", 3)].map { name, number in
        Named<Subject.Tenant>(id: TenantID("00000000-0000-0000-0000-00000000000\(number)")!, name: name)
    }

    @Test func namesAreFoundInAnyLetterCase() throws {
        #expect(try Naming.pick("cONTOSO", from: Self.tenants, kind: "tenant").name == "Contoso")
    }

    @Test func anUnknownNameListsTheKnownOnes() {
        #expect {
            try Naming.pick("Litware", from: Self.tenants, kind: "tenant")
        } throws: { error in
            let failure = error as? Failure
            return failure?.why == "You may see: Contoso, Fabrikam, fabrikam." && failure?.code == .refused
        }
        #expect {
            try Naming.pick("x", from: [Named<Subject.Tenant>](), kind: "tenant")
        } throws: {
            ($0 as? Failure)?.why == "You may see none."
        }
    }

    @Test func aNameThatIsNotUniqueListsTheIds() {
        #expect {
            try Naming.pick("Fabrikam", from: Self.tenants, kind: "tenant")
        } throws: { error in
            let why = (error as? Failure)?.why ?? ""
            return why.contains("000000000002") && why.contains("000000000003")
                && !why.contains("000000000001")
        }
    }
}
