// SPDX-License-Identifier: Apache-2.0
import Layout
import Testing

@Suite("Orders") struct PlanTests {
    static func name(_ text: String) -> FixedName { FixedName(text) ?? FixedName() }

    /// Orders as control sends them, with nothing wrong in them.
    static func orders() -> Plan {
        var plan = Plan()
        plan.pairCount = 2
        plan.runFolderPath = "/run/bulkhead"
        for pair in 0..<2 {
            plan.pairs[pair].name = name("pair\(pair)")
            for port in 0..<2 { plan.pairs[pair].ports[port].name = name("eth\(pair)\(port)") }
        }
        return plan
    }

    @Test func `orders in range have no fault`() {
        #expect(Self.orders().fault == nil)
        for (low, high) in [(2, 3600)] as [(UInt32, UInt32)] {
            for patience in [low, high] {
                var plan = Self.orders()
                plan.controlPatience = patience
                #expect(plan.fault == nil)
            }
        }
        for capacity in [1024, 1 << 28] as [UInt64] {
            var plan = Self.orders()
            plan.flowCapacity = capacity
            #expect(plan.fault == nil)
        }
        for size in [64, 16384] as [UInt32] {
            var plan = Self.orders()
            plan.pairs[1].ringSize = size
            #expect(plan.fault == nil)
        }
    }

