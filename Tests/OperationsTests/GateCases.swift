import Operations

/// The enumerated cases. The whole product has some 10^9 members; what is left out are combinations of more
/// than two things that are wrong at once in facts that different checks look at:
///
/// 1. ``runs``: everything about the run, in full, in four worlds of facts;
/// 2. ``facts``: person × tenant × connection in full, for one operation that changes and one that reads, under
///    a person, and one under the system. Thinned out: what is wrong with a connection comes alone or all at
///    once, and behind a tenant that moved, or for a read, the write gate has its two extremes only;
/// 3. ``pairs``: for every operation and authority, at begin and call, any one and any two deviations from what
///    is legitimate.
enum GateCases {
    static let operations: [OperationType?] = OperationType.allCases.map(Optional.some) + [nil]

    static let runs: [GateCase] = {
        var cases: [GateCase] = []
        for world in worlds {
            for operation in operations {
                for phase in LegitimacyDecision.Phase.allCases {
                    for isExpired in [false, true] {
                        for context in GateCase.Context.allCases {
                            cases += authorities.map { authority in
                                var one = world
                                one.operation = operation
                                one.phase = phase
                                one.isExpired = isExpired
                                one.context = context
                                (one.mode, one.origin, one.hasInitiator) = authority
                                return one
                            }
                        }
                    }
                }
            }
        }
        return cases
    }()

    /// Mode × origin × initiator.
    static let authorities: [(AuthorityMode, StartOrigin, Bool)] = AuthorityMode.allCases.flatMap { mode in
        StartOrigin.allCases.flatMap { origin in [(mode, origin, true), (mode, origin, false)] }
    }

    /// All is well, nothing is there, nothing can be read, everything is wrong.
    private static let worlds: [GateCase] = {
        let good = GateCase(operation: nil)
        var missing = good
        (missing.initiator, missing.entitlement, missing.tenant, missing.connection) =
            (.missing, .missing, .missing, .missing)
        var unreadable = good
        (unreadable.initiator, unreadable.entitlement, unreadable.tenant, unreadable.connection) =
            (.unreadable, .unreadable, .unreadable, .unreadable)
        var wrong = good
        for change in deviations { change(&wrong) }
        return [good, missing, unreadable, wrong]
    }()

    static let facts: [GateCase] =
        product(.legitimate(.restoreExecute, system: false), people, tenants, connections)
        + product(.legitimate(.policySync, system: false), people, tenantsOfReads, connections)
        + product(.legitimate(.backupRun, system: true), peopleOfSystem, tenantsOfReads, connections)

    static let pairs: [GateCase] = {
        var cases: [GateCase] = []
        for operation in OperationType.allCases {
            for isSystem in [false, true] {
                for phase in [LegitimacyDecision.Phase.begin, .chunk, .call] {
                    var legitimate = GateCase.legitimate(operation, system: isSystem)
                    legitimate.phase = phase
                    cases.append(legitimate)
                    for (index, first) in deviations.enumerated() {
                        for second in deviations[index...] {
                            var one = legitimate
                            first(&one)
                            second(&one)
                            cases.append(one)
                        }
                    }
                }
            }
        }
        return cases
    }()

    // MARK: one group of facts each

    typealias Change = @Sendable (inout GateCase) -> Void

