/// The long text of `--help`. Lines stay below 79 columns: the argument parser would wrap longer ones.
enum Help {
    static var text: String {
        let tenants = DefaultTenants.entries.map { entry in
            "  \(entry.id)  \(entry.devices) devices\n    \(entry.displayName)"
        }
        return body.replacing("{tenants}", with: tenants.joined(separator: "\n"))
            .replacing("{client}", with: DefaultTenants.clientID)
            .replacing("{secret}", with: DefaultTenants.clientSecret)
    }

    private static let body = """
        It prints {"listening":"http://HOST:PORT"} when it is ready, and ends on
        SIGTERM.

        WHAT IT SERVES
          POST /{tenant}/oauth2/v2.0/token    client credentials with a secret
          GET  /{tenant}/v2.0/.well-known/openid-configuration
          GET  /{tenant}/discovery/v2.0/keys
          GET  /v1.0/... and /beta/...
            organization, deviceManagement, and below it managedDevices (also
            PATCH, DELETE, syncDevice), managedDeviceOverview,
            deviceCompliancePolicyDeviceStateSummary, deviceConfigurations,
            deviceCompliancePolicies; beta only: configurationPolicies,
            deviceManagementScripts; deviceAppManagement/mobileApps;
            servicePrincipals with appRoleAssignments
          Tokens are signed (ES256) and checked on each call. Permissions,
          versions, unknown properties, methods and paging are answered as the
          real service answers them.

        TENANTS THAT EXIST BY DEFAULT
        {tenants}
          All of them know the app  {client}
          with the secret           {secret}

        TENANTS FILE (--tenants)
          {"tenants":[{"id":"<GUID>","displayName":"Contoso","devices":5000,
            "domain":"contoso.example","intune":true,
            "app":{"clientId":"<GUID>","clientSecret":"...",
                   "roles":["Organization.Read.All"]}}]}
          Only id, clientId and clientSecret are needed. devices is 0...100000.
          Tenants with the same text in "deviceSeed" have the same object ids.

        CONTROL SURFACE (--control)
          Each call needs the header 'Authorization: Bearer <control token>'.
          GET, POST         /_sandbox/tenants   with exact counts by state
          GET, PUT, DELETE  /_sandbox/tenants/{id}
                              PUT changes the members that it names
          POST              /_sandbox/tenants/{id}/churn
                              {"insert":5,"delete":3,"rename":2}
          DELETE            /_sandbox/tenants/{id}/tokens
                              tokens issued so far are not accepted any more
          GET, POST, DELETE /_sandbox/faults
          GET, DELETE       /_sandbox/faults/{id}
          GET, DELETE       /_sandbox/journal
                              ?since=<seq>&tenant=&path=&method=&limit=
          GET               /_sandbox/roles     what can be granted

        FAULTS
          {"kind":"...", and optionally
           "tenant":id, "method":"GET", "path": prefix, or pattern with *,
           "endpoint": graph|token|any,
           "skip": so many matching calls pass first,
           "count": then so many are hit, "seconds": it ends after that}
          Without count and seconds a fault stays until it is deleted.

          throttle          429; retryAfter (1), retryAfterForm
                            seconds|date|absent
          outage            status (503), html, retryAfter, retryAfterForm
          error             status, code, message
          unauthorized      401 as for an expired token
          claimsChallenge   401 of continuous access evaluation
          quota             requests, windowSeconds (20); a sliding window in
                            which refused calls count
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
          emptyPage         a page of devices is empty, and has a nextLink
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

          curl 'localhost:8089/_sandbox/journal?limit=10' \\
            -H 'Authorization: Bearer open-sesame'
        """
}
