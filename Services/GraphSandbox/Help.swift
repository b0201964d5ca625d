/// The long text of `--help`. Lines stay below 79 columns: the argument parser would wrap longer ones.
enum Help {
    static var text: String {
        let tenants = DefaultTenants.entries.map { entry in
            "  \(entry.id)  \(entry.devices) devices\n    \(entry.displayName)"
        }
        let sets = EntitySet.allCases.map(\.rawValue)
        let lines = stride(from: 0, to: sets.count, by: 2).map {
            sets[$0...].prefix(2).joined(separator: ", ")
        }
        return body.replacing("{tenants}", with: tenants.joined(separator: "\n"))
            .replacing("{sets}", with: lines.joined(separator: ",\n    "))
            .replacing("{limit}", with: "\(EntitySet.countLimit)")
            .replacing("{batch}", with: "\(Batch.limit)")
            .replacing("{client}", with: DefaultTenants.clientID)
            .replacing("{secret}", with: DefaultTenants.clientSecret)
    }

    private static let body = """
        It prints {"listening":"http://HOST:PORT"} when it is ready, and ends on
        SIGTERM.

        WHAT IT SERVES
          POST /{tenant}/oauth2/v2.0/token    client credentials with a secret or a signed assertion
          GET  /{tenant}/v2.0/.well-known/openid-configuration
          GET  /{tenant}/discovery/v2.0/keys
          GET  /v1.0/... and /beta/...
            organization; servicePrincipals with appRoleAssignments; groups
            (only read; $filter on displayName and id);
            directoryObjects/getByIds
          deviceManagement, and below it
            managedDevices (also PATCH, DELETE, syncDevice),
            managedDeviceOverview, deviceCompliancePolicyDeviceStateSummary
            deviceConfigurations, with getOmaSettingPlainTextValue
            deviceCompliancePolicies, with scheduleActionsForRules and
              $expand=scheduledActionsForRule(
                $expand=scheduledActionConfigurations)
            and only in beta: configurationPolicies (PUT, /settings),
              deviceManagementScripts, assignmentFilters, roleScopeTags
          deviceAppManagement/ mobileApps (only read), managedAppPolicies (only
            read), iosManagedAppProtections, androidManagedAppProtections with
            /apps and targetApps
          identity/conditionalAccess/policies
          $batch, with at most {batch} requests
          What isn't "only read" has GET, POST, PATCH and DELETE, and what is
          assigned has /assignments, $expand=assignments and POST .../assign,
          which replaces the whole set of direct assignments.
          Tokens are signed (ES256) and checked on each call. Permissions,
          versions, unknown properties, methods and paging are answered as the
          real service answers them. Unknown properties of a body are refused;
          those that only the service writes are ignored (see the journal).
          OMA-URI texts are masked, secret settings become tokens that no other
          tenant takes.

        TENANTS THAT EXIST BY DEFAULT
        {tenants}
          All of them know the app  {client}
          with the secret           {secret}

        TENANTS FILE (--tenants)
          {"tenants":[{"id":"<GUID>","displayName":"Contoso","devices":5000,
            "domain":"contoso.example","intune":true,
            "app":{"clientId":"<GUID>","clientSecret":"...",
                   "roles":["Organization.Read.All"]}}]}
          app may have "certificates":["<PEM>"] to sign assertions with. Only id, clientId, and a
          secret or a certificate are needed. devices is 0...100000.
          "entities":{"deviceConfigurations":500}  how many are seeded of each
            of {sets};
            each 0...{limit}
          "statuses": documented|observed  which codes writes are answered with
            (PATCH 200 or 204, DELETE 204 or 200, ...)
          Tenants with the same text in "deviceSeed" have the same object ids.

        CONTROL SURFACE (--control)
          Each call needs the header 'Authorization: Bearer <control token>'.
          GET, POST         /_sandbox/tenants   with exact counts by state
          GET, PUT, DELETE  /_sandbox/tenants/{id}
                              PUT changes the members that it names
          POST              /_sandbox/tenants/{id}/churn
                              {"insert":5,"delete":3,"rename":2}
          GET               /_sandbox/tenants/{id}/entities
                              everything of all sets: beta's properties,
                              assignments, settings, scheduledActionsForRule,
                              apps, and secrets: plain texts by reference
          GET, POST         /_sandbox/tenants/{id}/entities/{set}
          GET, PATCH,       /_sandbox/tenants/{id}/entities/{set}/{object id}
          DELETE              written as they are, past all rules, and not in
                              the journal: for drift and for groups
          DELETE            /_sandbox/tenants/{id}/tokens
                              tokens issued so far are not accepted any more
          GET, POST, DELETE /_sandbox/faults
          GET, DELETE       /_sandbox/faults/{id}
          GET, DELETE       /_sandbox/journal
                              ?since=<seq>&tenant=&path=&method=&limit=
                              &writes=true: only calls that changed something
                            An entry of these has objectSet, objectId (of a
                            created object the new id) and change (create,
                            update, replace, delete, assign, action), also
                            when the connection was reset afterwards; ignored
                            names properties without effect, and batch is the
                            seq of the $batch that the call came in.
          GET               /_sandbox/roles     what can be granted

        FAULTS
          {"kind":"...", and optionally
           "tenant":id, "method":"GET", "path": prefix, or pattern with *,
           "endpoint": graph|token|any,
           "writes": true: only calls that change something,
           "inBatch": true: only requests inside a $batch,
           "skip": so many matching calls pass first,
           "count": then so many are hit, "seconds": it ends after that}
          Without count and seconds a fault stays until it is deleted.

          throttle          429; retryAfter (1), retryAfterForm
                            seconds|date|absent
          outage            status (503), html, retryAfter, retryAfterForm
          error             status, code, message
          echo              status (400), text: repeats the secret or token
                            that the call showed, and the text, in many
                            encodings and places
          unauthorized      401 as for an expired token
          claimsChallenge   401 of continuous access evaluation
          quota             requests, windowSeconds (20); a sliding window in
                            which refused calls count
          writeQuota        the same for writes only, each tenant by itself
          listLag           reads: so many listings, or lagMs: so long, lists
                            show the state before a write; an object's own GET
                            shows it at once
          slow              delayMs; the work is done before
          trickle           bytes (1024), delayMs: the body comes in pieces
          reset             connection reset, nothing was done
          resetAfterCommit  connection reset, the work was done
          truncate          bytes (half of it): the body breaks off
          tokenError        code: 7000215, 7000222, 7000229, 7000112, 700016,
                            53003, 90002 and others
          shortTokens       lifetimeSeconds of new tokens
          rolesRemoved      roles: new tokens lack them; with "atOnce":true
                            old tokens don't help either
          churn             insert, delete, rename: devices change before each
                            following page
          emptyPage         a page of a list is empty, and has a nextLink
          expiredSkipToken  a following page is refused with 400
          nextLink          form: upperCaseHost|foreignHost|doubleEncoded

        EXAMPLES
          GraphSandbox --port 8089 --control --control-token open-sesame

          curl localhost:8089/c0000000-0000-4000-8000-000000000001/oauth2/v2.0/token \\
            -d grant_type=client_credentials -d client_id={client} \\
            --data-urlencode 'client_secret={secret}' \\
            -d scope=https://graph.microsoft.com/.default

          curl 'localhost:8089/v1.0/deviceManagement/managedDevices?$top=5' \\
            -H "Authorization: Bearer $TOKEN"

          curl localhost:8089/_sandbox/faults \\
            -H 'Authorization: Bearer open-sesame' \\
            -d '{"kind":"throttle","count":3,"retryAfter":2}'

          curl localhost:8089/_sandbox/faults \\
            -H 'Authorization: Bearer open-sesame' \\
            -d '{"kind":"resetAfterCommit","writes":true,"skip":4,"count":1}'

          curl 'localhost:8089/_sandbox/journal?limit=10' \\
            -H 'Authorization: Bearer open-sesame'
        """
}
