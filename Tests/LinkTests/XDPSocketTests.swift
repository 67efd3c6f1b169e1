// SPDX-License-Identifier: Apache-2.0
import CXDP
import Glibc
import Link
import Net
import TestSupport
import Testing

extension Kernel {
    /// AF_XDP sockets on veth: frames arrive, leave, and go the declared way when nobody listens.
    @Suite struct XDPSocketTests {
        @Test func `a frame from the far end lies in the receive ring`() throws {
            try inFreshNamespace {
                try withBPFFileSystem { files in
                    let wire = try Wire(files)
                    let bench = try SocketBench(at: [.init(wire.ports[0], queue: 0)])
                    try wire.programs[0].insert(socket: bench.sockets[0].fileDescriptor, queue: 0)
                    wire.mode.set(.closed)
                    try Tap(on: "bhk-x").send(frame(mark: 7))
                    #expect(bench.receive(0) == frame(mark: 7))
                    #expect(bench.sockets[0].isZeroCopy == false)
                    #expect(try bench.sockets[0].statistics().receiveDropped == 0)
                }
            }
        }

        @Test func `two ports share one UMEM, each with rings of its own`() throws {
            try inFreshNamespace {
                try withBPFFileSystem { files in
                    let wire = try Wire(files)
                    let bench = try SocketBench(at: wire.ports.map { .init($0, queue: 0) })
                    for index in 0..<2 {
                        try wire.programs[index].insert(socket: bench.sockets[index].fileDescriptor, queue: 0)
                    }
                    wire.mode.set(.closed)
                    try Tap(on: "bhk-x").send(frame(mark: 1))
                    try Tap(on: "bhk-y").send(frame(mark: 2))
                    #expect(bench.receive(0) == frame(mark: 1))
                    #expect(bench.receive(1) == frame(mark: 2))
                    let far = try Tap(on: "bhk-y")
                    bench.transmit(frame(mark: 3), from: 1)
                    #expect(far.receives(frame(mark: 3)))
                }
            }
        }

        @Test func `closed passes nothing and open forwards in the kernel once the sockets are gone`() throws {
            try inFreshNamespace {
                try withBPFFileSystem { files in
                    let wire = try Wire(files)
                    let (near, far) = try (Tap(on: "bhk-x"), Tap(on: "bhk-y"))
                    do {
                        let bench = try SocketBench(at: wire.ports.map { .init($0, queue: 0) })
                        try wire.programs[0].insert(socket: bench.sockets[0].fileDescriptor, queue: 0)
                        wire.mode.set(.open)
                        near.send(frame(mark: 1))
                        #expect(bench.receive(0) == frame(mark: 1))
                        #expect(!far.receives(frame(mark: 1), within: 50))
                    }
                    near.send(frame(mark: 2))
                    #expect(far.receives(frame(mark: 2)))
                    wire.mode.set(.closed)
                    near.send(frame(mark: 3))
                    #expect(!far.receives(frame(mark: 3), within: 50))
                    wire.mode.set(.bypass)
                    near.send(frame(mark: 4))
                    #expect(far.receives(frame(mark: 4)))
                    wire.mode.set(.block)
                    near.send(frame(mark: 5))
                    #expect(!far.receives(frame(mark: 5), within: 50))
                }
            }
        }

        @Test func `bypass and block act although a socket listens`() throws {
            try inFreshNamespace {
                try withBPFFileSystem { files in
                    let wire = try Wire(files)
                    let (near, far) = try (Tap(on: "bhk-x"), Tap(on: "bhk-y"))
                    let bench = try SocketBench(at: [.init(wire.ports[0], queue: 0)])
                    try wire.programs[0].insert(socket: bench.sockets[0].fileDescriptor, queue: 0)
                    wire.mode.set(.bypass)
                    near.send(frame(mark: 1))
                    #expect(far.receives(frame(mark: 1)))
                    wire.mode.set(.block)
                    near.send(frame(mark: 2))
                    #expect(bench.receive(0, within: 50) == nil)
                    wire.mode.set(.closed)
                    near.send(frame(mark: 3))
                    #expect(bench.receive(0) == frame(mark: 3))
                    try wire.programs[0].remove(queue: 0)
                    try wire.programs[0].remove(queue: 0)
                    near.send(frame(mark: 4))
                    #expect(bench.receive(0, within: 50) == nil)
                }
            }
        }

