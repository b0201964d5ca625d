import FoundationEssentials
import Glibc
import Operations

extension Times {
    /// In the zone of this machine, or the one that TZ names.
    init(now: Date, isExact: Bool) {
        self.init(now: now, isExact: isExact) { date in
            var moment = time_t(date.timeIntervalSince1970)
            var parts = tm()
            guard localtime_r(&moment, &parts) != nil else { return 0 }
            return parts.tm_gmtoff
        }
    }
}
