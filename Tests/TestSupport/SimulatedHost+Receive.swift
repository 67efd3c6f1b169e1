// SPDX-License-Identifier: Apache-2.0
internal import Net

extension SimulatedHost {
    /// What a segment does to the host.
    mutating func receive(_ segment: SampleSegment, _ now: Int) {
        guard !isGone else { return }
        if segment.flags.contains(.rst) { return receiveReset(segment) }
        if segment.flags.contains(.syn) { return receiveSYN(segment, now) }
        guard let expected, hasSent else { return }
        let end = segment.sequence &+ segment.span
        let start = Int(Int32(bitPattern: segment.sequence &- peerSequence &- UInt32(truncatingIfNeeded: expected))) + expected
        let acknowledgement = offset(of: segment.acknowledgement)
        guard acknowledgement <= next else { return emit([], at: next) }
        hear(acknowledgement, segment, now)
        if !isEstablished {
            guard acknowledgement >= 1 else { return }
            isEstablished = true
        }
        guard segment.span > 0 || start < expected else { return }
        if end != segment.sequence { take(start, segment) }
        emit([], at: next)
    }

    /// A number of its own sequence space as an offset.
    private func offset(of number: UInt32) -> Int {
        Int(Int32(bitPattern: number &- character.initialSequence &- UInt32(truncatingIfNeeded: acknowledged))) + acknowledged
    }

    private mutating func hear(_ number: Int, _ segment: SampleSegment, _ now: Int) {
        let shift = isScaled && !segment.flags.contains(.syn) ? Int(peerScale ?? 0) : 0
        if number >= acknowledged { edge = character.shrinks ? edge : number + Int(segment.window) << shift }
        edge = max(edge, number + Int(segment.window) << shift)
        if number > acknowledged {
            acknowledged = number
            lastProgress = now
        }
    }

    /// Bytes and FIN, in order or not.
    private mutating func take(_ start: Int, _ segment: SampleSegment) {
        guard var position = expected else { return }
        let end = start + segment.length
        if segment.flags.contains(.fin), finAt == nil { finAt = end }
        if end > position, end - position <= free + max(0, promised - position) { pieces[start] = max(pieces[start] ?? 0, end) }
        while let piece = pieces.first(where: { $0.key <= position && $0.value > position }) {
            unread += piece.value - position
            position = piece.value
            pieces[piece.key] = nil
        }
        if finAt == position { position += 1 }
        expected = position
    }

    private mutating func receiveSYN(_ segment: SampleSegment, _ now: Int) {
        if expected == nil {
            peerSequence = segment.sequence
            peerScale = segment.scale
            isScaled = character.scale != nil && peerScale != nil
            expected = 1
            // Whether data with a SYN is taken is the receiver's choice.
            if segment.length > 0, character.segment % 2 == 0 {
                unread += segment.length
                expected = 1 + segment.length
            }
        } else if segment.sequence != peerSequence {
            return
        }
        if segment.flags.contains(.ack) {
            let acknowledgement = offset(of: segment.acknowledgement)
            guard acknowledgement >= 1, acknowledgement <= next else { return }
            hear(acknowledgement, segment, now)
            // What went with the SYN and was not taken is sent again.
            if !isEstablished { next = max(acknowledgement, 1) }
            isEstablished = true
            emit([], at: next)
        } else {
            edge = max(edge, 1 + Int(segment.window))
            sendSYN()
        }
    }

    private mutating func receiveReset(_ segment: SampleSegment) {
        guard let expected, segment.sequence == peerSequence &+ UInt32(truncatingIfNeeded: expected) else { return }
        isGone = true
    }
}
