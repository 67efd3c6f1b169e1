// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Flow
internal import Net
internal import Ring

// Frames to a group: multicast and broadcast. There is no flow, because nobody knows who receives: each frame is judged by itself,
// within the budget of its port. Where its rule says so, unicast replies are let through for a time (`Lane+Replies`).

extension Lane {
    /// The verdict on a packet in a frame to a group, or to a group's address.
    @_noLocks @inline(never)
    mutating func judgeGroup(_ index: Int, _ policy: borrowing PolicyInForce, _ now: Moment) -> Verdict {
        // Nobody connects to a group (RFC 1122, 4.2.3.10).
        if burst.readings[index].protocolNumber.rawValue == 6 { return .drop(.multicast) }
        if case .refused(let reason) = Opening.of(burst.readings[index]) { return .drop(reason) }
        let port = UInt8(truncatingIfNeeded: burst.descriptors[index].options & 1)
        let question = Question(of: burst.readings[index], port: port, policy, pair: pair)
        let judgement = judgement(on: question, to: burst.readings[index].destination, policy, now)
        guard judgement.decision.number != Decision.allow.number else {
            if judgement.replySeconds > 0 {
                expectReplies(
                    Arrival(index: index, port: port), judgement, askerClass: question.source.classNumber, policy, now)
            }
            return .forward
        }
        reporter.refuse(
            burst.readings[index], question, judgement, judgement.reason, port: port, generation: policy.snapshot.generation, now)
        // Never answered, whatever the rule says: nobody asked a group for a refusal (RFC 1122, 3.2.2).
        return .drop(judgement.reason)
    }

    /// The source's egress and the zones judge what goes to a group's address. Anything else in a frame to a group, a subnet's
    /// broadcast or a host's own address, is judged by both sides: else every workload could be reached around its ingress side.
    @_noLocks
    func judgement(
        on question: Question, to destination: Address, _ policy: borrowing PolicyInForce, _ now: Moment
    ) -> Judgement {
        if question.source.isElsewhere { return .unasked(.spoofed) }
        guard destination.isMulticast || destination.isBroadcast else { return question.judge(policy, now) }
        return policy.snapshot.judgeGroup(
            source: question.source, destination: question.destination, sourceZone: question.sourceZone,
            destinationZone: question.destinationZone, service: question.service, sourcePort: question.sourcePort, now: now.wall)
    }
}