    /// Every value of every dimension, but the one that each has in a legitimate case.
    private static let deviations: [Change] =
        [
            { $0.operation = nil }, { $0.isExpired = true }, { $0.hasInitiator.toggle() },
            { $0.mode = $0.isActor ? .systemAuthority : .actorBound },
            { $0.origin = .upstream }, { $0.origin = $0.origin == .schedule ? .person : .schedule },
            { $0.initiator = .missing }, { $0.initiator = .unreadable }, { $0.initiator = .found },
            { $0.isDisabled = true },
            { $0.entitlement = .missing }, { $0.entitlement = .unreadable }, { $0.entitlement = .found },
            { $0.grant = .other }, { $0.grant = .notWritten },
            { $0.role = .manager }, { $0.role = .operator }, { $0.role = .readonly },
            { $0.tenant = .missing }, { $0.tenant = .unreadable }, { $0.movedToOtherWorkspace = true },
            { $0.operability = .onboarding }, { $0.operability = .suspended }, { $0.operability = .archived },
            { $0.freeze = .raised }, { $0.freeze = .lowered },
            { $0.gateIsOpen = false }, { $0.proof = .stale }, { $0.proof = .never },
            { $0.proofIsHealthy = false },
            { $0.connection = .missing }, { $0.connection = .unreadable },
            { $0.connectionIsOfOtherTenant = true }, { $0.connectionIsEnabled = false },
            { $0.directoryChanged = true }, { $0.hasCredential = false },
        ] + GateCase.Context.allCases.dropFirst().map { context in { @Sendable in $0.context = context } }

    private static let people: [Change] = {
        var changes: [Change] = []
        for (initiator, isDisabled) in presences(of: [false, true]) {
            changes += presences(of: grants).map { entitlement, grant in
                { @Sendable in
                    ($0.initiator, $0.isDisabled) = (initiator, isDisabled)
                    ($0.entitlement, $0.grant, $0.role) = (entitlement, grant.0, grant.1)
                }
            }
        }
        return changes
    }()

    private static let grants: [(GateCase.Grant, Role)] = [.same, .other].flatMap { grant in
        Role.allCases.map { (grant, $0) }
    }

    private static let peopleOfSystem: [Change] = [
        { $0.initiator = .missing }, { $0.entitlement = .unreadable },
        {
            ($0.initiator, $0.isDisabled) = (.found, true)
            ($0.entitlement, $0.grant, $0.role) = (.found, .other, .readonly)
        },
    ]

    private static let tenants = tenants(gates: gates)
    private static let tenantsOfReads = tenants(gates: extremeGates)

    private typealias Gate = (isOpen: Bool, proof: GateCase.Proof, isHealthy: Bool)

    private static let extremeGates: [Gate] = [(true, .fresh, true), (false, .never, false)]
    private static let gates: [Gate] = [true, false].flatMap { isOpen in
        GateCase.Proof.allCases.flatMap { proof in [(isOpen, proof, true), (isOpen, proof, false)] }
    }

    private static func tenants(gates: [Gate]) -> [Change] {
        var changes: [Change] = [{ $0.tenant = .missing }, { $0.tenant = .unreadable }]
        for moved in [false, true] {
            for operability in AuthorityFacts.Operability.allCases {
                for freeze in [GateCase.Freeze.same, .raised] {
                    changes += (moved ? extremeGates : gates).map { gate in
                        { @Sendable in
                            ($0.movedToOtherWorkspace, $0.operability) = (moved, operability)
                            $0.freeze = freeze
                            ($0.gateIsOpen, $0.proof, $0.proofIsHealthy) = gate
                        }
                    }
                }
            }
        }
        return changes
    }

    private static let connections: [Change] =
        [{ $0.connection = .missing }, { $0.connection = .unreadable }]
        + [0, 1, 2, 4, 8, 15].map { bits in
            { @Sendable in
                $0.connectionIsEnabled = bits & 1 == 0
                $0.directoryChanged = bits & 2 != 0
                $0.hasCredential = bits & 4 == 0
                $0.connectionIsOfOtherTenant = bits & 8 != 0
            }
        }

    /// Found with each value, missing, unreadable.
    private static func presences<Value>(of values: [Value]) -> [(GateCase.Presence, Value)] {
        values.map { (.found, $0) } + [(.missing, values[0]), (.unreadable, values[0])]
    }

    private static func product(_ start: GateCase, _ groups: [Change]...) -> [GateCase] {
        groups.reduce([start]) { cases, changes in
            cases.flatMap { one in
                changes.map { change in
                    var changed = one
                    change(&changed)
                    return changed
                }
            }
        }
    }
}
