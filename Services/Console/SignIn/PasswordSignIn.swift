import Crypto
import Dispatch
import Operations
import ServiceKit
import Store

/// Signing in with a login and a password.
struct PasswordSignIn: Sendable {
    /// What came of an attempt.
    enum Result: Sendable, Equatable {
        case person(UserID)
        /// The login or the password is wrong; which one is not told.
        case refused
        /// Too many attempts; the next one in so many seconds.
        case tooMany(seconds: Int)
    }

    /// Attempts in ``SignInAttempts/windowSeconds``: for one login from one place, for one place, and for one login. The
    /// last one is high: whoever wants to keep somebody out needs many places.
    private static let pairLimit = 5
    private static let placeLimit = 50
    private static let loginLimit = 100
    /// Looking at a password costs 64 MiB and a quarter of a second: one at a time, beside the requests' own threads.
    private static let queue = DispatchQueue(label: "passwords")
    /// What a login that does not exist is compared with: so it takes as long as one that does.
    private static let nobody = try? PasswordHash(of: Hex.random(16))

    let accounts: LocalAccounts
    let attempts: SignInAttempts

    /// `place` is the address that the attempt comes from.
    func attempt(login: String, password: String, from place: String) async throws -> Result {
        let login = login.lowercased()
        guard login.count <= LocalAccounts.loginLimit, password.count <= PasswordHash.lengths.upperBound
        else {
            return .refused
        }
        let pair = Self.subject("pair", login, place)
        let wait = try await attempts.count([
            .init(subject: pair, most: Self.pairLimit),
            .init(subject: Self.subject("place", place), most: Self.placeLimit),
            .init(subject: Self.subject("login", login), most: Self.loginLimit),
        ])
        if let wait { return .tooMany(seconds: wait) }
        let account = try await accounts.account(login: login)
        let stored = account.flatMap { PasswordHash(stored: $0.password) }
        let isRight = try await Self.matches(stored ?? Self.nobody, password)
        guard let account, stored != nil, isRight else { return .refused }
        try await attempts.forget(pair)
        return .person(account.user)
    }

    private static func matches(_ hash: PasswordHash?, _ password: String) async throws -> Bool {
        try await withCheckedThrowingContinuation { continuation in
            queue.async {
                continuation.resume(with: Swift.Result { try hash?.matches(password) ?? false })
            }
        }
    }

    private static func subject(_ parts: String...) -> [UInt8] {
        Array(SHA256.hash(data: Array(parts.joined(separator: "\u{1}").utf8)))
    }
}