        @Test func `a process that hangs keeps its socket, and kill -9 gives the frames to the kernel`() throws {
            try inFreshNamespace {
                try withBPFFileSystem { files in
                    let wire = try Wire(files)
                    let (near, far) = try (Tap(on: "bhk-x"), Tap(on: "bhk-y"))
                    wire.mode.set(.open)
                    // A process that holds the socket and does nothing with it.
                    let holder = try {
                        let bench = try SocketBench(at: [.init(wire.ports[0], queue: 0)])
                        let socket = bench.sockets[0].fileDescriptor
                        try wire.programs[0].insert(socket: socket, queue: 0)
                        return try start("/bin/sleep", ["sleep", "60"], passing: [socket])
                    }()
                    near.send(frame(mark: 1))
                    #expect(!far.receives(frame(mark: 1), within: 50))
                    wire.mode.set(.bypass)
                    near.send(frame(mark: 2))
                    #expect(far.receives(frame(mark: 2)))
                    wire.mode.set(.open)
                    end(holder)
                    #expect(
                        eventually {
                            near.send(frame(mark: 3))
                            return far.receives(frame(mark: 3), within: 2)
                        })
                }
            }
        }

        @Test func `a cleared peer drops, and the kernel forgets a deleted one`() throws {
            try inFreshNamespace {
                try withBPFFileSystem { files in
                    let wire = try Wire(files)
                    #expect(wire.programs[0].peerIndex == wire.ports[1].index)
                    try wire.programs[0].clearPeer()
                    try wire.programs[0].clearPeer()
                    wire.mode.set(.bypass)
                    #expect(try wire.programs[0].trial(frame: frame(mark: 1)) == .drop)
                    #expect(wire.programs[1].peerIndex == wire.ports[0].index)
                    try shell("ip link del bhk-a")
                    #expect(eventually { wire.programs[1].peerIndex == nil })
                    #expect(wire.programs[0].attachedMode == nil)
                }
            }
        }

        @Test func `rings of a bound socket can be mapped again from another descriptor`() throws {
            try inFreshNamespace {
                try withBPFFileSystem { files in
                    let wire = try Wire(files)
                    let bench = try SocketBench(at: wire.ports.map { .init($0, queue: 0) })
                    for index in 0..<2 {
                        try wire.programs[index].insert(socket: bench.sockets[index].fileDescriptor, queue: 0)
                    }
                    wire.mode.set(.closed)
                    let adopted = try XDPSocket(
                        adopting: dup(bench.sockets[1].fileDescriptor), interfaceIndex: wire.ports[1].index, queue: 0)
                    var again = try unsafe SocketBench.map(adopted.fileDescriptor)
                    defer { unsafe cxdp_xsk_unmap_rings(&again) }
                    #expect(unsafe again.fill.producer.pointee == UInt32(SocketBench.framesPerSocket))
                    try Tap(on: "bhk-y").send(frame(mark: 9))
                    let seen = unsafe SocketBench.receive(from: again.receive, memory: bench.memory)
                    #expect(seen == frame(mark: 9))
                    // Taken there, so no longer here: the positions are shared.
                    #expect(bench.receive(1, within: 20) == nil)
                }
            }
        }

