// SPDX-License-Identifier: Apache-2.0
import Classifier
import Net

/// Aligned memory that lives as long as the test holds it, as a mapped file would.
@safe final class Memory: @unchecked Sendable {
    let base: UnsafeMutableRawPointer
    let count: Int

    init(_ bytes: [UInt8]) {
        count = bytes.count
        unsafe base = .allocate(byteCount: max(count, 64), alignment: 64)
        unsafe base.copyMemory(from: bytes, byteCount: count)
    }

    init(zeroed count: Int) {
        self.count = count
        unsafe base = .allocate(byteCount: count, alignment: 64)
        unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: count)
    }

    deinit { unsafe base.deallocate() }

    func snapshot() throws(SnapshotError) -> Snapshot { try unsafe Snapshot(validating: base, byteCount: count) }
    func addressMap() throws(SnapshotError) -> AddressMap { try unsafe AddressMap(validating: base, byteCount: count) }

    subscript(_ offset: Int) -> UInt8 {
        get { unsafe base.load(fromByteOffset: offset, as: UInt8.self) }
        set { unsafe base.storeBytes(of: newValue, toByteOffset: offset, as: UInt8.self) }
    }

    func word(at offset: Int) -> UInt32 { unsafe base.load(fromByteOffset: offset, as: UInt32.self) }
    func setWord(_ word: UInt32, at offset: Int) { unsafe base.storeBytes(of: word, toByteOffset: offset, as: UInt32.self) }
}

/// An empty address map of a few slots and its writer's memory.
func emptyMap(slots: Int = 64, seed: UInt64 = 7) -> Memory {
    let memory = Memory(zeroed: AddressMapLayout.byteCount(slots: slots))
    _ = unsafe AddressMapWriter(formatting: memory.base, slots: slots, serial: 1, seed: seed)
    return memory
}

extension Address {
    /// An address from its text, for tests that know it is one.
    static func of(_ text: String) -> Address { Address(text) ?? Address(high: .max, low: .max) }
}

extension Prefix {
    /// A prefix from its text, for tests that know it is one.
    static func of(_ text: String) -> Prefix { Prefix(text) ?? Prefix(host: .of("::1")) }
}
