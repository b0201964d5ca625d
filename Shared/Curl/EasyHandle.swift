import CCurl
import Glibc

/// One curl transfer handle with what its callbacks see and collect. It is used for one transfer after the
/// other, which saves its buffers and its set-up. Only the transfer thread touches it.
final class EasyHandle {
    let pointer: UnsafeMutableRawPointer
    private let errorText: UnsafeMutablePointer<CChar>
    private var lists: [UnsafeMutablePointer<curl_slist>] = []

    // What the callbacks need to know.
    private var policy = AddressPolicy.any
    private var mayRepeat = false
    private var bodyLimit = 0
    private var upload: [UInt8] = []
    private var uploaded = 0
    private var shallStop: (() -> Bool)?

    // What they saw.
    private(set) var requestsBegun = 0
    private(set) var repeatRefused = false
    private(set) var addressRefused = false
    private(set) var bodyTooLarge = false
    private(set) var stopped = false
    private(set) var body: [UInt8] = []

    /// `nil` when there is no memory for one.
    init?() {
        guard let pointer = curl_easy_init() else { return nil }
        self.pointer = pointer
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        curl_easy_cleanup(pointer)
        lists.forEach(curl_slist_free_all)
        errorText.deallocate()
    }

    /// Forgets the transfer. Only after the handle was taken out of the multi handle.
    func reset() {
        curl_easy_reset(pointer)
        lists.forEach(curl_slist_free_all)
        lists = []
        upload = []
        body = []
        errorText[0] = 0
        uploaded = 0
        requestsBegun = 0
        repeatRefused = false
        addressRefused = false
        bodyTooLarge = false
        stopped = false
        shallStop = nil
    }

    /// What every transfer has in common.
    func prepare(policy: AddressPolicy, connectTimeout: Duration, mayRepeat: Bool) throws(TransferError) {
        self.policy = policy
        self.mayRepeat = mayRepeat
        let context = Unmanaged.passUnretained(self).toOpaque()
        try ok(curl_set_pointer(pointer, CURLOPT_ERRORBUFFER, errorText))
        try set(CURLOPT_NOSIGNAL, 1)
        // Taking out a handle must not wait for its name resolution: all other transfers would wait too.
        try set(CURLOPT_QUICK_EXIT, 1)
        try set(CURLOPT_CONNECTTIMEOUT_MS, connectTimeout.wholeMilliseconds)
        try set(CURLOPT_FOLLOWLOCATION, 0)
        try set(CURLOPT_NOPROXY, "*")
        try set(CURLOPT_SSL_VERIFYPEER, 1)
        try set(CURLOPT_SSL_VERIFYHOST, 2)
        try set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        try ok(curl_set_open_socket(pointer, openSocket, context))
        try ok(curl_set_before_request(pointer, beforeRequest, context))
    }

    /// Trusts the authorities of one file and no others.
    func trust(file: String?) throws(TransferError) {
        guard let file else { return }
        try set(CURLOPT_CAINFO, file)
        try ok(curl_set_text(pointer, CURLOPT_CAPATH, nil))
    }

    func collectBody(limit: Int) throws(TransferError) {
        bodyLimit = limit
        try ok(curl_set_writer(pointer, receive, Unmanaged.passUnretained(self).toOpaque()))
    }

    func send(upload bytes: [UInt8]) throws(TransferError) {
        upload = bytes
        try set(CURLOPT_UPLOAD, 1)
        try ok(curl_set_size(pointer, CURLOPT_INFILESIZE_LARGE, curl_off_t(bytes.count)))
        try ok(curl_set_reader(pointer, provide, Unmanaged.passUnretained(self).toOpaque()))
    }

    /// Whether everything was handed to curl: the peer may then have all of it.
    var uploadEnded: Bool { uploaded == upload.count && !upload.isEmpty }

    /// Ends the transfer from inside as soon as `condition` holds.
    func stop(when condition: @escaping () -> Bool) throws(TransferError) {
        shallStop = condition
        try set(CURLOPT_NOPROGRESS, 0)
        let context = Unmanaged.passUnretained(self).toOpaque()
        try ok(curl_set_progress(pointer, progress, context))
    }

    func set(_ option: CURLoption, _ value: Int) throws(TransferError) {
        try ok(curl_set_long(pointer, option, value))
    }

    /// The caller checked that `text` has no NUL byte, at which it would end.
    func set(_ option: CURLoption, _ text: String) throws(TransferError) {
        try ok(curl_set_text(pointer, option, text))
    }

