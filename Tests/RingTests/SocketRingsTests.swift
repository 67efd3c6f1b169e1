// SPDX-License-Identifier: Apache-2.0
import Ring
import TestSupport
import Testing

/// Positions from which a ring runs into the end of 32 bits, at once or in the middle, or does not.
let positions: [UInt32] = [0, 1, 0x7fff_fffe, .max - 70, .max - 1, .max]

@Suite("Socket rings") struct SocketRingsTests {
    @Test(arguments: positions) func `frames go through all four rings in order, also where positions wrap`(position: UInt32) {
        let shared = RingMemory(size: 64, position: position)
        var ours = shared.ours()
        var kernel = shared.kernels()
        for round in 0..<10 as Range<UInt64> {
            for slot in 0..<50 as Range<UInt64> {
                let number = round * 50 + slot
                #expect(ours.fill.free(1) > 0 && ours.transmit.free(1) > 0)
                #expect(kernel.receive.free(1) > 0 && kernel.completion.free(1) > 0)
                ours.fill.push(number)
                ours.transmit.push(Descriptor(address: number, length: UInt32(slot)))
                kernel.receive.push(Descriptor(address: number + 7, length: UInt32(slot), options: 1))
                kernel.completion.push(number + 9)
            }
            ours.fill.submit()
            ours.transmit.submit()
            kernel.receive.submit()
            kernel.completion.submit()
            #expect(kernel.fill.peek(.max) == 50)
            #expect(kernel.transmit.peek(.max) == 50)
            #expect(ours.receive.peek(.max) == 50)
            #expect(ours.completion.peek(.max) == 50)
            for slot in 0..<50 as Range<UInt32> {
                let number = round * 50 + UInt64(slot)
                #expect(kernel.fill[slot] == number)
                #expect(kernel.transmit[slot].address == number && kernel.transmit[slot].length == slot)
                #expect(ours.receive[slot].address == number + 7 && ours.receive[slot].options == 1)
                #expect(ours.completion[slot] == number + 9)
            }
            kernel.fill.release(50)
            kernel.transmit.release(50)
            ours.receive.release(50)
            ours.completion.release(50)
        }
        #expect(shared.memory.isMarginIntact)
    }

    @Test(arguments: positions) func `a ring takes as many slots as it has, and not one more`(position: UInt32) {
        let shared = RingMemory(size: 64, position: position)
        var ours = shared.ours()
        var kernel = shared.kernels()
        #expect(kernel.fill.peek(1) == 0)
        for number in 0..<64 as Range<UInt64> {
            #expect(ours.fill.hasRoom() && ours.fill.free(1) == 64 - UInt32(number))
            ours.fill.push(number)
        }
        #expect(ours.fill.free(1) == 0)
        ours.fill.submit()
        #expect(ours.fill.free(1) == 0 && !ours.fill.hasRoom())
        #expect(ours.fill.pending == 64)
        #expect(kernel.fill.peek(.max) == 64)
        kernel.fill.release(1)
        #expect(ours.fill.hasRoom() && ours.fill.free(1) == 1)
        #expect(ours.fill.pending == 63)
        #expect(kernel.fill.peek(.max) == 63)
        #expect(kernel.fill.peek(10) == 10)
        kernel.fill.release(63)
        #expect(kernel.fill.peek(1) == 0)
        // What is known to be free suffices: the other side's position is not looked at, and so the old number comes back.
        #expect(ours.fill.free(1) == 1)
        #expect(ours.fill.free(2) == 64)
    }

    @Test func `what is pushed is seen when it is submitted, what is read is free when it is released`() {
        let shared = RingMemory(size: 64)
        var ours = shared.ours()
        var kernel = shared.kernels()
        ours.transmit.push(Descriptor(address: 4096, length: 60))
        #expect(kernel.transmit.peek(1) == 0)
        ours.transmit.submit()
        #expect(kernel.transmit.peek(1) == 1)
        #expect(kernel.transmit[0].address == 4096)
        #expect(ours.transmit.pending == 1)
        kernel.transmit.release(1)
        #expect(ours.transmit.pending == 0)
    }

