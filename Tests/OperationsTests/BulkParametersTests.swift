import JSON
import Operations
import Testing

/// What a bulk start may ask for.
struct BulkParametersTests {
    private static let group = "00000000-0000-4000-8000-0000000000AA"
    private static let assignment: JSON = ["target": "group", "group_id": .string(group)]

    private static func faults(_ json: JSON?, _ type: OperationType) -> [String] {
        do {
            _ = try RunParameters.accept(json, for: type)
            return []
        } catch {
            return error.faults.map { "\($0.pointer) \($0.detail)" }
        }
    }

    @Test func `a selection is a filter or named items`() throws {
        let filter = try BulkParameters(
            ["kind": "device_script", "filter": ["name_contains": "Wi-Fi", "type": nil]],
            for: .policyBulkDelete)
        #expect(filter.selection.kind == .deviceScript && filter.assignment == nil)
        #expect(filter.selection.choice == .filter(["name_contains": "Wi-Fi"]))
        let items = try BulkParameters(["items": ["b", "a"]], for: .deviceBulkSync)
        #expect(items.selection.kind == nil && items.selection.choice == .items(["a", "b"]))
        #expect(items.json == ["items": ["a", "b"]])
        let all = try BulkParameters(["filter": ["all": true]], for: .deviceBulkSync)
        #expect(all.json == ["filter": ["all": true]])
    }

    @Test func `an empty filter is refused`() {
        for none in [[:], ["name_contains": nil]] as [JSON] {
            let faults = Self.faults(["filter": none], .deviceBulkSync)
            #expect(faults.count == 1 && faults[0].hasPrefix("/filter must have a condition"))
        }
        let neither = [" must have one of the members filter and items"]
        for none in [nil, [:], ["filter": nil]] as [JSON?] {
            #expect(Self.faults(none, .deviceBulkSync) == neither)
        }
        #expect(
            Self.faults(["filter": ["all": true], "items": ["a"]], .deviceBulkSync) == neither)
    }

    @Test(
        arguments: [
            (["filter": ["all": false]], "/filter/all must be true, or left out"),
            (["filter": ["all": true, "owner_type": "company"]], "/filter/all stands alone, or is left out"),
            (
                ["filter": ["operating_system": ""]],
                "/filter/operating_system must be a text of 1 to 256 characters"
            ),
            (["filter": ["owner_type": "a", "colour": "b"]], "/filter/colour is not known here"),
            (["filter": ["owner_type": "a"], "kind": "device_script"], "/kind is not known here"),
            (["filter": "all"], "/filter must be an object"),
            (["items": []], "/items must be a list of 1 to 500 ids"),
            (["items": ["a", "a"]], "/items/1 stands there already"),
            (["items": ["a\u{0}"]], "/items/0 must be an id of 1 to 512 bytes"),
        ] as [(JSON, String)])
    func `what is wrong is named`(json: JSON, fault: String) {
        #expect(Self.faults(json, .deviceBulkSync).contains(fault))
    }

    @Test func `only policies that are assigned are changed in bulk`() {
        for kind in PolicyKind.allCases {
            let faults = Self.faults(
                ["kind": .string(kind.rawValue), "items": ["a"]], .policyBulkDelete)
            #expect(faults.isEmpty == BulkSelection.kinds.contains(kind))
        }
        for word in ["scope_tag", "conditional_access_policy", "mobile_app", "assignment_filter"] {
            #expect(!BulkSelection.kinds.map(\.rawValue).contains(word))
        }
    }

    @Test func `an assignment is complete`() throws {
        let base: JSONObject = ["kind": "device_configuration", "items": ["a"]]
        func faults(_ assignment: JSON?) -> [String] {
            var json = base
            json["assignment"] = assignment
            return Self.faults(.object(json), .policyBulkAssign)
        }
        #expect(faults(Self.assignment).isEmpty)
        #expect(faults(["target": "all_users"]).isEmpty)
        #expect(faults(nil) == ["/assignment is missing"])
        #expect(faults(["target": "group"]) == ["/assignment/group_id is missing"])
        #expect(faults(["target": "everybody"]).first?.hasPrefix("/assignment/target must be one of") == true)
        #expect(
            faults(["target": "all_users", "group_id": .string(Self.group)])
                == ["/assignment/group_id belongs to a group only"])
        #expect(faults(["target": "group", "group_id": "ring"]) == ["/assignment/group_id must be a UUID"])
        let filter: JSON = .string(Self.group)
        #expect(
            faults(["target": "all_users", "filter_id": filter])
                == ["/assignment/filter_mode belongs to filter_id: both or none"])
        #expect(
            faults([
                "target": "excluded_group", "group_id": filter, "filter_id": filter, "filter_mode": "include",
            ]) == ["/assignment/filter_id can't narrow an excluded group"])
        #expect(
            Self.faults(
                ["items": ["a"], "kind": "device_script", "assignment": Self.assignment], .policyBulkDelete)
                == ["/assignment is not known here"])
        var json = base
        json["assignment"] = Self.assignment
        let stored = try BulkParameters(.object(json), for: .policyBulkAssign).json
        #expect(stored["assignment"]?["group_id"]?.string == Self.group.lowercased())
        #expect(try BulkParameters(stored, for: .policyBulkAssign).json == stored)
    }
}
