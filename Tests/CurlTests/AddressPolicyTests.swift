import Testing

@testable import Curl

@Suite struct AddressPolicyTests {
    @Test(arguments: [
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
        "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0",
        "192.0.3.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "198.51.99.255",
        "203.0.114.0", "223.255.255.255", "2606:4700:4700::1111", "2a00:1450:4001::200e", "2001:200::1",
        "2400::1", "64:ff9b::8.8.8.8", "2002:808:808::1",
    ])
    func publicAddressesAreAllowed(address: String) {
        #expect(AddressPolicy.publicOnly.allows(text: address))
    }

    @Test(arguments: [
        "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1",
        "127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1",
        "192.88.99.1", "192.168.0.1", "192.168.255.255", "198.18.0.1", "198.19.255.255", "198.51.100.7",
        "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::2", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1",
        "2002:7f00:1::1", "2002:a00:1::1", "3fff::1", "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1",
        "fec0::1", "ff02::1", "ff0e::1", "4000::1",
        "", "localhost", "1.2.3", "0x7f.1", "127.0.0.1%lo", "fe80::1%eth0", "300.1.1.1",
    ])
    func otherAddressesAreRefused(address: String) {
        #expect(!AddressPolicy.publicOnly.allows(text: address))
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("127.9.9.9", true), ("::1", true), ("::ffff:127.0.0.1", false),
        ("8.8.8.8", false), ("10.0.0.1", false), ("0.0.0.0", false), ("::", false), ("", false),
    ])
    func loopbackIsTheOwnMachine(address: String, allowed: Bool) {
        #expect(AddressPolicy.loopbackOnly.allows(text: address) == allowed)
    }

    @Test func lengthsOfNoFamilyAreRefused() {
        for count in [0, 1, 3, 5, 15, 17] {
            #expect(!AddressPolicy.publicOnly.allows([UInt8](repeating: 8, count: count)))
        }
        #expect(AddressPolicy.any.allows([10, 0, 0, 1]))
    }

    /// The same destination in all the spellings that parsers know; the peer must not see one connection.
    @Test(arguments: [
        "127.0.0.1", "localhost", "127.1", "0x7f.1", "0x7f000001", "2130706433", "0177.0.0.1", "127.0.0.1.",
        "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::]", "0.0.0.0", "0", "LOCALHOST",
    ])
    func theOwnMachineIsNotReached(host: String) async throws {
        try await withClient { client, peer in
            let url = "http://\(host):\(peer.port("http"))/echo?key=hostile"
            let error = await failure(of: HTTPRequest(url: url, addressPolicy: .publicOnly), client)
            #expect(error?.kind == .refusedAddress || error?.kind == .resolve)
            #expect(error?.requestMayHaveBeenSent == false)
            let seen = try await peer.count("hostile", client)
            #expect(seen == 0)
        }
    }

    @Test func keptConnectionsAreCheckedToo() async throws {
        try await withClient { client, peer in
            let status = try await client.perform(HTTPRequest(url: peer.url("/echo"))).status
            #expect(status == 200)
            let request = HTTPRequest(url: peer.url("/echo?key=kept"), addressPolicy: .publicOnly)
            let error = await failure(of: request, client)
            #expect(error?.kind == .refusedAddress && error?.requestMayHaveBeenSent == false)
            let seen = try await peer.count("kept", client)
            #expect(seen == 0)
        }
    }
}
