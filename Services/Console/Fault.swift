import HTTPTypes
import Operations
import Postgres
import Store

/// Why a page can't be shown or something was not done, in words for the person.
struct Fault: Error, Sendable {
    let status: HTTPResponse.Status
    let title: String
    /// What happened, and what to do about it.
    let detail: String

    /// The same for what does not exist and for what the person may not know.
    static let notFound = Fault(
        status: .notFound, title: "There is nothing here",
        detail:
            "There is nothing at this address that you may see. Check the address; a manager of the workspace can"
            + " give you access.")

    static let badForm = Fault(
        status: .forbidden, title: "This form can't be taken",
        detail:
            "It was not sent from a page of your session. Nothing was changed. Go back, reload the page, and send"
            + " it again.")

    static let tooLarge = Fault(
        status: .contentTooLarge, title: "That is too much at once",
        detail: "A form may have at most \(Visit.formLimit / 1024) KiB. Nothing was changed. Choose less.")

    static let unavailable = Fault(
        status: .serviceUnavailable, title: "The database can't be reached",
        detail:
            "Nothing can be shown now. Runs that are under way are not affected by this page. Try again in a"
            + " minute; if it stays so, tell the platform engineer.")

    static func forbidden(_ capability: Capability) -> Fault {
        Fault(
            status: .forbidden, title: "Your role does not include this",
            detail: "It takes \(capability.rawValue), which your role here does not include. A manager of the"
                + " workspace can raise it.")
    }

    private static let ofAnotherPerson = Fault(
        status: .forbidden, title: "This is another person's schedule",
        detail: ScheduleAccess.OfAnotherPerson.sentence)

    static func invalid(_ detail: String) -> Fault {
        Fault(status: .unprocessableContent, title: "This can't be done so", detail: detail)
    }

    /// The Starter did not do, or foretell, what it was asked for.
    init(refusal answer: StarterClient.Answer) {
        self.init(
            status: HTTPResponse.Status(code: answer.status), title: "This can't be done",
            detail: answer.detail)
    }

    private static func internalError(_ requestID: String) -> Fault {
        Fault(
            status: .internalServerError, title: "Something went wrong on our side",
            detail: "Tell the platform engineer the number of this request: \(requestID).")
    }

    /// What an error means for the person. Says nothing of the error itself.
    init(_ error: any Error, requestID: String) {
        switch error {
        case let fault as Fault: self = fault
        case AccessRefusal.notFound, StoreError.notFound: self = .notFound
        case AccessRefusal.lacks(let capability), AccessRefusal.outsideToken(let capability):
            self = .forbidden(capability)
        case is ScheduleAccess.OfAnotherPerson: self = .ofAnotherPerson
        case let error as PostgresError where error.isRetryable || error.kind == .closed: self = .unavailable
        default: self = .internalError(requestID)
        }
    }

    private init(status: HTTPResponse.Status, title: String, detail: String) {
        self.status = status
        self.title = title
        self.detail = detail
    }
}
