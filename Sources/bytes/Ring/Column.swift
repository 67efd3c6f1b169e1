// SPDX-License-Identifier: Apache-2.0

/// One note for each frame of a burst, in memory of its own.
///
/// An `InlineArray` on the worker's stack would do, but the compiler copies a whole one before it reads an item of it next to another
/// access to the same struct: with 64 readings that is 8.5 KiB for each frame. Behind a pointer an item is read where it lies.
@safe @frozen public struct Column<Item: BitwiseCopyable>: ~Copyable {
    @usableFromInline let items: UnsafeMutablePointer<Item>

    /// A column with the same item everywhere.
    public init(repeating item: Item) {
        // Whole lines of cache for items that fill lines.
        let (stride, alignment) = (MemoryLayout<Item>.stride, max(64, MemoryLayout<Item>.alignment))
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 64 * stride, alignment: alignment)
        unsafe items = memory.bindMemory(to: Item.self, capacity: 64)
        unsafe items.initialize(repeating: item, count: 64)
    }

    deinit { unsafe items.deallocate() }

    /// The item of a frame; a number beyond a burst's wraps around, so that no access leaves the memory.
    @inlinable public subscript(index: Int) -> Item {
        unsafeAddress { unsafe UnsafePointer(items + (index & 63)) }
        unsafeMutableAddress { unsafe items + (index & 63) }
    }

    /// The same items, for a stage that looks at many: the place of a column that is a part of something changeable is read again behind each
    /// store, that of a view is not. Good as long as the column is.
    @inlinable public var view: ColumnView<Item> { unsafe ColumnView(items: items) }
}

/// The items of a column, seen from outside of what the column is a part of; see `Column.view`.
@safe @frozen public struct ColumnView<Item: BitwiseCopyable>: BitwiseCopyable {
    @usableFromInline let items: UnsafeMutablePointer<Item>

    /// A column's items.
    @inlinable init(items: UnsafeMutablePointer<Item>) { unsafe self.items = items }

    /// The places of the first `count` frames, as far as there are so many: behind this the compiler knows that no number wraps around.
    @_noLocks @inlinable @inline(__always) public func places(_ count: Int) -> Range<Int> {
        0..<(count < 0 ? 0 : count > 64 ? 64 : count)
    }

    /// The item of a frame, as in the column.
    @inlinable public subscript(index: Int) -> Item {
        unsafeAddress { unsafe UnsafePointer(items + (index & 63)) }
        nonmutating unsafeMutableAddress { unsafe items + (index & 63) }
    }
}
