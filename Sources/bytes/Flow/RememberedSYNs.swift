// SPDX-License-Identifier: Apache-2.0
public import Net

/// A SYN that came where its connection had one already: another one of the initiator's, or another answer of the responder's. What the
/// other end answers decides whether it counts, so the flow stays as it is until then.
@frozen @usableFromInline struct RememberedSYN: BitwiseCopyable {
    /// The flow's entry, or `.max` for none.
    @usableFromInline var number: UInt32 = .max
    /// Its sequence number.
    @usableFromInline var sequence: UInt32 = 0
    /// One past its last sequence number, data included.
    @usableFromInline var end: UInt32 = 0
    /// When it came.
    @usableFromInline var tick: UInt32 = 0
    /// Its window, which is not scaled.
    @usableFromInline var window: UInt16 = 0
    /// The scale that it offers, or 255.
    @usableFromInline var scale: UInt8 = 255
    /// Bit 0: the key's high end sent it. Bit 1: it has ACK.
    @usableFromInline var marks: UInt8 = 0

    @_noLocks @inlinable init() {}

    /// The segment of a flow as a remembered one.
    @_noLocks init(_ segment: TCPSegment, number: UInt32, sender: FlowEnd, now: UInt32) {
        self.number = number
        (sequence, end, tick) = (segment.sequence, segment.end, now)
        (window, scale) = (segment.window, segment.scale)
        marks = sender.number | (segment.isACK ? 2 : 0)
    }

    /// The end that sent it.
    @inlinable var sender: FlowEnd { @_noLocks get { marks & 1 == 0 ? .low : .high } }
    /// Whether it is somebody's opening SYN, and an acknowledgement is one of it.
    @_noLocks func isOpening(from end: FlowEnd, acknowledgedBy number: UInt32) -> Bool {
        self.number != .max && marks == end.number && isWithin(number, sequence &+ 1, self.end)
    }
    /// Whether it is somebody's answering SYN, and an acknowledgement is one of it.
    @_noLocks func isAnswer(from end: FlowEnd, acknowledgedBy number: UInt32) -> Bool {
        self.number != .max && marks == end.number | 2 && isWithin(number, sequence &+ 1, self.end)
    }
}

/// The SYNs that a table remembers: 128, each in the place that its flow's number names, where a newer one takes the place of an older
/// one. One that was overwritten is as one that never came: its connection opens with the next SYN that is sent. They are the
/// process's own, and gone with it.
@safe @frozen @usableFromInline struct RememberedSYNs: ~Copyable {
    @usableFromInline let items: UnsafeMutablePointer<RememberedSYN>

    @inlinable init() {
        unsafe items = .allocate(capacity: 128)
        unsafe items.initialize(repeating: RememberedSYN(), count: 128)
    }

    @inlinable deinit { unsafe items.deallocate() }

    /// The SYN of a flow that is not older than `limit` ticks, or one without a number.
    @_noLocks @usableFromInline func recall(_ number: UInt32, now: UInt32, limit: UInt32) -> RememberedSYN {
        // In bounds by the mask, here and below.
        let item = unsafe items[Int(number & 127)]
        return item.number == number && now &- item.tick <= limit ? item : RememberedSYN()
    }

    /// Keeps a SYN.
    @_noLocks @usableFromInline func remember(_ item: RememberedSYN) { unsafe items[Int(item.number & 127)] = item }

    /// Forgets the SYN of a flow.
    @_noLocks @usableFromInline func forget(_ number: UInt32) {
        if unsafe items[Int(number & 127)].number == number { unsafe items[Int(number & 127)] = RememberedSYN() }
    }
}
