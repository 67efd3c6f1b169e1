// SPDX-License-Identifier: Apache-2.0

/// One note for each frame of a burst, in memory of its own.
///
/// An `InlineArray` on the worker's stack would do, but the compiler copies a whole one before it reads an item of it next to another
/// access to the same struct: with 64 readings that is 8.5 KiB for each frame. Behind a pointer an item is read where it lies.
@safe @frozen public struct Column<Item: BitwiseCopyable>: ~Copyable {
    @usableFromInline let items: UnsafeMutablePointer<Item>

    /// A column with the same item everywhere.
    public init(repeating item: Item) {
        unsafe items = .allocate(capacity: 64)
        unsafe items.initialize(repeating: item, count: 64)
    }

    deinit { unsafe items.deallocate() }

    /// The item of a frame; a number beyond a burst's wraps around, so that no access leaves the memory.
    @inlinable public subscript(index: Int) -> Item {
        unsafeAddress { unsafe UnsafePointer(items + (index & 63)) }
        unsafeMutableAddress { unsafe items + (index & 63) }
    }
}
