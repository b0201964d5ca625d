import CLinux
import Glibc

/// What a process that holds credentials does first. `runService` does it; other programs call it.
package enum Hardening {
    /// No core dumps, no memory for other processes to read, no death by a closed pipe.
    package static func apply() {
        // A peer that hangs up is an error of the write, not the end of the process. curl relies on it too.
        signal(SIGPIPE, SIG_IGN)
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        _ = setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        _ = linux_forbid_dumps()
    }
}
