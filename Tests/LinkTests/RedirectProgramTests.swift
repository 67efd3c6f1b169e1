// SPDX-License-Identifier: Apache-2.0
import CXDP
import Glibc
import Link
import Net
import Testing

extension Kernel {
    /// The redirect program: what it makes of a frame, and how it comes and goes.
    @Suite struct RedirectProgramTests {
        struct Case: CustomTestStringConvertible {
            var mode: PortMode
            var socket: Bool
            var peer: Bool
            var action: RedirectProgram.Action
            var testDescription: String { "\(mode), \(socket ? "a" : "no") socket, \(peer ? "a" : "no") peer: \(action)" }
        }

        // With a socket and without a peer, `open` shows that it prefers the socket; the return code does not tell them apart.
        static let cases: [Case] = PortMode.allCases.flatMap { mode in
            [(false, false), (false, true), (true, false), (true, true)].map { socket, peer in
                let passes =
                    switch mode {
                    case .block: false
                    case .closed: socket
                    case .open: socket || peer
                    case .bypass: peer
                    }
                return Case(mode: mode, socket: socket, peer: peer, action: passes ? .redirect : .drop)
            }
        }

        @Test(arguments: cases) func `each mode does what it declares, with and without socket and peer`(_ row: Case) throws {
            try inFreshNamespace {
                try withBPFFileSystem { files in
                    try makeWire("bhk-a", "bhk-b")
                    let port = try Interface(named: "bhk-a")
                    let mode = try ModeWord(pair: "p", on: files)
                    let program = try RedirectProgram.attachOrAdopt(on: port, mode: mode, in: files)
                    let bench = try SocketBench(at: [.init(port, queue: 0)])
                    if row.socket { try program.insert(socket: bench.sockets[0].fileDescriptor, queue: 0) }
                    if row.peer { try program.setPeer(ifindex: try Interface(named: "bhk-b").index) }
                    mode.set(row.mode)
                    #expect(try program.trial(frame: frame(mark: 1)) == row.action)
                    program.detach()
                }
            }
        }

        @Test func `a fresh mode word blocks`() throws {
            try inFreshNamespace {
                try withBPFFileSystem { files in
                    try makeWire("bhk-a", "bhk-b")
                    let mode = try ModeWord(pair: "p", on: files)
                    #expect(mode.value == .block && mode.epoch == 0)
                    let program = try RedirectProgram.attachOrAdopt(on: Interface(named: "bhk-a"), mode: mode, in: files)
                    try program.setPeer(ifindex: 1)
                    #expect(try program.trial(frame: frame(mark: 1)) == .drop)
                }
            }
        }

        @Test func `attaching is native, and detaching leaves port and folder empty`() throws {
            try inFreshNamespace {
                try withBPFFileSystem { files in
                    try makeWire("bhk-a", "bhk-b")
                    let mode = try ModeWord(pair: "p", on: files)
                    let program = try RedirectProgram.attachOrAdopt(on: Interface(named: "bhk-a"), mode: mode, in: files)
                    #expect(program.origin == .attached)
                    #expect(program.attachedMode == .native)
                    #expect(try Interface(named: "bhk-a").xdp == .native)
                    program.detach()
                    mode.unpin()
                    #expect(program.attachedMode == nil)
                    #expect(try Interface(named: "bhk-a").xdp == nil)
                    #expect(try shell("find \(files.root) -name bulkhead") == "")
                }
            }
        }

        @Test func `generic mode is used only where it is asked for`() throws {
            try inFreshNamespace {
                try withBPFFileSystem { files in
                    let mode = try ModeWord(pair: "p", on: files)
                    let loopback = try Interface(named: "lo")
                    #expect(throws: LinkError.noNativeXDP(port: "lo", driver: loopback.driver)) {
                        try RedirectProgram.attachOrAdopt(on: loopback, mode: mode, in: files)
                    }
                    #expect(try Interface(named: "lo").xdp == nil)
                    let program = try RedirectProgram.attachOrAdopt(on: loopback, mode: mode, in: files, generic: true)
                    #expect(program.attachedMode == .generic)
                    program.detach()
                }
            }
        }