    func set(_ option: CURLoption, list lines: [String]) throws(TransferError) {
        var list: UnsafeMutablePointer<curl_slist>?
        for line in lines {
            guard let longer = curl_slist_append(list, line) else {
                curl_slist_free_all(list)
                throw .invalid("no memory")
            }
            list = longer
        }
        if let list {
            lists.append(list)
            try ok(curl_set_list(pointer, option, list))
        }
    }

    func ok(_ code: CURLcode) throws(TransferError) {
        guard code == CURLE_OK else { throw .invalid(String(cString: curl_easy_strerror(code))) }
    }

    func takeBody() -> [UInt8] {
        defer { body = [] }
        return body
    }

    /// What curl wrote about the failure, in printable ASCII. It may quote a certificate, never the request.
    var detail: String {
        let text = String(cString: errorText).unicodeScalars.map { scalar in
            (32...126).contains(scalar.value) ? Character(scalar) : "?"
        }
        return String(text)
    }

    // MARK: - What the callbacks ask for

    fileprivate func append(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard bytes.count <= bodyLimit - body.count else {
            bodyTooLarge = true
            return false
        }
        body.append(contentsOf: bytes)
        return true
    }

    fileprivate func fill(_ room: UnsafeMutableBufferPointer<UInt8>) -> Int {
        let count = min(room.count, upload.count - uploaded)
        upload.withUnsafeBufferPointer { source in
            _ = room.update(fromContentsOf: source[uploaded..<uploaded + count])
        }
        uploaded += count
        return count
    }

    fileprivate func goesOn() -> Bool {
        stopped = stopped || shallStop?() == true
        return !stopped
    }

    fileprivate func mayOpen(_ address: [UInt8]) -> Bool {
        let allowed = policy.allows(address)
        if !allowed { addressRefused = true }
        return allowed
    }

    /// Asked each time that curl is about to write the request. curl repeats one by itself when a reused
    /// connection breaks before the first byte of an answer; but then it may have been carried out already.
    fileprivate func mayBegin(remote: String) -> Bool {
        guard policy.allows(text: remote) else {
            // A kept connection that a request with a wider policy had opened.
            addressRefused = true
            return false
        }
        guard requestsBegun == 0 || mayRepeat else {
            repeatRefused = true
            return false
        }
        requestsBegun += 1
        return true
    }
}

extension Duration {
    /// Rounded up, so that a short time is never «no limit», and at most 23 days.
    var wholeMilliseconds: Int {
        let (seconds, attoseconds) = components
        guard seconds < 2_000_000 else { return 2_000_000_000 }
        return Int(seconds) * 1_000 + Int((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}

private func easyHandle(_ context: UnsafeMutableRawPointer?) -> EasyHandle {
    Unmanaged<EasyHandle>.fromOpaque(context!).takeUnretainedValue()
}

private let receive: curl_bytes_function = { bytes, size, count, context in
    let length = size * count
    guard length > 0, let bytes else { return length }
    let taken = bytes.withMemoryRebound(to: UInt8.self, capacity: length) {
        easyHandle(context).append(UnsafeBufferPointer(start: $0, count: length))
    }
    return taken ? length : Int(CURL_WRITEFUNC_ERROR)
}

private let provide: curl_bytes_function = { room, size, count, context in
    guard let room else { return 0 }
    return room.withMemoryRebound(to: UInt8.self, capacity: size * count) {
        easyHandle(context).fill(UnsafeMutableBufferPointer(start: $0, count: size * count))
    }
}

private let progress: curl_xferinfo_callback = { context, _, _, _, _ in
    easyHandle(context).goesOn() ? 0 : 1
}

private let openSocket: curl_opensocket_callback = { context, _, address in
    guard let address else { return CURL_SOCKET_BAD }
    // For IPv6 the structure goes on behind its declared end, so it is read as bytes.
    let start = UnsafeRawPointer(address) + MemoryLayout<curl_sockaddr>.offset(of: \.addr)!
    let family = address.pointee.family
    let bytes: UnsafeRawBufferPointer
    switch family {
    case AF_INET: bytes = UnsafeRawBufferPointer(start: start + 4, count: 4)
    case AF_INET6: bytes = UnsafeRawBufferPointer(start: start + 8, count: 16)
    default: return CURL_SOCKET_BAD
    }
    guard easyHandle(context).mayOpen(Array(bytes)) else { return CURL_SOCKET_BAD }
    let kind = address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue)
    return socket(family, kind, address.pointee.protocol)
}

private let beforeRequest: curl_before_request_function = { context, remote, _, _, _ in
    let allowed = easyHandle(context).mayBegin(remote: remote.map { String(cString: $0) } ?? "")
    return allowed ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
}
