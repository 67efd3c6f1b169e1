// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Flow
internal import Net
internal import Record
internal import Ring

// Unicast replies to frames to a group. A rule may say that who asks a group by UDP is answered (`expectReplies`): for so many seconds
// any datagram to the address and port that it asked from, by the other port of the pair and under the same tags, opens a flow of
// which the asking end is the initiator, as if it had asked the answering one by name.
//
// Such a flow holds as long and no longer, unless policy allows by then what it would be as an ordinary flow: it is
// judged again there as one, and so it is by a new generation, which also ends what was expected. Who answers must be who it says: an
// address that is contested, or that belongs to another zone, answers nobody.

extension Lane {
    /// Lets the sender of a frame to a group in hand expect answers.
    @_noLocks
    mutating func expectReplies(
        _ arrival: Arrival, _ judgement: Judgement, askerClass: ClassNumber, _ policy: borrowing PolicyInForce, _ now: Moment
    ) {
        let index = arrival.index
        guard burst.readings[index].protocolNumber.rawValue == 17, burst.readings[index].tunnel.depth == 0 else { return }
        var reply = ExpectedReply()
        reply.address = burst.readings[index].source
        reply.port = burst.readings[index].sourcePort
        reply.side = arrival.port
        reply.vlans = burst.readings[index].vlans.word
        reply.until = now.nanoseconds &+ UInt64(judgement.replySeconds) &* 1_000_000_000
        reply.ruleUntil = judgement.validUntil
        reply.generation = policy.snapshot.generation
        reply.egressRecord = judgement.egress
        reply.askerClass = askerClass
        if !expected.expect(reply, by: Int(queue), now: now.nanoseconds) {
            unsafe counters.pointee.forgottenReplies &+= 1
        }
    }

    /// What the receiver of a datagram expects now; `nil` for nothing. One look at most where nobody expects anything.
    @_noLocks
    func expectation(of arrival: Arrival, _ policy: borrowing PolicyInForce, _ now: Moment) -> ExpectedReply? {
        guard expected.isAnythingExpected(at: now.nanoseconds) else { return nil }
        let index = arrival.index
        guard burst.readings[index].protocolNumber.rawValue == 17, burst.readings[index].tunnel.depth == 0 else { return nil }
        var wanted = ExpectedReply()
        wanted.address = burst.readings[index].destination
        wanted.port = burst.readings[index].destinationPort
        wanted.side = 1 &- arrival.port
        wanted.vlans = burst.readings[index].vlans.word
        wanted.generation = policy.snapshot.generation
        return expected.find(wanted, now: now.nanoseconds)
    }

    /// Opens the flow of an expected datagram; `nil` where who sends is not who it says.
    @_noLocks @inline(never)
    mutating func openReply(
        _ arrival: Arrival, to expectation: ExpectedReply, _ policy: borrowing PolicyInForce, _ now: Moment
    ) -> Verdict? {
        let index = arrival.index
        // As if the asking end had asked this one.
        let question = Question(
            from: expectation.address, to: burst.readings[index].source,
            service: ServiceKey(.udp, port: burst.readings[index].sourcePort), sourcePort: expectation.port,
            vlans: burst.readings[index].vlans, tunnel: burst.readings[index].tunnel, pair: pair, port: expectation.side, policy)
        guard !question.source.isElsewhere, !question.destination.isElsewhere else { return nil }
        // Whose labels have changed since, asked as somebody else.
        guard question.source.classNumber == expectation.askerClass else { return nil }
        var answer = Answer(question, question.judge(policy, now))
        if !answer.allows {
            guard answer.judgement.reason.number != DropReason.contested.number else { return nil }
            answer = Answer(question, permission(of: expectation, now))
        }
        unsafe counters.pointee.expectedReplies &+= 1
        return admit(arrival, .established, answer, isReply: true, policy, now)
    }

    /// How long a flow of an answer holds without a rule of its own: as long as answers are expected, or as the rule that lets them be.
    @_noLocks
    private func permission(of expectation: ExpectedReply, _ now: Moment) -> Judgement {
        let timer = expectation.until / 1_000_000_000
        let (record, rule) = (expectation.egressRecord, expectation.ruleUntil)
        let left = UInt64(rule) > now.wall ? UInt64(rule) &- now.wall : 0
        if rule != .max, now.seconds &+ left < timer { return .expected(by: record, until: rule, isTimed: false) }
        // The monotonic clock reaches 2³² seconds after 136 years.
        return .expected(by: record, until: UInt32(truncatingIfNeeded: timer), isTimed: true)
    }
}
