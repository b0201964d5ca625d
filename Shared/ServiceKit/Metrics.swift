import Synchronization

/// The figures that a service shows to Prometheus.
///
/// Figures are registered once at start and kept; updating one takes no lock that is shared with others.
/// A name that is registered again with the same shape is the same figure; with another shape, or a name
/// or label that the format forbids, is a programming error and traps.
package final class Metrics: Sendable {
    private let families = Mutex<[String: any MetricFamily]>([:])

    package init() {}

    /// A number that only grows. `name` ends with `_total`.
    package func counter(_ name: String, help: String, labels: [String] = []) -> Counter {
        precondition(name.hasSuffix("_total"), "counter \(name) does not end with _total")
        return register(Counter(MetricShape(name: name, help: help, type: "counter", labels: labels)))
    }

    /// A number that goes up and down.
    package func gauge(_ name: String, help: String, labels: [String] = []) -> Gauge {
        register(Gauge(MetricShape(name: name, help: help, type: "gauge", labels: labels)))
    }

    /// A number that is read each time somebody looks. `read` must be quick and must not block.
    package func sampled(_ name: String, help: String, read: @escaping @Sendable () -> Double) {
        let type = name.hasSuffix("_total") ? "counter" : "gauge"
        _ = register(SampledGauge(MetricShape(name: name, help: help, type: type, labels: []), read: read))
    }

    /// How often values fell below each of `buckets`, which rise.
    package func histogram(
        _ name: String, help: String, labels: [String] = [], buckets: [Double] = Histogram.seconds
    ) -> Histogram {
        precondition(!labels.contains("le"), "label le belongs to histograms themselves")
        return register(
            Histogram(
                MetricShape(name: name, help: help, type: "histogram", labels: labels), buckets: buckets))
    }

    /// All figures in the text format of Prometheus, version 0.0.4.
    package func render() -> String {
        let families = families.withLock { Array($0.values) }.sorted { $0.shape.name < $1.shape.name }
        var text = ""
        for family in families {
            let shape = family.shape
            text +=
                "# HELP \(shape.name) \(MetricText.help(shape.help))\n# TYPE \(shape.name) \(shape.type)\n"
            for line in family.samples() { text += line + "\n" }
        }
        return text
    }

    private func register<Family: MetricFamily>(_ new: Family) -> Family {
        families.withLock { families in
            guard let old = families[new.shape.name] else {
                families[new.shape.name] = new
                return new
            }
            guard let same = old as? Family, old.shape == new.shape else {
                preconditionFailure("metric \(new.shape.name) was registered with another shape")
            }
            return same
        }
    }
}

/// All figures of one name.
protocol MetricFamily: AnyObject, Sendable {
    var shape: MetricShape { get }
    /// The lines of the figures, without line ends.
    func samples() -> [String]
}

/// What a name stands for.
struct MetricShape: Sendable, Equatable {
    let name: String
    let help: String
    let type: String
    let labels: [String]

    init(name: String, help: String, type: String, labels: [String]) {
        precondition(MetricText.isName(name, colons: true), "\(name) is not a metric's name")
        for label in labels {
            precondition(
                MetricText.isName(label, colons: false) && !label.hasPrefix("__"), "\(label) is no label")
        }
        precondition(Set(labels).count == labels.count, "metric \(name) has a label twice")
        self.name = name
        self.help = help
        self.type = type
        self.labels = labels
    }
}