        @Test func `a former process's program is adopted with its maps and replaced in place`() throws {
            try inFreshNamespace {
                try withBPFFileSystem { files in
                    try makeWire("bhk-a", "bhk-b")
                    let peer = try Interface(named: "bhk-b").index
                    try leaveBehind(files, peer: peer)
                    let before = try Interface(named: "bhk-a")
                    #expect(before.xdp == .native)
                    let mode = try ModeWord(pair: "p", on: files)
                    #expect(mode.value == .bypass && mode.epoch == 1)
                    let program = try RedirectProgram.attachOrAdopt(on: before, mode: mode, in: files)
                    #expect(program.origin == .adopted)
                    #expect(program.peerIndex == peer)
                    #expect(program.attachedMode == .native)
                    #expect(try Interface(named: "bhk-a").xdpProgram != before.xdpProgram)
                    #expect(try program.trial(frame: frame(mark: 1)) == .redirect)
                    program.detach()
                    #expect(try Interface(named: "bhk-a").xdp == nil)
                }
            }
        }

        @Test func `no frame is lost while a program is adopted and replaced`() throws {
            try inFreshNamespace {
                try withBPFFileSystem { files in
                    let wire = try Wire(files)
                    wire.mode.set(.bypass)
                    let sink = try Tap(on: "bhk-y")
                    let source = try Tap(on: "bhk-x")
                    for mark in UInt8(0)..<50 {
                        let again = try RedirectProgram.attachOrAdopt(
                            on: Interface(named: "bhk-a"), mode: wire.mode, in: files)
                        #expect(again.origin == .adopted)
                        source.send(frame(mark: mark))
                        #expect(sink.receives(frame(mark: mark)))
                    }
                }
            }
        }

        @Test func `pins of a deleted port are stale, and the new port of that name is attached anew`() throws {
            try inFreshNamespace {
                try withBPFFileSystem { files in
                    try makeWire("bhk-a", "bhk-b")
                    try leaveBehind(files, peer: Interface(named: "bhk-b").index)
                    try shell("ip link del bhk-a")
                    try makeWire("bhk-a", "bhk-b")
                    let mode = try ModeWord(pair: "p", on: files)
                    let program = try RedirectProgram.attachOrAdopt(on: Interface(named: "bhk-a"), mode: mode, in: files)
                    #expect(program.origin == .replaced)
                    #expect(program.attachedMode == .native)
                    #expect(program.peerIndex == nil)
                    program.detach()
                }
            }
        }

        @Test func `half a set of pins is replaced`() throws {
            try inFreshNamespace {
                try withBPFFileSystem { files in
                    try makeWire("bhk-a", "bhk-b")
                    try leaveBehind(files, peer: Interface(named: "bhk-b").index)
                    try shell("rm $(find \(files.root) -name sockets)")
                    let mode = try ModeWord(pair: "p", on: files)
                    let program = try RedirectProgram.attachOrAdopt(on: Interface(named: "bhk-a"), mode: mode, in: files)
                    #expect(program.origin == .replaced)
                    #expect(program.attachedMode == .native)
                }
            }
        }

        @Test func `a change from native to generic attaches anew`() throws {
            try inFreshNamespace {
                try withBPFFileSystem { files in
                    try makeWire("bhk-a", "bhk-b")
                    try leaveBehind(files, peer: Interface(named: "bhk-b").index)
                    let mode = try ModeWord(pair: "p", on: files)
                    let program = try RedirectProgram.attachOrAdopt(
                        on: Interface(named: "bhk-a"), mode: mode, in: files, generic: true)
                    #expect(program.origin == .replaced)
                    #expect(program.attachedMode == .generic)
                }
            }
        }

