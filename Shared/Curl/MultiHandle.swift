import CCurl
import Glibc

/// curl's set of running transfers, driven by the sockets that have something to say.
///
/// The sockets are watched by epoll, whose own descriptor is what the transfer thread waits on. curl's
/// built-in wait looks at every transfer each time: with hundreds of slow ones that is most of the work.
/// Only the transfer thread touches a handle.
final class MultiHandle {
    /// Readable when a socket has something to say.
    let descriptor: Int32
    private let pointer: UnsafeMutableRawPointer
    /// When curl wants to be called although no socket says anything.
    private(set) var timer: ContinuousClock.Instant?
    private var ready = [curl_socket_ready](repeating: curl_socket_ready(), count: Int(CURL_SOCKETS_MOST))

    /// Traps when the process has no descriptor or memory left: nothing can be transferred without.
    init(maxConnectionsPerHost: Int) {
        CurlLibrary.start()
        descriptor = curl_sockets_new()
        guard descriptor >= 0, let pointer = curl_multi_init() else {
            preconditionFailure("no descriptor or no memory for libcurl: errno \(errno)")
        }
        self.pointer = pointer
        curl_multi_set_long(pointer, CURLMOPT_MAX_HOST_CONNECTIONS, maxConnectionsPerHost)
        curl_multi_set_long(pointer, CURLMOPT_MAX_TOTAL_CONNECTIONS, maxConnectionsPerHost * 2)
        curl_multi_set_long(pointer, CURLMOPT_MAXCONNECTS, maxConnectionsPerHost * 2)
        let context = Unmanaged.passUnretained(self).toOpaque()
        curl_multi_set_callbacks(pointer, socketChanged, timerChanged, context)
    }

    /// All transfers must have been removed.
    deinit {
        curl_multi_cleanup(pointer)
        close(descriptor)
    }

    /// Begins a transfer. `false` when curl refuses it.
    func add(_ handle: EasyHandle) -> Bool { curl_multi_add_handle(pointer, handle.pointer) == CURLM_OK }

    /// Ends a transfer, whether it is complete or not.
    func remove(_ handle: EasyHandle) { curl_multi_remove_handle(pointer, handle.pointer) }

    /// Lets curl do what can be done now. It never waits.
    func drive() {
        var running: Int32 = 0
        let count = Int(curl_sockets_ready(descriptor, &ready))
        for event in ready.prefix(count) {
            curl_multi_socket_action(pointer, event.socket, event.mask, &running)
        }
        if let timer, timer <= .now {
            self.timer = nil
            curl_multi_socket_action(pointer, CURL_SOCKET_BAD, 0, &running)
        }
    }

    /// The number of a transfer that has ended, and how; nil when there is none.
    func nextEnded() -> (id: Int, code: CURLcode)? {
        var left: Int32 = 0
        while let message = curl_multi_info_read(pointer, &left) {
            guard message.pointee.msg == CURLMSG_DONE else { continue }
            return (curl_private_number(message.pointee.easy_handle), message.pointee.data.result)
        }
        return nil
    }

    /// `milliseconds` is negative when curl wants no call.
    fileprivate func setTimer(milliseconds: Int) {
        timer = milliseconds < 0 ? nil : .now + .milliseconds(milliseconds)
    }
}

private func multiHandle(_ context: UnsafeMutableRawPointer?) -> MultiHandle {
    Unmanaged<MultiHandle>.fromOpaque(context!).takeUnretainedValue()
}

private let socketChanged: curl_socket_callback = { _, socket, what, context, _ in
    curl_sockets_watch(multiHandle(context).descriptor, socket, what)
    return 0
}

private let timerChanged: curl_multi_timer_callback = { _, milliseconds, context in
    multiHandle(context).setTimer(milliseconds: milliseconds)
    return 0
}
