// SPDX-License-Identifier: Apache-2.0
internal import Net
public import Record
internal import Ring
public import Synchronization

/// A frame of the burst in hand that may be wanted, as it was received.
struct StagedFrame: BitwiseCopyable {
    /// What was read of it.
    var reading = Reading()
    /// Why it could not be read to its end; `nil` where it could.
    var fault: DropReason?
    /// Its length, and how much of it was copied.
    var length: UInt32 = 0
    var captured: UInt32 = 0

    @_noLocks
    init() {}
}

/// A worker's side of captures: the order in force, the frames of the burst in hand that it may want, and the ring to control.
///
/// While there is no capture a burst costs one look at one word (`isArmed`). While there is one, each frame that may be wanted is copied aside
/// before anything changes it, and goes into the ring with what it became when that is known: what control gets is what came
/// in, even where a checksum was completed in between. The order is another process's: it is believed only where every field is in range.
@safe public struct CaptureTap: ~Copyable {
    private let armed: UnsafePointer<Atomic<UInt64>>
    private let orders: SequencedSlot<CaptureOrder>
    /// The ring to control.
    var ring: CaptureProducer
    /// Notes and bytes of the frames in hand.
    var staged: Column<StagedFrame>
    private let bytes: UnsafeMutableRawPointer
    /// Memory of a tap that belongs to nobody's inquiries.
    private let own: UnsafeMutableRawPointer?
    /// The order in force; number 0 for none.
    private(set) var order = CaptureOrder()
    /// What of it is asked of a plain packet's key.
    private(set) var quick = QuickFilter()
    private var sequence = UInt64.max
    private var budget = ReplyBudget(perSecond: 0, burst: 0)
    private var serial: UInt64 = 0
    /// Which frames of the burst in hand are staged, a bit for each.
    private var wanted: UInt64 = 0
    /// The capture that they are staged for: a held frame's end may take up another order in the middle of a burst.
    private var stagedFor: UInt64 = 0

    /// A tap over the file of inquiries, which outlives it: the word that says until when, the order, and this worker's ring.
    @unsafe public init(
        armed: UnsafePointer<Atomic<UInt64>>, orders: SequencedSlot<CaptureOrder>, ring: consuming CaptureProducer
    ) {
        unsafe self.init(armed: armed, orders: orders, ring: ring, own: nil)
    }

    /// A tap that is never armed, for a worker that nobody asks.
    public init() {
        let orderOffset = 64
        let ringOffset = orderOffset + SequencedSlot<CaptureOrder>.byteCount
        let size = ringOffset + CaptureRingLayout.byteCount(capacity: 1)
        // Zeros: no deadline, no order, an empty ring.
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        unsafe self.init(
            armed: UnsafePointer(memory.assumingMemoryBound(to: Atomic<UInt64>.self)),
            orders: SequencedSlot(base: memory + orderOffset), ring: CaptureProducer(base: memory + ringOffset, capacity: 1),
            own: memory)
    }

    private init(
        armed: UnsafePointer<Atomic<UInt64>>, orders: SequencedSlot<CaptureOrder>, ring: consuming CaptureProducer,
        own: UnsafeMutableRawPointer?
    ) {
        unsafe self.armed = unsafe armed
        self.orders = orders
        self.ring = ring
        unsafe self.own = unsafe own
        staged = Column(repeating: StagedFrame())
        // Not touched before the first capture, so that it takes no memory until then.
        unsafe bytes = .allocate(byteCount: 64 * CaptureRingLayout.mostBytes, alignment: 64)
    }

    deinit {
        unsafe bytes.deallocate()
        unsafe own?.deallocate()
    }

    /// Whether a capture is ordered, as far as one look tells.
    var isArmed: Bool {
        @_noLocks @inline(__always) get { unsafe armed.pointee.load(ordering: .relaxed) != 0 }
    }

    /// Whether a capture is on: its time is not over, and its order, read anew where it is another one, is possible.
    @_noLocks @inline(never)
    mutating func isOn(at nanoseconds: UInt64) -> Bool {
        guard unsafe nanoseconds < armed.pointee.load(ordering: .acquiring) else { return false }
        let latest = orders.sequence
        if latest != sequence, let read = orders.read() { adopt(read, latest) }
        return order.number != 0
    }

    @_noLocks
    private mutating func adopt(_ read: CaptureOrder, _ latest: UInt64) {
        sequence = latest
        guard read.isPossible else {
            order.number = 0
            return
        }
        // A second's worth at once, but no more than the ring holds of frames that are seen twice.
        let most = UInt32(truncatingIfNeeded: CaptureTap.mostAtOnce)
        budget = ReplyBudget(
            perSecond: read.framesPerSecond, burst: read.framesPerSecond < most ? read.framesPerSecond : most)
        order = read
        quick = QuickFilter(read)
    }

    /// Frames that the budget lets through at once.
    private static var mostAtOnce: Int { @_noLocks get { 400 } }

    /// Where the bytes of a staged frame lie: as many as a slot holds.
    @_noLocks
    func place(_ index: Int) -> UnsafeMutableRawPointer {
        // 64 places, and no frame of a burst beyond them.
        unsafe bytes + (index & 63) &* CaptureRingLayout.mostBytes
    }

    /// Begins another burst.
    @_noLocks mutating func clear() { (wanted, stagedFor) = (0, order.number) }

    /// Notes that a frame of the burst is staged.
    @_noLocks mutating func stage(_ index: Int) { wanted |= 1 << UInt64(truncatingIfNeeded: index & 63) }

    /// Whether any frame of the burst is staged.
    var isAnyStaged: Bool { @_noLocks get { wanted != 0 } }

    /// Whether a frame of the burst is staged.
    @_noLocks func isStaged(_ index: Int) -> Bool {
        stagedFor == order.number && wanted >> UInt64(truncatingIfNeeded: index & 63) & 1 != 0
    }

    /// Takes a frame that is wanted out of the budget; its number, or `nil` where it is one too many, which is counted.
    @_noLocks
    mutating func admit(at nanoseconds: UInt64) -> UInt64? {
        guard budget.spend(at: nanoseconds) else {
            ring.suppress()
            return nil
        }
        serial &+= 1
        return serial
    }

    /// Writes a sight into the slot at `offset`; its length of bytes follows it.
    @_noLocks
    func write(_ frame: CapturedFrame, _ from: UnsafeRawPointer, at offset: UInt64) {
        let slot = unsafe ring.slot(offset)
        unsafe slot.storeBytes(of: frame, as: CapturedFrame.self)
        unsafe (slot + CaptureRingLayout.bytesOffset).copyMemory(from: from, byteCount: Int(frame.captured))
    }
}
