/* What the broker allows: plain librabbitmq publishes with confirms and consumes with acks at once, on one quorum
 * queue, with bodies of the size of our messages. Usage: broker HOST PORT USER PASSWORD MESSAGES BYTES
 * Prints messages per second (each published, confirmed, delivered and acknowledged). */
#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *host, *user, *password;
static int port, total, size;
static const char *queue = "bench.limit";

static void check(amqp_rpc_reply_t reply, const char *what) {
    if (reply.reply_type != AMQP_RESPONSE_NORMAL) {
        fprintf(stderr, "%s failed\n", what);
        exit(1);
    }
}

static amqp_connection_state_t open_connection(void) {
    amqp_connection_state_t connection = amqp_new_connection();
    amqp_socket_t *socket = amqp_tcp_socket_new(connection);
    if (amqp_socket_open(socket, host, port) != 0) {
        fprintf(stderr, "cannot connect to %s:%d\n", host, port);
        exit(1);
    }
    check(amqp_login(connection, "/", 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, user, password), "login");
    amqp_channel_open(connection, 1);
    check(amqp_get_rpc_reply(connection), "channel");
    return connection;
}

/* Publishes everything, at most 500 unconfirmed. */
static void *publish(void *unused) {
    (void)unused;
    amqp_connection_state_t connection = open_connection();
    amqp_confirm_select(connection, 1);
    check(amqp_get_rpc_reply(connection), "confirm.select");
    char *body = calloc(1, size);
    memset(body, 'x', size);
    amqp_bytes_t bytes = {.len = size, .bytes = body};
    amqp_basic_properties_t properties = {._flags = AMQP_BASIC_DELIVERY_MODE_FLAG, .delivery_mode = 2};
    /* Confirms come out of order; `low` is the first tag that is not confirmed. */
    char *seen = calloc(1, total + 2);
    int sent = 0, confirmed = 0, low = 1;
    while (confirmed < total) {
        while (sent < total && sent - confirmed < 500) {
            amqp_basic_publish(connection, 1, amqp_empty_bytes, amqp_cstring_bytes(queue), 1, 0, &properties, bytes);
            sent++;
        }
        amqp_frame_t frame;
        if (amqp_simple_wait_frame(connection, &frame) != AMQP_STATUS_OK) exit(1);
        if (frame.frame_type == AMQP_FRAME_METHOD && frame.payload.method.id == AMQP_BASIC_ACK_METHOD) {
            amqp_basic_ack_t *ack = frame.payload.method.decoded;
            int tag = (int)ack->delivery_tag, from = ack->multiple ? low : tag;
            for (int each = from; each <= tag; each++) {
                confirmed += !seen[each];
                seen[each] = 1;
            }
            while (low <= total && seen[low]) low++;
        }
        amqp_maybe_release_buffers(connection);
    }
    return NULL;
}

int main(int count, char **words) {
    if (count != 7) return 2;
    host = words[1], port = atoi(words[2]), user = words[3], password = words[4];
    total = atoi(words[5]), size = atoi(words[6]);
    amqp_connection_state_t connection = open_connection();
    amqp_table_entry_t entry = {.key = amqp_cstring_bytes("x-queue-type"),
                                .value = {.kind = AMQP_FIELD_KIND_UTF8,
                                          .value = {.bytes = amqp_cstring_bytes("quorum")}}};
    amqp_table_t arguments = {.num_entries = 1, .entries = &entry};
    amqp_queue_declare(connection, 1, amqp_cstring_bytes(queue), 0, 1, 0, 0, arguments);
    check(amqp_get_rpc_reply(connection), "queue.declare");
    amqp_basic_qos(connection, 1, 0, 200, 0);
    amqp_basic_consume(connection, 1, amqp_cstring_bytes(queue), amqp_empty_bytes, 0, 0, 0, amqp_empty_table);
    check(amqp_get_rpc_reply(connection), "consume");
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    pthread_t publisher;
    pthread_create(&publisher, NULL, publish, NULL);
    for (int received = 1; received <= total; received++) {
        amqp_envelope_t envelope;
        amqp_maybe_release_buffers(connection);
        check(amqp_consume_message(connection, &envelope, NULL, 0), "consume_message");
        if (received % 50 == 0 || received == total) amqp_basic_ack(connection, 1, envelope.delivery_tag, 1);
        amqp_destroy_envelope(&envelope);
    }
    pthread_join(publisher, NULL);
    clock_gettime(CLOCK_MONOTONIC, &to);
    double seconds = (to.tv_sec - from.tv_sec) + (to.tv_nsec - from.tv_nsec) / 1e9;
    printf("%.0f\n", total / seconds);
    amqp_queue_delete(connection, 1, amqp_cstring_bytes(queue), 0, 0);
    amqp_connection_close(connection, AMQP_REPLY_SUCCESS);
    return 0;
}
