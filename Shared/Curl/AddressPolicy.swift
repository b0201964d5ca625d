import Glibc

/// Which network addresses a transfer may connect to.
///
/// The policy is asked with the address that the socket is about to be connected to, after the name was
/// resolved, so a name that resolves to something else the second time gains nothing.
package enum AddressPolicy: Sendable, Equatable {
    /// Any address: for destinations that the operator of this system configured.
    case any
    /// Addresses of the public Internet only: for destinations that a user typed.
    case publicOnly
    /// The own machine only: for a test relay without TLS.
    case loopbackOnly

    /// Whether a connection to an IPv4 (4 bytes) or IPv6 (16 bytes) address in network order is allowed.
    /// Any other length is refused unless the policy is ``any``.
    package func allows(_ address: [UInt8]) -> Bool {
        switch self {
        case .any: true
        case .publicOnly: Self.isPublic(address)
        case .loopbackOnly: Self.isLoopback(address)
        }
    }

    /// The same for an address in text form, for example `192.0.2.1` or `2001:db8::1`.
    /// Text that is not an address is refused unless the policy is ``any``.
    package func allows(text: String) -> Bool {
        allows(Self.bytes(of: text) ?? [])
    }

    private static func isLoopback(_ address: [UInt8]) -> Bool {
        switch address.count {
        case 4: address[0] == 127
        case 16: address.dropLast().allSatisfy { $0 == 0 } && address[15] == 1
        default: false
        }
    }

    private static func isPublic(_ address: [UInt8]) -> Bool {
        switch address.count {
        case 4: !reservedIPv4.contains { $0.contains(address) }
        case 16: isPublicIPv6(address)
        default: false
        }
    }

    /// Only global unicast space is public. Inside it, blocks that carry an IPv4 address follow the rules
    /// of that address: a translator on the way would connect to it.
    private static func isPublicIPv6(_ address: [UInt8]) -> Bool {
        if nat64.contains(address) { return isPublic(Array(address[12...])) }
        if sixToFour.contains(address) { return isPublic(Array(address[2..<6])) }
        return globalUnicast.contains(address) && !reservedIPv6.contains { $0.contains(address) }
    }

    static func bytes(of text: String) -> [UInt8]? {
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 { return withUnsafeBytes(of: &four) { Array($0) } }
        var sixteen = in6_addr()
        if inet_pton(AF_INET6, text, &sixteen) == 1 { return withUnsafeBytes(of: &sixteen) { Array($0) } }
        return nil
    }
}

/// A block of addresses: the bytes of its first address, and how many leading bits count.
private struct AddressBlock {
    let first: [UInt8]
    let bits: Int

    init(_ text: String, _ bits: Int) {
        first = AddressPolicy.bytes(of: text)!
        self.bits = bits
    }

    func contains(_ address: [UInt8]) -> Bool {
        guard address.count == first.count else { return false }
        let whole = bits / 8
        guard address.prefix(whole) == first.prefix(whole) else { return false }
        let rest = bits % 8
        return rest == 0 || (address[whole] ^ first[whole]) >> (8 - rest) == 0
    }
}

private let nat64 = AddressBlock("64:ff9b::", 96)
private let sixToFour = AddressBlock("2002::", 16)
private let globalUnicast = AddressBlock("2000::", 3)

/// The IANA special-purpose registry for IPv4: everything that is not globally reachable unicast.
private let reservedIPv4 = [
    AddressBlock("0.0.0.0", 8),  // this network, unspecified
    AddressBlock("10.0.0.0", 8),  // private
    AddressBlock("100.64.0.0", 10),  // carrier-grade NAT
    AddressBlock("127.0.0.0", 8),  // loopback
    AddressBlock("169.254.0.0", 16),  // link-local, cloud metadata
    AddressBlock("172.16.0.0", 12),  // private
    AddressBlock("192.0.0.0", 24),  // protocol assignments
    AddressBlock("192.0.2.0", 24),  // documentation
    AddressBlock("192.31.196.0", 24),  // AS112
    AddressBlock("192.52.193.0", 24),  // AMT
    AddressBlock("192.88.99.0", 24),  // former 6to4 relays
    AddressBlock("192.168.0.0", 16),  // private
    AddressBlock("192.175.48.0", 24),  // AS112
    AddressBlock("198.18.0.0", 15),  // benchmarking
    AddressBlock("198.51.100.0", 24),  // documentation
    AddressBlock("203.0.113.0", 24),  // documentation
    AddressBlock("224.0.0.0", 4),  // multicast
    AddressBlock("240.0.0.0", 4),  // reserved, broadcast
]

/// What is not public inside 2000::/3. Loopback, unspecified, v4-mapped, unique local, link-local,
/// site-local and multicast addresses lie outside it.
private let reservedIPv6 = [
    AddressBlock("2001::", 23),  // protocol assignments, among them Teredo
    AddressBlock("2001:db8::", 32),  // documentation
    AddressBlock("2620:4f:8000::", 48),  // AS112
    AddressBlock("3fff::", 20),  // documentation
]
