/// What the Glibc module does not offer Swift: eventfd, thread names, and prctl (variadic).
#ifndef TENANTATLAS_CLINUX_SHIM_H
#define TENANTATLAS_CLINUX_SHIM_H

#include <sys/eventfd.h>
#include <sys/prctl.h>

/// A non-blocking, close-on-exec event descriptor, or -1 with errno set.
static inline int linux_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

/// Names the calling thread; the kernel keeps the first 15 bytes.
static inline void linux_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

/// Keeps the process's memory out of core dumps and from other processes of the same user.
static inline int linux_forbid_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

#endif
