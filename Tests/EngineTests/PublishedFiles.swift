// SPDX-License-Identifier: Apache-2.0
import Classifier
import Glibc
import Layout
import Ring
import TestSupport

/// Files as control hands them over: a sealed image and an address map of fixed size.
enum PublishedFiles {
    /// A policy whose generation stands in the record for a denial too, where only mapped memory can tell it. Strangers may do all.
    static func policy(generation: UInt32) -> SmallPolicy {
        .town(generation: generation) {
            $0.records[Int(SmallPolicy.denied)].drainSeconds = generation
            $0.unjudgedRecord = SmallPolicy.allowed
        }
    }

    /// A descriptor of a sealed image.
    static func image(generation: UInt32) throws -> Int32 {
        try SharedMemory.seal(image: policy(generation: generation).image())
    }

    /// A descriptor of an image that somebody can still write.
    static func unsealedImage(generation: UInt32) throws -> Int32 {
        var image = try policy(generation: generation).image()
        // Memory files have whole pages, and an image says how long it is.
        image += [UInt8](repeating: 0, count: (4096 - image.count % 4096) % 4096)
        unsafe image.withUnsafeMutableBytes { unsafe $0.storeBytes(of: UInt64($0.count), toByteOffset: 16, as: UInt64.self) }
        let file = try MemoryFile.create("engine-tests", byteCount: image.count)
        unsafe image.withUnsafeBytes { source in
            if let start = source.baseAddress { unsafe file.base.copyMemory(from: start, byteCount: source.count) }
        }
        return dup(file.descriptor)
    }

    /// A descriptor of an address map with the town's workloads.
    static func map() throws -> Int32 {
        let file = try SharedMemory.create("engine-tests", byteCount: AddressMapLayout.byteCount(slots: 1024))
        var header = AddressMapHeader()
        // The whole file is the map: its last slots are never used.
        (header.size, header.slots, header.seed, header.epoch) = (UInt64(file.byteCount), 1024, 7, 1)
        unsafe file.base.storeBytes(of: header, as: AddressMapHeader.self)
        return dup(file.descriptor)
    }

    /// A descriptor of a map in a file that can be cut short.
    static func unsealedMap() throws -> Int32 {
        let sealed = try MemoryFile(adopting: map())
        let path = "/dev/shm/bulkhead-engine-tests-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        unsafe unlink(path)
        guard descriptor >= 0, unsafe write(descriptor, sealed.base, sealed.byteCount) == sealed.byteCount else {
            throw RingError.memory("cannot make a file", errno: errno)
        }
        return descriptor
    }
}
