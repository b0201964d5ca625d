import CLibPQ
import EventLoop
import Logging
import Synchronization

/// Opening a session, without ever blocking the thread except for the name look-up inside libpq.
extension PostgresConnection {
    /// The first pause after a failed attempt and the longest, in nanoseconds; it doubles in between.
    private static let firstPause: UInt64 = 100_000_000
    private static let longestPause: UInt64 = 5_000_000_000

    func startConnecting(_ now: UInt64) {
        let settings: ConnectionSettings
        do throws(PostgresError) {
            settings = try ConnectionSettings(configuration, first: firstServer)
        } catch {
            return connectFailed(error)
        }
        handle = settings.withPointers { PQconnectStartParams($0, $1, 1) }
        guard let handle, PQstatus(handle) != CONNECTION_BAD else {
            return connectFailed(PostgresError(.connection, libraryMessage))
        }
        notices.attach(to: handle)
        state = .connecting
        serverCount = settings.serverCount
        connectDeadline = now + configuration.connectTimeout.nanoseconds
        watchWhileConnecting(wantsWrite: true)
    }

    func continueConnecting(_ now: UInt64) {
        let ready = parking.ready
        if connectWantsWrite ? ready.writable : ready.readable {
            switch PQconnectPoll(handle) {
            case PGRES_POLLING_OK: connected()
            case PGRES_POLLING_READING: watchWhileConnecting(wantsWrite: false)
            case PGRES_POLLING_WRITING: watchWhileConnecting(wantsWrite: true)
            default: connectFailed(PostgresError(.connection, libraryMessage))
            }
        }
        if state == .connecting, now >= connectDeadline { gotNoAnswer(now) }
    }

    /// Begins anew with the next server, if there is one that has not been waited for.
    private func gotNoAnswer(_ now: UInt64) {
        silentServers += 1
        guard silentServers < serverCount else {
            return connectFailed(
                PostgresError(.connection, "not connected within \(configuration.connectTimeout)"))
        }
        disconnect()
        firstServer += 1
        startConnecting(now)
    }

    /// libpq's last message about this connection, on one line. It names host and user, never a password.
    var libraryMessage: String {
        guard let handle else { return "out of memory" }
        return oneLine(String(cString: PQerrorMessage(handle)))
    }

    private func watchWhileConnecting(wantsWrite: Bool) {
        connectWantsWrite = wantsWrite
        parking.watch(PQsocket(handle), wantsWrite: wantsWrite)
    }

    private func connected() {
        guard PQsetnonblocking(handle, 1) == 0, PQenterPipelineMode(handle) == 1 else {
            return connectFailed(PostgresError(.connection, libraryMessage))
        }
        state = .ready
        connectFailures = 0
        silentServers = 0
        retryAt.store(0, ordering: .relaxed)
        parking.watch(PQsocket(handle))
    }

    private func connectFailed(_ error: PostgresError) {
        disconnect()
        let doubled = Self.firstPause << UInt64(min(connectFailures, 16))
        let pause = min(doubled, Self.longestPause)
        // Up to half of it less: many programs that lost the same server don't come back at once.
        let jittered = pause - UInt64.random(in: 0...pause / 2)
        connectFailures += 1
        firstServer += 1
        silentServers = 0
        retryAt.store(Clock.now() + jittered, ordering: .relaxed)
        logger.warning("no connection to the database", metadata: ["reason": "\(error.message)"])
        failPending(error)
    }
}
