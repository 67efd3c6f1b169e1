// SPDX-License-Identifier: Apache-2.0
import Net
import Record
import Telemetry
import Testing

private func at(_ text: String) -> Address { Address(text)! }

@Suite("A filter as workers ask it") struct CaptureNarrowingTests {
    private static let known: [NamedParty: [Prefix]] = [
        .workload("shop/web-1"): [Prefix("10.9.0.11")!, Prefix("fd00::11")!], .namespace("bank"): [Prefix("10.8.0.0/24")!],
        .label(key: "app", value: "db"): [Prefix("10.9.0.21")!], .label(key: "app", value: nil): [Prefix("10.9.0.0/24")!],
    ]

    private func narrowed(_ conditions: [(String, String)]) throws -> CaptureOrder {
        var filter = FlowFilter()
        for (key, value) in conditions { try #require(filter.set(key, to: value) == nil) }
        var order = CaptureOrder()
        (order.number, order.framesPerSecond, order.snapLength) = (1, 1, 96)
        (order.sights, order.fates, order.families) = (3, 7, 7)
        filter.narrow(&order) { Self.known[$0] }
        #expect(order.isPossible, "\(conditions)")
        return order
    }

    private func blocks(_ order: CaptureOrder) -> Int { Int(order.blockCount) }

    @Test func `a filter without conditions narrows nothing`() throws {
        let order = try narrowed([])
        #expect(blocks(order) == 0 && order.portCount == 0 && order.fates == 7 && order.reasons == .max)
        #expect(order.wants(protocolNumber: 6) && order.wants(protocolNumber: 200))
    }

    @Test func `addresses, ports, protocols and reasons are asked for`() throws {
        let order = try narrowed([
            ("ip", "10.0.0.0/8"), ("ip", "fd00::1"), ("port", "443"), ("port", "53"), ("protocol", "udp"), ("reason", "denied"),
        ])
        #expect(blocks(order) == 2 && order.wants(at("10.7.7.7"), at("192.0.2.1")) && order.wants(at("fd00::2"), at("fd00::1")))
        #expect(!order.wants(at("192.0.2.1"), at("192.0.2.2")))
        #expect(order.wants(port: 443, 1) && order.wants(port: 1, 53) && !order.wants(port: 1, 2))
        #expect(order.wants(protocolNumber: 17) && !order.wants(protocolNumber: 6))
        #expect(order.wants(reason: DropReason.denied.number) && !order.wants(reason: DropReason.stale.number))
        #expect(order.fates == CaptureOrder.Bits.dropped | CaptureOrder.Bits.rejected)
    }

    @Test(arguments: [
        ([("workload", "shop/web-1")], 2), ([("from", "10.9.0.21")], 1), ([("namespace", "bank")], 1), ([("label", "app=db")], 1),
        ([("label", "app")], 1), ([("from", "shop/web-1"), ("to", "10.9.0.21")], 1), ([("to", "bank/")], 1),
        ([("workload", "shop/web-1"), ("workload", "nobody/knows")], 0), ([("zone", "dmz")], 0), ([("not-ip", "10.0.0.0/8")], 0),
    ])
    func `names become the addresses that they have, and of two conditions the narrower counts`(
        conditions: [(String, String)], count: Int
    ) throws {
        #expect(blocks(try narrowed(conditions)) == count, "\(conditions)")
    }

    @Test func `more than an order holds narrows nothing`() throws {
        let many = try narrowed((0..<17).map { ("ip", "10.0.\($0).0/24") } + (0..<17).map { ("port", "\($0)") })
        #expect(blocks(many) == 0 && many.portCount == 0)
        let most = try narrowed((0..<16).map { ("ip", "10.0.\($0).0/24") } + (0..<16).map { ("port", "\($0)") })
        #expect(blocks(most) == 16 && most.portCount == 16)
    }

    @Test func `only refusals are asked for where nothing that is allowed fits`() throws {
        let ended = CaptureOrder.Bits.dropped | CaptureOrder.Bits.rejected
        #expect(try narrowed([("decision", "deny")]).fates == ended)
        #expect(try narrowed([("decision", "deny"), ("decision", "reject")]).fates == ended)
        #expect(try narrowed([("decision", "allow")]).fates == 7)
        #expect(try narrowed([("decision", "deny"), ("decision", "allow")]).fates == 7)
    }

    @Test func `whoever names workloads is asked again where they are`() {
        var filter = FlowFilter()
        #expect(filter.set("ip", to: "10.0.0.1") == nil && !filter.namesParties)
        #expect(filter.set("not-workload", to: "shop/web-1") == nil && !filter.namesParties)
        #expect(filter.set("label", to: "app=web") == nil && filter.namesParties)
    }
}

@Suite("Reports of frames") struct FrameReportTests {
    private func frame(_ change: (inout CapturedFrame) -> Void = { _ in }) -> CapturedFrame {
        var frame = CapturedFrame()
        (frame.flow.source, frame.flow.destination) = (at("10.9.0.11"), at("10.9.0.21"))
        (frame.flow.sourcePort, frame.flow.destinationPort, frame.flow.protocolNumber) = (50_000, 22, 6)
        (frame.flow.decision, frame.flow.generation, frame.flow.epoch) = (FlowRecord.none8, 3, 7)
        (frame.serial, frame.length, frame.captured) = (12, 60, 3)
        change(&frame)
        return frame
    }

    private func report(_ frame: CapturedFrame) -> FrameReport {
        let event = FlowDecoder(pairs: []).decode(frame.flow, wallOffset: 0)
        return FrameReport(frame, [1, 2, 3], event, worker: 5, port: "left")
    }

    @Test func `a comment tells the verdict, the connection and the stamps`() {
        let told = report(frame { $0.marks = CapturedFrame.Marks.knownFlow | CapturedFrame.Marks.reply })
        #expect(
            told.comment == [
                "before verdict: forward", "connection 10.9.0.11:50000 -> 10.9.0.21:22 tcp:22, reply",
                "generation 3, epoch 7, worker 5, frame 12",
            ])
        #expect(told.number == 5 << 48 | 12 && told.length == 60 && told.sight == "before" && told.reason == nil)
        #expect(Array(told.bytes) == [1, 2, 3])
    }

    @Test func `what is dropped, generated, held or unread says so`() {
        let dropped = report(
            frame {
                ($0.fate, $0.flow.reason) = (CapturedFrame.Fate.drop.number, DropReason.fragmentTimeout.number)
                $0.marks = CapturedFrame.Marks.held
            })
        #expect(dropped.comment[0] == "before verdict: drop (fragmentTimeout), held for its first fragment")
        #expect(dropped.fate == "drop" && dropped.reason == "fragmentTimeout")
        let generated = report(
            frame {
                ($0.fate, $0.flow.reason) = (CapturedFrame.Fate.reject.number, DropReason.denied.number)
                $0.sight = CapturedFrame.Sight.generated.number
            })
        #expect(generated.comment[0] == "sent by Bulkhead because of a frame with verdict: reject (denied)")
        var broken = CapturedFrame()
        (broken.marks, broken.fate) = (CapturedFrame.Marks.unread, CapturedFrame.Fate.drop.number)
        broken.flow.reason = DropReason.truncated.number
        #expect(
            report(broken).comment == [
                "before verdict: drop (truncated)", "it could not be read to its end", "worker 5, frame 0",
            ])
    }

    @Test func `numbers of another build stay numbers`() {
        let told = report(frame { ($0.sight, $0.fate, $0.flow.reason) = (77, 99, 200) })
        #expect(told.sight == "77" && told.fate == "99" && told.comment[0] == "99")
    }
}
