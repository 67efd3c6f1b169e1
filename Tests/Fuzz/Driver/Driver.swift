// SPDX-License-Identifier: Apache-2.0
import FuzzTargets
import Glibc
import TestSupport

// libFuzzer's side: the functions that it calls by name. `scripts/fuzz` builds this with the fuzzer's runtime, and names the target in
// the environment. A flaw is printed and trapped on, so that libFuzzer keeps the input.

/// The target under fire.
private let target: FuzzTarget = {
    // `getenv` yields a string that stays as it is: nothing here changes the environment.
    guard let name = unsafe getenv("BULKHEAD_FUZZ_TARGET"), let target = unsafe FuzzTarget.named(String(cString: name)) else {
        fatalError("BULKHEAD_FUZZ_TARGET names no target: run this through scripts/fuzz")
    }
    return target
}()

/// One input.
@c(LLVMFuzzerTestOneInput)
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // libFuzzer owns `count` bytes at `bytes` during the call.
    let input = unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
    if let flaw = target.flaw(input) { fatalError("\(target.name): \(flaw): \(hexadecimal(input))") }
    return 0
}

/// The next input from one of the corpus, in place; by the target's own rules for half of them, blindly for the others.
@c(LLVMFuzzerCustomMutator)
public func customMutator(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, _ room: Int, _ seed: UInt32) -> Int {
    guard let mutate = target.mutate, seed & 1 == 0 else { return unsafe blindlyMutated(bytes, count, room) }
    var random = PacketRandom(seed: UInt64(seed))
    // libFuzzer owns `count` bytes at `bytes`, and lets us write up to `room`.
    let input = unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
    let output = mutate(input, &random).prefix(room)
    for (index, byte) in output.enumerated() { unsafe bytes[index] = byte }
    return output.count
}

/// libFuzzer's own changes.
@_silgen_name("LLVMFuzzerMutate")
private func blindlyMutated(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, _ room: Int) -> Int
