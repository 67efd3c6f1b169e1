// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Layout
import Link
import Net
import Record
import Testing

@testable import Keeper

private let needsRoot: ConditionTrait = .enabled(if: getuid() == 0, "needs root: network namespaces, BPF and AF_XDP")

@Suite(needsRoot) struct `A pair that is taken over` {
    /// A laboratory whose workers are those of a former data process, which the test plays too; it ends as soon as it is told to.
    private func handOver(_ shape: Laboratory.Shape = .init(), _ body: (Laboratory, Channel) throws -> Void) throws {
        try inLaboratory(shape) { laboratory in
            let (toFormer, former) = try Channel.pair()
            let process = try sleeper(0)
            laboratory.keeper.formerData = (process, toFormer)
            (laboratory.keeper.areWorkersRunning, laboratory.keeper.hasBuilt) = (false, false)
            laboratory.keeper.data = try sleeper()
            // Both are buried: the monitor of exit tests stumbles over children of others that are not.
            defer {
                laboratory.keeper.data?.kill()
                _ = process.wait(milliseconds: 5000)
            }
            try body(laboratory, former)
        }
    }

    @Test(arguments: [FailMode.closed, .open])
    func `is judged again when a bypass ends before the new workers run, and its connections have a grace`(
        fail: FailMode
    ) throws {
        try handOver(.init(fail: fail, mode: .bypass)) { laboratory, _ in
            laboratory.keeper.bypassUntil = 1
            laboratory.keeper.tendBypass()
            #expect(laboratory.machine.mode.value == (fail == .open ? .open : .closed))
            #expect(laboratory.board[pair: 0].mode == laboratory.machine.mode.value.rawValue)
            #expect(laboratory.grace > 0)
        }
    }

    @Test func `is not judged when a bypass ends while the former workers have parked and the new ones do not run`() throws {
        try handOver(.init(mode: .bypass)) { laboratory, _ in
            laboratory.keeper.wasFormerParked = true
            laboratory.keeper.bypassUntil = 1
            laboratory.keeper.tendBypass()
            #expect(laboratory.machine.mode.value == .block)
        }
    }

    @Test(arguments: [(FailMode.closed, PortMode.block), (.open, .bypass)])
    func `gets back the mode and the sockets that a keeper which died between two steps left wrong`(
        fail: FailMode, mode: PortMode
    ) throws {
        try handOver(.init(fail: fail, mode: mode)) { laboratory, former in
            let keeper = laboratory.keeper
            laboratory.offer(7)
            try former.send(Message(.parked))
            try laboratory.say(.inForce, 7)
            try laboratory.say(.running)
            try keeper.hearData()
            #expect(keeper.areWorkersRunning && keeper.formerData == nil)
            #expect(laboratory.machine.mode.value == (fail == .open ? .open : .closed))
            #expect(try laboratory.fate() == .redirect)
            // The kernel forwarded by itself only in bypass.
            #expect((laboratory.grace > 0) == (fail == .open))
            #expect(try laboratory.heard() == [.publish, .go])
        }
    }

    @Test func `is served by the process that the run folder names, from the moment at which the former one has parked`() throws {
        try handOver { laboratory, former in
            let keeper = laboratory.keeper
            keeper.noteProcesses()
            laboratory.offer(7)
            try former.send(Message(.parked))
            try laboratory.say(.inForce, 7)
            // It ends in place of an answer: should keeper die now, the next one is to find this one.
            shutdown(laboratory.data.descriptor, Int32(SHUT_WR))
            try keeper.hearData()
            #expect(keeper.folder?.notedData()?.pid == keeper.data?.pid)
        }
    }
}

@Suite(needsRoot) struct `A pair that waits for a port` {
    @Test(arguments: [FailMode.closed, .open])
    func `comes back with a grace where the kernel has forwarded by itself, before its workers are told of it`(
        fail: FailMode
    ) throws {
        let mode: PortMode = fail == .open ? .bypass : .block
        for answers in [true, false] {
            try inLaboratory(.init(fail: fail, isWaiting: true, mode: mode)) { laboratory in
                let keeper = laboratory.keeper
                if answers { try laboratory.say(.running, 1) } else { shutdown(laboratory.data.descriptor, Int32(SHUT_WR)) }
                keeper.lookAtLinks()
                #expect((laboratory.grace > 0) == (fail == .open))
                #expect((keeper.dataChannel != nil) == answers)
                guard answers else { return }
                #expect(!laboratory.machine.isWaiting && laboratory.machine.mode.value == (fail == .open ? .open : .closed))
                #expect(try laboratory.fate() == .redirect)
            }
        }
    }

