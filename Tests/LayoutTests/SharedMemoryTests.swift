// SPDX-License-Identifier: Apache-2.0
import Glibc
import Layout
import Ring
import Testing

@Suite("Shared memory") struct SharedMemoryTests {
    @Test(arguments: [1, 100, 4096, 300_000]) func `a sealed image holds its bytes and can never change`(count: Int) throws {
        let image = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let descriptor = try SharedMemory.seal(image: image)
        defer { close(descriptor) }
        let memory = try SharedMemory(adopting: dup(descriptor), writable: false)
        #expect(memory.byteCount == count)
        #expect(image.indices.allSatisfy { unsafe memory.base.load(fromByteOffset: $0, as: UInt8.self) == image[$0] })
        #expect(unsafe pwrite(descriptor, [1], 1, 0) == -1)
        #expect(errno == EPERM)
        #expect(ftruncate(descriptor, 0) == -1)
        #expect(throws: RingError.self) { _ = try SharedMemory(adopting: dup(descriptor), writable: true) }
        // Nor can it be unsealed through another way to the same file.
        let again = unsafe open("/proc/self/fd/\(descriptor)", O_RDWR)
        defer { close(again) }
        #expect(unsafe pwrite(again, [1], 1, 0) == -1)
    }

    @Test func `a writable file can be written and not resized`() throws {
        let memory = try SharedMemory.create("layout-tests", byteCount: 5000)
        #expect(memory.byteCount == 8192)
        let other = try SharedMemory(adopting: dup(memory.descriptor), writable: true)
        unsafe other.base.storeBytes(of: 7, toByteOffset: 8191, as: UInt8.self)
        #expect(unsafe memory.base.load(fromByteOffset: 8191, as: UInt8.self) == 7)
        #expect(ftruncate(memory.descriptor, 0) == -1)
    }

    @Test func `a file is unmapped with its last owner, not before`() throws {
        var first: SharedMemory? = try SharedMemory.create("layout-tests", byteCount: 4096)
        let second = first
        unsafe first?.base.storeBytes(of: 3, as: UInt8.self)
        first = nil
        #expect(unsafe second?.base.load(as: UInt8.self) == 3)
    }
}

@Suite("Child process") struct ChildProcessTests {
    @Test func `a process that somebody else started is watched and ended`() throws {
        var pid: pid_t = 0
        let arguments: [UnsafeMutablePointer<CChar>?] = unsafe [strdup("sleep"), strdup("60"), nil]
        defer { unsafe arguments.forEach { unsafe free($0) } }
        try #require(unsafe posix_spawn(&pid, "/bin/sleep", nil, nil, arguments, nil) == 0)
        let child = try ChildProcess(watching: pid)
        #expect(child.wait(milliseconds: 0) == nil)
        child.send(SIGSTOP)
        child.kill()
        #expect(child.wait(milliseconds: 0) == -1)
        // To one that has ended, a signal is nothing.
        child.send(SIGTERM)
        // A child of this process all the same: it was buried, and how it ended is known.
        #expect(child.signal == SIGKILL)
        #expect(waitpid(pid, nil, 0) == -1)
    }

    @Test func `a process that is not there cannot be watched`() {
        #expect(throws: ChannelError.self) { _ = try ChildProcess(watching: .max) }
    }
}
