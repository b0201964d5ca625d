import FoundationEssentials
import Glibc

/// The parameters of one call in the server's text form: one buffer of NUL-terminated texts.
///
/// Made in the calling task, so that the connection's thread only hands pointers to libpq.
struct EncodedParameters: Sendable {
    /// The most parameters of one statement: the protocol counts them in 16 bits.
    static let countLimit = 65_535
    /// The most bytes of all parameters of one statement together, encoded.
    static let byteLimit = 64 << 20

    static let none = EncodedParameters()

    private var text = ParameterText()
    /// Where each parameter starts; -1 is NULL.
    private var offsets: [Int32] = []

    private init() {}

    /// Throws `.parameter` for a NUL inside a text, a date that has no text form, and beyond the limits.
    init(_ parameters: [Parameter]) throws(PostgresError) {
        guard parameters.count <= Self.countLimit else {
            throw PostgresError(.parameter, "\(parameters.count) parameters, \(Self.countLimit) are possible")
        }
        offsets.reserveCapacity(parameters.count)
        for (index, parameter) in parameters.enumerated() {
            let start = Int32(text.bytes.count)
            let isValue: Bool
            do throws(ParameterText.Refusal) {
                isValue = try text.append(parameter)
            } catch {
                throw PostgresError(.parameter, "$\(index + 1): \(error.reason)")
            }
            guard text.bytes.count < Self.byteLimit else {
                throw PostgresError(
                    .parameter, "$\(index + 1): parameters of more than \(Self.byteLimit) bytes")
            }
            if isValue { text.bytes.append(0) }
            offsets.append(isValue ? start : -1)
        }
    }

    /// Lends the parameters in libpq's form. The pointers die with `body`.
    func withPointers<R>(
        _ body: (_ count: Int32, _ values: UnsafePointer<UnsafePointer<CChar>?>?) -> R
    ) -> R {
        if offsets.isEmpty { return body(0, nil) }
        return text.bytes.withUnsafeBytes { bytes in
            withUnsafeTemporaryAllocation(
                of: UnsafePointer<CChar>?.self, capacity: offsets.count
            ) { values in
                let base = bytes.assumingMemoryBound(to: CChar.self).baseAddress
                for (index, offset) in offsets.enumerated() {
                    values.initializeElement(at: index, to: offset < 0 ? nil : base.map { $0 + Int(offset) })
                }
                return body(Int32(offsets.count), UnsafePointer(values.baseAddress))
            }
        }
    }
}
