#!/usr/bin/env bash
# Starts a connection check by a message and prints the answer: a CloudEvent in structured mode, with amqp-tools.
set -euo pipefail

answers=ticket-system.answers.$$
amqp-declare-queue --url="$AMQP_URL" --queue="$answers" >/dev/null
trap 'amqp-delete-queue --url="$AMQP_URL" --queue="$answers" >/dev/null' EXIT

event='{
  "specversion": "1.0",
  "type": "com.tenantatlas.start.requested.v1",
  "source": "/ticket-system",
  "id": "'${KEY:-4711}'",
  '${TRACEPARENT:+"\"traceparent\": \"$TRACEPARENT\","}'
  "data": {"operation": "provider.connection.check", "provider_connection_id": "'$CONNECTION'"}
}'
amqp-publish --url="$AMQP_URL" --exchange=requests --routing-key=start --persistent --reply-to="$answers" \
    --content-type=application/cloudevents+json --header="authorization: Bearer $ATLAS_TOKEN" --body="$event"

timeout 30 amqp-consume --url="$AMQP_URL" --queue="$answers" --count=1 cat
