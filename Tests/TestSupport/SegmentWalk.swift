// SPDX-License-Identifier: Apache-2.0
internal import Flow
internal import Net

/// A walk of two hosts and of whoever sends in their names, through a flow table and through the slow machine: both must say the same
/// of every segment, and know the same afterwards. The segments come from bytes, so that a fuzzer can choose them.
public enum SegmentWalk {
    /// Bytes that a segment is made of; one more before the first says what the configuration is.
    public static let step = 10

    /// Where both first differ; `nil` where they do not.
    public static func flaw(_ bytes: [UInt8]) -> String? {
        guard let first = bytes.first else { return nil }
        return first & 1 == 0 ? Walk<FlowKey4>.flaw(bytes) : Walk<FlowKey6>.flaw(bytes)
    }

    /// What became of the segments, each in a line.
    public static func fates(_ bytes: [UInt8]) -> [String] {
        var lines: [String] = []
        _ = Walk<FlowKey4>.flaw([(bytes.first ?? 0) & ~1] + bytes.dropFirst()) { lines.append($0) }
        return lines
    }
}

/// The machine and the table side by side.
private struct Walk<Key: FlowKey>: ~Copyable {
    let memory: PlainMemory
    var table: FlowTable<Key>
    var number: UInt32 = .max
    var slow: SlowTCP
    let settings: FlowSettings
    let isPickedUp: Bool
    var now: UInt32 = 100
    var last = [SampleSegment?](repeating: nil, count: 2)

    init?(_ first: UInt8) {
        var settings = FlowSettings()
        settings.timeouts.tcpOpening = FlowTimeouts.ticks(seconds: FlowTimeouts.longest)
        settings.windows = first >> 1 & 7 == 7 ? 1 : 0
        settings.isAsymmetric = first >> 4 & 7 == 7 ? 1 : 0
        memory = PlainMemory(byteCount: FlowTable<Key>.byteCount(capacity: 8))
        unsafe FlowTable<Key>.format(base: memory.base, capacity: 8)
        guard
            let table = unsafe FlowTable<Key>(
                base: memory.base, capacity: 8, secret: HashSecret(repeating: 0x9e37_79b9_7f4a_7c15), settings: settings)
        else { return nil }
        self.table = table
        self.settings = settings
        isPickedUp = first >> 7 == 1
        slow = SlowTCP(settings, isPickedUp: isPickedUp)
    }

    static func flaw(_ bytes: [UInt8], _ note: (String) -> Void = { _ in }) -> String? {
        guard let first = bytes.first, bytes.count <= 20_000, var walk = Walk(first) else { return nil }
        for start in stride(from: 1, to: bytes.count - SegmentWalk.step + 1, by: SegmentWalk.step) {
            let segment = walk.segment(Array(bytes[start..<start + SegmentWalk.step]))
            let (fate, flaw) = walk.take(segment, isAllowed: bytes[start] & 2 != 0)
            note("\(segment): \(fate) \(walk.slow.phase)")
            if let flaw { return "step \(start / SegmentWalk.step), \(segment): \(flaw)" }
        }
        return walk.memory.isMarginIntact ? nil : "something was written beside the table"
    }

    /// A segment near what both ends have said, or far from it.
    func segment(_ bytes: [UInt8]) -> SampleSegment {
        let kinds: [TCPFlags] = [
            [.ack], [.ack, .psh], [.syn], [.syn, .ack], [.fin, .ack], [.rst], [.rst, .ack], [.ack], [.ack, .psh], [.ack],
        ]
        let isFromClient = bytes[0] & 1 == 0
        let me = isFromClient == slow.isClientInitiator ? 0 : 1
        let (mine, yours) = (slow.ends[me], slow.ends[1 - me])
        let far = UInt32(bytes[3]) << 24 | UInt32(bytes[5])
        let other = last[me]?.sequence ?? far
        let places = [
            mine.next ?? far, mine.next ?? far, yours.expected ?? far, (yours.expected ?? 0) &+ UInt32(yours.window), other, far,
            mine.next ?? far, 0,
        ]
        let hearing = [
            yours.next ?? far, yours.next ?? far, mine.expected ?? far, (last[1 - me]?.sequence ?? far) &+ 1, far,
            yours.next ?? far, mine.challenge ?? far, 0,
        ]
        let windows: [UInt16] = [0, 1, 100, 1000, 8192, 65535, 65535, 229]
        return SampleSegment(
            isFromClient: isFromClient, kinds[Int(bytes[1]) % kinds.count],
            sequence: Self.near(places[Int(bytes[2] & 7)], bytes[3], by: bytes[2]),
            acknowledgement: Self.near(hearing[Int(bytes[4] & 7)], bytes[5], by: bytes[4]), window: windows[Int(bytes[6] & 7)],
            scale: [nil, 0, 2, 7, 14, 1, 10, nil][Int(bytes[8] & 7)],
            length: [0, 0, 1, 100, 1460, 0, 1460, 9000][Int(bytes[7] & 7)])
    }

