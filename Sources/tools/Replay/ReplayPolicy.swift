// SPDX-License-Identifier: Apache-2.0
public import Classifier
internal import Datapath

/// The policy that a capture is judged by: an image and an address map as workers map them.
@safe public final class ReplayPolicy {
    private let image: ReplayMemory
    private let addresses: ReplayMemory
    let inForce: PolicyInForce

    /// A policy of a compiled image and the workloads' addresses, which `fill` enters into an empty map for `addresses` of them.
    /// Where the map is too small, a larger one is filled anew.
    public init(
        image bytes: [UInt8], addresses count: Int, fill: (inout AddressMapWriter) throws(AddressMapError) -> Void
    ) throws(ReplayError) {
        image = ReplayMemory(bytes)
        addresses = Self.filled(slots: AddressMapWriter.slots(forAddresses: count), fill)
        do {
            inForce = PolicyInForce(
                snapshot: unsafe try Snapshot(validating: image.base, byteCount: bytes.count),
                map: unsafe try AddressMap(validating: addresses.base, byteCount: addresses.byteCount))
        } catch {
            throw .policy("\(error)")
        }
    }

    /// An address map that `fill` has entered everything into.
    private static func filled(
        slots: Int, _ fill: (inout AddressMapWriter) throws(AddressMapError) -> Void
    ) -> ReplayMemory {
        let memory = ReplayMemory(byteCount: AddressMapLayout.byteCount(slots: slots))
        // As long as the slots need, zeroed and page-aligned.
        var writer = unsafe AddressMapWriter(
            formatting: memory.base, slots: slots, serial: 1, seed: .random(in: 0 ... .max), epoch: 1)
        do {
            try fill(&writer)
            return memory
        } catch {
            switch error {
            case .mustGrow(let needed): return filled(slots: needed, fill)
            }
        }
    }
}
