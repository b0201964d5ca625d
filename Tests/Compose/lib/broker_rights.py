"""What each user of the broker may and may not do. Prints a line each: ok or bad, and what was tried.

Usage: broker_rights.py SECRETS_FOLDER BROKER_ADDRESS
"""

import pathlib
import ssl
import sys
import urllib.parse

import pika

SECRETS, ADDRESS = pathlib.Path(sys.argv[1]), sys.argv[2]
FAMILIES = ["provider", "inventory", "restore", "bulk"]
LIVE = [f"jobs.{family}" for family in FAMILIES] + ["notifier.terminal", "starter.requests"]
DEAD = [f"{queue}.dead" for queue in LIVE]


def connect(user, password=None):
    """A channel, over TLS with the certificate checked, by the secret that the service itself has."""
    url = urllib.parse.urlsplit((SECRETS / f"amqp-url-{user}").read_text().strip())
    context = ssl.create_default_context(cafile=SECRETS / "authority")
    connection = pika.BlockingConnection(pika.ConnectionParameters(
        host=ADDRESS, port=url.port, virtual_host=url.path[1:],
        credentials=pika.PlainCredentials(url.username, password or url.password),
        ssl_options=pika.SSLOptions(context, server_hostname=url.hostname)))
    return connection.channel()


def tell(good, text):
    print("ok" if good else "bad", text, sep="\t", flush=True)


def outcome(user, action):
    """`allowed`, or why it was refused: the broker's code."""
    channel = connect(user)
    try:
        action(channel)
        return "allowed"
    except pika.exceptions.ChannelClosedByBroker as refusal:
        return f"refused ({refusal.reply_code})"
    finally:
        if channel.connection.is_open:
            channel.connection.close()


def may(user, what, action):
    found = outcome(user, action)
    tell(found == "allowed", f"{user} may {what}: {found}")


def may_not(user, what, action):
    found = outcome(user, action)
    tell(found == "refused (403)", f"{user} may not {what}: {found}")


def publish(exchange, key=""):
    def action(channel):
        channel.confirm_delivery()
        channel.basic_publish(exchange, key, b"no message of ours")
    return action


def consume(queue):
    return lambda channel: channel.basic_cancel(channel.basic_consume(queue, lambda *_: None, consumer_tag="rights"))


def look(queue):
    return lambda channel: channel.queue_declare(queue, passive=True)


def rights(user, writes, reads, untried=()):
    """One user: what it may, and everything else. `untried`: what it may, and is not tried, since somebody would read it."""
    for exchange in writes:
        # To a key that leads nowhere: the right is what is asked for.
        may(user, f"publish to «{exchange or 'amq.default'}»", publish(exchange, "nowhere"))
    for queue in reads:
        may(user, f"consume from {queue}", consume(queue))
    for exchange in {"jobs", "run-events", "dead-letters", "requests", ""} - {*writes, *untried}:
        may_not(user, f"publish to «{exchange or 'amq.default'}»", publish(exchange, "jobs.restore"))
    for queue in set(LIVE + DEAD) - set(reads):
        may_not(user, f"consume from {queue}", consume(queue))
    for queue in ["jobs.restore", "notifier.terminal"]:
        may_not(user, f"delete {queue}", lambda channel, queue=queue: channel.queue_delete(queue))
        may_not(user, f"bind {queue} to jobs", lambda channel, queue=queue: channel.queue_bind(queue, "jobs", "x"))
    may_not(user, "declare a queue", lambda channel: channel.queue_declare("mine", durable=True))
    may_not(user, "declare an exchange", lambda channel: channel.exchange_declare("mine"))
    may_not(user, "delete the exchange jobs", lambda channel: channel.exchange_delete("jobs"))


def login(name, password, why):
    try:
        connect(name, password).connection.close()
        tell(False, f"{why}: logged in")
    except pika.exceptions.AMQPConnectionError as refusal:
        tell(True, f"{why}: refused ({type(refusal).__name__})")


for family in FAMILIES:
    rights(f"{family}-consumer", ["jobs"], [f"jobs.{family}"], untried=["run-events"])
rights("starter", ["jobs", ""], ["starter.requests"] + DEAD, untried=["run-events"])
rights("notifier", [], ["notifier.terminal"])
rights("operator", [""], DEAD)
rights("upstream", ["requests"], [])
may("upstream", "have a queue for answers", lambda channel: (
    channel.queue_declare("replies.upstream", exclusive=True), consume("replies.upstream")(channel)))
login("starter", "guest", "a wrong password")
try:
    context = ssl.create_default_context()
    pika.BlockingConnection(pika.ConnectionParameters(
        host=ADDRESS, port=5671, ssl_options=pika.SSLOptions(context, server_hostname="rabbitmq")))
    tell(False, "a client that trusts public authorities only: connected")
except (pika.exceptions.AMQPConnectionError, ssl.SSLError) as refusal:
    tell(True, f"a client that trusts public authorities only: it refuses ({type(refusal).__name__})")
