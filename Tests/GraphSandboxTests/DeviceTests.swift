import JSON
import Testing

@testable import GraphSandbox

@Suite struct DeviceTests {
    private static let tenant = DefaultTenants.make()[0]
    private static let generator = DeviceGenerator(seed: 1, tenant: tenant)

    private func text(_ ordinal: Int, seed: UInt64 = 1, version: GraphVersion = .v1) -> String {
        var writer = JSONText()
        let device = DeviceGenerator(seed: seed, tenant: Self.tenant).device(ordinal, nil)
        DeviceSelection(nil, version: version, isSingle: false).write(device, to: &writer)
        return "{" + String(decoding: writer.bytes, as: UTF8.self) + "}"
    }

    @Test func equalSeedsGiveEqualBytesAndOthersDoNot() {
        for ordinal in [0, 1, 77, 19_999, 99_999] {
            #expect(text(ordinal) == text(ordinal))
            #expect(text(ordinal) != text(ordinal, seed: 2))
        }
        #expect(text(1) != text(2))
    }

    /// The bytes are a promise: whoever recorded them with seed 1 must find them again after an update.
    @Test func theFirstDeviceOfSeedOneIsKnown() throws {
        let device = try JSON(parsing: text(0))
        #expect(device["id"] == "638d8c0b-c2ff-46e0-84cb-76397e83e1ef")
        #expect(device["deviceName"] == "DESKTOP-T8LWF84")
        #expect(device["userPrincipalName"] == "greta.peters25982@contoso.onmicrosoft.com")
        #expect(device["lastSyncDateTime"] == "2026-11-05T08:31:33Z")
    }

    @Test func everyDeviceIsValidJSONWithAllPropertiesOfItsVersion() throws {
        for ordinal in 0..<1_100 {
            let v1 = try #require(try JSON(parsing: text(ordinal)).object)
            #expect(v1.keys == DeviceProperty.all(in: .v1).map(\.rawValue))
        }
        let beta = try #require(try JSON(parsing: text(3, version: .beta)).object)
        #expect(beta.keys == DeviceProperty.allCases.map(\.rawValue))
        #expect(text(3).utf8.count > 1_500)
    }

    @Test func idsLeadBackToTheirDevice() {
        var ids: Set<GUID> = []
        for ordinal in Array(0..<5_000) + [99_999, 1 << 24, 1 << 24 + 5] {
            let id = Self.generator.id(of: ordinal)
            #expect(ids.insert(id).inserted)
            #expect(Self.generator.ordinal(of: id.description) == ordinal)
            #expect(Self.generator.ordinal(of: id.description.uppercased()) == ordinal)
        }
        let other = DeviceGenerator(seed: 1, tenant: DefaultTenants.make()[1])
        #expect(other.ordinal(of: Self.generator.id(of: 5).description) == nil)
        #expect(Self.generator.ordinal(of: GUID.random().description) == nil)
        #expect(Self.generator.ordinal(of: "x") == nil)
    }

    @Test func scrambledNumbersStayDifferentAndCanBeUnscrambled() {
        for number in [0, 1, 2, 12_345, UInt64(1) << 61, (UInt64(1) << 62) - 1] {
            for key: UInt64 in [0, 1, .max, 0x1234_5678_9abc_def0] {
                let scrambled = IDScramble.scrambled(number, key: key)
                #expect(scrambled < 1 << 62)
                #expect(IDScramble.unscrambled(scrambled, key: key) == number)
            }
        }
    }

    @Test func aHundredTwentyEightDevicesHaveAllOddities() throws {
        let devices = try (0..<128).map { try JSON(parsing: text($0)) }
        let names = devices.compactMap { $0["deviceName"]?.string }
        #expect(names.contains(""))
        #expect(names.contains { $0.count == 256 })
        #expect(names.contains { $0.contains("💻") })
        #expect(names.contains { $0.contains("\u{202E}") })
        #expect(names.contains { $0.contains("\\") && $0.contains("\"") && $0.contains("\u{1}") })
        #expect(devices.contains { $0["userId"] == .null && $0["userPrincipalName"] == .null })
        #expect(devices.contains { $0["userId"] == "" })
        #expect(devices.contains { $0["model"] == .null })
        #expect(devices.contains { $0["managementAgent"] == "lunarGatewayAgent" })
        let dates = devices.compactMap { $0["lastSyncDateTime"]?.string }
        #expect(dates.contains("0001-01-01T00:00:00Z"))
        #expect(dates.contains("9999-12-31T23:59:59Z"))
        #expect(Set(dates.map(\.count)) == Set([20, 22, 23, 24, 25, 26, 27, 28]))
    }

    @Test func allSevenStatesOccurEarlyAndAnEighthRarely() {
        let counts = DeviceCounts(DeviceRoster(count: 7), Self.generator)
        #expect(counts.byState.map(\.value) == [1, 1, 1, 1, 1, 1, 1, 0])
        let many = DeviceCounts(DeviceRoster(count: 20_000), Self.generator)
        #expect(many.byState.last?.value == 20)
        #expect(many.byState.map(\.value).reduce(0, +) == 20_000)
        #expect(many.bySystem.values.reduce(0, +) == 20_000)
    }

    @Test func listsLeaveOutWhatIntuneFillsOnlyOnRequest() throws {
        let device = Self.generator.device(1, DeviceRoster.Edit(notes: "hello"))
        func notes(_ selected: [DeviceProperty]?, isSingle: Bool) throws -> JSON? {
            var writer = JSONText()
            writer.byte("{")
            DeviceSelection(selected, version: .v1, isSingle: isSingle).write(device, to: &writer)
            writer.byte("}")
            return try JSON(parsing: writer.bytes)["notes"]
        }
        #expect(try notes([.notes], isSingle: true) == "hello")
        #expect(try notes(nil, isSingle: true) == .null)
        #expect(try notes([.notes], isSingle: false) == .null)
    }

    @Test func aRenameChangesTheNameAndNothingElse() {
        let before = Self.generator.device(5, nil)
        let after = Self.generator.device(5, DeviceRoster.Edit(renames: 1))
        #expect(before.name != after.name)
        #expect(before.id == after.id)
        #expect(before.serialNumber == after.serialNumber)
    }
}
