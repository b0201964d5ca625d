import Glibc

/// The figures of the process itself, under the names that every Prometheus client uses.
enum ProcessFigures {
    static func register(in metrics: Metrics, service: String) {
        metrics.gauge(
            "tenantatlas_build_info", help: "Which build is running.",
            labels: ["service", "version", "commit"]
        ).set(1, service, BuildInfo.version, BuildInfo.commit)
        metrics.sampled("process_resident_memory_bytes", help: "Memory in use.") { residentBytes() }
        metrics.sampled("process_cpu_seconds_total", help: "Processor time used.") { processorSeconds() }
        let started = Double(time(nil))
        metrics.sampled("process_start_time_seconds", help: "When the process started.") { started }
    }

    private static func residentBytes() -> Double {
        let fields = TextFile.read("/proc/self/statm", limit: 1_024)?.split(separator: " ") ?? []
        return fields.count > 1 ? (Double(fields[1]) ?? 0) * Double(sysconf(Int32(_SC_PAGESIZE))) : 0
    }

    private static func processorSeconds() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }
}
