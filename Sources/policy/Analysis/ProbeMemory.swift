// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Compiler
internal import Policy

/// An image and an address map in this process's own memory, as workers have them in mapped files: the same bytes, the same lookups.
@safe final class ProbeMemory: Sendable {
    private nonisolated(unsafe) let image: UnsafeMutableRawPointer
    private nonisolated(unsafe) let addresses: UnsafeMutableRawPointer
    let snapshot: Snapshot
    let map: AddressMap

    /// The memory of a compiled set, with every single address of its workloads in the map.
    init(_ compiled: Compiled, _ inventory: inout Inventory) throws(CompileError) {
        let bytes = compiled.image
        let image = UnsafeMutableRawPointer.allocate(byteCount: bytes.count, alignment: 64)
        unsafe image.copyMemory(from: bytes, byteCount: bytes.count)
        let claims = compiled.set.workloads.reduce(0) { $0 + $1.addresses.count * max(1, $1.zones.count) }
        var slots = AddressMapWriter.slots(forAddresses: claims)
        var addresses = unsafe Self.fill(slots: slots, compiled.set, &inventory)
        while unsafe addresses == nil {
            slots *= 2
            unsafe addresses = Self.fill(slots: slots, compiled.set, &inventory)
        }
        guard let addresses = unsafe addresses else { preconditionFailure("a map is there once it could be filled") }
        do {
            snapshot = try unsafe Snapshot(validating: image, byteCount: bytes.count)
            map = try unsafe AddressMap(validating: addresses, byteCount: AddressMapLayout.byteCount(slots: slots))
        } catch {
            unsafe image.deallocate()
            unsafe addresses.deallocate()
            throw .image(error)
        }
        unsafe self.image = image
        unsafe self.addresses = addresses
    }

    deinit {
        unsafe image.deallocate()
        unsafe addresses.deallocate()
    }

    /// A map with all addresses of a set; `nil` where these slots are too few.
    private static func fill(slots: Int, _ set: PolicySet, _ inventory: inout Inventory) -> UnsafeMutableRawPointer? {
        let size = AddressMapLayout.byteCount(slots: slots)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        var writer = unsafe AddressMapWriter(formatting: memory, slots: slots, serial: 1, seed: 0x5bd1_e995_9d1c_a3f7)
        do {
            try inventory.feed(set, into: &writer, afresh: true)
        } catch {
            unsafe memory.deallocate()
            return nil
        }
        return unsafe memory
    }
}
