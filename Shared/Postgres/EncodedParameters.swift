import FoundationEssentials
import Glibc

/// The parameters of one call, in one buffer. Those in text form end with a NUL.
///
/// Made in the calling task, so that the connection's thread only hands pointers to libpq.
struct EncodedParameters: Sendable {
    /// The most parameters of one statement: the protocol counts them in 16 bits.
    static let countLimit = 65_535
    /// The most bytes of all parameters of one statement together, encoded.
    static let byteLimit = 64 << 20

    static let none = EncodedParameters()

    private var buffer = ParameterBuffer()
    private var places: [Place] = []

    /// Where a parameter stands in the buffer, and in which form.
    private struct Place: Sendable {
        let start: Int
        let length: Int32
        let form: ParameterBuffer.Form
    }

    private init() {}

    /// Throws `.parameter` for a NUL inside a text, a date that has no text form, and beyond the limits.
    init(_ parameters: [Parameter]) throws(PostgresError) {
        guard parameters.count <= Self.countLimit else {
            throw PostgresError(.parameter, "\(parameters.count) parameters, \(Self.countLimit) are possible")
        }
        places.reserveCapacity(parameters.count)
        for (index, parameter) in parameters.enumerated() {
            let start = buffer.bytes.count
            let form: ParameterBuffer.Form
            do throws(ParameterBuffer.Refusal) {
                form = try buffer.append(parameter)
            } catch {
                throw PostgresError(.parameter, "$\(index + 1): \(error.reason)")
            }
            guard buffer.bytes.count < Self.byteLimit else {
                throw PostgresError(
                    .parameter, "$\(index + 1): parameters of more than \(Self.byteLimit) bytes")
            }
            places.append(Place(start: start, length: Int32(buffer.bytes.count - start), form: form))
            if form == .text { buffer.bytes.append(0) }
        }
    }

    /// The parameters in libpq's form: an address each (NULL has none), its length and 1 for binary.
    struct Pointers {
        let count: Int32
        let values: UnsafePointer<UnsafePointer<CChar>?>?
        let lengths: UnsafePointer<Int32>?
        let formats: UnsafePointer<Int32>?
    }

    /// Lends the parameters in libpq's form. The pointers die with `body`.
    func withPointers<R>(_ body: (Pointers) -> R) -> R {
        if places.isEmpty { return body(Pointers(count: 0, values: nil, lengths: nil, formats: nil)) }
        return buffer.bytes.withUnsafeBytes { bytes in
            let base = bytes.assumingMemoryBound(to: CChar.self).baseAddress
            let values = places.map { place in
                place.form == .null ? nil : base.map { UnsafePointer($0 + place.start) }
            }
            let lengths = places.map(\.length)
            let formats = places.map { $0.form == .binary ? Int32(1) : 0 }
            return values.withUnsafeBufferPointer { values in
                lengths.withUnsafeBufferPointer { lengths in
                    formats.withUnsafeBufferPointer { formats in
                        body(
                            Pointers(
                                count: Int32(places.count), values: values.baseAddress,
                                lengths: lengths.baseAddress, formats: formats.baseAddress))
                    }
                }
            }
        }
    }
}
