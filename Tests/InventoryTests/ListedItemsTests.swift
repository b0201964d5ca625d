import FoundationEssentials
import Graph
import JSON
import Operations
import Store
import Testing

@testable import InventoryConsumer

struct ListedItemsTests {
    @Test func entriesWithoutUsableIDFailAlone() {
        let entries: [JSON] = [
            ["deviceName": "a"], ["id": ""], ["id": 7], ["id": "a\u{0}b"], 5,
            ["id": .string(String(repeating: "x", count: 513))], ["id": "good"],
        ]
        let (read, unread) = entries.enumerated().map { ListedItems.device($1, at: 1_000 + $0) }.divided()
        #expect(read == [DeviceInventory.Device(id: "good")])
        #expect(unread.map(\.key) == (1_000..<1_006).map { "devices without id: \($0)" })
        #expect(unread.allSatisfy { $0.state == .failed && $0.result == "malformed_answer" })
        let policies = entries.enumerated().map {
            ListedItems.policy($1, of: .of(.scopeTag), at: $0)
        }.divided()
        #expect(policies.read.map(\.id) == ["good"])
        #expect(policies.unread.first?.key == "scope_tag without id: 0")
    }

    @Test func textsAreMadeFitForTheDatabase() {
        let long = String(repeating: "é", count: 2_000)
        guard
            case .read(let device) = ListedItems.device(
                ["id": "d", "deviceName": "a\u{0}b", "model": .string(long), "osVersion": 7], at: 0)
        else {
            Issue.record("not read")
            return
        }
        #expect(device.name == "a\u{FFFD}b")
        #expect(device.model?.count == 1_024)
        #expect(device.osVersion == nil)
    }

    @Test(
        arguments: [
            ("2026-11-21T09:48:00Z", 0.0), ("2026-11-21T09:48:00.1Z", 0.1),
            ("2026-11-21T09:48:00.1234567Z", 0.123456),
        ])
    func momentsHaveAnyFraction(text: String, fraction: Double) {
        let date = ProviderDate.date(.string(text))
        #expect(date.map { abs($0.timeIntervalSince1970 - 1_795_254_480 - fraction) < 0.000_001 } == true)
    }

    @Test(arguments: [
        "", "0001-01-01T00:00:00Z", "2026-11-21T09:48:00", "2026-13-21T09:48:00Z", "yesterdayyyyyyyyyyyyZ",
    ])
    func whatIsNoMomentIsNone(text: String) {
        #expect(ProviderDate.date(.string(text)) == nil)
        #expect(ProviderDate.date(nil) == nil)
    }

    @Test(arguments: [Listing.devices] + PolicyKind.allCases.map(Listing.policies))
    func cursorsComeBack(listing: Listing) {
        for link in [nil, "https://x/?$skiptoken=\"a'b%20"] {
            let cursor = ListingCursor(listing: listing, start: 7, link: link)
            #expect(ListingCursor(stored: cursor.text) == cursor)
        }
        #expect(ListingCursor(stored: "https://x/") == nil)
        #expect(ListingCursor(stored: #"{"listing":"nothing","start":0,"link":null}"#) == nil)
    }
}
