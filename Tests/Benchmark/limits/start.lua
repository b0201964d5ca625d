
-- Starts a check on one connection after another. `token` and `ids` are written in front of this file.
local nextID = 0
wrk.method = "POST"
wrk.headers["Authorization"] = "Bearer " .. token
wrk.headers["Content-Type"] = "application/json"
function request()
    nextID = nextID % #ids + 1
    return wrk.format(nil, "/v1/runs", nil,
        '{"operation":"provider.connection.check","provider_connection_id":"' .. ids[nextID] .. '"}')
end
function done(summary)
    io.write("accepted " .. (summary.requests - summary.errors.status) .. "\n")
end
