/// librabbitmq, with what its header does not offer Swift.
///
/// Needed: 0.11.0 or later, and on Debian 12 the package 0.11.0-1+deb12u3, with the security patches for what
/// a hostile peer can send (CVE-2026-44235, -44236, -59986, -61547). A distribution's patch level is neither in
/// the header nor in the library, so only the version is refused here; the build script asks the package
/// manager for the rest.
#ifndef TENANTATLAS_CRABBITMQ_SHIM_H
#define TENANTATLAS_CRABBITMQ_SHIM_H

#include <sys/time.h>

#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>

#if AMQP_VERSION < AMQP_VERSION_CODE(0, 11, 0, 0)
#error "librabbitmq 0.11.0 or later is needed (Debian: librabbitmq-dev 0.11.0-1+deb12u3 or later)"
#endif

/// Logs in with a name and a password. `amqp_login_with_properties` is variadic, which Swift can't call.
static inline amqp_rpc_reply_t rabbit_login_plain(
    amqp_connection_state_t state, const char *virtual_host, int channel_max, int frame_max,
    int heartbeat_seconds, const amqp_table_t *client_properties, const char *user,
    const char *password) {
  return amqp_login_with_properties(state, virtual_host, channel_max, frame_max, heartbeat_seconds,
                                    client_properties, AMQP_SASL_METHOD_PLAIN, user, password);
}

#endif
