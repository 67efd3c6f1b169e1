// SPDX-License-Identifier: Apache-2.0
import Flow
import Net
import TestSupport

extension Seeded {
    /// A random secret of a table.
    mutating func secret() -> HashSecret {
        var words = HashSecret(repeating: 0)
        for i in words.indices { words[i] = next() }
        return words
    }
}

/// The memory holds no such table.
struct NotAdopted: Error {}

/// Memory for a table, as a memory file would give it: zero at first, with a margin on both sides that nothing may touch.
@safe final class TestMemory {
    static let margin = 256
    static let secret = {
        var random = Seeded(42)
        return random.secret()
    }()
    let count: Int
    let area: UnsafeMutableRawPointer

    var base: UnsafeMutableRawPointer { unsafe area + Self.margin }

    init(count: Int) {
        self.count = count
        unsafe area = .allocate(byteCount: count + 2 * Self.margin, alignment: 64)
        unsafe area.initializeMemory(as: UInt8.self, repeating: 0, count: count + 2 * Self.margin)
        for i in 0..<Self.margin {
            unsafe area.storeBytes(of: 0xa5, toByteOffset: i, as: UInt8.self)
            unsafe area.storeBytes(of: 0xa5, toByteOffset: Self.margin + count + i, as: UInt8.self)
        }
    }

    /// Memory with an empty table of the given key and capacity.
    convenience init<Key: FlowKey>(_ key: Key.Type, capacity: Int) {
        self.init(count: FlowTable<Key>.byteCount(capacity: capacity))
        unsafe FlowTable<Key>.format(base: base, capacity: capacity)
    }

    deinit { unsafe area.deallocate() }

    var isMarginIntact: Bool {
        (0..<Self.margin).allSatisfy { i in
            unsafe area.load(fromByteOffset: i, as: UInt8.self) == 0xa5
                && area.load(fromByteOffset: Self.margin + count + i, as: UInt8.self) == 0xa5
        }
    }

    func table<Key: FlowKey>(
        _ key: Key.Type, capacity: Int, secret: HashSecret = TestMemory.secret
    ) throws -> FlowTable<Key> {
        // Small tables, in which nearly all flows may wait.
        var settings = FlowSettings()
        settings.waitingShare = 875
        guard let table = unsafe FlowTable<Key>(base: base, capacity: capacity, secret: secret, settings: settings) else {
            throw NotAdopted()
        }
        return table
    }

    /// Whether the memory holds a table of this key, capacity and secret.
    func holds<Key: FlowKey>(_ key: Key.Type, capacity: Int, secret: HashSecret = TestMemory.secret) -> Bool {
        (try? table(key, capacity: capacity, secret: secret)) != nil
    }

    /// Takes over the table as after a kill.
    func recover<Key: FlowKey>(_ key: Key.Type, capacity: Int, parts: Int = 3) throws -> FlowTableOutcome {
        guard let recovery = FlowTableRecovery(try table(key, capacity: capacity), parts: parts) else {
            return .refused(contradictions: 0)
        }
        while true {
            // From the last part to the first: they may run in any order.
            for part in (0..<recovery.parts).reversed() { recovery.readEntries(part) }
            for part in (0..<recovery.parts).reversed() { recovery.readIndex(part) }
            let outcome = recovery.conclude()
            if outcome != .again { return outcome }
        }
    }
}

/// A key whose place in the index the test chooses: `hashed` is what the table makes of its hash.
struct ChosenKey: FlowKey {
    var hashed: UInt64
    var identity: UInt32
    var context: UInt32 = 17 << 24
    var vlans: UInt32 { 0 }
    var tunnel: UInt32 { 0 }

    static func make(of reading: borrowing Reading, pair: UInt8) -> (key: ChosenKey, sender: FlowEnd) {
        (ChosenKey(hashed: 0, identity: 0), .low)
    }
    static func same(_ a: borrowing ChosenKey, _ b: borrowing ChosenKey) -> Bool {
        (a.hashed ^ b.hashed) | UInt64(a.identity ^ b.identity) | UInt64(a.context ^ b.context) == 0
    }
    /// Undoes the table's stirring: the inverse of its odd factor modulo 2⁶⁴, and foldings that undo themselves.
    func hash(_ secret: borrowing HashSecret) -> UInt64 {
        let factor: UInt64 = 0xd6e8_feb8_6659_fd93
        var inverse = factor
        for _ in 0..<5 { inverse = inverse &* (2 &- factor &* inverse) }
        var x = (hashed ^ hashed >> 32) &* inverse
        x = (x ^ x >> 32) &* inverse
        return x ^ x >> 32
    }
    var ends: (low: (address: Address, port: UInt16), high: (address: Address, port: UInt16)) {
        ((Address(v4: 0), 0), (Address(v4: 0), 0))
    }
}

/// Readings of the protocols, as short as a test wants them.
extension Reading {
    static func packet(_ number: IPProtocol, from: (Address, UInt16), to: (Address, UInt16)) -> Reading {
        var reading = Reading()
        reading.kind = .packet
        reading.protocolNumber = number
        (reading.source, reading.sourcePort) = from
        (reading.destination, reading.destinationPort) = to
        return reading
    }

    static func tcp(
        _ flags: UInt8, from: (Address, UInt16), to: (Address, UInt16), sequence: UInt32 = 0, acknowledgement: UInt32 = 0,
        payload: UInt16 = 0
    ) -> Reading {
        var reading = packet(.tcp, from: from, to: to)
        reading.tcpFlags = TCPFlags(rawValue: flags)
        (reading.sequence, reading.acknowledgement) = (sequence, acknowledgement)
        (reading.payloadOffset, reading.end) = (54, 54 + payload)
        reading.window = 65535
        return reading
    }
}

extension FlowKey4 {
    /// A key of UDP between 10.x.y.z and 192.0.2.1.
    init(numbered number: UInt32, protocolNumber: UInt8 = 17) {
        self.init(
            low: 0x0a00_0000 | number >> 8, high: 0xc000_0201, ports: (number & 0xff) << 16 | 443, vlans: 0, tunnel: 0,
            context: UInt32(protocolNumber) << 24)
    }
}

extension FlowTable {
    /// Inserts a key that waits for its answer.
    mutating func open(_ key: Key, state: FlowState = .oneSided, now: UInt32 = 0) -> UInt32 {
        insert(key, hash: hash(key), state: state, initiator: .low, now: now)
    }

    func find(_ key: Key) -> UInt32 { find(key, hash: hash(key)) }

    /// Lets the hand go as far as is due, but over no more than `budget` entries; `onEnd` sees each flow that ends.
    mutating func expire(now: UInt32, budget: Int, onEnd: (FlowEntry, FlowDetail) -> Void) {
        var steps = stepsDue(now: now, most: budget)
        while true {
            let number = nextExpired(now: now, steps: &steps)
            if number == .max { return }
            onEnd(self[number], self[detail: number])
            remove(number, as: .expired)
        }
    }

    /// Walks the hand a whole round and returns what ended.
    mutating func expireAll(now: UInt32) -> [UInt32] {
        var steps = capacity
        var ended: [UInt32] = []
        while true {
            let number = nextExpired(now: now, steps: &steps)
            if number == .max { return ended }
            ended.append(number)
            remove(number, as: .expired)
        }
    }
}
