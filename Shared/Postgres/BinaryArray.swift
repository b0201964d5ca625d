/// A one-dimensional array in PostgreSQL's binary form: dimensions, a flag, the element type, then per
/// dimension its length and lower bound, then per element its length (-1: NULL) and bytes.
struct BinaryArray {
    private static let headerBytes = 12
    private static let dimensionBytes = 8

    private let cell: UnsafeRawBufferPointer
    private let elementType: UInt32
    private let count: Int

    init(_ cell: UnsafeRawBufferPointer, _ type: UInt32) throws(Undecodable) {
        guard cell.count >= Self.headerBytes, Self.arrayTypes.contains(type) else {
            throw .type(type, wanted: "an array")
        }
        let dimensions = Self.integer(cell, at: 0)
        guard dimensions == 0 || dimensions == 1 else {
            throw Undecodable(reason: "is an array of \(dimensions) dimensions, not one")
        }
        self.cell = cell
        elementType = UInt32(bitPattern: Self.integer(cell, at: 8))
        count = dimensions == 0 ? 0 : Int(Self.integer(cell, at: Self.headerBytes))
    }

    func map<Element>(
        _ decode: (UnsafeRawBufferPointer, UInt32) throws(Undecodable) -> Element
    ) throws(Undecodable) -> [Element] {
        var elements: [Element] = []
        elements.reserveCapacity(count)
        var at = Self.headerBytes + Self.dimensionBytes
        for _ in 0..<count {
            let length = Int(Self.integer(cell, at: at))
            guard length >= 0 else { throw Undecodable(reason: "has a NULL element") }
            at += 4
            elements.append(try decode(UnsafeRawBufferPointer(rebasing: cell[at..<at + length]), elementType))
            at += length
        }
        return elements
    }

    /// `int2[]`, `int4[]`, `text[]`, `varchar[]`, `int8[]`, `uuid[]`.
    private static let arrayTypes: Set<UInt32> = [1005, 1007, 1009, 1015, 1016, 2951]

    private static func integer(_ cell: UnsafeRawBufferPointer, at offset: Int) -> Int32 {
        Int32(bigEndian: cell.loadUnaligned(fromByteOffset: offset, as: Int32.self))
    }
}
