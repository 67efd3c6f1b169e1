// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Flow
internal import Net
internal import Record

// A live flow under another policy than the one that judged it.

extension Lane {
    /// Judges a live flow by the policy in force; `nil` when it may go on, else why it ends here, and it has ended then.
    @_noLocks @inline(never)
    mutating func judgeAgain(_ number: FlowNumber, _ policy: borrowing PolicyInForce, _ now: Moment) -> DropReason? {
        let entry = flows[number]
        let question = Question(of: flows.identity(of: number), port: entry.initiatorPort, policy, pair: pair)
        let isSameGeneration = entry.generation == policy.snapshot.generation
        let holds = entry.validUntil == .max || now.wall < UInt64(entry.validUntil)
        let grounds = flows.grounds(of: number)
        let isSameClass =
            grounds.sourceClass == question.source.classNumber && grounds.destinationClass == question.destination.classNumber
        // A workload that reaches itself is judged by who both ends are, which the classes do not tell: one record stands for both
        // sides.
        let wasItself = grounds.ingressRecord == grounds.egressRecord
        if isSameGeneration && holds && isSameClass && !wasItself && !question.source.isElsewhere {
            flows[number].epoch = question.epoch
            noteResponder(question, of: number)
            return nil
        }
        // The initiator's address may belong to another zone by now, whatever its class is.
        let judgement = question.source.isElsewhere ? Judgement.unasked(.spoofed) : question.judge(policy, now)
        guard judgement.decision.number == Decision.allow.number else {
            reporter.cut(record(.end, number, now), question, judgement, generation: policy.snapshot.generation)
            flows.remove(number)
            return judgement.reason
        }
        let isOtherCause = grounds.ingressRecord != judgement.ingress || grounds.egressRecord != judgement.egress
        note(judgement, question, of: number, policy)
        if isOtherCause || !isSameGeneration { report(.change, number, question, judgement, now) }
        return nil
    }
}
