/// Something that goes wrong on purpose.
enum FaultEffect: Sendable, Hashable {
    /// 429.
    case throttle(RetryAfter)
    /// A 5xx of the infrastructure, as JSON or as HTML.
    case outage(status: Int, html: Bool, RetryAfter)
    /// Any other error in Graph's shape.
    case error(status: Int, code: String, message: String)
    /// An error that repeats what the call showed as its secret, and a text.
    case echo(status: Int, text: String?)
    /// 401 as for an expired token.
    case unauthorized
    /// 401 with a claims challenge (continuous access evaluation).
    case claimsChallenge
    /// A real sliding window: the calls beyond `requests` in `windowSeconds` get 429; refused calls count.
    case quota(requests: Int, windowSeconds: Int)
    /// The answer is late; what the call does is done before.
    case slow(milliseconds: Int)
    /// The body comes in pieces.
    case trickle(bytes: Int, pauseMilliseconds: Int)
    /// The connection is reset before the call does anything.
    case reset
    /// The connection is reset after the call did what it does.
    case resetAfterCommit
    /// The body breaks off after this many bytes (nil: after half of it).
    case truncate(bytes: Int?)
    /// A refusal of the token endpoint.
    case tokenError(TokenRefusal)
    /// New tokens live this long.
    case shortTokens(seconds: Int)
    /// New tokens lack these permissions; `atOnce`: old tokens, too.
    case rolesRemoved([String], atOnce: Bool)
    /// Devices change between a list's pages.
    case churn(Churn)
    /// A page of a list is empty, and has a nextLink.
    case emptyPage
    /// A following page is refused with 400.
    case expiredSkipToken
    case nextLink(NextLinkForm)
    /// As `quota`, but counts writes only, and each tenant's by itself.
    case writeQuota(requests: Int, windowSeconds: Int)
    /// Lists lag behind writes.
    case listLag(ListLag)

    /// Whether the effect belongs to the token endpoint unless it says otherwise.
    var isAboutTokens: Bool {
        switch self {
        case .tokenError, .shortTokens, .rolesRemoved: true
        default: false
        }
    }

    /// Whether the effect is a state that others look up, and no single call uses it up.
    var isState: Bool {
        switch self {
        case .shortTokens, .rolesRemoved, .listLag: true
        default: false
        }
    }

    /// Whether the effect concerns only pages of lists.
    var isAboutPages: Bool {
        switch self {
        case .churn, .emptyPage, .expiredSkipToken, .nextLink: true
        default: false
        }
    }

    /// Whether it concerns only calls that change something.
    var isAboutWrites: Bool { if case .writeQuota = self { true } else { false } }

    /// Whether it concerns only lists of devices.
    var isAboutDevices: Bool { if case .churn = self { true } else { false } }

    /// Whether it concerns only pages behind the first.
    var isAboutFollowingPages: Bool {
        switch self {
        case .churn, .expiredSkipToken: true
        default: false
        }
    }
}

/// How long lists lag behind a write.
enum ListLag: Sendable, Hashable {
    case listings(Int)
    case milliseconds(Int)
}

/// The `Retry-After` header of a refusal.
enum RetryAfter: Sendable, Hashable {
    case absent
    case seconds(Int)
    /// The same, as an HTTP date.
    case date(seconds: Int)
}

/// Forms of a nextLink that a client must follow, or must not.
enum NextLinkForm: String, Sendable, CaseIterable {
    /// The host in upper case: the same origin.
    case upperCaseHost
    /// Another host: a client must refuse to send its token there.
    case foreignHost
    /// The skip token percent-encoded twice: a client that rebuilds URLs breaks it.
    case doubleEncoded
}

/// A fault that was armed, with what it applies to and how often.
struct Fault: Sendable {
    enum Endpoint: String, Sendable, CaseIterable {
        case graph, token, any
    }

    /// Given when it is armed.
    var id = 0
    let effect: FaultEffect
    let endpoint: Endpoint
    /// Only this tenant's calls; nil: all.
    let tenant: String?
    /// Only paths that begin with this, or match it when it holds a `*`; nil: all.
    let path: String?
    /// Only this method; nil: all.
    let method: String?
    /// Only calls that change something.
    var writes = false
    /// Only requests inside a batch.
    var inBatch = false
    /// So many matching calls pass first.
    var skip: Int
    /// So many calls are still hit; nil: until cleared.
    var remaining: Int?
    /// CLOCK_MONOTONIC nanoseconds at which it ends by itself; nil: never.
    let until: Int64?
    /// How many calls it hit.
    var hits = 0

    func isActive(at now: Int64) -> Bool { remaining != 0 && now < until ?? .max }

    func applies(to call: FaultTarget) -> Bool {
        (endpoint == .any || endpoint == call.endpoint)
            && (tenant == nil || tenant == call.tenant)
            && (method == nil || method == call.method)
            && (path.map { PathPattern($0).matches(call.path) } ?? true)
            && (!writes && !effect.isAboutWrites || call.isWrite) && (!inBatch || call.inBatch)
            && (!effect.isAboutDevices || call.listsDevices)
            && (!effect.isAboutPages || call.page != .none)
            && (!effect.isAboutFollowingPages || call.page == .following)
    }
}

/// What faults look at in a call.
struct FaultTarget: Sendable, Hashable {
    enum Page: Sendable {
        case none, first, following
    }

    let endpoint: Fault.Endpoint
    let tenant: String?
    let method: String
    let path: String
    var page: Page
    /// Whether the call changes something.
    var isWrite = false
    var inBatch = false
    var listsDevices = false
}

/// A path prefix, or with `*` a pattern for the whole path. Letter case doesn't matter.
struct PathPattern: Sendable {
    private let pieces: [Substring]

    init(_ text: String) {
        pieces = text.lowercased().split(separator: "*", omittingEmptySubsequences: false)
    }

    func matches(_ path: String) -> Bool {
        var rest = path.lowercased()[...]
        guard let first = pieces.first, rest.hasPrefix(first) else { return false }
        guard pieces.count > 1, let last = pieces.last else { return true }
        rest = rest.dropFirst(first.count)
        for piece in pieces.dropFirst().dropLast() where !piece.isEmpty {
            guard let range = rest.firstRange(of: piece) else { return false }
            rest = rest[range.upperBound...]
        }
        return rest.count >= last.count && rest.hasSuffix(last)
    }
}