    @Test func `whose sockets cannot be opened yet does not take keeper's own change of a port for what the port was`() throws {
        // No veth can do zero-copy.
        try inLaboratory(.init(copy: .zeroCopy, isWaiting: true, mode: .block)) { laboratory in
            let keeper = laboratory.keeper
            for _ in 0..<3 { keeper.lookAtLinks() }
            #expect(laboratory.machine.isWaiting && keeper.portTrouble[0] != nil)
            for port in 0..<2 {
                let now = try Interface(named: laboratory.machine.plan.ports[port].name.description)
                #expect(now.isPromiscuous)
                #expect(laboratory.board[pair: 0].wasPromiscuous[port] == 0)
                #expect(keeper.folder?.notedPort(laboratory.machine.plan.ports[port])?.wasPromiscuous == false)
            }
        }
    }

    @Test func `and cannot get its sockets into the maps when its workers run ends data, and does not wait for ever`() throws {
        try inLaboratory(.init(isWaiting: true, mode: .block)) { laboratory in
            let keeper = laboratory.keeper
            keeper.data = try sleeper()
            defer { keeper.data?.kill() }
            let map = try sh("find \(laboratory.pins) -path '*/k-b/sockets'").trimmingCharacters(in: .newlines)
            try sh("bpftool map freeze pinned \(map)")
            try laboratory.say(.running, 1)
            keeper.lookAtLinks()
            #expect(!laboratory.machine.isWaiting && keeper.dataChannel == nil)
            #expect(keeper.data?.wait(milliseconds: 10_000) != nil)
        }
    }

    @Test func `is halted also while data is about to say that a generation is in force, and then the others run`() throws {
        try inLaboratory { laboratory in
            let keeper = laboratory.keeper
            keeper.areWorkersRunning = false
            laboratory.offer(7)
            try laboratory.say(.inForce, 7)
            try laboratory.say(.halted)
            try laboratory.say(.running)
            try sh("ip link del k-a")
            keeper.lookAtLinks()
            #expect(laboratory.machine.isWaiting && laboratory.machine.sockets.isEmpty)
            #expect(keeper.areWorkersRunning && keeper.dataChannel != nil && keeper.publication?.generation == 7)
            #expect(try laboratory.heard() == [.publish, .halt, .go])
        }
    }

    @Test func `and was not halted by data begins to count anew with its next sockets`() throws {
        try inLaboratory(.init(isWaiting: true, mode: .block)) { laboratory in
            for port in 0..<2 {
                let place = CountersLayout.worker(0)
                var counters = laboratory.counters[0]
                counters.ports[port].ringPosition = 1000
                unsafe laboratory.counters.memory.base.storeBytes(of: counters, toByteOffset: place, as: type(of: counters))
            }
            laboratory.machine.settle(laboratory.counters, firstWorker: 0)
            try laboratory.machine.openSockets()
            laboratory.machine.settle(laboratory.counters, firstWorker: 0)
            for port in 0..<2 {
                #expect(laboratory.counters[0].ports[port].received == 0)
                #expect(laboratory.counters[0].ports[port].ringPosition == 0)
            }
        }
    }
}

@Suite(needsRoot) struct `A start that fails` {
    @Test func `takes no socket of another data process out of a map that it found`() throws {
        try inLaboratory { laboratory in
            try laboratory.machine.insertSockets()
            let files = try BPFFileSystem(root: laboratory.pins)
            // Its own sockets are refused, as the queues are the other's.
            #expect(throws: (any Error).self) { try PairMachine(0, laboratory.machine.plan, on: files, adopting: nil) }
            #expect(try laboratory.fate() == .redirect)
        }
    }

    @Test func `leaves the note of a bypass for the next one, and nothing else`() throws {
        try inFreshNamespace { folder in
            let keeper = KeeperLoop(configuration: "/dev/null", takeOver: false)
            let run = try RunFolder(folder + "/run")
            #expect(run.note(bypassUntil: 7) && run.note(data: getpid()))
            (keeper.folder, keeper.hasBuilt) = (run, true)
            keeper.abandon()
            #expect(run.notedBypass() == 7 && run.notedData() == nil)
        }
    }
}

@Suite(needsRoot) struct `The ground of several pairs` {
    @Test func `has an error where there are more queues than workers can be`() throws {
        try inFreshNamespace { _ in
            var plan = Plan()
            plan.pairCount = 3
            for pair in 0..<3 {
                for port in 0..<2 {
                    let (name, queues) = ("k\(pair)\(port)", "numrxqueues 11 numtxqueues 11")
                    try sh("ip link add \(name) \(queues) type veth peer name x\(pair)\(port) \(queues)")
                    plan.pairs[pair].ports[port].name = FixedName(name) ?? FixedName()
                }
                plan.pairs[pair].name = FixedName("pair\(pair)") ?? FixedName()
            }
            #expect(GroundCheck(plan).findings.contains { $0.code == .tooManyQueues && $0.severity == .error })
            plan.pairCount = 2
            #expect(!GroundCheck(plan).findings.contains { $0.code == .tooManyQueues })
        }
    }
}
