// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Flow
internal import Net
internal import Ring

// First frames of a burst. Each asks policy for what lies far apart in memory: two slots of the address map, two ways down the trie of
// prefixes, two classes, a line of either's row. One after the other they would wait for each line; so all that may open a flow are put together, and go through the stages of that
// question side by side, each of which asks for the memory that the next one reads. The answer is given frame by frame, in their
// order, because one frame's flow is the next one's. On the way a datagram is found whose like was refused a moment ago.

extension Lane {
    /// Prepares the questions of the frames in hand whose bucket suggests no flow.
    @_noLocks @inline(never)
    mutating func prepareOpenings(_ count: UInt32, by policy: borrowing PolicyInForce, _ stamps: FlowStamps, at now: Moment) {
        burst.displacedBefore = denials.displacements
        burst.changesBefore = flows.inserted &+ burst.displacedBefore
        for index in 0..<Int(count) where burst.notes[index].candidate.isNone {
            denials.prefetch(burst.notes[index].hash, isIPv4: burst.notes[index].keys.isIPv4)
        }
        var openers = 0
        for index in 0..<Int(count) where mayOpen(index, policy, stamps, now) {
            policy.map.prefetch(burst.readings[index].source)
            policy.map.prefetch(burst.readings[index].destination)
            burst.openers[openers] = UInt8(truncatingIfNeeded: index)
            openers &+= 1
        }
        for lines in 0..<policy.snapshot.linesOfPrefix {
            for place in 0..<openers {
                let index = Int(burst.openers[place])
                policy.snapshot.prefetchPrefix(of: burst.readings[index].source, behind: lines)
                policy.snapshot.prefetchPrefix(of: burst.readings[index].destination, behind: lines)
            }
        }
        for place in 0..<openers {
            let index = Int(burst.openers[place])
            let port = burst.notes[index].port
            burst.questions[index] = Question(of: burst.readings[index], port: port, policy, pair: pair)
            burst.notes[index].steps |= FrameNote.asked
            policy.snapshot.prefetchClasses(
                source: burst.questions[index].source, destination: burst.questions[index].destination)
        }
        for place in 0..<openers {
            let question = burst.questions[Int(burst.openers[place])]
            policy.snapshot.prefetchFilters(source: question.source, destination: question.destination)
        }
        for place in 0..<openers {
            let question = burst.questions[Int(burst.openers[place])]
            policy.snapshot.prefetchRows(source: question.source, destination: question.destination)
        }
        for place in 0..<openers {
            let question = burst.questions[Int(burst.openers[place])]
            policy.snapshot.prefetchTables(source: question.source, destination: question.destination)
        }
    }

    /// Whether a frame is likely to ask policy about a flow that it opens. What is not asked here is asked where it is judged.
    @_noLocks @inline(always)
    private mutating func mayOpen(
        _ index: Int, _ policy: borrowing PolicyInForce, _ stamps: FlowStamps, _ now: Moment
    ) -> Bool {
        guard burst.notes[index].candidate.isNone, foreignOwner(index) == nil else { return false }
        let isPlain = burst.isPlain(index)
        guard isPlain ? burst.notes[index].plain.isDatagram : isPacket(index) else { return false }
        if let denial = denial(index, generation: stamps.generation, epoch: stamps.epoch, now) {
            // An answer needs a reading.
            if isPlain, !denial.isReject {
                burst.notes[index].steps |= FrameNote.refused
                burst.notes[index].reason = denial.reason
            }
            return false
        }
        // So does a question.
        if isPlain { readAfterAll(index, by: policy, at: now) }
        guard isPacket(index), !burst.isInTunnel(index) else { return false }
        let marks = burst.readings[index].marks.rawValue
        guard marks & (Reading.Marks.group.rawValue | Reading.Marks.icmpError.rawValue) == 0 else { return false }
        if case .refused = Opening.of(burst.readings[index]) { return false }
        return true
    }
}
