package import JSON
package import Operations

/// Why a run stands where it stands: what was decided, whether that can be repeated from its own record, and
/// what would be decided now.
package struct RunExplanation: Sendable, Hashable {
    /// A stored decision, made again from the inputs that it recorded.
    package struct Replay: Sendable, Hashable {
        /// Whether it came out the same, member by member.
        package let isEqual: Bool
        package let decision: JSON
    }

    /// The last decision as stored; nil while there was none.
    package let then: JSON?
    /// Nil when there is no stored decision, or it can't be read.
    package let replay: Replay?
    /// Asked of the present, without any effect.
    package let now: LegitimacyDecision
    /// Who could do what about it; nil when nothing stands in the way.
    package let unblock: String?

    /// `facts` are those of the present.
    init(run: RunSnapshot, facts: AuthorityFacts, then: JSON?) {
        self.then = then
        replay = then.flatMap(Replay.init)
        // The limit of waiting concerns what waits only.
        let phase: LegitimacyDecision.Phase = run.state == .queued ? .begin : .call
        now = LegitimacyGate.decide(run.execution, attempt: run.attempt, phase: phase, facts: facts)
        // What has ended stays as it ended, whatever holds now.
        let obstacle = run.state == .completed ? nil : now.denial.map(RunReason.denial)
        unblock = (obstacle ?? run.waitReason).map {
            Presentation.remedy($0, isOver: run.state == .completed)
        }
    }
}

extension RunExplanation.Replay {
    /// Makes a stored decision again; nil when its inputs can't be read.
    package init?(_ stored: JSON) {
        guard let run = stored["run"].flatMap(QueuedExecution.init(json:)),
            let facts = stored["facts"].flatMap(AuthorityFacts.init(json:)),
            let phase = stored["phase"]?.string.flatMap(LegitimacyDecision.Phase.init),
            let attempt = stored["attempt"]?.integer
        else { return nil }
        decision = LegitimacyGate.decide(run, attempt: attempt, phase: phase, facts: facts).json
        // What they say counts, not the order of their members.
        isEqual = decision.canonicalBytes == stored.canonicalBytes
    }
}
