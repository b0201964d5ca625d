import Testing

@testable import ServiceKit

@Suite struct MetricsTests {
    @Test func rendersTheTextFormat() {
        let metrics = Metrics()
        let runs = metrics.counter(
            "app_runs_total", help: "Runs,\nall \\ of them", labels: ["family", "outcome"])
        runs.add(2, "provider", "ok")
        runs.with("bulk", "quote \" back \\ line \n").add()
        metrics.gauge("app_waiting", help: "Waiting").set(2.5)
        metrics.sampled("app_answer", help: "Answer") { 42 }
        let times = metrics.histogram(
            "app_wait_seconds", help: "Wait", labels: ["family"], buckets: [0.1, 1])
        times.observe(.milliseconds(100), "bulk")
        times.observe(.milliseconds(500), "bulk")
        times.observe(.seconds(5), "bulk")
        #expect(
            metrics.render() == #"""
                # HELP app_answer Answer
                # TYPE app_answer gauge
                app_answer 42
                # HELP app_runs_total Runs,\nall \\ of them
                # TYPE app_runs_total counter
                app_runs_total{family="bulk",outcome="quote \" back \\ line \n"} 1
                app_runs_total{family="provider",outcome="ok"} 2
                # HELP app_wait_seconds Wait
                # TYPE app_wait_seconds histogram
                app_wait_seconds_bucket{family="bulk",le="0.1"} 1
                app_wait_seconds_bucket{family="bulk",le="1"} 2
                app_wait_seconds_bucket{family="bulk",le="+Inf"} 3
                app_wait_seconds_sum{family="bulk"} 5.6
                app_wait_seconds_count{family="bulk"} 3
                # HELP app_waiting Waiting
                # TYPE app_waiting gauge
                app_waiting 2.5

                """#)
    }

    @Test func showsUnlabelledFiguresFromTheBeginning() {
        let metrics = Metrics()
        _ = metrics.counter("a_total", help: "a")
        _ = metrics.gauge("b", help: "b")
        _ = metrics.gauge("c", help: "c", labels: ["x"])
        let lines = metrics.render().split(separator: "\n")
        #expect(lines.contains("a_total 0") && lines.contains("b 0"))
        #expect(!lines.contains { $0.hasPrefix("c") })
    }

    @Test func boundsTheLabels() {
        let metrics = Metrics()
        let counter = metrics.counter("a_total", help: "a", labels: ["id", "kind"])
        for id in 0..<1_200 { counter.add(1, "\(id)", "k") }
        counter.add(1, "7", "k")
        let samples = metrics.render().split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(samples.count == 1_001)
        #expect(samples.contains(#"a_total{id="other",kind="other"} 200"#))
        #expect(samples.contains(#"a_total{id="7",kind="k"} 2"#))
    }

    @Test func registeringAgainIsTheSameFigure() {
        let metrics = Metrics()
        metrics.counter("a_total", help: "a").add(1)
        metrics.counter("a_total", help: "a").add(2)
        #expect(metrics.render().contains("a_total 3\n"))
    }

    @Test func countsFromManyTasks() async {
        let metrics = Metrics()
        let counter = metrics.counter("a_total", help: "a", labels: ["n"])
        let gauge = metrics.gauge("b", help: "b")
        let histogram = metrics.histogram("c_seconds", help: "c", buckets: [1])
        await withTaskGroup { group in
            for task in 0..<8 {
                group.addTask {
                    for _ in 0..<1_000 {
                        counter.add(1, "\(task % 2)")
                        gauge.with().add(0.5)
                        histogram.with().observe(0.5)
                    }
                }
            }
        }
        #expect(counter.with("0").value == 4_000 && counter.with("1").value == 4_000)
        #expect(gauge.with().value == 4_000)
        #expect(metrics.render().contains("c_seconds_count 8000\n"))
    }

    @Test(arguments: [
        (0.0, "0"), (-0.0, "0"), (1.0, "1"), (0.005, "0.005"), (-2.5, "-2.5"), (1e15, "1000000000000000"),
        (1e300, "1e+300"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"),
    ])
    func spellsNumbers(value: Double, text: String) {
        #expect(MetricText.number(value) == text)
    }

    @Test(arguments: [
        ("a", true), ("_a9", true), ("a:b", true), ("", false), ("9a", false), ("a-b", false), ("a b", false),
        ("é", false),
    ])
    func knowsNames(name: String, valid: Bool) {
        #expect(MetricText.isName(name, colons: true) == valid)
    }

    @Test func showsTheProcess() throws {
        let metrics = Metrics()
        ProcessFigures.register(in: metrics, service: "kit")
        let lines = metrics.render().split(separator: "\n")
        func value(_ name: String) throws -> Double {
            let line = try #require(lines.first { $0.hasPrefix(name + " ") })
            return try #require(Double(line.dropFirst(name.count + 1)))
        }
        #expect(try value("process_resident_memory_bytes") > 1_000_000)
        #expect(try value("process_cpu_seconds_total") > 0)
        #expect(try value("process_start_time_seconds") > 1_700_000_000)
        #expect(lines.contains { $0.hasPrefix("tenantatlas_build_info{service=\"kit\",version=\"0.1.0\"") })
    }
}
