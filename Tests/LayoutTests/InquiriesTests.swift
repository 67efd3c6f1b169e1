// SPDX-License-Identifier: Apache-2.0
import Layout
import Record
import Synchronization
import Testing

@Suite("Inquiries") struct InquiriesTests {
    let inquiries: Inquiries

    init() throws {
        var plan = Plan()
        (plan.pairCount, plan.pairs[0].queues) = (1, 2)
        let layout = InquiriesLayout(plan)
        let memory = try SharedMemory.create("layout-tests", byteCount: layout.byteCount, header: layout.header)
        inquiries = Inquiries(memory, layout)
    }

    @Test func `a fresh file asks for nothing and answers nothing`() {
        #expect(unsafe inquiries.armed.pointee.load(ordering: .relaxed) == 0)
        #expect(inquiries.order.read()?.isPossible == false && inquiries.question.read()?.number == 0)
        #expect((0..<2).allSatisfy { inquiries.answer(ofWorker: $0).read()?.number == 0 })
    }

    @Test func `order, question and answers come back and do not touch each other`() throws {
        var order = CaptureOrder()
        (order.number, order.ports[15], order.blocks[15].length) = (.max, .max, .max)
        inquiries.arm(order, until: 77)
        var question = TraceQuestion()
        (question.number, question.context) = (3, .max)
        inquiries.question.write(question)
        for worker in 0..<2 {
            var answer = TraceAnswer()
            (answer.number, answer.worker, answer.entry[23]) = (3, UInt32(worker), .max)
            inquiries.answer(ofWorker: worker).write(answer)
            var ring = unsafe CaptureProducer(base: inquiries.ring(ofWorker: worker))
            ring.publish(1)
        }
        #expect(unsafe inquiries.armed.pointee.load(ordering: .relaxed) == 77)
        #expect(try #require(inquiries.order.read()).ports[15] == .max)
        #expect(try #require(inquiries.question.read()).context == .max)
        for worker in 0..<2 {
            let answer = try #require(inquiries.answer(ofWorker: worker).read())
            #expect(answer.worker == UInt32(worker) && answer.entry[23] == .max)
            var ring = unsafe CaptureConsumer(base: inquiries.ring(ofWorker: worker))
            let count = ring.drain(limit: 4) { _, _ in }
            #expect(count == 1)
        }
        inquiries.disarm()
        #expect(unsafe inquiries.armed.pointee.load(ordering: .relaxed) == 0)
    }

    @Test func `a worker that is none is a mistake of ours`() async {
        await #expect(processExitsWith: .failure) { _ = try InquiriesTests().inquiries.answer(ofWorker: 2) }
        await #expect(processExitsWith: .failure) { _ = unsafe try InquiriesTests().inquiries.ring(ofWorker: -1) }
    }
}
