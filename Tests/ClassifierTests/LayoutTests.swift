// SPDX-License-Identifier: Apache-2.0
import Classifier
import Net
import Testing

@Suite struct Layouts {
    @Test func `the items of the image keep their sizes`() {
        #expect(MemoryLayout<SnapshotHeader>.size == 288)
        #expect(MemoryLayout<SnapshotHeader>.size <= SnapshotLayout.headerSize)
        #expect(MemoryLayout<SectionEntry>.stride == 16)
        #expect(MemoryLayout<ZoneEntry>.stride == 12)
        #expect(MemoryLayout<TrieNode>.stride == 64)
        #expect(MemoryLayout<CombinedEntry>.stride == 12)
        #expect(MemoryLayout<ClassLine>.stride == 64)
        #expect(MemoryLayout<ClassLine>.offset(of: \.ancestors) == 24)
        #expect(MemoryLayout<PeerLine>.stride == 64)
        #expect(MemoryLayout<IntervalEntry>.stride == 8)
        #expect(MemoryLayout<SideRecord>.stride == 48)
        #expect(SnapshotLayout.Section.allCases.count == 15)
        #expect(MemoryLayout<LinkTable>.size == 88)
        #expect(MemoryLayout<LinkTable>.stride == 88)
        #expect(MemoryLayout<FlowSettings>.stride == 92)
        #expect(LinkProtocol.allCases.count <= LinkTable().settings.count)
    }

    @Test func `the address map's header and slots keep their sizes and places`() {
        #expect(MemoryLayout<AddressMapHeader>.size == AddressMapLayout.headerSize)
        #expect(MemoryLayout<AddressMapHeader>.offset(of: \.epoch) == AddressMapLayout.epochOffset)
        #expect(MemoryLayout<AddressSlot>.stride == 32)
        #expect(MemoryLayout<AddressSlot>.offset(of: \.zone) == 4)
        #expect(MemoryLayout<AddressSlot>.offset(of: \.flags) == 6)
        #expect(MemoryLayout<AddressSlot>.offset(of: \.address) == 8)
        #expect(MemoryLayout<AddressSlot>.offset(of: \.labelSet) == 24)
        #expect(MemoryLayout<AddressSlot>.offset(of: \.workload) == 28)
    }

    @Test func `the magic numbers spell their names`() {
        func text(_ word: UInt64) -> String {
            String(decoding: (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }, as: UTF8.self)
        }
        #expect(text(SnapshotLayout.magic) == "BKHDSNAP")
        #expect(text(AddressMapLayout.magic) == "BKHDADDR")
    }
}