        @Test func `forced zero-copy on veth is refused and says so, auto falls back to copy`() throws {
            try inFreshNamespace {
                try makeWire("bhk-a", "bhk-b")
                let port = try Interface(named: "bhk-a")
                #expect(throws: LinkError.noZeroCopy(port: "bhk-a", queue: 0, errno: EOPNOTSUPP)) {
                    try SocketBench(at: [.init(port, queue: 0)], copy: .zeroCopy)
                }
                for copy in [CopyMode.auto, .copy] {
                    #expect(try SocketBench(at: [.init(port, queue: 0)], copy: copy).sockets[0].isZeroCopy == false)
                }
            }
        }

        @Test func `a queue that is taken is waited for, then reported`() throws {
            try inFreshNamespace {
                try makeWire("bhk-a", "bhk-b")
                let place = XDPSocket.Place(try Interface(named: "bhk-a"), queue: 0)
                let holder = try SocketBench(at: [place])
                let start = unsafe cxdp_monotonic_ns()
                #expect(throws: LinkError.queueBusy(port: "bhk-a", queue: 0)) { try SocketBench(at: [place]) }
                #expect(unsafe cxdp_monotonic_ns() - start > 1_900_000_000)
                #expect(holder.sockets.count == 1)
            }
        }

        @Test func `a queue that the port lacks is refused`() throws {
            try inFreshNamespace {
                try makeWire("bhk-a", "bhk-b")
                let port = try Interface(named: "bhk-a")
                #expect(throws: LinkError.self) { try SocketBench(at: [.init(port, queue: 1)]) }
                #expect(throws: LinkError.tooManyQueues(port: "bhk-a", queue: 64)) {
                    try SocketBench(at: [.init(port, queue: 64)])
                }
            }
        }

        @Test func `a returned port gets a socket over the surviving one's UMEM`() throws {
            try inFreshNamespace {
                try withBPFFileSystem { files in
                    let wire = try Wire(files)
                    let bench = try SocketBench(at: wire.ports.map { .init($0, queue: 0) })
                    try shell("ip link del bhk-a")
                    try makeWire("bhk-a", "bhk-x")
                    let port = try Interface(named: "bhk-a")
                    let program = try RedirectProgram.attachOrAdopt(on: port, mode: wire.mode, in: files)
                    #expect(program.origin == .replaced)
                    let socket = try XDPSocket.open(
                        at: .init(port, queue: 0), sharing: bench.sockets[1], rings: SocketBench.sizes)
                    var rings = try unsafe SocketBench.map(socket.fileDescriptor)
                    defer { unsafe cxdp_xsk_unmap_rings(&rings) }
                    unsafe rings.fill.descriptors.storeBytes(of: 0, as: UInt64.self)
                    unsafe rings.fill.producer.pointee = 1
                    try program.insert(socket: socket.fileDescriptor, queue: 0)
                    wire.mode.set(.closed)
                    try Tap(on: "bhk-x").send(frame(mark: 4))
                    #expect(unsafe SocketBench.receive(from: rings.receive, memory: bench.memory) == frame(mark: 4))
                }
            }
        }

        @Test func `the kernel's counters are read name by name`() throws {
            try inFreshNamespace {
                try withBPFFileSystem { files in
                    let wire = try Wire(files)
                    let bench = try SocketBench(at: [.init(wire.ports[0], queue: 0)])
                    try wire.programs[0].insert(socket: bench.sockets[0].fileDescriptor, queue: 0)
                    wire.mode.set(.closed)
                    let near = try Tap(on: "bhk-x")
                    // 64 frames lie in the fill ring and 64 places in the receive ring: the rest finds neither.
                    for mark in UInt8(0)..<80 { near.send(frame(mark: mark)) }
                    #expect(try eventually { try bench.sockets[0].statistics().fillRingEmpty > 0 })
                    let statistics = try bench.sockets[0].statistics()
                    #expect(statistics.receiveDropped + statistics.receiveRingFull > 0)
                    #expect(statistics.receiveInvalidDescriptors == 0)
                }
            }
        }

        @Test func `busy polling is accepted by the socket`() throws {
            try inFreshNamespace {
                try makeWire("bhk-a", "bhk-b")
                let bench = try SocketBench(at: [.init(Interface(named: "bhk-a"), queue: 0)])
                try bench.sockets[0].setBusyPoll(BusyPoll(microseconds: 20, budget: 64))
            }
        }
    }
}
