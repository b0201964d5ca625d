import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import Operations
import ServiceKit
import Store

/// A request whose visitor is known.
struct Visit: Sendable {
    /// The most bytes of a form.
    static let formLimit = 256 * 1024

    let principal: Principal
    /// The session's secret: what the Starter is asked with.
    let secret: String
    let seal: SessionSeal
    let request: Request
    let now: Date
    /// The parameters of the address.
    let query: FormBody

    init(_ principal: Principal, secret: String, _ request: Request, now: Date) {
        self.principal = principal
        self.secret = secret
        self.request = request
        self.now = now
        seal = SessionSeal(secret)
        query = FormBody(request.uri.query ?? "")
    }

    /// The visitor as of now; nil for somebody who was signed out or disabled meanwhile. To look at a page is no sign that
    /// somebody sits there: it does not prolong the session.
    func standing(_ principals: Principals) async throws -> Visit? {
        guard let token = BearerToken(secret),
            let principal = try await principals.standing(hash: token.hash)
        else { return nil }
        return Visit(principal, secret: secret, request, now: Date())
    }

    /// Path and query, to come back to.
    var address: String { request.uri.string }

    /// The form that was sent. Throws ``Fault/badForm`` unless a page of this session made it.
    func form() async throws -> FormBody {
        let form = try await Self.form(request)
        guard seal.accepts(formToken: form["csrf"] ?? "") else { throw Fault.badForm }
        return form
    }

    /// The form of any request, whoever made it.
    static func form(_ request: Request) async throws -> FormBody {
        let type = request.headers[.contentType] ?? ""
        let boundary = MultipartBody.boundary(type)
        guard boundary != nil || type.lowercased().hasPrefix("application/x-www-form-urlencoded") else {
            throw Fault.badForm
        }
        let buffer: ByteBuffer
        do {
            buffer = try await request.body.collect(upTo: formLimit)
        } catch is NIOTooManyBytesError {
            throw Fault.tooLarge
        }
        guard let boundary else {
            return FormBody(String(decoding: buffer.readableBytesView, as: UTF8.self))
        }
        guard let pairs = MultipartBody.pairs(Array(buffer.readableBytesView), boundary: boundary) else {
            throw Fault.badForm
        }
        return FormBody(pairs: pairs)
    }
}
