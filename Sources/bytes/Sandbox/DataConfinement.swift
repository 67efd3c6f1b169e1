// SPDX-License-Identifier: Apache-2.0
internal import Glibc

extension SystemCallFilter {
    /// What the data process needs, and nothing else: its workers send, receive and wait on sockets that they were given; its main
    /// thread talks to keeper on one socket, maps memory and starts threads. It opens no file and no connection, starts no program,
    /// and makes no memory executable. Anything else ends it, so that whoever took it over by a frame has nowhere to go; keeper
    /// says so in the journal, and starts another.
    public static var data: SystemCallFilter {
        let thread: UInt32 = 0x10000  // CLONE_THREAD
        let emptyPath: UInt32 = 0x1000  // AT_EMPTY_PATH
        let rules: [Rule] =
            allowing([
                // A worker's turn.
                "sendto", "recvfrom", "poll", "ppoll", "futex", "clock_gettime", "clock_nanosleep", "nanosleep", "sched_yield",
                // The main thread and keeper.
                "recvmsg", "sendmsg", "accept", "accept4", "socketpair", "getsockopt", "shutdown", "close", "fstat", "fcntl",
                "read",
                "write", "writev",
                // Memory, threads and the way out.
                "munmap", "madvise", "mremap", "brk", "set_robust_list", "rseq", "membarrier", "sched_getaffinity",
                "sched_setaffinity", "gettid", "getpid", "getuid", "getrandom", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn",
                "sigaltstack", "restart_syscall", "exit", "exit_group",
            ]) + withoutExecutableMemory(otherwise: .kill) + [
                .only("newfstatat", argument: 3, mask: emptyPath, values: [emptyPath], otherwise: .kill),
                // The C library looks into /proc before it gives memory back, and does without.
                .always("openat", .fail(EACCES)),
                .only("clone", argument: 0, mask: thread, values: [thread], otherwise: .kill),
                // Its flags lie in memory, which a filter cannot read: the C library falls back to clone.
                .always("clone3", .fail(ENOSYS)),
                .only("prctl", argument: 0, mask: .max, values: [UInt32(PR_SET_NAME), UInt32(PR_SET_VMA)], otherwise: .kill),
                // abort(3), and nobody else's thread.
                .only("tgkill", argument: 0, mask: .max, values: [UInt32(getpid())], otherwise: .kill),
            ]
        return SystemCallFilter(rules, others: .kill)
    }

    /// Memory may be mapped and protected, but not so that it can be executed.
    static func withoutExecutableMemory(otherwise answer: Answer) -> [Rule] {
        ["mmap", "mprotect"].map { .only($0, argument: 2, mask: UInt32(PROT_EXEC), values: [0], otherwise: answer) }
            + [.always("pkey_mprotect", answer)]
    }

    private static let PR_SET_NAME = 15
    private static let PR_SET_VMA = 0x5356_4d41
}
