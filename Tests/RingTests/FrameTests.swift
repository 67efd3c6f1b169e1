// SPDX-License-Identifier: Apache-2.0
import Ring
import Synchronization
import Testing

@Suite("Frame") struct FrameTests {
    @Test func `descriptors have the kernel's layout`() {
        #expect(MemoryLayout<Descriptor>.size == 16)
        #expect(MemoryLayout<Descriptor>.stride == 16)
        #expect(MemoryLayout<Descriptor>.offset(of: \.address) == 0)
        #expect(MemoryLayout<Descriptor>.offset(of: \.length) == 8)
        #expect(MemoryLayout<Descriptor>.offset(of: \.options) == 12)
        #expect(MemoryLayout<Atomic<UInt32>>.size == 4)
        #expect(MemoryLayout<Atomic<UInt64>>.size == 8)
    }

    @Test func `memory that outlives a process is as long as ever`() {
        #expect(HandOffRing.byteCount(capacity: 1024) == 128 + 1024 * 16)
        #expect(HandOffTable.byteCount(workers: 3, capacity: 8) == 18 * (128 + 8 * 16))
        #expect(FreeList.byteCount(capacity: 100) == 64 + 800)
    }

    @Test func `a frame that is surrendered leaves its descriptor and nothing else`() {
        let frame = Frame(address: 4352, length: 60)
        let descriptor = frame.surrender()
        #expect(descriptor.address == 4352 && descriptor.length == 60 && descriptor.options == 0)
        #expect(lostFrames.load(ordering: .relaxed) == 0)
    }

    #if DEBUG
        @Test func `a frame that reaches no ring ends a debug build`() async {
            await #expect(processExitsWith: .failure) {
                let frame = Frame(address: 4352, length: 60)
                _ = frame.length
            }
        }
    #else
        @Test func `a frame that reaches no ring is counted in a release build`() async {
            await #expect(processExitsWith: .success) {
                for address in 0..<3 as Range<UInt64> {
                    let frame = Frame(address: address, length: 60)
                    _ = frame.length
                }
                precondition(lostFrames.load(ordering: .relaxed) == 3)
            }
        }
    #endif
}
