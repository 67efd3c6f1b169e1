// SPDX-License-Identifier: Apache-2.0
public import CPrefetch

/// Asks for the line of cache that holds an address, so that it is there when it is read. It costs an instruction and waits for nothing;
/// an address that is not mapped does no harm. Worth it where others are asked for before this one is read: over a burst, in stages.
@_noLocks @inlinable @inline(__always) public func prefetch(_ address: UnsafeRawPointer) {
    // Nothing is read or written.
    unsafe bulkhead_prefetch(address)
}
