// SPDX-License-Identifier: Apache-2.0
import CXDP
import Glibc
import Testing

/// Memory files: their seals are what protects a reader from its writer.
@Suite struct MemoryFiles {
    @Test func `a sealed file cannot be written, shrunk or mapped for writing`() throws {
        let file = unsafe cxdp_memfd_create("bhk", 8192, false)
        defer { close(file) }
        #expect(cxdp_file_size(file) == 8192)
        #expect(cxdp_memfd_seals(file) == 0)
        let seals = Int32(CXDP_SEAL_SHRINK | CXDP_SEAL_GROW | CXDP_SEAL_WRITE | CXDP_SEAL_SEAL)
        #expect(cxdp_memfd_seal(file, seals) == 0)
        #expect(cxdp_memfd_seals(file) == seals)
        #expect(unsafe write(file, "x", 1) < 0)
        #expect(ftruncate(file, 0) < 0)
        #expect(unsafe mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) == MAP_FAILED)
        let map = unsafe mmap(nil, 4096, PROT_READ, MAP_SHARED, file, 0)
        #expect(unsafe map != MAP_FAILED)
        unsafe munmap(map, 4096)
    }

    @Test func `the seal against writing is refused while a writable mapping exists`() {
        let file = unsafe cxdp_memfd_create("bhk", 4096, false)
        defer { close(file) }
        let map = unsafe mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
        #expect(cxdp_memfd_seal(file, Int32(CXDP_SEAL_WRITE)) == -EBUSY)
        unsafe munmap(map, 4096)
        #expect(cxdp_memfd_seal(file, Int32(CXDP_SEAL_WRITE)) == 0)
    }

    @Test func `a pipe has no seals`() throws {
        var ends: [Int32] = [0, 0]
        try #require(unsafe pipe(&ends) == 0)
        #expect(cxdp_memfd_seals(ends[0]) == -EINVAL)
        for end in ends { close(end) }
    }

    @Test func `memory can be given to the first node`() {
        let map = unsafe mmap(nil, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        let answer = unsafe cxdp_bind_memory_to_node(map, 65536, 0)
        #expect(answer == 0 || answer == -ENOSYS)
        #expect(unsafe cxdp_bind_memory_to_node(map, 65536, -1) == 0)
        #expect(cxdp_node_count() >= 1)
        #expect(unsafe cxdp_node_of_device("../../etc") == -1)
        unsafe munmap(map, 65536)
    }
}

/// Messages with descriptors between processes.
@Suite(.serialized) struct Messages {
    let ends: (Int32, Int32)

    init() throws {
        var pair: [Int32] = [0, 0]
        try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0, &pair) == 0)
        ends = (pair[0], pair[1])
    }

    @Test func `bytes and descriptors arrive together, in order and close-on-exec`() {
        let files = (0..<3).map { unsafe cxdp_memfd_create("bhk-sent", UInt64(4096 * ($0 + 1)), false) }
        #expect(unsafe cxdp_send_message(ends.0, "hello", 5, files, 3) == 5)
        let (answer, bytes, came) = receive(length: 16, descriptors: 8)
        #expect(answer == 5 && bytes.prefix(5) == Array("hello".utf8)[...])
        #expect(came.map { cxdp_file_size($0) } == [4096, 8192, 12288])
        #expect(came.allSatisfy { fcntl($0, F_GETFD) & FD_CLOEXEC != 0 })
        for file in files + came { close(file) }
        end()
    }

    @Test func `more descriptors than fit are an error, and none stays open`() {
        let files = (0..<4).map { _ in unsafe cxdp_memfd_create("bhk-sent", 4096, false) }
        let before = openDescriptors()
        #expect(unsafe cxdp_send_message(ends.0, "x", 1, files, 4) == 1)
        #expect(receive(length: 16, descriptors: 2).answer == -Int64(EBADMSG))
        #expect(openDescriptors() == before)
        for file in files { close(file) }
        end()
    }

    @Test func `more bytes than fit are an error, and no descriptor stays open`() {
        let file = unsafe cxdp_memfd_create("bhk-sent", 4096, false)
        let before = openDescriptors()
        #expect(unsafe cxdp_send_message(ends.0, "too long", 8, [file], 1) == 8)
        #expect(receive(length: 4, descriptors: 2).answer == -Int64(EMSGSIZE))
        #expect(openDescriptors() == before)
        close(file)
        end()
    }

    @Test func `the end of a connection is 0, and sending to it an error without a signal`() {
        close(ends.0)
        #expect(receive(length: 4, descriptors: 1).answer == 0)
        #expect(unsafe cxdp_send_message(ends.1, "x", 1, nil, 0) == -Int64(EPIPE))
        close(ends.1)
    }

    @Test func `the other end is known by its process and user`() {
        var (pid, uid, gid) = (Int32(0), UInt32(0), UInt32(0))
        #expect(unsafe cxdp_peer_credentials(ends.0, &pid, &uid, &gid) == 0)
        #expect(pid == getpid() && uid == getuid() && gid == getgid())
        end()
    }

    private func receive(length: Int, descriptors: UInt32) -> (answer: Int64, bytes: [UInt8], came: [Int32]) {
        var bytes = [UInt8](repeating: 0, count: length)
        var files = [Int32](repeating: -1, count: Int(descriptors))
        var count: UInt32 = 0
        let answer = unsafe cxdp_receive_message(ends.1, &bytes, length, &files, descriptors, &count)
        return (answer, bytes, Array(files.prefix(Int(count))))
    }

    /// How many descriptors this process has on files called `bhk-sent`: other tests run beside this one.
    private func openDescriptors() -> Int {
        (0..<1024).count { number in
            var target = [UInt8](repeating: 0, count: 64)
            let length = unsafe readlink("/proc/self/fd/\(number)", &target, 64)
            return length > 0 && String(decoding: target[..<length], as: UTF8.self).hasPrefix("/memfd:bhk-sent ")
        }
    }

    private func end() {
        close(ends.0)
        close(ends.1)
    }
}

/// Wake-ups between threads and processes.
@Suite struct WakeUps {
    @Test func `draining takes what is queued, at most 64 at once`() throws {
        var pair: [Int32] = [0, 0]
        try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0, &pair) == 0)
        defer { for end in pair { close(end) } }
        #expect(unsafe cxdp_drain(pair[1]) == 0)
        var sent = 0
        while sent < 1000, unsafe cxdp_wake(pair[0]) == 0 { sent += 1 }
        #expect(sent > 0)
        var taken = 0
        while case let some = unsafe Int(cxdp_drain(pair[1])), some > 0 {
            #expect(some <= 64)
            taken += some
        }
        #expect(taken == sent)
        #expect(unsafe cxdp_drain(-1) == -EBADF)
    }

    @Test func `clocks go forward`() {
        let (monotonic, cpu) = unsafe (cxdp_monotonic_ns(), cxdp_thread_cpu_ns())
        while unsafe cxdp_thread_cpu_ns() == cpu { unsafe cxdp_pause() }
        #expect(unsafe cxdp_monotonic_ns() > monotonic)
        #expect(unsafe cxdp_wall_seconds() > 1_700_000_000)
    }
}
