import CCurl
import EventLoop

/// Parks in curl's own wait, which knows every socket and timer of the transfers.
///
/// It owns the multi handle, because waking is allowed from any thread at any time: the handle must live
/// as long as anybody can wake.
final class CurlParking: Parking {
    /// Used on the loop's thread only, except by `curl_multi_wakeup`, which is meant for other threads.
    nonisolated(unsafe) let multi: UnsafeMutableRawPointer

    init() {
        CurlLibrary.start()
        guard let multi = curl_multi_init() else { preconditionFailure("no memory for libcurl") }
        self.multi = multi
    }

    deinit { curl_multi_cleanup(multi) }

    func park(milliseconds: Int32) {
        curl_multi_poll(multi, nil, 0, milliseconds, nil)
    }

    func wake() {
        curl_multi_wakeup(multi)
    }
}
