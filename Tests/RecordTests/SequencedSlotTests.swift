// SPDX-License-Identifier: Apache-2.0
import Record
import Synchronization
import Testing

/// Memory of a slot, shared by two threads.
@safe private final class SlotMemory<Value: BitwiseCopyable>: @unchecked Sendable {
    let base: UnsafeMutableRawPointer

    init(_ type: Value.Type) {
        unsafe base = .allocate(byteCount: SequencedSlot<Value>.byteCount, alignment: 64)
        unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: SequencedSlot<Value>.byteCount)
    }

    deinit { unsafe base.deallocate() }

    var slot: SequencedSlot<Value> { unsafe SequencedSlot(base: base) }
}

@Suite("Sequenced slot") struct SequencedSlotTests {
    @Test func `what was written is read, and its count tells that it is new`() {
        let memory = SlotMemory(TraceQuestion.self)
        let before = memory.slot.sequence
        var question = TraceQuestion()
        (question.number, question.context) = (4, 0x0600_0000)
        memory.slot.write(question)
        #expect(memory.slot.sequence == before + 2)
        #expect(memory.slot.read()?.number == 4 && memory.slot.read()?.context == 0x0600_0000)
    }

    @Test func `what is being written cannot be read, and the next writer puts it right`() {
        let memory = SlotMemory(TraceQuestion.self)
        unsafe memory.base.storeBytes(of: 5, as: UInt64.self)
        #expect(memory.slot.read() == nil)
        var question = TraceQuestion()
        question.number = 9
        memory.slot.write(question)
        #expect(memory.slot.sequence == 6 && memory.slot.read()?.number == 9)
    }

    @Test func `a reader beside a writer sees whole values only`() async {
        let memory = SlotMemory(TraceAnswer.self)
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for round in 1...20_000 as ClosedRange<UInt64> {
                    var answer = TraceAnswer()
                    (answer.number, answer.time) = (round, round)
                    for word in 0..<TraceAnswer.entryWords { answer.entry[word] = round }
                    memory.slot.write(answer)
                }
            }
            group.addTask {
                var last: UInt64 = 0
                while last < 20_000 {
                    guard let answer = memory.slot.read() else { continue }
                    let isWhole = (0..<TraceAnswer.entryWords).allSatisfy { answer.entry[$0] == answer.number }
                    #expect(isWhole && answer.time == answer.number && answer.number >= last)
                    last = answer.number
                }
            }
        }
    }
}
