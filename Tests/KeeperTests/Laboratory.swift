// SPDX-License-Identifier: Apache-2.0
import CXDP
import Foundation
import Glibc
import Layout
import Link
import Net
import Synchronization
import TestSupport
import Testing

@testable import Keeper

/// A keeper over one pair of real ports whose data process the test plays. It is in a network namespace of the calling thread's, with
/// a BPF file system and a run folder of its own; all of it ends with `inLaboratory`.
///
///     k-x ── k-a [ keeper ] k-b ── k-y
@safe final class Laboratory {
    let keeper = KeeperLoop(configuration: "/dev/null", takeOver: false)
    /// Data's end of its channel.
    let data: Channel
    let machine: PairMachine
    let board: Board
    let counters: CountersFile
    /// Where programs and maps are pinned.
    let pins: String

    /// What the pair is like.
    struct Shape {
        var fail: FailMode = .closed
        var copy = PairPlan.Copy.auto
        var isWaiting = false
        /// The word as an earlier keeper left it.
        var mode = PortMode.closed
    }

    fileprivate init(_ shape: Shape, in folder: String) throws {
        pins = folder + "/bpf"
        try sh("mkdir \(pins) && mount -t bpf bpf \(pins)")
        for (port, end) in [("k-a", "k-x"), ("k-b", "k-y")] {
            try sh("ip link add \(port) numrxqueues 1 numtxqueues 1 type veth peer name \(end) numrxqueues 1 numtxqueues 1")
            try sh("ip link set \(port) up && ip link set \(end) up")
        }
        try #require(try eventually { try ["k-a", "k-b"].allSatisfy { try Interface(named: $0).isRunning } })
        var orders = PairPlan()
        orders.name = FixedName("pair") ?? FixedName()
        for (port, name) in ["k-a", "k-b"].enumerated() { orders.ports[port].name = FixedName(name) ?? FixedName() }
        (orders.fail, orders.copy) = (shape.fail.rawValue, shape.copy.rawValue)
        (orders.framesPerWorker, orders.ringSize) = (128, 64)
        var plan = Plan()
        plan.pairCount = 1
        plan.pairs[0] = try PairMachine.survey(orders, workers: 1, flowCapacity: 1024)
        plan.pairs[0].isWaiting = shape.isWaiting ? 1 : 0
        let (frames, tables) = (UMEMLayout(plan.pairs[0]), FlowsLayout(plan.pairs[0]))
        let umem = try SharedMemory.create("keeper-tests", byteCount: frames.byteCount, header: frames.header(pair: 0))
        let flows = try SharedMemory.create("keeper-tests", byteCount: tables.byteCount, header: tables.header(pair: 0))
        let files = try BPFFileSystem(root: pins)
        machine = try PairMachine(0, plan.pairs[0], on: files, adopting: (umem, flows, []))
        machine.mode.set(shape.mode)
        if !shape.isWaiting { try machine.openSockets() }
        plan.pairs[0] = machine.plan
        let boardFile = try SharedMemory.create("keeper-tests", byteCount: BoardLayout.byteCount)
        board = unsafe Board(base: boardFile.base)
        counters = CountersFile(try .create("keeper-tests", byteCount: CountersLayout.byteCount, header: CountersLayout.header))
        let (toData, data) = try Channel.pair()
        self.data = data
        (keeper.plan, keeper.machines, keeper.dataChannel) = (plan, [machine], toData)
        (keeper.board, keeper.boardFile, keeper.counters) = (board, boardFile, counters)
        (keeper.isReady, keeper.areWorkersRunning, keeper.hasBuilt) = (true, true, true)
        keeper.folder = try RunFolder(folder + "/run")
    }

    /// Since when connections of the pair may be picked up; 0 where they may not.
    var grace: UInt64 { unsafe FlowsLayout.graceWord(in: machine.flows).pointee.load(ordering: .acquiring) }

    /// What becomes of a frame that comes in by `k-a`: `redirect` where a socket takes it.
    func fate() throws -> RedirectProgram.Action? {
        try machine.programs[0]?.trial(frame: [UInt8](repeating: 0, count: 64))
    }

    /// Data says something before it is asked.
    func say(_ kind: Message.Kind, _ argument: UInt64 = 0) throws { try data.send(Message(kind, argument)) }

    /// What keeper has said to data since, without what went with it.
    func heard() throws -> [Message.Kind] {
        var kinds: [Message.Kind] = []
        while data.isReadable(within: 0) {
            let (message, descriptors) = try data.receive()
            for descriptor in descriptors { close(descriptor) }
            if let kind = message.kind { kinds.append(kind) }
        }
        return kinds
    }

    /// An offer of control's, on its way to data.
    func offer(_ generation: UInt64) {
        let descriptors = unsafe [open("/dev/null", O_RDONLY), open("/dev/null", O_RDONLY)]
        keeper.publish(descriptors, generation: generation, epoch: 1)
    }
}

/// Runs `body` in a laboratory on the calling thread, and takes everything away behind it.
func inLaboratory(_ shape: Laboratory.Shape = .init(), _ body: (Laboratory) throws -> Void) throws {
    try inFreshNamespace { folder in
        defer { _ = try? sh("umount -l \(folder)/bpf") }
        try body(Laboratory(shape, in: folder))
    }
}

/// Runs `body` in a fresh network namespace on the calling thread, with a folder of its own, and comes back.
func inFreshNamespace(_ body: (String) throws -> Void) throws {
    let home = unsafe open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
    defer { close(home) }
    try #require(home >= 0 && cxdp_new_network_namespace() == 0)
    defer { precondition(cxdp_enter_network_namespace(home) == 0, "the test's thread cannot return") }
    let folder = "/tmp/bhk-keeper-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    try sh("mkdir \(folder)")
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
}

/// Runs a shell command in the calling thread's namespace.
@discardableResult
func sh(_ command: String) throws -> String { try Tool.run("/bin/sh", ["-c", command]).succeeded() }

/// A process that does nothing, and is watched as data is.
func sleeper(_ seconds: Int = 60) throws -> ChildProcess {
    var pid: pid_t = 0
    var arguments: [UnsafeMutablePointer<CChar>?] = unsafe ["sleep", "\(seconds)"].map { (word: String) in unsafe strdup(word) }
    unsafe arguments.append(nil)
    defer { unsafe arguments.forEach { unsafe free($0) } }
    try #require(unsafe posix_spawnp(&pid, "sleep", nil, nil, &arguments, nil) == 0)
    return try ChildProcess(watching: pid)
}