    /// A number beside another one: the same half of the time, else a few or some thousands away.
    static func near(_ number: UInt32, _ offset: UInt8, by choice: UInt8) -> UInt32 {
        guard choice >> 3 & 3 != 0, choice >> 3 & 3 != 1 else { return number }
        let distance = Int32(Int8(bitPattern: offset))
        return number &+ UInt32(bitPattern: choice >> 3 & 3 == 2 ? distance : distance &* 1021)
    }

    /// Gives a segment to both; what became of it, and what is wrong.
    mutating func take(_ segment: SampleSegment, isAllowed: Bool) -> (fate: SlowFate, flaw: String?) {
        let reading = segment.reading(isIPv4: Key.self == FlowKey4.self)
        let (key, sender) = Key.make(of: reading, pair: 0)
        now &+= 1
        if number == .max {
            guard isPickedUp || segment.flags == [.syn], segment.flags.contains(.ack) || !isPickedUp else { return (.live, nil) }
            guard !segment.flags.contains(.rst) else { return (.live, nil) }
            open(key, sender, isFromClient: segment.isFromClient)
        }
        last[segment.isFromClient == slow.isClientInitiator ? 0 : 1] = segment
        let match = table.track(number, reading, sender: sender, length: 60, now: now)
        let fate = slow.take(segment)
        guard fate == SlowFate(match) else { return (fate, "the table says \(match), the slow machine \(fate), at \(slow)") }
        switch fate {
        case .ended:
            let flaw = difference
            table.remove(number)
            number = .max
            return (fate, flaw)
        case .crossing where isAllowed:
            table.cross(number, reading, sender: sender, length: 60, now: now)
            slow.cross(segment)
        case .reopen:
            table.reopen(number, initiator: sender, now: now)
            slow = SlowTCP(isClientInitiator: segment.isFromClient, settings)
            return (fate, again(segment, reading, sender))
        case .answered:
            table.replace(number, now: now)
            guard let fresh = slow.replaced() else { return (fate, "nothing is remembered") }
            slow = fresh
            return (fate, again(segment, reading, sender))
        default: break
        }
        return (fate, difference)
    }

    /// Inserts the flow.
    mutating func open(_ key: Key, _ sender: FlowEnd, isFromClient: Bool) {
        let state: FlowState = isPickedUp ? .established : .synSent
        number = table.insert(key, hash: table.hash(key), state: state, initiator: sender, now: now)
        slow = SlowTCP(isClientInitiator: isFromClient, settings, isPickedUp: isPickedUp)
        if isPickedUp { table.pickUp(number, isReply: false) }
    }

    /// Gives the first segment of another connection to both.
    mutating func again(_ segment: SampleSegment, _ reading: Reading, _ sender: FlowEnd) -> String? {
        guard case .live = table.track(number, reading, sender: sender, length: 60, now: now), slow.take(segment) == .live else {
            return "another connection does not begin"
        }
        return difference
    }

    /// What table and machine do not agree about.
    var difference: String? {
        let entry = table[number]
        if entry.state.number != slow.phase.rawValue { return "the table is \(entry.state), the slow machine \(slow.phase)" }
        if (entry.initiator == .low) != slow.isClientInitiator { return "the roles differ" }
        let windows = slow.isClientInitiator ? [entry.lowWindow, entry.highWindow] : [entry.highWindow, entry.lowWindow]
        for (window, end) in zip(windows, slow.ends) {
            guard (window.flags & TCPWindow.known != 0) == (end.next != nil) else {
                return "one knows an end, the other does not"
            }
            if let next = end.next, window.end != next { return "the table has \(window.end), the slow machine \(next)" }
            if let expects = end.expects, window.acknowledged != expects { return "\(window.acknowledged), but \(expects)" }
            if end.next != nil, Int(window.maximum) != end.units { return "\(window.maximum) units, but \(end.units)" }
        }
        return table.check().map { "\($0)" }
    }
}

extension SlowFate {
    fileprivate init(_ match: Match) {
        switch match {
        case .live: self = .live
        case .ended: self = .ended
        case .reopen: self = .reopen
        case .crossing: self = .crossing
        case .answered: self = .answered
        case .refused(let reason): self = .refused(reason)
        }
    }
}