        @Test func `a foreign program is named and left alone`() throws {
            try inFreshNamespace {
                try withBPFFileSystem { files in
                    try makeWire("bhk-a", "bhk-b")
                    let other = try ModeWord(pair: "other", on: files)
                    let port = try Interface(named: "bhk-a")
                    let foreign = try RedirectProgram.attachOrAdopt(on: port, mode: other, in: files)
                    let id = try Interface(named: "bhk-a").xdpProgram
                    try withBPFFileSystem { elsewhere in
                        let mode = try ModeWord(pair: "p", on: elsewhere)
                        let error = #expect(throws: LinkError.foreignProgram(port: "bhk-a", program: id)) {
                            try RedirectProgram.attachOrAdopt(on: port, mode: mode, in: elsewhere)
                        }
                        #expect(error?.description.contains("bpftool net show dev bhk-a") == true)
                    }
                    #expect(try Interface(named: "bhk-a").xdpProgram == id)
                    foreign.detach()
                }
            }
        }

        @Test func `something else at the place of a pin is an error that names it`() throws {
            try inFreshNamespace {
                try withBPFFileSystem { files in
                    try makeWire("bhk-a", "bhk-b")
                    try leaveBehind(files, peer: Interface(named: "bhk-b").index)
                    try shell("cd $(dirname $(find \(files.root) -name link)) && rm link && mv program link")
                    let mode = try ModeWord(pair: "p", on: files)
                    #expect(throws: LinkError.self) {
                        try RedirectProgram.attachOrAdopt(on: Interface(named: "bhk-a"), mode: mode, in: files)
                    }
                }
            }
        }

        @Test func `names that the file system refuses still have a place`() throws {
            try inFreshNamespace {
                try withBPFFileSystem { files in
                    try makeWire("bhk.1", "bhk.2")
                    let mode = try ModeWord(pair: "a/b.c d", on: files)
                    let program = try RedirectProgram.attachOrAdopt(on: Interface(named: "bhk.1"), mode: mode, in: files)
                    #expect(try shell("ls $(find \(files.root) -name ports)") == "bhk%2e1\n")
                    program.detach()
                    mode.unpin()
                    #expect(try shell("find \(files.root) -name bulkhead") == "")
                }
            }
        }

        @Test func `a sweep takes the pins of deleted namespaces and leaves those of living ports`() throws {
            try inFreshNamespace {
                try withBPFFileSystem { files in
                    try makeWire("bhk-a", "bhk-b")
                    try leaveBehind(files, peer: Interface(named: "bhk-b").index)
                    try inFreshNamespace {
                        try makeWire("bhk-a", "bhk-b")
                        try leaveBehind(files, peer: Interface(named: "bhk-b").index)
                        try shell("ip link del bhk-b")
                    }
                    #expect(files.sweep() == 1)
                    #expect(files.sweep() == 0)
                    #expect(try shell("ls \(files.root)/bulkhead").split(separator: "\n").count == 1)
                    let mode = try ModeWord(pair: "p", on: files)
                    let program = try RedirectProgram.attachOrAdopt(on: Interface(named: "bhk-a"), mode: mode, in: files)
                    #expect(program.origin == .adopted && mode.value == .bypass)
                }
            }
        }

        /// Attaches to bhk-a with bypass and a peer, and lets go, as a process does that ends.
        private func leaveBehind(_ files: BPFFileSystem, peer: UInt32) throws {
            let mode = try ModeWord(pair: "p", on: files)
            let program = try RedirectProgram.attachOrAdopt(on: Interface(named: "bhk-a"), mode: mode, in: files)
            try program.setPeer(ifindex: peer)
            mode.set(.bypass)
        }
    }
}

/// bhk-x — bhk-a ═ programs ═ bhk-b — bhk-y, all in one namespace, with GRO at the outer ends so that redirected frames arrive.
final class Wire {
    let mode: ModeWord
    let programs: [RedirectProgram]
    let ports: [Interface]

    init(_ files: BPFFileSystem) throws {
        try makeWire("bhk-a", "bhk-x")
        try makeWire("bhk-b", "bhk-y")
        try shell("ethtool -K bhk-x gro on && ethtool -K bhk-y gro on")
        let mode = try ModeWord(pair: "p", on: files)
        let ports = try [Interface(named: "bhk-a"), Interface(named: "bhk-b")]
        programs = try ports.map { try RedirectProgram.attachOrAdopt(on: $0, mode: mode, in: files) }
        try programs[0].setPeer(ifindex: ports[1].index)
        try programs[1].setPeer(ifindex: ports[0].index)
        self.mode = mode
        self.ports = ports
    }
}
