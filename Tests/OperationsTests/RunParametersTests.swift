import JSON
import Operations
import Testing

struct RunParametersTests {
    private static func faults(_ json: JSON?, _ type: OperationType = .backupRun) -> [String] {
        do {
            _ = try RunParameters.accept(json, for: type)
            return []
        } catch {
            return error.faults.map { "\($0.pointer) \($0.detail)" }
        }
    }

    private static let needing: Set<OperationType> = [
        .restoreExecute, .restoreAssignments, .policyBulkAssign, .policyBulkDelete, .deviceBulkSync,
    ]

    @Test(arguments: OperationType.allCases.filter { !needing.contains($0) })
    func `no other operation needs parameters, and nothing is stored for none`(type: OperationType) throws {
        for none in [nil, .null, [:]] as [JSON?] {
            let accepted = try RunParameters.accept(none, for: type)
            #expect(accepted == nil)
        }
    }

    @Test(arguments: OperationType.allCases.filter { $0 != .backupRun && !needing.contains($0) })
    func `operations without parameters refuse any`(type: OperationType) {
        #expect(Self.faults(["kinds": ["scope_tag"]], type) == ["/kinds is not known here"])
        #expect(Self.faults(["a/b~c": 1], type) == ["/a~1b~0c is not known here"])
        #expect(Self.faults([], type) == [" must be an object"])
        #expect(Self.faults("kinds", type) == [" must be an object"])
    }

    @Test func `a backup takes different known kinds`() throws {
        let parameters = try BackupParameters(["kinds": ["scope_tag", "device_configuration"]])
        #expect(parameters.kinds == [.deviceConfiguration, .scopeTag])
        #expect(parameters.json == ["kinds": ["device_configuration", "scope_tag"]])
        let all = try BackupParameters(nil)
        #expect(all.kinds == PolicyKind.allCases)
        #expect(try RunParameters.accept(["kinds": nil], for: .backupRun) == nil)
    }

    @Test func `what is wrong is named by its pointer`() {
        let choice = PolicyKind.allCases.map(\.rawValue).joined(separator: ", ")
        #expect(Self.faults(["kinds": []]) == ["/kinds must be a list of 1 to 10 words"])
        #expect(Self.faults(["kinds": "scope_tag"]) == ["/kinds must be a list of 1 to 10 words"])
        #expect(
            Self.faults(["kinds": ["scope_tag", 7, "scope_tag", "Scope_tag"], "sort": true]) == [
                "/kinds/1 must be one of \(choice)", "/kinds/2 stands there already",
                "/kinds/3 must be one of \(choice)", "/sort is not known here",
            ])
        let many = JSON.array(Array(repeating: "scope_tag", count: 11))
        #expect(Self.faults(["kinds": many]) == ["/kinds must be a list of 1 to 10 words"])
        let long = String(repeating: "x", count: RunParameters.byteLimit)
        #expect(Self.faults(["kinds": [.string(long)]]) == [" must have at most 32768 bytes"])
    }

    // MARK: restore

    private static let restores: Set<OperationType> = [.restoreExecute, .restoreAssignments]
    private static let backup = "0192F0C1-6f7e-7d13-9d3c-2f1f5f3c9a10"
    private static let items = [
        "b0000000-0000-4000-8000-000000000002", "A0000000-0000-4000-8000-000000000001",
    ]

    @Test func `a restore names its set, its items and its mode`() throws {
        let json: JSON = [
            "mode": "execute", "backup_id": .string(Self.backup),
            "items": .array(Self.items.map(JSON.string)),
        ]
        for type in Self.restores {
            let parameters = try RestoreParameters(json, for: type)
            #expect("\(parameters.backupID)" == Self.backup.lowercased())
            // In one order and form, so that the same start is known as the same.
            #expect(
                parameters.items.map { $0.map(\.description) } == Self.items.map { $0.lowercased() }.sorted())
            #expect(parameters.mode == .execute)
            #expect(parameters.assignments == .restore)
            #expect(parameters.isWhole == (type == .restoreExecute))
            #expect(try RestoreParameters(parameters.json, for: type) == parameters)
        }
        var all = try #require(json.object)
        all["items"] = "all"
        all["assignments"] = "leave"
        let parameters = try RestoreParameters(.object(all), for: .restoreExecute)
        #expect(parameters.items == nil && parameters.assignments == .leave)
        #expect(try RestoreParameters(parameters.json, for: .restoreExecute) == parameters)
        #expect(Self.faults(.object(all), .restoreAssignments) == ["/assignments is not known here"])
    }

    @Test func `a restore writes nothing by omission`() {
        let list = "must be «all», or a list of 1 to 500 UUIDs"
        let none = [
            "/backup_id must be a UUID", "/items \(list)", "/mode must be one of preview, execute",
        ]
        for type in Self.restores {
            #expect(Self.faults(nil, type) == none)
            #expect(Self.faults([:], type) == none)
        }
        func wrong(_ name: String, _ value: JSON) -> [String] {
            var json: JSONObject = ["backup_id": .string(Self.backup), "items": "all", "mode": "preview"]
            json[name] = value
            return Self.faults(.object(json), .restoreExecute)
        }
        #expect(wrong("items", []) == ["/items \(list)"])
        #expect(wrong("items", "ALL") == ["/items \(list)"])
        #expect(wrong("items", .array(Array(repeating: "x", count: 501))) == ["/items \(list)"])
        #expect(
            wrong("items", [.string(Self.items[0]), 7, .string(Self.items[0].uppercased())]) == [
                "/items/1 must be a UUID", "/items/2 stands there already",
            ])
        #expect(wrong("mode", "run") == ["/mode must be one of preview, execute"])
        #expect(wrong("assignments", "merge") == ["/assignments must be one of restore, leave"])
        #expect(wrong("dry_run", true) == ["/dry_run is not known here"])
    }
}
