// SPDX-License-Identifier: Apache-2.0
internal import Net

/// What a simulated host is like.
struct HostCharacter {
    var initialSequence: UInt32
    /// Window scale that it offers, or none.
    var scale: UInt8?
    /// Bytes of its receive buffer.
    var buffer: Int
    /// Bytes that it sends.
    var total: Int
    /// Largest segment.
    var segment: Int
    /// Bytes that go with its SYN, and whether the other end takes them.
    var earlyData = 0
    /// Probes a closed window by a byte beyond it, or else by a number that is known.
    var probesByByte: Bool
    /// Takes back window that it has given.
    var shrinks: Bool
    /// When it aborts, if it does.
    var abortsAt: Int?
}

/// A TCP host that does what hosts do, and no more than a test of a filter needs: a handshake, data in windows, acknowledgements, repetition
/// after a time without progress, probes, keep-alives, FIN, RST. Offsets count from its initial sequence number: 0 is its SYN.
struct SimulatedHost {
    let isClient: Bool
    let character: HostCharacter
    /// Acknowledged, sent, and where the other's window ends.
    var acknowledged = 0
    var next = 0
    var edge = 1
    /// What it expects, as the other's offset; `nil` before the other's SYN.
    var expected: Int?
    var peerSequence: UInt32 = 0
    var peerScale: UInt8?
    var isScaled = false
    var isEstablished = false
    var hasSent = false
    /// Bytes in the buffer that nobody has read, and pieces behind holes.
    var unread = 0
    var pieces: [Int: Int] = [:]
    /// Where its window ended last, which only a host that shrinks takes back.
    var promised = 0
    var finAt: Int?
    var lastProgress = 0
    var isGone = false
    var outgoing: [SampleSegment] = []

    init(isClient: Bool, _ character: HostCharacter) {
        self.isClient = isClient
        self.character = character
    }

    /// One past everything that it sends: SYN, data, FIN.
    var last: Int { 1 + character.total + 1 }
    var isDone: Bool { isGone || (acknowledged == last && finAt != nil && expected == finAt! + 1) }

    var free: Int { max(0, character.buffer - unread) }

    mutating func windowField(isSYN: Bool) -> UInt16 {
        guard let expected, !isSYN else { return UInt16(min(65535, free)) }
        let shift = isScaled ? Int(character.scale ?? 0) : 0
        var room = free
        if !character.shrinks { room = max(room, promised - expected) }
        let field = UInt16(min(65535, max(0, room) >> shift))
        promised = max(promised, expected + Int(field) << shift)
        return field
    }

    mutating func emit(_ flags: TCPFlags, at offset: Int, length: Int = 0) {
        let isSYN = flags.contains(.syn)
        var flags = flags
        if expected != nil { flags.insert(.ack) }
        outgoing.append(
            SampleSegment(
                isFromClient: isClient, flags, sequence: character.initialSequence &+ UInt32(truncatingIfNeeded: offset),
                acknowledgement: expected.map { peerSequence &+ UInt32(truncatingIfNeeded: $0) } ?? 0,
                window: windowField(isSYN: isSYN), scale: isSYN && (expected == nil || peerScale != nil) ? character.scale : nil,
                length: length))
    }

    /// The SYN, with what goes with it.
    mutating func sendSYN() {
        let early = expected == nil ? min(character.earlyData, character.total) : 0
        emit([.syn], at: 0, length: early)
        next = max(next, 1 + early)
        hasSent = true
    }

    /// Sends what the window lets go.
    mutating func sendMore() {
        while next < edge, next < last {
            let count = min(character.segment, min(edge, last - 1) - next)
            if count > 0 {
                emit([.psh], at: next, length: count)
                next += count
            } else if next == last - 1 {
                emit([.fin], at: next)
                next += 1
            } else {
                return
            }
        }
    }

    /// Sends from the first number again that was not acknowledged.
    mutating func sendAgain() {
        if acknowledged == 0 { return sendSYN() }
        let end = min(acknowledged + character.segment, next, max(edge, acknowledged + 1), last - 1)
        if end > acknowledged {
            emit([.psh], at: acknowledged, length: end - acknowledged)
        } else if acknowledged == last - 1, next == last {
            emit([.fin], at: acknowledged)
        }
    }

    /// What happens without a segment.
    mutating func tick(_ now: Int, _ random: inout PacketRandom) {
        guard !isGone, hasSent else { return }
        if now == character.abortsAt, isEstablished {
            for _ in 0..<3 { emit([.rst], at: next) }
            isGone = true
            return
        }
        if unread > 0, Int.random(in: 0..<4, using: &random) == 0 {
            unread -= Int.random(in: 0...unread, using: &random)
            if isEstablished { emit([], at: next) }
        }
        if isEstablished { sendMore() }
        if isEstablished, Int.random(in: 0..<200, using: &random) == 0 { emit([], at: next - 1) }
        guard now - lastProgress > 60, acknowledged < last else { return }
        lastProgress = now
        if acknowledged < next {
            sendAgain()
        } else if next >= edge, next < last - 1 {
            emit([], at: character.probesByByte ? next : next - 1, length: character.probesByByte ? 1 : 0)
            if character.probesByByte { next += 1 }
        }
    }
}
