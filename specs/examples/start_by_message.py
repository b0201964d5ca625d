#!/usr/bin/env python3
"""Starts a connection check by a message and prints the answer: a CloudEvent in binary mode, with pika."""

import json
import os
import uuid

import pika

TIME_LIMIT = 30

connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"]))
channel = connection.channel()
channel.confirm_delivery()
answers = channel.queue_declare("", exclusive=True).method.queue

headers = {
    "authorization": "Bearer " + os.environ["ATLAS_TOKEN"],
    "cloudEvents_specversion": "1.0",
    "cloudEvents_type": "com.tenantatlas.start.requested.v1",
    "cloudEvents_source": "/ticket-system",
    "cloudEvents_id": os.environ.get("KEY", "4712"),
}
if "TRACEPARENT" in os.environ:
    headers["cloudEvents_traceparent"] = os.environ["TRACEPARENT"]
correlation = str(uuid.uuid4())
request = {"operation": "provider.connection.check", "provider_connection_id": os.environ["CONNECTION"]}
channel.basic_publish(
    "requests", "start", json.dumps(request).encode(), mandatory=True,
    properties=pika.BasicProperties(
        content_type="application/json", delivery_mode=2, headers=headers, reply_to=answers,
        correlation_id=correlation))

for _, properties, body in channel.consume(answers, auto_ack=True, inactivity_timeout=TIME_LIMIT):
    if properties is None:
        raise SystemExit(f"There was no answer within {TIME_LIMIT} s.")
    if properties.correlation_id == correlation:
        print(body.decode())
        break
connection.close()
