// SPDX-License-Identifier: Apache-2.0
import Glibc
import Link
import Net
import TestSupport
import Testing

/// The arithmetic of frames, which needs no kernel.
@Suite struct FrameSizes {
    @Test(arguments: [
        (UInt32(1500), UInt32(2048) as UInt32?), (1766, 2048), (1767, 4096), (3814, 4096), (3815, nil), (9000, nil),
    ])
    func `an MTU has the smallest frame that holds it with two VLAN tags`(_ mtu: UInt32, _ size: UInt32?) {
        #expect(Ground.frameSize(forMTU: mtu) == size)
    }

    @Test func `headroom counts against the frame`() {
        #expect(Ground.frameSize(forMTU: 1700, headroom: 128) == 4096)
        #expect(Ground.largestMTU(frameSize: 2048, headroom: 128) == 1638)
    }
}

extension Kernel {
    /// What is found before a pair starts: bad states that are really set on veth ports, and gone after the printed command was run.
    @Suite struct GroundTests {
        static let everything = Demands(fail: .open, generic: true, tagged: true)

        @Test func `a pair on good ground has no findings`() throws {
            try inFreshNamespace {
                try makePair()
                #expect(try ground(Self.everything) == [])
                #expect(try ground() == [])
            }
        }

        /// What is done to good ground, the code that is found, where it is asked for, and how bad it is.
        struct Harm: Sendable, CustomStringConvertible {
            let harm: String
            let code: Finding.Code
            var severity = Finding.Severity.warning
            var demands = Demands()
            var port = "bhk-a"
            var description: String { harm }
        }

        static let harms = [
            Harm(harm: "ethtool -K bhk-x tx on", code: .farEndChecksum, severity: .note),
            Harm(harm: "ethtool -K bhk-x tx on gro on", code: .farEndChecksum, demands: Demands(fail: .open)),
            Harm(harm: "ethtool -K bhk-x gro off", code: .farEndGRO, demands: everything),
            Harm(
                harm: "ethtool -K bhk-x tx on tso on && ethtool -K bhk-x tx off && ethtool -K bhk-x tx on", code: .farEndChecksum,
                severity: .note),
            Harm(harm: "ethtool -K bhk-x txvlan on", code: .farEndVLAN, demands: everything),
            Harm(harm: "ip link set bhk-a mtu 9000", code: .mtuTooLarge, severity: .error),
            Harm(harm: "ip link set bhk-b mtu 1400", code: .mtuDiffers),
            Harm(harm: "ip link set bhk-x mtu 3507", code: .farEndMTU, severity: .error),
            Harm(harm: "ip link set bhk-a promisc off", code: .notPromiscuous, severity: .note),
            Harm(harm: "ip link set bhk-a down", code: .linkDown),
            Harm(harm: "ip link set bhk-x down", code: .linkDown),
            Harm(
                harm: "ip link add bhk-br type bridge && ip link set bhk-br up && ip link set bhk-a master bhk-br",
                code: .memberOfMaster),
            Harm(harm: "ip address add 198.51.100.9/24 dev bhk-a", code: .hostAddresses),
            Harm(harm: "ip -6 address add 2001:db8::9/64 dev bhk-a", code: .hostAddresses),
            Harm(harm: "ip -6 address add fe80::9/64 dev bhk-a", code: .hostSpeaks, severity: .note),
            Harm(harm: "sysctl -qw net/ipv4/conf/bhk-a/forwarding=1", code: .hostForwards),
            Harm(harm: "sysctl -qw net/ipv6/conf/bhk-a/forwarding=1", code: .hostForwards),
        ]

        @Test(arguments: harms)
        func `a bad state is found, and gone after its remedy was run`(_ harm: Harm) throws {
            try inFreshNamespace {
                try makePair()
                if harm.harm.contains("ip -6") {
                    try shell("sysctl -qw net/ipv6/conf/bhk-a/disable_ipv6=0 && ip -6 address flush dev bhk-a")
                }
                #expect(try eventually { try ground(harm.demands).isEmpty })
                try shell(harm.harm)
                #expect(try eventually { try ground(harm.demands).contains { $0.code == harm.code } })
                let found = try ground(harm.demands)
                let one = try #require(found.first { $0.code == harm.code })
                #expect(one.severity == harm.severity && one.port == harm.port, "\(one)")
                for finding in found {
                    if let command = finding.remedy.command { try shell(command) }
                }
                _ = eventually { (try? ground(harm.demands).isEmpty) == true }
                #expect(try ground(harm.demands) == [])
            }
        }

