// SPDX-License-Identifier: Apache-2.0
import Classifier
import Compiler
import Net
import Policy
import PolicyText
import Record
import TestSupport
import Testing

@Suite struct Compiling {
    @Test func `the documented set lets web reach the database, and nothing else`() throws {
        let loaded = try Loaded(try PolicySet(try decode(sample, file: "sample.yaml")))
        func decision(_ from: String, _ to: String, _ service: ServiceKey) throws -> Decision {
            let source = Reference.End(address: try #require(Address(from)))
            let destination = Reference.End(address: try #require(Address(to)))
            return loaded.judge(.init(from: source, to: destination, service: service, time: 0)).decision
        }
        let sql = ServiceKey(.tcp, port: 5432)
        #expect(try decision("10.9.0.11", "10.9.0.21", sql) == .allow)
        #expect(try decision("10.9.0.21", "10.9.0.11", sql) == .deny)
        #expect(try decision("10.9.0.11", "10.9.0.21", ServiceKey(.tcp, port: 5433)) == .deny)
        #expect(try decision("10.9.0.12", "10.9.0.21", sql) == .deny)
        #expect(try decision("10.9.0.11", "192.0.2.1", sql) == .deny)
    }

    @Test func `prefixes nested deeper than a lookup reaches are spelled out`() throws {
        var rules: [Rule] = []
        for length in 8...28 {
            var term = Term()
            term.cidrs = [try #require(Prefix("10.0.0.0/\(length)"))]
            let rule = Rule(
                number: 29 - length, action: length % 2 == 0 ? .allow : .deny, direction: .egress, peers: [term])
            rules.insert(rule, at: 0)
        }
        let workload = Workload(name: ObjectName("w"), addresses: [try #require(Prefix("192.0.2.1"))])
        let set = try PolicySet([.workload(workload), .policy(Policy(name: ObjectName("nest"), rules: rules))])
        let loaded = try Loaded(set)
        let reference = Reference(set)
        for bit in 0..<24 {
            let end = Reference.End(address: Address(v4: 0x0a00_0000 | 1 << UInt32(bit)))
            let connection = Reference.Connection(
                from: .init(address: Address(v4: 0xc000_0201)), to: end, service: ServiceKey(.tcp, port: 1), time: 0)
            #expect(loaded.answer(connection) == reference.judge(connection), "\(connection.line)")
        }
    }

    @Test func `a rule for everybody means each destination's own service of a name`() throws {
        func workload(_ name: String, _ host: UInt32, port: UInt16?) -> Document {
            let services = port.map { ["web": ServiceRange(.tcp, ports: $0...$0)] } ?? [:]
            return .workload(
                Workload(name: ObjectName(name), addresses: [Prefix(host: Address(v4: host))], services: services))
        }
        var rule = Rule(number: 1, action: .allow, direction: .egress, peers: [Term()])
        rule.services = ServiceList([.named("web")], text: "services: [web]")
        let set = try PolicySet([
            workload("a", 1, port: nil), workload("b", 2, port: 80), workload("c", 3, port: 8080),
            .policy(Policy(name: ObjectName("p"), rules: [rule])),
        ])
        let loaded = try Loaded(set)
        for (host, port, decision) in [
            (2, 80, Decision.allow), (2, 8080, .deny), (3, 8080, .allow), (3, 80, .deny), (9, 80, .deny),
        ] {
            let connection = Reference.Connection(
                from: .init(address: Address(v4: 1)), to: .init(address: Address(v4: UInt32(host))),
                service: ServiceKey(.tcp, port: UInt16(port)), time: 0)
            let egress = loaded.answer(connection).egress
            #expect(egress?.decision == decision, "\(connection.line)")
        }
    }

    @Test func `a set over its limit is refused with the figure`() throws {
        let set = try PolicySet(try decode(sample, file: "sample.yaml"))
        var limits = CompileLimits()
        limits.classes = 3
        var inventory = Inventory()
        #expect(
            throws: CompileError.capacity(what: "classes (labels by prefixes by zones)", needed: 5, limit: 3)
        ) { try compile(set, generation: 1, inventory: &inventory, limits: limits) }
    }

    @Test func `more work than a compile may take is refused with the figure that broke`() throws {
        let set = try PolicySet(try decode(sample, file: "sample.yaml"))
        var inventory = Inventory()
        var limits = CompileLimits()
        limits.work = 0
        #expect(
            throws: CompileError.capacity(
                what: "rules to weigh in service tables (rules by peers by subjects)", needed: 1, limit: 0)
        ) { try compile(set, generation: 1, inventory: &inventory, limits: limits) }
    }

    @Test func `more expiries than a chain may have are refused`() throws {
        var policy = Policy(name: ObjectName("p"))
        for number in 1...300 {
            var rule = Rule(number: number, action: number % 2 == 0 ? .allow : .deny, direction: .egress, peers: [Term()])
            rule.expires = UInt64(number)
            policy.rules.append(rule)
        }
        let workload = Workload(name: ObjectName("w"), addresses: [try #require(Prefix("192.0.2.1"))])
        let set = try PolicySet([.workload(workload), .policy(policy)])
        var inventory = Inventory()
        #expect(
            throws: CompileError.capacity(what: "points in time at which one decision changes", needed: 257, limit: 256)
        ) { try compile(set, generation: 1, inventory: &inventory) }
    }

    @Test func `equal sets make equal images`() throws {
        let set = try PolicySet(try decode(sample, file: "sample.yaml"))
        #expect(try Loaded(set).compiled.image == Loaded(set).compiled.image)
    }
}

@Suite struct Inventories {
    @Test func `numbers stay when workloads come and go`() throws {
        let first = try PolicySet(try decode(sample, file: "sample.yaml"))
        var inventory = Inventory()
        inventory.register(first)
        let web = inventory.number(of: ObjectName("web-1", namespace: "shop"))
        let fewer = try PolicySet(first.workloads.filter { $0.name.name == "db-1" }.map { .workload($0) })
        inventory.register(fewer)
        inventory.register(first)
        #expect(inventory.number(of: ObjectName("web-1", namespace: "shop")) == web)
        #expect(inventory.number(of: ObjectName("db-1", namespace: "shop")) != web)
        #expect(inventory.workloads.count == 2 && inventory.labelSets.count == 2)
    }

    @Test func `feeding a changed set enters what is new and takes back what is gone`() throws {
        var workload = Workload(name: ObjectName("w"), labels: ["a": "1"], addresses: try addresses("10.0.0.1", "10.0.0.2"))
        var inventory = Inventory()
        let size = AddressMapLayout.byteCount(slots: 64)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
        defer { unsafe memory.deallocate() }
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        var writer = unsafe AddressMapWriter(formatting: memory, slots: 64, serial: 1, seed: 1)
        let map = try unsafe AddressMap(validating: memory, byteCount: size)
        try inventory.feed(try PolicySet([.workload(workload)]), into: &writer)
        let old = map.claim(on: Address("10.0.0.1"), zone: 0)

        workload.labels = ["a": "2"]
        workload.addresses = try addresses("10.0.0.1", "10.0.0.3")
        try inventory.feed(try PolicySet([.workload(workload)]), into: &writer)
        let new = map.claim(on: Address("10.0.0.1"), zone: 0)
        #expect(new.isThere && new.labelSet != old.labelSet && new.workload == old.workload)
        #expect(!map.claim(on: Address("10.0.0.2"), zone: 0).isThere)
        #expect(map.claim(on: Address("10.0.0.3"), zone: 0).isThere)

        let epoch = writer.epoch
        try inventory.feed(try PolicySet([.workload(workload)]), into: &writer)
        #expect(writer.epoch == epoch, "nothing changed")
        try inventory.feed(PolicySet(), into: &writer)
        #expect(writer.used == 0)
    }

    @Test func `one workload is added, moved and removed without a new generation`() throws {
        let web = Workload(name: ObjectName("web"), labels: ["app": "web"], addresses: try addresses("10.0.0.1"))
        let loaded = try Loaded(try PolicySet([.workload(web)]))
        let memory = UnsafeMutableRawPointer.allocate(byteCount: AddressMapLayout.byteCount(slots: 64), alignment: 64)
        defer { unsafe memory.deallocate() }
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: AddressMapLayout.byteCount(slots: 64))
        var writer = unsafe AddressMapWriter(formatting: memory, slots: 64, serial: 1, seed: 1)
        let map = try unsafe AddressMap(validating: memory, byteCount: AddressMapLayout.byteCount(slots: 64))
        func owner(_ text: String) throws -> Owner {
            loaded.snapshot.owner(of: try #require(Address(text)), zone: 0, in: map)
        }

        var other = Workload(name: ObjectName("web-2"), labels: ["app": "web"], addresses: try addresses("10.0.0.2"))
        #expect(loaded.inventory.number(ifAny: LabelSet(of: other)) != nil)
        try loaded.inventory.update(other, in: loaded.compiled.set, into: &writer)
        let added = try owner("10.0.0.2")
        #expect(loaded.snapshot.isWorkload(added) && added.labelSet < UInt32(loaded.snapshot.labelSetCount))
        other.addresses = try addresses("10.0.0.3", "10.0.0.4")
        try loaded.inventory.update(other, in: loaded.compiled.set, into: &writer)
        #expect(try !loaded.snapshot.isWorkload(owner("10.0.0.2")))
        #expect(try owner("10.0.0.3").workload == added.workload && owner("10.0.0.4").workload == added.workload)
        loaded.inventory.remove(other.name, from: &writer)
        #expect(try !loaded.snapshot.isWorkload(owner("10.0.0.3")) && writer.used == 0)
        other.labels["app"] = "new"
        #expect(loaded.inventory.number(ifAny: LabelSet(of: other)) == nil)
    }

    @Test func `what a set needs is known before it is made, and is what it then takes`() throws {
        let set = try PolicySet(try decode(sample, file: "sample.yaml"))
        var inventory = Inventory()
        let bytes = try compile(set, generation: 1, inventory: &inventory).image.count
        var limits = CompileLimits()
        limits.bytes = bytes
        #expect(try compile(set, generation: 2, inventory: &inventory, limits: limits).image.count == bytes)
        limits.bytes = bytes - 1
        #expect(throws: CompileError.image(.capacity(what: "bytes of the image", needed: bytes, limit: bytes - 1))) {
            try compile(set, generation: 3, inventory: &inventory, limits: limits)
        }
    }

    private func addresses(_ texts: String...) throws -> [Prefix] { try texts.map { try #require(Prefix($0)) } }
}
