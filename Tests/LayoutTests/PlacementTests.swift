// SPDX-License-Identifier: Apache-2.0
import Foundation
import Layout
import Testing

@Suite struct Placements {
    @Test(arguments: [
        // Allowed, workers, where they are, and what is left.
        (0...3, 1, [3], "0-2"), (0...3, 2, [3, 2], "0-1"), (0...1, 1, [1], "0"), (0...1, 2, [1, 0], ""),
        (0...1, 3, [1, 0, 1], ""), (5...5, 1, [5], ""), (0...255, 2, [255, 254], "0-253"),
    ])
    func `workers take the last processors, and everything else those that are left`(
        allowed: ClosedRange<Int>, workers: Int, places: [Int], others: String
    ) {
        let placement = Placement(ProcessorSet(allowed), workers: workers, isShared: false)
        #expect((0..<workers).map { placement.processor(ofWorker: $0) } == places)
        #expect(placement.others.description == others)
        let shared = Placement(ProcessorSet(allowed), workers: workers, isShared: true)
        #expect((0..<workers).map { shared.processor(ofWorker: $0) } == places && shared.others.isEmpty)
    }

    @Test func `where no processor is known nobody is placed`() {
        let placement = Placement(ProcessorSet(), workers: 2, isShared: false)
        #expect(placement.processor(ofWorker: 0) == nil && placement.others.isEmpty)
        #expect(!placement.others.hold())
    }

    @Test func `a set is told as the kernel tells it, and leaves out what does not fit`() {
        #expect(ProcessorSet([5, 0, 2, 1, 255, 256, -1]).description == "0-2,5,255")
        #expect(ProcessorSet([7]).description == "7" && ProcessorSet().description.isEmpty)
        #expect(ProcessorSet([63, 64, 128]).numbers == [63, 64, 128])
        #expect(ProcessorSet(0..<8).subtracting(ProcessorSet([0, 7, 9])).description == "1-6")
    }

    @Test func `the answer to prepare carries a set`() {
        let set = ProcessorSet([0, 64, 129, 255])
        #expect(Message.prepared(on: set).processors == set && Message.prepared(on: set).kind == .prepared)
        #expect(Message(.prepared).processors.isEmpty)
    }

    @Test func `a thread that is held stays there, as does what it starts, and gives way when asked to`() throws {
        let allowed = ProcessorSet.allowed()
        let one = ProcessorSet([try #require(allowed.numbers.last)])
        // On a thread of its own: what it becomes must not go back to the pool.
        let seen = onThread { () -> (Bool, ProcessorSet, ProcessorSet, ProcessorSet, String) in
            let isHeld = one.hold()
            let own = ProcessorSet.allowed()
            let inherited = onThread { ProcessorSet.allowed() }
            // None of these may be had, so nothing changes.
            let isNowhere = ProcessorSet([255]).subtracting(allowed).hold()
            Placement.giveWay()
            // proc(5), stat: policy 3 is SCHED_BATCH, behind the name in brackets fields 3 and up; 19 is nice, 41 the policy.
            let line = (try? String(contentsOfFile: "/proc/thread-self/stat", encoding: .utf8)) ?? ""
            let fields = (line.split(separator: ")").last ?? "").split(separator: " ")
            return (isHeld && !isNowhere, own, inherited, ProcessorSet.allowed(), "\(fields[16]) \(fields[38])")
        }
        #expect(seen.0)
        #expect(seen.1 == one && seen.2 == one && seen.3 == one)
        #expect(seen.4 == "\(Placement.nice) 3")
        #expect(ProcessorSet.allowed() == allowed)
    }
}

/// What `body` answers on a thread of its own.
private func onThread<Answer>(_ body: @escaping @Sendable () -> Answer) -> Answer where Answer: Sendable {
    nonisolated(unsafe) var answer: Answer?
    let done = DispatchSemaphore(value: 0)
    let worker = Thread {
        unsafe answer = body()
        done.signal()
    }
    worker.start()
    done.wait()
    return unsafe answer!
}
