// SPDX-License-Identifier: Apache-2.0
import CXDP
import Glibc
import TestSupport
import Testing

/// Children and what they inherit.
@Suite struct Processes {
    @Test func `given descriptors become 3, 4 and 5 in order, and nothing else stays open`() throws {
        // High and low numbers in an order that overlaps the final ones.
        let files = (0..<3).map { unsafe cxdp_memfd_create("bhk-spawn-\($0)", 4096, false) }
        let listing = try shell("ls -l /proc/self/fd", passing: [files[2], files[0], files[1]])
        let targets = listing.split(separator: "\n").filter { $0.contains("memfd:bhk") }.map { line in
            line.split(separator: " ").suffix(4).prefix(3).joined(separator: " ")
        }
        #expect(targets == ["4 -> /memfd:bhk-spawn-2", "5 -> /memfd:bhk-spawn-0", "6 -> /memfd:bhk-spawn-1"])
        for file in files { close(file) }
        #expect(!listing.contains("xctest") && !listing.contains("socket:"))
    }

    @Test func `a child leads a session of its own, with no signal blocked or ignored`() throws {
        let before = signal(SIGUSR2, SIG_IGN)
        defer { _ = signal(SIGUSR2, before) }
        let status = try shell("cut -d' ' -f6 /proc/$$/stat; echo $$; exec grep Sig /proc/self/status")
        let lines = status.split(separator: "\n").map(String.init)
        #expect(lines[0] == lines[1])
        #expect(lines.contains("SigBlk:\t0000000000000000"))
        // Signals 32 and 33 belong to the C library, which lets nobody set them.
        let ignored = lines.first { $0.hasPrefix("SigIgn:") }?.split(separator: "\t").last ?? ""
        #expect(UInt64(ignored, radix: 16).map { $0 & ~(3 << 31) } == 0)
    }

    @Test func `a program that cannot be started is an error, and leaves no child`() {
        var words: [UnsafeMutablePointer<CChar>?] = unsafe [nil]
        #expect(unsafe cxdp_spawn("/nonexistent", &words, nil, nil, 0) == -ENOENT)
        #expect(unsafe cxdp_spawn("/etc/passwd", &words, nil, nil, 0) == -EACCES)
        #expect(unsafe cxdp_spawn("/bin/true", &words, nil, [999_999], 1) == -EBADF)
    }

    @Test func `an ended child is reaped with its code or its signal`() throws {
        var (code, signal) = (Int32(0), Int32(0))
        let answered = try start("/bin/sh", ["sh", "-c", "exit 7"])
        #expect(eventually { unsafe cxdp_reap(answered, &code, &signal) == 1 })
        #expect(code == 7 && signal == 0)
        let sleeper = try start("/bin/sleep", ["sleep", "60"])
        #expect(unsafe cxdp_reap(sleeper, &code, &signal) == 0)
        let handle = cxdp_pidfd_open(sleeper)
        #expect(handle >= 0)
        #expect(cxdp_pidfd_send_signal(handle, SIGKILL) == 0)
        #expect(eventually { unsafe cxdp_reap(sleeper, &code, &signal) == 1 })
        #expect(code == -1 && signal == SIGKILL)
        #expect(cxdp_pidfd_send_signal(handle, 0) == -ESRCH)
        #expect(unsafe cxdp_reap(sleeper, &code, &signal) == -ECHILD)
        close(handle)
    }

    @Test func `a thread is pinned to a CPU that it may use, and to no other`() throws {
        var cpus = [Int32](repeating: -1, count: 1024)
        let count = unsafe Int(cxdp_allowed_cpus(&cpus, 1024))
        try #require(count > 0)
        // On a thread of its own: a pinned one must not go back to the pool.
        let last = cpus[count - 1]
        let (answers, left) = onThread {
            let answers = [cxdp_pin_thread(last), cxdp_pin_thread(-1), cxdp_pin_thread(4096)]
            var left = [Int32](repeating: -1, count: 1024)
            let number = unsafe cxdp_allowed_cpus(&left, 1024)
            return (answers, Array(left.prefix(Int(number))))
        }
        #expect(answers == [0, -EINVAL, -EINVAL])
        #expect(left == [last])
    }

    @Test(.enabled(if: getuid() == 0, "needs root: privileges to give up"))
    func `a thread without privileges has no capability and cannot open an AF_XDP socket`() throws {
        let seen = onThread {
            let before = cxdp_effective_capabilities() != 0
            let dropped = cxdp_drop_privileges(0, 0, nil, 0, true)
            let status = (try? shell("grep -E '^(Cap|NoNewPrivs)' /proc/self/status")) ?? ""
            return (before, dropped, cxdp_effective_capabilities(), cxdp_xsk_open(), status)
        }
        #expect(seen.0)
        #expect(seen.1 == 0)
        #expect(seen.2 == 0)
        #expect(seen.3 == -EPERM)
        // A child, although root by its uid, gets nothing back: the bounding set is empty.
        for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            #expect(seen.4.contains("\(set):\t0000000000000000"), "\(seen.4)")
        }
        #expect(seen.4.contains("NoNewPrivs:\t1"))
    }

    @Test(.enabled(if: getuid() == 0, "needs root: privileges to give up"))
    func `a process that gave its user up cannot take it back`() async {
        await #expect(processExitsWith: .success) {
            guard cxdp_drop_privileges(65534, 65534, nil, 0, false) == 0 else { exit(1) }
            guard getuid() == 65534, geteuid() == 65534, getgid() == 65534 else { exit(2) }
            guard setuid(0) != 0, getgroups(0, nil) == 0 else { exit(3) }
            exit(0)
        }
    }
}

/// Runs `body` on a thread of its own and waits for it.
func onThread<Result>(_ body: () -> Result) -> Result {
    var result: Result?
    withoutActuallyEscaping({ result = body() }) { work in
        var thread = pthread_t()
        // The thread is joined before this returns, so the closure outlives its use.
        let box = unsafe Unmanaged.passRetained(Work(work))
        let started = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, box.toOpaque())
        precondition(started == 0, "no thread")
        pthread_join(thread, nil)
    }
    guard let result else { preconditionFailure("the thread ran") }
    return result
}

private final class Work {
    let body: () -> Void

    init(_ body: @escaping () -> Void) {
        self.body = body
    }
}