    @Test(arguments: positions) func `another process goes on where the memory says that this one stopped`(position: UInt32) {
        let shared = RingMemory(size: 64, position: position)
        do {
            var ours = shared.ours()
            var kernel = shared.kernels()
            for number in 0..<5 as Range<UInt64> { ours.fill.push(number) }
            ours.fill.submit()
            // Pushed and never submitted: the next process does not know of it.
            ours.fill.push(99)
            kernel.fill.release(2)
            for number in 0..<7 as Range<UInt64> { kernel.receive.push(Descriptor(address: number, length: 1)) }
            kernel.receive.submit()
            ours.receive.release(3)
        }
        var ours = shared.ours()
        let kernel = shared.kernels()
        #expect(kernel.fill.peek(.max) == 3)
        #expect(kernel.fill[0] == 2)
        #expect(ours.fill.free(64) == 61)
        ours.fill.push(5)
        ours.fill.submit()
        #expect(kernel.fill[3] == 5)
        #expect(ours.receive.peek(.max) == 4)
        #expect(ours.receive[0].address == 3)
    }

    @Test func `a frame taken from the receive ring carries its descriptor into the transmit ring`() {
        let shared = RingMemory(size: 64)
        var ours = shared.ours()
        var kernel = shared.kernels()
        kernel.receive.push(Descriptor(address: 0x1100, length: 74))
        kernel.receive.submit()
        #expect(ours.receive.peek(64) == 1)
        let frame = ours.receive.take(at: 0)
        ours.receive.release(1)
        #expect(frame.address == 0x1100 && frame.length == 74)
        ours.transmit.push(frame)
        ours.transmit.submit()
        #expect(kernel.transmit[0].address == 0x1100)
        #expect(kernel.transmit[0].length == 74)
        #expect(kernel.transmit[0].options == 0)
    }

    @Test func `the kernel's wish to be woken is the first bit of the flags`() {
        let shared = RingMemory(size: 64)
        let ours = shared.ours()
        #expect(ours.transmit.needsWakeUp == false)
        shared.setTransmitFlags(1)
        #expect(ours.transmit.needsWakeUp == true)
        #expect(ours.fill.needsWakeUp == false)
        shared.setTransmitFlags(2)
        #expect(ours.transmit.needsWakeUp == false)
    }

    @Test func `a size that is no power of two is a mistake of ours`() async {
        await #expect(processExitsWith: .failure) { _ = RingMemory(size: 48).ours() }
        await #expect(processExitsWith: .failure) { _ = RingMemory(size: 0).ours() }
    }
}

@Suite("Withdrawal from a ring") struct WithdrawalTests {
    static let dead = Descriptor(address: .max, length: 0)

    @Test(arguments: positions) func `what the consumer has not taken is replaced, and told in order`(position: UInt32) {
        let shared = RingMemory(size: 64, position: position)
        var ours = shared.ours()
        var kernel = shared.kernels()
        for number in 0..<40 as Range<UInt64> { ours.transmit.push(Descriptor(address: number, length: 60)) }
        ours.transmit.submit()
        kernel.transmit.release(15)
        var taken: [UInt64] = []
        ours.transmit.withdraw(replacingWith: Self.dead) { taken.append($0.address) }
        #expect(taken == Array(15..<40))
        #expect(kernel.transmit.peek(.max) == 25)
        #expect((0..<25 as Range<UInt32>).allSatisfy { kernel.transmit[$0].address == .max && kernel.transmit[$0].length == 0 })
        // The slots are still the kernel's: they are free when it has gone past them.
        #expect(ours.transmit.free(64) == 39)
        kernel.transmit.release(25)
        #expect(ours.transmit.free(64) == 64)
    }

    @Test func `what is pushed and not submitted is withdrawn too, and an empty ring has nothing`() {
        let shared = RingMemory(size: 64)
        var ours = shared.ours()
        ours.transmit.withdraw(replacingWith: Self.dead) { _ in Issue.record("nothing is there") }
        ours.transmit.push(Descriptor(address: 1, length: 60))
        var taken: [UInt64] = []
        ours.transmit.withdraw(replacingWith: Self.dead) { taken.append($0.address) }
        ours.transmit.withdraw(replacingWith: Self.dead) { taken.append($0.address) }
        #expect(taken == [1, .max])
    }
}
