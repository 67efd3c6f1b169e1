// SPDX-License-Identifier: Apache-2.0

/// What a reading of a part of a table has found.
@usableFromInline struct FlowTally {
    /// Entries in use.
    @usableFromInline var live = 0
    /// Those of them that wait.
    @usableFromInline var waiting: [FlowOpening] = []
    /// Entries whose state is none: how many, and the first of them.
    @usableFromInline var invalidCount = 0
    @usableFromInline var invalid: [UInt32] = []
    /// Entries in use without a place in the index: how many, and the first of them.
    @usableFromInline var unplacedCount = 0
    @usableFromInline var unplaced: [UInt32] = []
    /// Used places of the index.
    @usableFromInline var places = 0
    /// Buckets whose count of strays was wrong.
    @usableFromInline var wrongStrays = 0

    /// Numbers that a tally keeps of each kind: more than a table may have and still be mended.
    @inlinable static var most: Int { 65 }

    @inlinable init() {}

    @inlinable mutating func note(invalid number: UInt32) {
        invalidCount += 1
        if invalid.count < Self.most { invalid.append(number) }
    }

    @inlinable mutating func note(unplaced number: UInt32) {
        unplacedCount += 1
        if unplaced.count < Self.most { unplaced.append(number) }
    }

    /// Adds what another part has found.
    @inlinable mutating func add(_ other: FlowTally) {
        live += other.live
        waiting += other.waiting
        invalidCount += other.invalidCount
        invalid += other.invalid
        unplacedCount += other.unplacedCount
        unplaced += other.unplaced
        places += other.places
        wrongStrays += other.wrongStrays
    }
}

/// Entries whose lines of the index are on their way.
@usableFromInline struct FlowBatch {
    @usableFromInline var numbers = InlineArray<64, UInt32>(repeating: 0)
    @usableFromInline var hashes = InlineArray<64, UInt64>(repeating: 0)
    @usableFromInline var count = 0

    @inlinable init() {}

    /// Adds an entry; true when the batch is full.
    @inlinable mutating func add(_ number: UInt32, _ hash: UInt64) -> Bool {
        (numbers[count], hashes[count]) = (number, hash)
        count += 1
        return count == 64
    }
}

/// A set of numbers below a count, a bit each.
@usableFromInline struct FlowBits {
    @usableFromInline var words: [UInt64]

    @inlinable init(count: Int) { words = Array(repeating: 0, count: count / 64 + 1) }

    @inlinable func contains(_ number: UInt32) -> Bool {
        let word = Int(number >> 6)
        return word < words.count && words[word] >> UInt64(number & 63) & 1 == 1
    }

    /// Adds a number; false when it is there already.
    @inlinable mutating func insert(_ number: UInt32) -> Bool {
        guard !contains(number) else { return false }
        words[Int(number >> 6)] |= 1 << UInt64(number & 63)
        return true
    }
}

/// A waiting flow and when it was opened.
@usableFromInline struct FlowOpening: BitwiseCopyable {
    /// The entry.
    @usableFromInline let number: UInt32
    /// The tick of its first frame.
    @usableFromInline let tick: UInt32

    @inlinable init(number: UInt32, tick: UInt32) {
        self.number = number
        self.tick = tick
    }

    /// The flows from the one that was opened first to the last, in two passes over half a tick's bits each: time grows with their
    /// number alone. Ticks wrap, so they are compared by their distance from one of them, which any two have in common.
    @usableFromInline static func inOrder(_ flows: [FlowOpening]) -> [FlowOpening] {
        guard let reference = flows.first?.tick else { return [] }
        // The sign bit flipped, what was opened before the reference comes first.
        func age(_ flow: FlowOpening) -> UInt32 { (flow.tick &- reference) ^ 0x8000_0000 }
        let half = sorted(flows) { Int(age($0) & 0xffff) }
        return sorted(half) { Int(age($0) >> 16) }
    }

    /// A stable sort by a key of 16 bits.
    private static func sorted(_ flows: [FlowOpening], by key: (FlowOpening) -> Int) -> [FlowOpening] {
        var places = [Int](repeating: 0, count: 65_537)
        for flow in flows { places[key(flow) + 1] += 1 }
        for i in 1..<places.count { places[i] += places[i - 1] }
        var result = flows
        for flow in flows {
            result[places[key(flow)]] = flow
            places[key(flow)] += 1
        }
        return result
    }
}
