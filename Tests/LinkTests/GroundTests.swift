// SPDX-License-Identifier: Apache-2.0
import Glibc
import Link
import Net
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
    /// What is found before a pair starts, each with the command that mends it.
    @Suite struct GroundTests {
        @Test func `a pair on good ground has no findings`() throws {
            try inFreshNamespace {
                try makePair()
                try mend()
                #expect(try ground(fail: .open, generic: true, tagged: true).findings() == [])
            }
        }

        @Test func `each finding at the far end is gone after its remedy was run`() throws {
            try inFreshNamespace {
                try makePair()
                try mend()
                for setting in ["tx on", "gro off", "tx on tso on", "txvlan on"] {
                    try shell("ethtool -K bhk-x \(setting)")
                    let findings = try ground(fail: .open, generic: true, tagged: true).findings()
                    #expect(!findings.isEmpty && findings.allSatisfy { $0.port == "bhk-a" && $0.severity == .warn })
                    for finding in findings { try shell(finding.remedy) }
                    #expect(try ground(fail: .open, generic: true, tagged: true).findings() == [], "after \(setting)")
                }
            }
        }

        @Test func `what the pair does not need is not demanded`() throws {
            try inFreshNamespace {
                try makePair()
                try mend()
                try shell("ethtool -K bhk-x gro off txvlan on")
                #expect(try ground(fail: .closed).findings() == [])
            }
        }

        @Test func `an MTU that fits no frame is refused, and the remedy fits`() throws {
            try inFreshNamespace {
                try makePair()
                try mend()
                try shell("ip link set bhk-a mtu 9000; ip link set bhk-b mtu 9000")
                let findings = try ground().findings()
                #expect(findings.count == 2 && findings.allSatisfy { $0.severity == .refuse })
                for finding in findings { try shell(finding.remedy) }
                #expect(try ground().findings() == [])
                try shell("ip link set bhk-b mtu 1400")
                let differing = try ground().findings()
                #expect(differing.map(\.severity) == [.warn] && differing.map(\.port) == ["bhk-a"])
                try shell(differing[0].remedy)
                #expect(try ground().findings() == [])
            }
        }

        @Test func `queues without sockets and sockets without queues are refused`() throws {
            try inFreshNamespace {
                try makePair(queues: 2)
                try mend()
                let many = try ground(queues: 1).findings()
                #expect(many.map(\.severity) == [.refuse, .refuse])
                for finding in many { try shell(finding.remedy) }
                #expect(try ground(queues: 1).findings() == [])
                #expect(try ground(queues: 2).findings().map(\.severity) == [.refuse, .refuse])
            }
        }

        @Test func `a port without carrier, a bridge and a port in it are reported`() throws {
            try inFreshNamespace {
                try makePair()
                try mend()
                try shell("ip link set bhk-x down")
                #expect(try eventually { try ground().findings().map(\.what) == ["it has no carrier"] })
                try shell("ip link set bhk-x up && ip link add bhk-br type bridge && ip link set bhk-br up")
                try shell("ip link set bhk-a master bhk-br")
                #expect(try eventually { try ground().findings().map(\.what) == ["it belongs to a bridge or bond"] })
                let bridge = try Ground(ports: [Interface(named: "bhk-br"), Interface(named: "bhk-b")], queues: 1, fail: .closed)
                #expect(bridge.findings().contains { $0.severity == .refuse && $0.what == "it is a bridge" })
                let twice = try Ground(ports: [Interface(named: "bhk-b"), Interface(named: "bhk-b")], queues: 1, fail: .closed)
                #expect(twice.findings().contains { $0.severity == .refuse && $0.what == "it is both ports of the pair" })
            }
        }

        @Test func `a far end in a named namespace is looked at there`() throws {
            let name = "bhk-far-\(getpid())"
            try shell("ip netns add \(name)")
            defer { _ = try? shell("ip netns del \(name)") }
            try inFreshNamespace {
                try makePair()
                try mend()
                try shell("ip link set bhk-x netns \(name) && ip netns exec \(name) ip link set bhk-x up")
                try shell("ip netns exec \(name) ethtool -K bhk-x tx off")
                #expect(try ground().findings() == [])
                try shell("ip netns exec \(name) ethtool -K bhk-x tx on")
                let findings = try ground().findings()
                #expect(findings.map(\.what) == ["tx is on at its far end, bhk-x"])
                try shell(findings[0].remedy)
                #expect(try ground().findings() == [])
                #expect(try Interface(named: "bhk-a").index != 0)
            }
        }

        @Test func `a far end that nobody can see is a warning with its name and the commands`() throws {
            try inFreshNamespace {
                try makePair()
                try mend()
                let child = try start("/usr/bin/unshare", ["unshare", "-n", "sleep", "60"])
                defer { end(child) }
                let home = try shell("readlink /proc/self/ns/net")
                #expect(try eventually { try shell("readlink /proc/\(child)/ns/net") != home })
                try shell("ip link set bhk-x netns \(child) && nsenter -t \(child) -n ip link set bhk-x up")
                let findings = try ground(fail: .open).findings()
                #expect(findings.count == 1 && findings.first?.severity == .warn)
                #expect(findings.first?.what.contains("bhk-x") == true)
                #expect(findings.first?.remedy.contains("ethtool -K bhk-x tx off gro on") == true)
            }
        }

        private func ground(
            queues: UInt32 = 1, fail: FailMode = .closed, generic: Bool = false, tagged: Bool = false
        ) throws -> Ground {
            let ports = try [Interface(named: "bhk-a"), Interface(named: "bhk-b")]
            return Ground(ports: ports, queues: queues, fail: fail, generic: generic, tagged: tagged)
        }

        private func makePair(queues: Int = 1) throws {
            try makeWire("bhk-a", "bhk-x", queues: queues)
            try makeWire("bhk-b", "bhk-y", queues: queues)
        }

        private func mend() throws {
            for end in ["bhk-x", "bhk-y"] { try shell("ethtool -K \(end) tx off gro on txvlan off") }
            #expect(try eventually { try ground().ports.allSatisfy(\.isRunning) })
        }
    }
}
