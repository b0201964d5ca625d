import JSON

/// The counts that Intune computes over all devices.
struct DeviceSummaries: Sendable {
    let graph: GraphCall

    private var counts: DeviceCounts {
        DeviceCounts(
            graph.tenant.roster,
            DeviceGenerator(seed: graph.sandbox.tenants.seed, tenant: graph.tenant))
    }

    /// `/deviceManagement/managedDeviceOverview`.
    func overview() -> Answer {
        let total = JSON.int(graph.tenant.roster.count)
        var systems: [String: Int] = [:]
        for (system, count) in counts.bySystem {
            systems[DevicePlatform.summaryName(of: system), default: 0] += count
        }
        let summary = DevicePlatform.summaryNames.map { ($0, JSON.int(systems[$0] ?? 0)) }
        return answer(
            [
                "id": .string(graph.tenant.id), "enrolledDeviceCount": total, "mdmEnrolledCount": total,
                "dualEnrolledDeviceCount": 0, "deviceOperatingSystemSummary": .object(JSONObject(summary)),
                "deviceExchangeAccessStateSummary": [
                    "allowedDeviceCount": 0, "blockedDeviceCount": 0, "quarantinedDeviceCount": 0,
                    "unknownDeviceCount": 0, "unavailableDeviceCount": total,
                ],
            ], "managedDeviceOverview", "deviceManagement/managedDeviceOverview")
    }

    /// `/deviceManagement/deviceCompliancePolicyDeviceStateSummary`: other buckets than `complianceState`
    /// has.
    func complianceStates() -> Answer {
        let states = Dictionary(uniqueKeysWithValues: counts.byState.map { ($0.key, JSON.int($0.value)) })
        return answer(
            [
                "id": .string(graph.tenant.id), "inGracePeriodCount": states[.inGracePeriod] ?? 0,
                "configManagerCount": states[.configManager] ?? 0,
                "unknownDeviceCount": states[.unknown] ?? 0,
                "notApplicableDeviceCount": 0, "compliantDeviceCount": states[.compliant] ?? 0,
                "remediatedDeviceCount": 0, "nonCompliantDeviceCount": states[.noncompliant] ?? 0,
                "errorDeviceCount": states[.error] ?? 0, "conflictDeviceCount": states[.conflict] ?? 0,
            ], "deviceCompliancePolicyDeviceStateSummary",
            "deviceManagement/deviceCompliancePolicyDeviceStateSummary")
    }

    private func answer(_ document: JSONObject, _ type: String, _ context: String) -> Answer {
        do throws(QueryOptions.Failure) {
            let options = try QueryOptions(graph.call.query)
            try options.checkSelect(of: type) { document[$0] != nil }
            return graph.entity(document, context, options)
        } catch {
            return graph.badRequest(error.message)
        }
    }
}
