import CCurl

extension EasyHandle {
    /// What curl's result means for the caller of an HTTP request.
    func httpFailure(_ code: CURLcode) -> TransferError {
        failure(code, sent: requestsBegun > 0)
    }

    /// The same for a mail, which counts as sent once its last line was handed to the relay. A relay that
    /// answered with a refusal has not taken it.
    func mailFailure(_ code: CURLcode) -> TransferError {
        let reply = curl_response_code(pointer)
        let refusals = [
            CURLE_SEND_ERROR, CURLE_WEIRD_SERVER_REPLY, CURLE_LOGIN_DENIED, CURLE_REMOTE_ACCESS_DENIED,
        ]
        guard refusals.contains(code), (400...599).contains(reply) else {
            return failure(code, sent: uploadEnded)
        }
        return TransferError(
            kind: .mailRefused(code: reply), message: "the relay answered \(reply)",
            requestMayHaveBeenSent: false)
    }

    private func failure(_ code: CURLcode, sent: Bool) -> TransferError {
        let kind = kind(of: code, sent: sent)
        return TransferError(kind: kind, message: message(of: code, kind: kind), requestMayHaveBeenSent: sent)
    }

    private func kind(of code: CURLcode, sent: Bool) -> TransferError.Kind {
        if addressRefused && (code == CURLE_COULDNT_CONNECT || code == CURLE_ABORTED_BY_CALLBACK) {
            return .refusedAddress
        }
        if stopped && code == CURLE_ABORTED_BY_CALLBACK { return .cancelled }
        switch code {
        case CURLE_OPERATION_TIMEDOUT: return .timeout
        case CURLE_COULDNT_RESOLVE_HOST: return .resolve
        case CURLE_COULDNT_CONNECT: return .connect
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_CIPHER, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_USE_SSL_FAILED,
            CURLE_SSL_ENGINE_INITFAILED, CURLE_SSL_CLIENTCERT:
            return .tls
        case CURLE_PARTIAL_FILE: return .truncated
        case CURLE_WRITE_ERROR where bodyTooLarge: return .bodyTooLarge
        case CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_ABORTED_BY_CALLBACK:
            return .reset(sent: sent)
        case CURLE_URL_MALFORMAT: return .invalidRequest
        case CURLE_UNSUPPORTED_PROTOCOL where !sent: return .invalidRequest
        default: return .protocolViolation
        }
    }

    /// Before anything was sent, curl's own text names host and certificate. Later, it could quote the peer.
    private func message(of code: CURLcode, kind: TransferError.Kind) -> String {
        let general = String(cString: curl_easy_strerror(code))
        switch kind {
        case .refusedAddress: return "the address of the host is not allowed here"
        case .cancelled: return "the task was cancelled, or the client was closed"
        case .bodyTooLarge: return "the body is larger than allowed"
        case .reset where repeatRefused: return "the kept connection broke before an answer"
        case .connect, .resolve, .tls: return detail.isEmpty ? general : detail
        default: return general
        }
    }
}
