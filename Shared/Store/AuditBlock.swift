internal import Crypto
internal import FoundationEssentials
internal import Operations
internal import Postgres

/// A block of the audit's chain: which records it is over, and what they said.
struct AuditBlock {
    static let digestLength = 32
    /// What the first block is chained to.
    static let start = [UInt8](repeating: 0, count: digestLength)

    let number: Int
    /// No transaction whose records are in here had begun by then, in microseconds since 1970.
    let begunAfter: Int
    /// The records, in the order of their ids.
    let ids: [Int]
    /// One after the other, ``digestLength`` bytes each.
    private let digests: [UInt8]
    let hash: [UInt8]

    init(_ row: Row) throws {
        number = try row.int("number")
        begunAfter = try row.int("begun_after")
        ids = try row.ints("ids")
        digests = try row.bytes("digests")
        hash = try row.bytes("hash")
    }

    /// The digest of the record at a place of ``ids``; nothing when the block was cut short.
    func digest(at index: Int) -> ArraySlice<UInt8> {
        digests.dropFirst(index * Self.digestLength).prefix(Self.digestLength)
    }

    /// What the hash must be after a block with the hash `previous`.
    func expectedHash(in workspace: WorkspaceID, after previous: [UInt8]) -> [UInt8] {
        var hash = SHA256()
        hash.update(data: previous)
        withUnsafeBytes(of: workspace.uuid.uuid) { hash.update(bufferPointer: $0) }
        for value in [number, begunAfter] + ids {
            withUnsafeBytes(of: Int64(value).bigEndian) { hash.update(bufferPointer: $0) }
        }
        hash.update(data: digests)
        return Array(hash.finalize())
    }
}
