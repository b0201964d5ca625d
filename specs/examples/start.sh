#!/usr/bin/env bash
# Starts a connection check by HTTP and prints the answer. Sent again with the same key, it starts nothing twice.
set -euo pipefail

curl --silent --show-error --fail-with-body "$STARTER_URL/v1/runs" \
    --header "Authorization: Bearer $ATLAS_TOKEN" \
    --header "Content-Type: application/json" \
    --header "Idempotency-Key: ${KEY:-ticket-4711}" \
    ${TRACEPARENT:+--header "traceparent: $TRACEPARENT"} \
    --data "{\"operation\": \"provider.connection.check\", \"provider_connection_id\": \"$CONNECTION\"}"
