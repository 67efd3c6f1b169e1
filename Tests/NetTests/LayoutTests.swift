// SPDX-License-Identifier: Apache-2.0
import Net
import TestSupport
import Testing

/// What other processes, older binaries and hot code rely on.
@Suite struct Layouts {
    @Test func `keys and readings keep their sizes`() {
        #expect(MemoryLayout<FlowKey4>.size == 24)
        #expect(MemoryLayout<FlowKey4>.stride == 24)
        #expect(MemoryLayout<FlowKey4>.alignment == 4)
        #expect(MemoryLayout<FlowKey6>.size == 48)
        #expect(MemoryLayout<FlowKey6>.stride == 48)
        #expect(MemoryLayout<FlowKey6>.alignment == 8)
        #expect(MemoryLayout<Reading>.size == 135)
        #expect(MemoryLayout<Reading>.stride == 136)
        #expect(MemoryLayout<Address>.size == 16)
        #expect(MemoryLayout<VLANTags>.size == 4)
        #expect(MemoryLayout<Tunnel>.size == 8)
        #expect(MemoryLayout<HashSecret>.size == 128)
    }

    @Test func `a case's number is its raw value`() {
        for reason in DropReason.allCases { #expect(reason.number == reason.rawValue) }
        for decision in Decision.allCases { #expect(decision.number == decision.rawValue) }
        for kind in Tunnel.Kind.allCases { #expect(kind.number == kind.rawValue) }
        for end in [FlowEnd.low, .high] { #expect(end.number == end.rawValue) }
    }

    @Test func `cases are numbered from 0 without a gap and fit their counters`() {
        #expect(DropReason.allCases.map(\.rawValue) == Array(0..<UInt8(DropReason.allCases.count)))
        #expect(DropReason.allCases.count <= DropReason.capacity)
        #expect(Decision.allCases.map(\.rawValue) == [0, 1, 2])
        #expect(PortMode.allCases.map(\.rawValue) == [0, 1, 2, 3])
    }

    @Test func `reasons have names of their own`() {
        #expect(DropReason.badChecksum.name == "badChecksum")
        #expect(Set(DropReason.allCases.map(\.name)).count == DropReason.allCases.count)
    }
}

@Suite struct LinkNouns {
    @Test func `hardware addresses are written with colons`() {
        let address: MACAddress = "0a:00:5e:ff:01:02"
        #expect(address.bits == 0x0a00_5eff_0102)
        #expect(address.description == "0a:00:5e:ff:01:02")
        #expect(MACAddress(bits: .max).isBroadcast)
        #expect(MACAddress(bits: 0x0100_0000_0000).isGroup)
        #expect(!address.isGroup)
    }

    @Test func `tags keep two identifiers, and none for VLAN 0`() {
        #expect(VLANTags(0) == VLANTags())
        #expect(VLANTags(0, 10) == VLANTags(10))
        #expect(VLANTags(10, 20).identifiers == [10, 20])
        #expect(VLANTags(10, 20) != VLANTags(20, 10))
        var tags = VLANTags(10, 20)
        tags.append(30)
        #expect(tags == VLANTags(10, 20))
        #expect(VLANTags(10, 20).count == 2)
        #expect(VLANTags().word == 0)
    }

    @Test func `service keys order by protocol, then port`() {
        #expect(ServiceKey(.tcp, port: 443).rawValue == 6 << 16 | 443)
        #expect(ServiceKey(.icmp, type: 8, code: 1) == ServiceKey(.icmp, port: 0x0801))
        #expect(ServiceKey(IPProtocol(rawValue: 255), port: .max).rawValue == ServiceKey.end - 1)
    }
}
