/// Bytes that must not be seen: nothing that prints, logs or reflects a value shows them.
package struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let bytes: [UInt8]

    /// Takes the bytes over.
    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Calls `body` with the bytes. Whatever it makes of them is as secret as they are.
    package func reveal<Result, Failure: Error>(
        _ body: ([UInt8]) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(bytes)
    }

    package var description: String { "(secret)" }
    package var debugDescription: String { "(secret)" }
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