    struct Hostile: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let change: @Sendable (inout Plan) -> Void
        init(_ what: String, _ change: @escaping @Sendable (inout Plan) -> Void) {
            testDescription = what
            self.change = change
        }
    }

    static let hostile: [Hostile] = [
        Hostile("no pair") { $0.pairCount = 0 },
        Hostile("nine pairs") { $0.pairCount = 9 },
        Hostile("as many pairs as a number can say") { $0.pairCount = .max },
        Hostile("too few flows") { $0.flowCapacity = 1023 },
        Hostile("too many flows") { $0.flowCapacity = 1 << 28 + 1 },
        Hostile("flows without end") { $0.flowCapacity = .max },
        Hostile("no patience") { $0.controlPatience = 1 },
        Hostile("patience without end") { $0.controlPatience = 3601 },
        Hostile("no run folder") { $0.runFolderPath = nil },
        Hostile("a relative run folder") { $0.runFolderPath = "run/bulkhead" },
        Hostile("a run folder of 86 bytes") { $0.runFolderPath = "/" + String(repeating: "a", count: 85) },
        Hostile("a run folder that becomes longer as text") { plan in
            for index in 1..<85 { plan.runFolder[index] = 0xff }
        },
        Hostile("an unknown fail mode") { $0.pairs[0].fail = 2 },
        Hostile("an unknown fail mode of the second pair") { $0.pairs[1].fail = 255 },
        Hostile("an unknown choice for a stop") { $0.pairs[0].onStop = 2 },
        Hostile("an unknown choice of the program's mode") { $0.pairs[0].generic = 2 },
        Hostile("an unknown copy mode") { $0.pairs[0].copy = 3 },
        Hostile("an unknown poll mode") { $0.pairs[0].poll = 3 },
        Hostile("a pair without a name") { $0.pairs[0].name = FixedName() },
        Hostile("a pair named as its parent folder") { $0.pairs[0].name = PlanTests.name("..") },
        Hostile("a pair named by a path") { $0.pairs[0].name = PlanTests.name("a/b") },
        Hostile("a pair whose name has a blank") { $0.pairs[0].name = PlanTests.name("a b") },
        Hostile("a pair whose name has a line end") { $0.pairs[0].name = PlanTests.name("a\n") },
        Hostile("a pair whose name is not ASCII") { $0.pairs[0].name = PlanTests.name("schött") },
        Hostile("a pair whose name is no text") { $0.pairs[0].name.bytes[2] = 0xc3 },
        Hostile("two pairs of one name") { $0.pairs[1].name = $0.pairs[0].name },
        Hostile("a port without a name") { $0.pairs[1].ports[1].name = FixedName() },
        Hostile("a port whose name no interface can have") { $0.pairs[0].ports[0].name = PlanTests.name("sixteen-letters-") },
        Hostile("a port named by a path") { $0.pairs[0].ports[0].name = PlanTests.name("../eth0") },
        Hostile("a pair of one port") { $0.pairs[0].ports[1].name = $0.pairs[0].ports[0].name },
        Hostile("a port of two pairs") { $0.pairs[1].ports[0].name = $0.pairs[0].ports[1].name },
        Hostile("rings without a slot") { $0.pairs[0].ringSize = 0 },
        Hostile("rings that are too small to be filled") { $0.pairs[0].ringSize = 32 },
        Hostile("rings whose size is no power of two") { $0.pairs[1].ringSize = 2000 },
        Hostile("rings without end") { $0.pairs[0].ringSize = 1 << 31 },
        Hostile("a choice of processors that there is not") { $0.sharesProcessors = 2 },
        Hostile("no frames") { $0.pairs[0].framesPerWorker = 0 },
        Hostile("frames without end") { $0.pairs[0].framesPerWorker = .max },
    ]

    @Test(arguments: hostile) func `orders out of range are refused with a reason`(hostile: Hostile) {
        var plan = Self.orders()
        hostile.change(&plan)
        #expect(plan.fault != nil)
        #expect(plan.fault?.isEmpty == false)
    }

    /// A plan as a data process hands it out, with nothing wrong in it.
    static func surveyed() -> Plan {
        var plan = orders()
        for pair in 0..<2 {
            (plan.pairs[pair].queues, plan.pairs[pair].frameSize, plan.pairs[pair].flowCapacity) = (16, 2048, 1024)
        }
        (plan.pairs[1].frameSize, plan.pairs[1].isWaiting) = (4096, 1)
        return plan
    }

    static let hostileSurveys: [Hostile] = [
        Hostile("no queue") { $0.pairs[0].queues = 0 },
        Hostile("more queues than a pair can have") { $0.pairs[1].queues = 17 },
        Hostile("more queues than all pairs can have") { plan in
            (plan.pairCount, plan.pairs[2]) = (3, plan.pairs[0])
            plan.pairs[2].queues = 1
        },
        Hostile("frames of no size") { $0.pairs[0].frameSize = 0 },
        Hostile("frames of a size that no UMEM has") { $0.pairs[1].frameSize = 8192 },
        Hostile("frames whose size is no power of two") { $0.pairs[0].frameSize = 3000 },
        Hostile("no flows") { $0.pairs[0].flowCapacity = 0 },
        Hostile("flows without end in a table") { $0.pairs[0].flowCapacity = .max },
        Hostile("an unknown state of a pair") { $0.pairs[0].isWaiting = 2 },
        Hostile("an unknown way to a flow's owner") { $0.pairs[0].ownerByHash = 2 },
    ]

    @Test(arguments: hostileSurveys) func `what data says of the machine is refused out of range`(hostile: Hostile) {
        var plan = Self.surveyed()
        #expect(plan.surveyFault == nil && plan.fault == nil)
        hostile.change(&plan)
        #expect(plan.surveyFault?.isEmpty == false)
    }

    @Test func `what lies behind the pairs in use is not looked at`() {
        var plan = Self.orders()
        plan.pairs[2].fail = 9
        plan.pairs[7].ringSize = 3
        #expect(plan.fault == nil)
    }

    @Test func `a run folder comes back as it was set, and a longer one replaces nothing of a shorter`() {
        var plan = Plan()
        #expect(plan.runFolderPath == nil)
        let longest = "/" + String(repeating: "x", count: 84)
        plan.runFolderPath = longest
        #expect(plan.runFolderPath == longest)
        plan.runFolderPath = "/run/a"
        #expect(plan.runFolderPath == "/run/a")
        plan.runFolderPath = "/r\u{fc}n"
        #expect(plan.runFolderPath == "/r\u{fc}n")
        plan.runFolderPath = "/" + String(repeating: "x", count: 200)
        #expect(plan.runFolderPath == nil)
    }
}

@Suite("Fixed name") struct FixedNameTests {
    @Test(arguments: ["", "a", "eth0", "pair-of-thirty-one-letters-long", "schött"])
    func `a name of at most 31 bytes comes back`(text: String) {
        #expect(FixedName(text)?.description == text)
    }

    @Test(arguments: ["pair-of-thirty-two-letters-long!", String(repeating: "ö", count: 16), "a\0b", "\0"])
    func `a longer one or one with a zero is none`(text: String) {
        #expect(FixedName(text) == nil)
    }

    @Test func `bytes without an end or without meaning are still a text`() {
        var name = FixedName()
        for index in 0..<32 { name.bytes[index] = UInt8(ascii: "x") }
        #expect(name.description == String(repeating: "x", count: 31))
        name.bytes[0] = 0xff
        #expect(name.description.first == "\u{fffd}")
    }

    @Test func `names are the same when all bytes are`() {
        #expect(FixedName("eth0") == FixedName("eth0"))
        #expect(FixedName("eth0") != FixedName("eth1"))
        var other = FixedName("eth0") ?? FixedName()
        other.bytes[31] = 1
        #expect(other != FixedName("eth0"))
    }
}
