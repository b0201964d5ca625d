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

    private static let bulk: Set<OperationType> = [.policyBulkAssign, .policyBulkDelete, .deviceBulkSync]

    @Test(arguments: OperationType.allCases.filter { !bulk.contains($0) })
    func `no operation needs parameters, and nothing is stored for none`(type: OperationType) throws {
        for none in [nil, .null, [:]] as [JSON?] {
            let accepted = try RunParameters.accept(none, for: type)
            #expect(accepted == nil)
        }
    }

    @Test(arguments: OperationType.allCases.filter { $0 != .backupRun && !bulk.contains($0) })
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
}
