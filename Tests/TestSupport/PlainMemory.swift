// SPDX-License-Identifier: Apache-2.0

/// Memory as a memory file gives it: zero at first, page-aligned, with a margin on both sides that nothing may touch.
@safe public final class PlainMemory: @unchecked Sendable {
    private static let margin = 4096
    private static let filler: UInt8 = 0xa5

    private let area: UnsafeMutableRawPointer
    /// Bytes between the margins.
    public let byteCount: Int

    /// The first byte; valid as long as this object lives.
    public var base: UnsafeMutableRawPointer { unsafe area + Self.margin }

    /// So many bytes of zero.
    public init(byteCount: Int) {
        self.byteCount = byteCount
        unsafe area = .allocate(byteCount: byteCount + 2 * Self.margin, alignment: 4096)
        unsafe area.initializeMemory(as: UInt8.self, repeating: Self.filler, count: byteCount + 2 * Self.margin)
        unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    }

    /// Memory that holds the given bytes.
    public convenience init(_ bytes: [UInt8]) {
        self.init(byteCount: bytes.count)
        // As many bytes as the line above made room for.
        unsafe bytes.withUnsafeBytes { source in
            if let start = source.baseAddress { unsafe base.copyMemory(from: start, byteCount: source.count) }
        }
    }

    deinit { unsafe area.deallocate() }

    /// The bytes at an offset.
    public func bytes(at offset: Int, count: Int) -> [UInt8] {
        precondition(offset >= 0 && count >= 0 && offset + count <= byteCount)
        return (0..<count).map { unsafe base.load(fromByteOffset: offset + $0, as: UInt8.self) }
    }

    /// Writes bytes at an offset.
    public func write(_ bytes: [UInt8], at offset: Int) {
        precondition(offset >= 0 && offset + bytes.count <= byteCount)
        for (index, byte) in bytes.enumerated() { unsafe base.storeBytes(of: byte, toByteOffset: offset + index, as: UInt8.self) }
    }

    /// Whether nobody wrote before or behind the memory.
    public var isMarginIntact: Bool {
        (0..<Self.margin).allSatisfy { index in
            unsafe area.load(fromByteOffset: index, as: UInt8.self) == Self.filler
                && area.load(fromByteOffset: Self.margin + byteCount + index, as: UInt8.self) == Self.filler
        }
    }
}
