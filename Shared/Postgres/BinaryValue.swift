import FoundationEssentials

/// Why a cell is not what was asked for. Names no value: it may be a secret.
struct Undecodable: Error {
    let reason: String

    static func type(_ number: UInt32, wanted: String) -> Undecodable {
        Undecodable(reason: "is \(TypeNumber.name(number)), not \(wanted)")
    }
}

/// Decodes single values of PostgreSQL's binary form; the number is the type's.
enum BinaryValue {
    static func uuid(_ cell: UnsafeRawBufferPointer, _ type: UInt32) throws(Undecodable) -> UUID {
        guard type == TypeNumber.uuid, cell.count == 16 else { throw .type(type, wanted: "uuid") }
        return UUID(uuid: cell.loadUnaligned(as: uuid_t.self))
    }

    static func int(_ cell: UnsafeRawBufferPointer, _ type: UInt32) throws(Undecodable) -> Int {
        switch (type, cell.count) {
        case (TypeNumber.int8, 8): Int(bigEndian(cell, Int64.self))
        case (TypeNumber.int4, 4): Int(bigEndian(cell, Int32.self))
        case (TypeNumber.int2, 2): Int(bigEndian(cell, Int16.self))
        case (TypeNumber.oid, 4): Int(bigEndian(cell, UInt32.self))
        default: throw .type(type, wanted: "an integer")
        }
    }

    static func double(_ cell: UnsafeRawBufferPointer, _ type: UInt32) throws(Undecodable) -> Double {
        switch (type, cell.count) {
        case (TypeNumber.float8, 8): Double(bitPattern: bigEndian(cell, UInt64.self))
        case (TypeNumber.float4, 4): Double(Float(bitPattern: bigEndian(cell, UInt32.self)))
        default: throw .type(type, wanted: "double precision")
        }
    }

    static func bool(_ cell: UnsafeRawBufferPointer, _ type: UInt32) throws(Undecodable) -> Bool {
        guard type == TypeNumber.bool, cell.count == 1 else { throw .type(type, wanted: "boolean") }
        return cell[0] != 0
    }

    static func text(_ cell: UnsafeRawBufferPointer, _ type: UInt32) throws(Undecodable) -> String {
        guard TypeNumber.isText(type) else { throw .type(type, wanted: "text") }
        return String(decoding: cell, as: UTF8.self)
    }

    static func date(_ cell: UnsafeRawBufferPointer, _ type: UInt32) throws(Undecodable) -> Date {
        guard type == TypeNumber.timestamptz, cell.count == 8 else {
            throw .type(type, wanted: "timestamptz")
        }
        let microseconds = bigEndian(cell, Int64.self)
        guard microseconds != .min, microseconds != .max else {
            throw Undecodable(reason: "is infinity, which is no date")
        }
        return PostgresTime.date(microseconds: microseconds)
    }

    static func json(_ cell: UnsafeRawBufferPointer, _ type: UInt32) throws(Undecodable) -> String {
        String(decoding: try jsonText(cell, type), as: UTF8.self)
    }

    static func bytes(_ cell: UnsafeRawBufferPointer, _ type: UInt32) throws(Undecodable) -> [UInt8] {
        switch type {
        case TypeNumber.bytea, TypeNumber.text: Array(cell)
        case TypeNumber.json, TypeNumber.jsonb: Array(try jsonText(cell, type))
        default: throw .type(type, wanted: "bytea, json or text")
        }
    }

    /// The text of a JSON cell: `jsonb` has a version number, 1, before it.
    private static func jsonText(
        _ cell: UnsafeRawBufferPointer, _ type: UInt32
    ) throws(Undecodable) -> UnsafeRawBufferPointer {
        if type == TypeNumber.json { return cell }
        guard type == TypeNumber.jsonb else { throw .type(type, wanted: "jsonb") }
        guard cell.first == 1 else { throw Undecodable(reason: "has an unknown version of jsonb") }
        return UnsafeRawBufferPointer(rebasing: cell.dropFirst())
    }

    private static func bigEndian<Number: FixedWidthInteger & BitwiseCopyable>(
        _ cell: UnsafeRawBufferPointer, _ type: Number.Type
    ) -> Number {
        Number(bigEndian: cell.loadUnaligned(as: type))
    }
}

/// The numbers of PostgreSQL's built-in types (`pg_type.oid`); they never change.
enum TypeNumber {
    static let bool: UInt32 = 16
    static let bytea: UInt32 = 17
    static let int8: UInt32 = 20
    static let int2: UInt32 = 21
    static let int4: UInt32 = 23
    static let text: UInt32 = 25
    static let oid: UInt32 = 26
    static let json: UInt32 = 114
    static let float4: UInt32 = 700
    static let float8: UInt32 = 701
    static let timestamptz: UInt32 = 1184
    static let uuid: UInt32 = 2950
    static let jsonb: UInt32 = 3802

    /// From here on types are the database's own: enumerations (their binary form is the text) and
    /// composites (which no accessor is asked for). Domains are reported as what they are made of.
    private static let firstOfDatabase: UInt32 = 16_384

    private static let texts: Set<UInt32> = [18, 19, 25, 1042, 1043]

    static func isText(_ number: UInt32) -> Bool {
        number == text || texts.contains(number) || number >= firstOfDatabase
    }

    private static let names: [UInt32: String] = [
        bool: "boolean", bytea: "bytea", int8: "bigint", int2: "smallint", int4: "integer", text: "text",
        oid: "oid", json: "json", float4: "real", float8: "double precision", 1082: "date",
        1114: "timestamp without time zone", timestamptz: "timestamptz", 1700: "numeric", uuid: "uuid",
        jsonb: "jsonb", 1009: "text[]", 2951: "uuid[]", 1016: "bigint[]", 1007: "integer[]",
    ]

    static func name(_ number: UInt32) -> String { names[number] ?? "type \(number)" }
}
