import Testing

@testable import GraphSandbox

@Suite struct DeviceFilterTests {
    private let generator = DeviceGenerator(seed: 1, tenant: DefaultTenants.make()[0])

    private func matches(_ text: String, of count: Int = 512) throws -> [Device] {
        let filter = try DeviceFilter(text)
        return (0..<count).map { generator.device($0, nil) }.filter(filter.matches)
    }

    @Test func comparesWithoutLetterCase() throws {
        let expected = (0..<512).filter { generator.device($0, nil).complianceState == .noncompliant }
        #expect(try matches("complianceState eq 'noncompliant'").map(\.ordinal) == expected)
        #expect(try matches("complianceState eq 'NonCompliant'").map(\.ordinal) == expected)
        #expect(try matches("complianceState ne 'noncompliant'").count == 512 - expected.count)
    }

    @Test func joinsWithAndOrAndParentheses() throws {
        let all = try matches(
            "(complianceState eq 'compliant' or complianceState eq 'error') and operatingSystem eq 'Windows'")
        #expect(!all.isEmpty)
        for device in all {
            #expect(device.platform.operatingSystem.description == "Windows")
            #expect([.compliant, .error].contains(device.complianceState))
        }
        // `and` binds tighter than `or`.
        let loose = try matches(
            "complianceState eq 'compliant' or complianceState eq 'error' and operatingSystem eq 'Windows'")
        #expect(loose.count > all.count)
    }

    @Test func ordersDates() throws {
        let before = try matches("lastSyncDateTime lt 2026-11-10T00:00:00Z").count
        let after = try matches("lastSyncDateTime ge 2026-11-10T00:00:00Z").count
        #expect(before > 0 && after > 0 && before + after == 512)
        #expect(try matches("lastSyncDateTime eq 0001-01-01T00:00:00Z").count == 4)
    }

    @Test func findsPrefixesNullsFlagsAndQuotes() throws {
        #expect(try matches("startswith(deviceName,'desktop-')").allSatisfy { $0.name.hasPrefix("DESKTOP-") })
        #expect(try matches("userPrincipalName eq null").count == 4)
        #expect(try matches("isEncrypted eq false").count + matches("isEncrypted eq true").count == 512)
        #expect(try matches("deviceName eq 'it''s'").isEmpty)
        #expect(try matches("id eq '\(generator.id(of: 7))'").map(\.ordinal) == [7])
    }

    @Test(arguments: [
        "", "complianceState", "complianceState eq", "complianceState eq 'x", "complianceState eq compliant",
        "(complianceState eq 'x'", "complianceState eq 'x')", "complianceState eq 'x' and", "nope eq 'x'",
        "imei eq 'x'", "complianceState gt 'x'", "lastSyncDateTime eq 'x'", "isEncrypted eq 'true'",
        "deviceName eq 2026-11-10T00:00:00Z", "contains(deviceName,'x')", "startswith(deviceName)",
        "complianceState eq 'x' 'y'",
    ])
    func refusesWhatItCannotAnswer(_ text: String) {
        #expect(throws: DeviceFilter.Failure.self) { try DeviceFilter(text) }
    }

    @Test func refusesDepthAndLength() {
        let deep = String(repeating: "(", count: 40) + "id eq 'x'" + String(repeating: ")", count: 40)
        #expect(throws: DeviceFilter.Failure.self) { try DeviceFilter(deep) }
        let long = Array(repeating: "id eq 'x'", count: 300).joined(separator: " or ")
        #expect(throws: DeviceFilter.Failure.self) { try DeviceFilter(long) }
    }
}
