// SPDX-License-Identifier: Apache-2.0
import Net
import Record
import TestSupport
import Testing

@Suite("Capture order") struct CaptureOrderTests {
    /// An order that every field of is in range.
    static func sound() -> CaptureOrder {
        var order = CaptureOrder()
        (order.number, order.framesPerSecond, order.snapLength) = (7, 1000, 128)
        (order.sights, order.fates, order.families) = (3, 7, 7)
        return order
    }

    static let wrong: [(what: String, order: CaptureOrder)] = {
        func changed(_ what: String, _ change: (inout CaptureOrder) -> Void) -> (what: String, order: CaptureOrder) {
            var order = sound()
            change(&order)
            return (what, order)
        }
        return [
            changed("no number") { $0.number = 0 }, changed("no pace") { $0.framesPerSecond = 0 },
            changed("a pace beyond the fastest") { $0.framesPerSecond = CaptureOrder.fastest + 1 },
            changed("no bytes") { $0.snapLength = 0 },
            changed("more bytes than a slot holds") { $0.snapLength = UInt16(CaptureRingLayout.mostBytes) + 1 },
            changed("an unknown sight") { $0.sights = 4 }, changed("an unknown fate") { $0.fates = 8 },
            changed("an unknown family") { $0.families = 8 }, changed("half a payload") { $0.withPayload = 2 },
            changed("more blocks than there is room for") { $0.blockCount = 17 },
            changed("more ports than there is room for") { $0.portCount = .max },
        ]
    }()

    @Test func `an order in range is possible, and an empty one is not`() {
        #expect(Self.sound().isPossible && !CaptureOrder().isPossible)
        #expect(CaptureOrder.fastest == 100_000 && CaptureOrder.blockCapacity == 16 && CaptureOrder.portCapacity == 16)
    }

    @Test(arguments: wrong.indices) func `a field out of its range makes the order impossible`(number: Int) {
        let (what, order) = Self.wrong[number]
        #expect(!order.isPossible, "\(what)")
    }

    @Test func `a block holds what its prefix holds, whatever the length`() {
        var random = SystemRandomNumberGenerator()
        for length in 0...128 {
            let inside = Address(high: random.next(), low: random.next())
            guard !inside.isIPv4, let prefix = Prefix(covering: inside, length: length) else { continue }
            let block = CaptureBlock(prefix)
            for _ in 0..<20 {
                let other = Address(high: random.next() & 3 == 0 ? inside.high : random.next(), low: random.next())
                #expect(
                    block.contains(other) == (other.isIPv4 ? block.contains(other) : prefix.contains(other)), "\(prefix) \(other)"
                )
            }
            #expect(block.contains(inside))
        }
        let v4 = CaptureBlock(Prefix("10.1.0.0/16")!)
        #expect(v4.contains("10.1.255.3") && !v4.contains("10.2.0.0") && !v4.contains("fd00::1"))
        #expect(CaptureBlock().contains("10.2.0.0") && CaptureBlock().contains("fd00::1"))
        #expect(CaptureBlock(Prefix("0.0.0.0/0")!).contains("192.0.2.1") && !CaptureBlock(Prefix("0.0.0.0/0")!).contains("::2"))
    }

    @Test func `an order whose words are noise neither traps nor reads behind its lists`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            var order = CaptureOrder()
            unsafe withUnsafeMutableBytes(of: &order) { bytes in
                for index in bytes.indices { unsafe bytes[index] = UInt8.random(in: 0...255, using: &random) }
            }
            _ = order.isPossible
            _ = order.wants(Address(high: random.next(), low: random.next()), "10.0.0.1")
            _ = order.wants(port: 443, UInt16.random(in: 0 ... .max))
            for number in 0...255 as ClosedRange<UInt8> { _ = (order.wants(protocolNumber: number), order.wants(reason: number)) }
        }
    }

    @Test func `lists that are empty ask for nothing, and others for either end`() {
        var order = Self.sound()
        #expect(order.wants("10.0.0.1", "10.0.0.2") && order.wants(port: 1, 2))
        order.blocks[0] = CaptureBlock(Prefix("192.0.2.0/24")!)
        order.blocks[1] = CaptureBlock(Prefix("2001:db8::/32")!)
        (order.blockCount, order.ports[0], order.portCount) = (2, 53, 1)
        #expect(order.wants("10.0.0.1", "192.0.2.7") && order.wants("2001:db8::1", "fd00::1"))
        #expect(!order.wants("10.0.0.1", "10.0.0.2"))
        #expect(order.wants(port: 53, 9) && order.wants(port: 9, 53) && !order.wants(port: 52, 54))
    }

    @Test func `protocols and reasons are asked by their bits`() {
        var order = Self.sound()
        order.protocols = .init(repeating: 0)
        order.protocols[0] = 1 << 17
        order.reasons = 1 << UInt64(DropReason.denied.number)
        #expect(order.wants(protocolNumber: 17) && !order.wants(protocolNumber: 6) && !order.wants(protocolNumber: 132))
        #expect(order.wants(reason: DropReason.denied.number) && !order.wants(reason: DropReason.stale.number))
    }
}
