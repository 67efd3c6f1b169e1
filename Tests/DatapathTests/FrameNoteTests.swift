// SPDX-License-Identifier: Apache-2.0
@testable import Datapath
import Flow
import Net
import Ring
import Testing

@Suite("The notes of a frame") struct FrameNoteTests {
    @Test func `whatever the short way asks of a packet over IPv4 lies in the second of two lines of cache`() throws {
        #expect(MemoryLayout<FrameNote>.size == 128 && MemoryLayout<FrameNote>.stride == 128)
        let keys = try #require(MemoryLayout<FrameNote>.offset(of: \.keys))
        let ofKeys: [PartialKeyPath<FlowKeys>] = [\.v4, \.sender, \.isIPv4]
        let others: [PartialKeyPath<FrameNote>] = [
            \.steps, \.plain, \.reason, \.length, \.candidate, \.hash, \.address,
        ]
        let first =
            try ofKeys.map { try keys + #require(MemoryLayout<FlowKeys>.offset(of: $0)) }
            + others.map { try #require(MemoryLayout<FrameNote>.offset(of: $0)) }
        #expect(first.allSatisfy { $0 >= 64 })
    }

    @Test(arguments: 0..<8 as Range<UInt32>) func `a descriptor comes back with all bits that are noted of it`(options: UInt32) {
        var note = FrameNote()
        note.descriptor = Descriptor(address: 0x1_2345_6789, length: 0xffff_fff0, options: options)
        let found = note.descriptor
        #expect((found.address, found.length, found.options) == (0x1_2345_6789, 0xffff_fff0, options))
        #expect(note.port == UInt8(options & 1))
    }
}
