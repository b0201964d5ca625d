import Testing

@testable import AMQP

struct AMQPErrorTests {
    @Test func theErrorSaysWhetherARetryMakesSense() {
        let retryable: [AMQPError.Code] = [
            .unreachable, .handshakeFailed, .connectionLost, .heartbeatMissed, .timeout, .consumerCancelled,
            .resources, .connectionClosed(320), .connectionClosed(541), .channelClosed(405),
        ]
        let final: [AMQPError.Code] = [
            .invalidAddress, .certificateRefused, .loginRefused, .protocolViolation,
            .connectionClosed(530), .channelClosed(403), .channelClosed(404), .channelClosed(406),
        ]
        #expect(retryable.filter { !AMQPError($0, "").isRetryable } == [])
        #expect(final.filter { AMQPError($0, "").isRetryable } == [])
    }
}
