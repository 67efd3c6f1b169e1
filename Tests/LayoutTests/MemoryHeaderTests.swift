// SPDX-License-Identifier: Apache-2.0
import Glibc
import Layout
import Ring
import Testing

@Suite("Memory header") struct MemoryHeaderTests {
    static let header = MemoryHeader(.flows, byteCount: 8192, geometry: 77, pair: 3)

    static let others: [(what: String, header: MemoryHeader)] = {
        func changed(_ what: String, _ change: (inout MemoryHeader) -> Void) -> (what: String, header: MemoryHeader) {
            var header = Self.header
            change(&header)
            return (what, header)
        }
        return [
            changed("another magic number") { $0.magic ^= 1 }, changed("a later version") { $0.version += 1 },
            changed("an earlier version") { $0.version -= 1 },
            changed("another kind") { $0.kind = MemoryHeader.Kind.umem.rawValue },
            changed("more bytes") { $0.byteCount += 4096 }, changed("fewer bytes") { $0.byteCount -= 1 },
            changed("another geometry") { $0.geometry += 1 }, changed("another pair") { $0.pair = 0 },
        ]
    }()

    @Test func `a file with the header that is expected is adopted`() throws {
        let file = try SharedMemory.create("layout-tests", byteCount: 8192, header: Self.header)
        let adopted = try SharedMemory(adopting: dup(file.descriptor), expecting: Self.header)
        unsafe file.base.storeBytes(of: 9, toByteOffset: 100, as: UInt8.self)
        #expect(unsafe adopted.base.load(fromByteOffset: 100, as: UInt8.self) == 9)
    }

    @Test(arguments: others.indices) func `a file with any other header is not`(number: Int) throws {
        let (what, other) = Self.others[number]
        let file = try SharedMemory.create("layout-tests", byteCount: 8192, header: other)
        #expect(throws: RingError.self, "\(what)") {
            _ = try SharedMemory(adopting: dup(file.descriptor), expecting: Self.header)
        }
    }

    @Test func `a file that is shorter than its header says is not adopted`() throws {
        let long = MemoryHeader(.flows, byteCount: 8193, geometry: 77, pair: 3)
        let file = try SharedMemory.create("layout-tests", byteCount: 8192, header: long)
        #expect(throws: RingError.self) { _ = try SharedMemory(adopting: dup(file.descriptor), expecting: long) }
    }

    @Test func `a file that its maker could still cut short is not adopted`() throws {
        let file = try SharedMemory.create("layout-tests", byteCount: 8192, header: Self.header)
        let plain = unsafe try #require(tmpfile())
        defer { unsafe fclose(plain) }
        let descriptor = unsafe dup(fileno(plain))
        try #require(ftruncate(descriptor, 8192) == 0)
        try #require(unsafe pwrite(descriptor, file.base, 8192, 0) == 8192)
        #expect(throws: RingError.foreign("a memory file that can still change its size")) {
            _ = try SharedMemory(adopting: descriptor, expecting: Self.header)
        }
    }

    @Test func `the refusal says what was found and what to do`() throws {
        let file = try SharedMemory.create("layout-tests", byteCount: 8192, header: Self.others[1].header)
        let error = #expect(throws: RingError.self) {
            _ = try SharedMemory(adopting: dup(file.descriptor), expecting: Self.header)
        }
        #expect(error?.description.contains("version \(MemoryHeader.currentVersion + 1)") == true)
        #expect(error?.description.contains("start without taking over") == true)
    }

    @Test func `what differs in the layout of a pair differs in the header`() {
        func headers(_ workers: Int, _ frames: Int, _ size: Int, _ flows: Int, pair: Int) -> [MemoryHeader] {
            let plan = FilesTests.pair(workers: workers, frames: frames, frameSize: size, flows: flows)
            return [UMEMLayout(plan).header(pair: pair), FlowsLayout(plan).header(pair: pair)]
        }
        let base = headers(2, 8192, 2048, 1024, pair: 0)
        #expect(headers(2, 8192, 2048, 1024, pair: 0) == base)
        #expect(zip(headers(3, 8192, 2048, 1024, pair: 0), base).allSatisfy { $0 != $1 })
        #expect(headers(2, 4096, 2048, 1024, pair: 0)[0] != base[0])
        #expect(headers(2, 4096, 4096, 1024, pair: 0)[0] != base[0])
        #expect(headers(2, 8192, 2048, 1025, pair: 0)[1] != base[1])
        #expect(zip(headers(2, 8192, 2048, 1024, pair: 1), base).allSatisfy { $0 != $1 })
    }
}