        @Test func `segments are only joined where nobody takes them apart`() throws {
            try inFreshNamespace {
                try makePair()
                try shell("ethtool -K bhk-x tx on && ethtool -K bhk-x tso on")
                let found = try ground(Self.everything)
                #expect(found.map(\.code) == [.farEndChecksum, .farEndSegmentation])
                // One switches the other off.
                try shell(#require(found[1].remedy.command))
                #expect(try ground(Self.everything).map(\.code) == [.farEndChecksum])
            }
        }

        @Test func `what the pair does not need is not demanded`() throws {
            try inFreshNamespace {
                try makePair()
                try shell("ethtool -K bhk-x gro off txvlan on")
                #expect(try ground() == [])
            }
        }

        @Test func `queues that differ between the ports or between the ends are refused`() throws {
            try inFreshNamespace {
                try makePair(queues: 2)
                #expect(try ground().map(\.code) == [.spreadingAsymmetric])
                try shell("ethtool -L bhk-b rx 1 tx 1")
                let found = try ground()
                #expect(found.map(\.code) == [.queuesDiffer, .farEndQueues])
                for finding in found {
                    if let command = finding.remedy.command { try shell(command) }
                }
                let left = try ground()
                #expect(left.map(\.code) == [.farEndQueues], "the far end of bhk-a too: \(left)")
                for finding in left {
                    if let command = finding.remedy.command { try shell(command) }
                }
                #expect(try ground() == [])
                try shell("ethtool -L bhk-a rx 2 tx 1 && ethtool -L bhk-b rx 2 tx 1")
                #expect(try ground().filter { $0.severity == .error }.map(\.code) == [.queuesRefused, .queuesRefused])
            }
        }

        @Test func `a far end with more queues or a larger MTU keeps native XDP away, and with neither it is let in`() throws {
            try withBPFFileSystem { pins in
                try inFreshNamespace {
                    for harm in ["ip link set bhk-x mtu 3507", "ethtool -L bhk-a rx 1 tx 1"] {
                        try makePair(queues: 2)
                        try shell(harm)
                        #expect(throws: LinkError.self) { try attach(pins).detach() }
                        for finding in try ground() {
                            if let command = finding.remedy.command, finding.severity == .error { try shell(command) }
                        }
                        try attach(pins).detach()
                        try shell("ip link del bhk-a && ip link del bhk-b")
                    }
                }
            }
        }

        @Test func `a program of somebody else is refused, ours is not`() throws {
            try withBPFFileSystem { pins in
                try inFreshNamespace {
                    try makePair()
                    let port = try Interface(named: "bhk-a")
                    let program = try attach(pins)
                    #expect(try PortFacts.survey(port.name, pins: pins).isOurProgram)
                    // Without our pin it is anybody's.
                    let strange = try PortFacts.survey(port.name)
                    let found = Ground(ports: [strange]).findings().filter { $0.code == .foreignProgram }
                    #expect(found.map(\.severity) == [.error])
                    program.detach()
                    #expect(try PortFacts.survey(port.name).interface.xdpProgram == 0)
                }
            }
        }

        @Test func `a bridge, the loopback and a port twice are refused`() throws {
            try inFreshNamespace {
                try makePair()
                try shell("ip link add bhk-br type bridge")
                for name in ["bhk-br", "lo"] {
                    let found = Ground(ports: [try .survey(name)]).findings()
                    #expect(found.contains { $0.severity == .error && $0.code == .kindRefused }, "\(name)")
                }
                let twice = try Ground(ports: [.survey("bhk-b"), .survey("bhk-b")]).findings()
                #expect(twice.map(\.code) == [.samePort])
                #expect(throws: LinkError.noPort(name: "bhk-nil")) { try PortFacts.survey("bhk-nil") }
            }
        }

        @Test func `a default route by a port is a warning that no command mends`() throws {
            try inFreshNamespace {
                try makePair()
                try shell("ip address add 198.51.100.9/24 dev bhk-a && ip route add default via 198.51.100.1 dev bhk-a")
                let found = try ground().filter { $0.code == .hostRoute }
                #expect(found.map(\.severity) == [.warning])
                #expect(found.first?.remedy.command == nil)
            }
        }

        @Test func `a far end in a named namespace is looked at there`() throws {
            let name = "bh-ground-far-\(getpid())"
            try shell("ip netns add \(name)")
            defer { _ = try? shell("ip netns del \(name)") }
            try inFreshNamespace {
                try makePair()
                try shell("ip link set bhk-x netns \(name) && ip netns exec \(name) ip link set bhk-x up")
                try shell("ip netns exec \(name) ethtool -K bhk-x tx off")
                #expect(try eventually { try ground() == [] })
                try shell("ip netns exec \(name) ethtool -K bhk-x tx on")
                let found = try ground()
                #expect(found.map(\.what) == ["tx is on at its far end, bhk-x"])
                try shell(#require(found.first?.remedy.command))
                #expect(try ground() == [])
                #expect(try Interface(named: "bhk-a").index != 0)
            }
        }

        @Test func `a far end in a container is looked at through a process in it`() throws {
            try inFreshNamespace {
                try makePair()
                let child = try start("/usr/bin/unshare", ["unshare", "-n", "sleep", "60"])
                defer { end(child) }
                let home = try shell("readlink /proc/self/ns/net")
                #expect(try eventually { try shell("readlink /proc/\(child)/ns/net") != home })
                try shell("ip link set bhk-x netns \(child) && nsenter -t \(child) -n ip link set bhk-x up")
                try shell("nsenter -t \(child) -n ethtool -K bhk-x tx on gro on")
                #expect(try eventually { try Interface(named: "bhk-a").isRunning })
                let found = try ground(Demands(fail: .open))
                #expect(found.map(\.code) == [.farEndChecksum])
                let command = try #require(found.first?.remedy.command)
                #expect(command == "nsenter -t \(child) -n ethtool -K bhk-x tx off")
                try shell(command)
                #expect(try ground(Demands(fail: .open)) == [])
            }
        }

        @Test func `a far end that nobody can see is a warning with its name and the commands`() throws {
            let file = try temporaryFolder("bhk-hidden") + "/net"
            try shell("touch \(file)")
            defer { _ = try? shell("umount \(file); rm -r $(dirname \(file))") }
            try inFreshNamespace {
                try makePair()
                try shell("ethtool -K bhk-x gro off")
                // A namespace without a process, held by a mount that is not in /run/netns.
                try shell(
                    "unshare --net=\(file) true && ip link set bhk-x netns \(file) && nsenter --net=\(file) ip link set bhk-x up")
                #expect(try eventually { try Interface(named: "bhk-a").isRunning })
                let found = try ground(Demands(fail: .open))
                #expect(found.map(\.code) == [.farEndHidden] && found.map(\.severity) == [.warning])
                #expect(found.first?.what.contains("bhk-x") == true && found.first?.remedy.command == nil)
                // The port itself tells whether its far end takes redirected frames.
                #expect(found.first?.why.contains("nothing arrives") == true)
                try shell("nsenter --net=\(file) ethtool -K bhk-x gro on")
                #expect(try ground(Demands(fail: .open)).first?.why.contains("nothing arrives") == false)
            }
        }

        private func attach(_ pins: BPFFileSystem) throws -> RedirectProgram {
            let mode = try ModeWord(pair: "ground", on: pins)
            defer { mode.unpin() }
            return try RedirectProgram.attachOrAdopt(on: Interface(named: "bhk-a"), mode: mode, in: pins)
        }

        private func ground(_ demands: Demands = Demands()) throws -> [Finding] {
            Ground(ports: [try .survey("bhk-a"), try .survey("bhk-b")], demands: demands).findings()
        }

        /// A pair on good ground.
        private func makePair(queues: Int = 1) throws {
            try makeWire("bhk-a", "bhk-x", queues: queues)
            try makeWire("bhk-b", "bhk-y", queues: queues)
            for end in ["bhk-x", "bhk-y"] { try shell("ethtool -K \(end) tx off gro on txvlan off") }
            for port in ["bhk-a", "bhk-b"] { try shell("ip link set \(port) promisc on") }
            #expect(try eventually { try ["bhk-a", "bhk-b"].allSatisfy { try Interface(named: $0).isRunning } })
        }
    }
}
