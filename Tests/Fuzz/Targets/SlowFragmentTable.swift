// SPDX-License-Identifier: Apache-2.0
public import Net

/// What a fragment table means, without any of its machinery: a dictionary of datagrams, each a list of pieces.
public struct SlowFragmentTable {
    /// A datagram's name: whatever makes two fragments parts of the same one.
    public typealias Name = String

    /// What becomes of a fragment.
    public enum Step: Equatable, Sendable {
        /// It goes on.
        case known
        /// It waits.
        case waits
        /// It ends.
        case refused(DropReason)
    }

    /// A fragment, by a number that tells it from others.
    public struct Piece: Equatable, Sendable {
        /// Its first byte in the datagram, and one past its last.
        public var range: Range<Int>
        /// Whether more follow.
        public var hasMore: Bool

        /// A piece.
        public init(_ range: Range<Int>, hasMore: Bool) {
            self.range = range
            self.hasMore = hasMore
        }
    }

    private struct Datagram {
        var source: String
        var since: UInt32
        var order: Int
        var pieces: [Piece] = []
        var isDead = false
        var held: [UInt64] = []

        var hasFirst: Bool { pieces.contains { $0.range.lowerBound == 0 } }
        var total: Int? { pieces.first { !$0.hasMore }?.range.upperBound }
        var isWhole: Bool { total == pieces.reduce(0) { $0 + $1.range.count } }
    }

    private var datagrams: [Name: Datagram] = [:]
    private var opened = 0
    /// Limits: of datagrams and frames, of one source and in all, and of frames of one datagram.
    public var datagramsOfSource = 256, framesOfSource = 512, mostDatagrams = 1024, mostFrames = 1024, framesOfDatagram = 128
    /// Ticks that a datagram is waited for.
    public var timeout: UInt32 = 1000

    /// An empty table.
    public init() {}

    /// Datagrams in it.
    public var used: Int { datagrams.count }
    /// Frames held.
    public var held: Int { datagrams.values.reduce(0) { $0 + $1.held.count } }

    /// Adds a fragment; where it waits, it is held under its frame's number, if there is room. Gives the frames that go behind it, and
    /// those that end with it.
    public mutating func add(
        _ piece: Piece, of name: Name, from source: String, frame: UInt64, now: UInt32
    ) -> (step: Step, released: [UInt64], ended: [UInt64]) {
        if datagrams[name] == nil {
            let ofSource = datagrams.values.count { $0.source == source }
            guard datagrams.count < mostDatagrams, ofSource < datagramsOfSource else { return (.refused(.fragmentLimit), [], []) }
            opened += 1
            datagrams[name] = Datagram(source: source, since: now, order: opened)
        }
        guard var datagram = datagrams[name] else { return (.refused(.fragmentLimit), [], []) }
        defer { if datagrams[name] != nil { datagrams[name] = datagram } }
        if datagram.isDead || datagram.pieces.contains(piece) { return (.refused(.fragmentOverlap), [], []) }
        guard Self.fits(piece, datagram.pieces, total: datagram.total) else {
            let ended = datagram.held
            opened += 1
            (datagram.isDead, datagram.held, datagram.since, datagram.order) = (true, [], now, opened)
            return (.refused(.fragmentOverlap), [], ended)
        }
        datagram.pieces.append(piece)
        guard datagram.hasFirst else {
            let ofSource = datagrams.values.filter { $0.source == source }.reduce(0) { $0 + $1.held.count }
            guard held < mostFrames, ofSource < framesOfSource, datagram.held.count < framesOfDatagram else {
                return (.refused(.fragmentLimit), [], [])
            }
            datagram.held.append(frame)
            return (.waits, [], [])
        }
        let released = datagram.held
        datagram.held = []
        if datagram.isWhole { datagrams[name] = nil }
        return (.known, released, [])
    }

    /// The frames that end because their datagrams have waited for too long: the oldest datagram's first.
    public mutating func expire(now: UInt32) -> [UInt64] {
        let over = datagrams.filter { Int32(bitPattern: now &- $0.value.since) >= Int32(bitPattern: timeout) }
        for name in over.keys { datagrams[name] = nil }
        return over.values.sorted { $0.order < $1.order }.flatMap(\.held)
    }

    private static func fits(_ piece: Piece, _ pieces: [Piece], total: Int?) -> Bool {
        guard pieces.allSatisfy({ !$0.range.overlaps(piece.range) }) else { return false }
        if let total { return piece.hasMore && piece.range.upperBound < total }
        return piece.hasMore || pieces.allSatisfy { $0.range.upperBound <= piece.range.lowerBound }
    }
}
