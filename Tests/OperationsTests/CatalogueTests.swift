import Operations
import Testing

/// The tables of design.md, section 4, literally (P010, P010b, P012, P014).
struct CatalogueTests {
    typealias Row = (
        type: String, family: String, capability: String, effect: String, systemMayRun: Bool, label: String
    )

    static let rows: [Row] = [
        ("provider.connection.check", "provider", "provider.run", "read", true, "Connection check"),
        ("compliance.snapshot", "provider", "provider.run", "read", true, "Compliance snapshot"),
        ("inventory.sync", "inventory", "provider.run", "read", true, "Inventory sync"),
        ("policy.sync", "inventory", "provider.run", "read", true, "Policy sync"),
        ("backup.run", "inventory", "backup.run", "read", true, "Backup"),
        ("restore.execute", "restore", "restore.execute", "write", false, "Restore"),
        ("restore.assignments", "restore", "restore.execute", "write", false, "Restore of assignments"),
        ("policy.bulk_assign", "bulk", "policy.bulk", "write", false, "Bulk assignment"),
        ("policy.bulk_delete", "bulk", "policy.bulk", "write", false, "Bulk deletion of policies"),
        ("device.bulk_sync", "bulk", "device.bulk", "write", false, "Bulk device sync"),
    ]

    @Test(arguments: rows.indices)
    func `an operation is`(index: Int) throws {
        let row = Self.rows[index]
        let definition = try #require(OperationCatalogue.definition(named: row.type))
        #expect(definition.type.rawValue == row.type)
        #expect(definition.family.rawValue == row.family)
        #expect(definition.capability.rawValue == row.capability)
        #expect(definition.effect.rawValue == row.effect)
        #expect(definition.systemMayRun == row.systemMayRun)
        #expect(definition.label == row.label)
        #expect(definition.queueLimitSeconds == 86_400)
        #expect(definition.retry == (row.effect == "read" ? .reads : .writes))
    }

    @Test func `every type has one definition, and there are no others`() {
        #expect(OperationType.allCases.map(\.rawValue) == Self.rows.map(\.type))
        #expect(OperationCatalogue.all.map(\.type) == OperationType.allCases)
        #expect(Set(OperationCatalogue.all.map(\.label)).count == Self.rows.count)
        #expect(Set(OperationCatalogue.all.map(\.family)) == Set(OperationFamily.allCases))
    }

    @Test func `what changes a tenant is never the system's`() {
        for definition in OperationCatalogue.all where definition.effect == .write {
            #expect(!definition.systemMayRun)
        }
    }

    @Test(arguments: ["", "Backup", "BACKUP.RUN", "backup.run ", "backup", "backup.run\u{0}"])
    func `a name that is none of ours has no definition`(name: String) {
        #expect(OperationCatalogue.definition(named: name) == nil)
    }

    // MARK: roles

    static let everything = [
        "provider.view", "provider.manage", "provider.run", "backup.run", "restore.execute", "policy.bulk",
        "device.bulk", "operations.view", "access.manage", "audit.view", "notifications.manage",
    ]

    @Test(arguments: [
        ("owner", everything), ("manager", everything),
        ("operator", ["provider.view", "provider.run", "backup.run", "operations.view"]),
        ("readonly", ["provider.view", "operations.view"]),
    ])
    func `a role holds`(name: String, capabilities: [String]) throws {
        let role = try #require(Role(rawValue: name))
        #expect(Set(role.capabilities.map(\.rawValue)) == Set(capabilities))
        for capability in Capability.allCases {
            #expect(role.holds(capability) == capabilities.contains(capability.rawValue))
        }
    }

    @Test func `there are four roles and these capabilities`() {
        #expect(Role.allCases.map(\.rawValue) == ["owner", "manager", "operator", "readonly"])
        #expect(Capability.allCases.map(\.rawValue).sorted() == Self.everything.sorted())
    }

    @Test func `an operator starts operations and does not manage; readonly starts nothing`() {
        #expect(Role.operator.holds(.providerRun))
        #expect(!Role.operator.holds(.providerManage))
        #expect(!Role.operator.holds(.accessManage))
        for definition in OperationCatalogue.all {
            #expect(Role.operator.holds(definition.capability) == (definition.effect == .read))
            #expect(!Role.readonly.holds(definition.capability))
        }
    }
}
