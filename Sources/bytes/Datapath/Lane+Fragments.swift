// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Ring

extension Lane {
    /// Adds a fragment to its datagram.
    @_noLocks @inline(never)
    mutating func gather(_ index: Int, at now: Moment) { burst.reasons[index] = .fragmentLimit }

    /// Keeps a fragment that waits for its datagram's first.
    @_noLocks @inline(never)
    mutating func hold(_ index: Int, from port: Int) {
        drop(
            Frame(address: burst.descriptors[index].address, length: burst.descriptors[index].length), from: port,
            because: .fragmentLimit)
    }

    /// Takes fragments in hand that need to wait no more; says how many.
    @_noLocks
    mutating func takeReleased() -> UInt32 { 0 }
}
