import ServiceKit
import Testing

/// Traces that come from outside, and those that begin here.
@Suite struct TraceParentTests {
    static let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    @Test func validHeadersAreTakenOver() throws {
        #expect(TraceParent(Self.good)?.description == Self.good)
        #expect(
            TraceParent("cc" + Self.good.dropFirst(2) + "-what-the-future-brings")?.description == Self.good)
    }

    @Test(arguments: [
        "", "00", good + "-more", "ff" + good.dropFirst(2), good.uppercased(), good + "0",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-011", good.replacing("-", with: "_"),
        "cc" + good.dropFirst(2) + "x",
    ])
    func othersAreNot(header: String) { #expect(TraceParent(header) == nil) }

    @Test func newOnesAreValidAndDiffer() {
        var generator = SystemRandomNumberGenerator()
        let (one, other) = (
            TraceParent.random(using: &generator), TraceParent.random(using: &generator)
        )
        #expect(TraceParent(one.description) == one)
        #expect(one != other)
    }

    @Test func aPartOfTheWorkHasANumberOfItsOwnInTheSameTrace() throws {
        let trace = try #require(TraceParent(Self.good))
        #expect(trace.child(0xA).description == "00-4bf92f3577b34da6a3ce929d0e0e4736-000000000000000a-01")
        #expect(TraceParent(trace.child(0).description) != nil, "0 would name no caller")
        #expect(TraceParent(trace.child(.max).description) == trace.child(.max))
    }

    @Test func aTraceBelongsToItsTask() async throws {
        let trace = try #require(TraceParent(Self.good))
        #expect(TraceParent.current == nil)
        await TraceParent.$current.withValue(trace) {
            let inner = await Task { TraceParent.current }.value
            #expect(inner == trace)
        }
    }
}
