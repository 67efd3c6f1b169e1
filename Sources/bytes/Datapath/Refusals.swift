// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Record

/// Refused connections of the last second by kind: family, the two classes, the service and the reason. The first of a kind is told at once; how
/// many came behind it is told when the second is over, with one of them as the example. So a scan costs a bounded number of records
/// and none of its attempts goes uncounted: what finds no place by its kind is in the number that the next record carries.
@safe struct Refusals: ~Copyable {
    /// Kinds that are told apart in a second.
    static var capacity: Int { @_noLocks get { 1024 } }
    /// Places that a kind may lie in.
    private static var reach: Int { @_noLocks get { 4 } }

    private let kinds: UnsafeMutablePointer<UInt64>
    private let untold: UnsafeMutablePointer<UInt32>
    private let examples: UnsafeMutablePointer<FlowRecord>
    private let secret: UInt64
    /// When the second in hand began, in nanoseconds of the monotonic clock.
    private var since: UInt64 = 0
    private var isEmpty = true
    /// Refusals that no record and no place tells of yet.
    private var elsewhere: UInt32 = 0
    /// The refusal before these, for when they have to be told and there is no other record.
    private var last = FlowRecord()

    /// An empty table; the secret keeps those who send from choosing which kinds meet.
    init(secret: UInt64) {
        unsafe kinds = .allocate(capacity: Refusals.capacity)
        unsafe kinds.initialize(repeating: 0, count: Refusals.capacity)
        unsafe untold = .allocate(capacity: Refusals.capacity)
        unsafe untold.initialize(repeating: 0, count: Refusals.capacity)
        unsafe examples = .allocate(capacity: Refusals.capacity)
        unsafe examples.initialize(repeating: FlowRecord(), count: Refusals.capacity)
        self.secret = secret
    }

    deinit {
        unsafe kinds.deallocate()
        unsafe untold.deallocate()
        unsafe examples.deallocate()
    }

    /// Counts a refusal of which nothing but the number is to be told.
    @_noLocks
    mutating func count() { elsewhere = Refusals.sum(elsewhere, 1) }

    /// Takes a refusal in; true where it is the first of its kind and `record` is to be told now, with the number it carries.
    @_noLocks
    mutating func take(_ record: inout FlowRecord) -> Bool {
        let kind = kind(of: record)
        last = record
        var free = -1
        for step in 0..<Refusals.reach {
            let place = Int(truncatingIfNeeded: kind &+ UInt64(truncatingIfNeeded: step)) & (Refusals.capacity &- 1)
            if unsafe kinds[place] == kind {
                if unsafe untold[place] == 0 { unsafe examples[place] = record }
                unsafe untold[place] = Refusals.sum(untold[place], 1)
                return false
            }
            if free < 0, unsafe kinds[place] == 0 { free = place }
        }
        guard free >= 0 else {
            count()
            return false
        }
        unsafe kinds[free] = kind
        if isEmpty { since = record.time }
        isEmpty = false
        record.suppressed = elsewhere
        elsewhere = 0
        return true
    }

    /// A record could not be told: it and what it carried are told later.
    @_noLocks
    mutating func putBack(_ record: borrowing FlowRecord) {
        elsewhere = Refusals.sum(elsewhere, Refusals.sum(record.suppressed, 1))
    }

    /// Whether a second is over and something may be left to tell.
    @_noLocks
    func isDue(_ now: UInt64) -> Bool { (!isEmpty || elsewhere > 0) && now &- since >= 1_000_000_000 }

    /// Begins another second: tells what was not told yet, as far as the ring takes it; how many refusals that told.
    @_noLocks
    mutating func tell(_ now: UInt64, to events: inout EventProducer) -> UInt64 {
        since = now
        isEmpty = true
        var told: UInt64 = 0
        for place in 0..<Refusals.capacity where unsafe kinds[place] != 0 {
            guard unsafe untold[place] > 0 else {
                unsafe kinds[place] = 0
                continue
            }
            var record = unsafe examples[place]
            record.suppressed = unsafe Refusals.sum(untold[place] &- 1, elsewhere)
            guard events.offer(record) else {
                isEmpty = false
                continue
            }
            told &+= UInt64(record.suppressed) &+ 1
            unsafe kinds[place] = 0
            unsafe untold[place] = 0
            elsewhere = 0
        }
        guard elsewhere > 0 else { return told }
        last.suppressed = elsewhere &- 1
        guard events.offer(last) else { return told }
        told &+= UInt64(elsewhere)
        elsewhere = 0
        return told
    }

    /// A kind's number, never 0: a multiplicative mix of what it is made of.
    @_noLocks
    private func kind(of record: borrowing FlowRecord) -> UInt64 {
        var mixed = secret ^ (UInt64(record.sourceClass) << 32 | UInt64(record.destinationClass))
        mixed = (mixed ^ (mixed >> 29)) &* 0xbf58_476d_1ce4_e5b9
        mixed ^= UInt64(record.protocolNumber) << 32 | UInt64(record.destinationPort) << 16 | UInt64(record.reason)
        if record.source.isIPv4 { mixed ^= 1 << 62 }
        mixed = (mixed ^ (mixed >> 32)) &* 0x94d0_49bb_1331_11eb
        return (mixed ^ (mixed >> 31)) | 1 << 63
    }

    /// A sum that stays at the highest number instead of beginning anew.
    @_noLocks
    private static func sum(_ a: UInt32, _ b: UInt32) -> UInt32 {
        let (sum, isOver) = a.addingReportingOverflow(b)
        return isOver ? .max : sum
    }
}
