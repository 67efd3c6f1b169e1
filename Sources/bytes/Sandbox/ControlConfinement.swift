// SPDX-License-Identifier: Apache-2.0
internal import Glibc

extension SystemCallFilter {
    /// What the control process needs: files, sockets of the three usual families, memory, threads and timers. What only an
    /// intruder wants (another program, another process, the kernel's inner parts) ends it; what is merely not needed fails as if
    /// the kernel had it not, for which libraries are prepared.
    public static var control: SystemCallFilter {
        let thread: UInt32 = 0x10000  // CLONE_THREAD
        let names: [String] = files + sockets + machine
        var rules: [Rule] = attacks.map { .always($0, .kill) }
        rules += allowing(names)
        rules += withoutExecutableMemory(otherwise: .fail(EACCES))
        rules += [
            .only("clone", argument: 0, mask: thread, values: [thread], otherwise: .kill),
            .always("clone3", .fail(ENOSYS)),
            // The resolver asks the kernel over netlink which addresses there are, and does without the answer.
            .only(
                "socket", argument: 0, mask: .max, values: [AF_UNIX, AF_INET, AF_INET6].map { UInt32($0) },
                otherwise: .fail(EAFNOSUPPORT)),
            .only(
                "ioctl", argument: 1, mask: .max, values: [TCGETS, FIONREAD, FIONBIO, FIOCLEX, TIOCGWINSZ].map { UInt32($0) },
                otherwise: .fail(ENOTTY)),
            .only("tgkill", argument: 0, mask: .max, values: [UInt32(getpid())], otherwise: .kill),
            .only("kill", argument: 0, mask: .max, values: [UInt32(getpid())], otherwise: .fail(EPERM)),
        ]
        return SystemCallFilter(rules, others: .fail(ENOSYS))
    }

    /// What keeper gives up once everything is set up: the ways into other processes and into the kernel that it never goes. It
    /// needs too much of the kernel for a list of what is allowed; its children inherit this one.
    public static var keeper: SystemCallFilter {
        // It ends children by their descriptors, starts programs, and sets programs up for ports that come back.
        let kept: Set<String> = ["execve", "execveat", "bpf", "fork", "vfork"]
        let rules = attacks.filter { !kept.contains($0) }.map { Rule.always($0, .fail(EPERM)) }
        return SystemCallFilter(rules, others: .allow)
    }

    /// Files and folders; which of them, `FileRules` says.
    private static let files = [
        "access", "chdir", "chmod", "chown", "close", "close_range", "copy_file_range", "creat", "dup", "dup2", "dup3",
        "faccessat",
        "faccessat2",
        "fadvise64", "fallocate", "fchdir", "fchmod", "fchmodat", "fchown", "fchownat", "fcntl", "fdatasync", "fgetxattr",
        "flistxattr",
        "flock",
        "fstat", "fstatfs", "fsync", "ftruncate", "getcwd", "getdents64", "getxattr", "inotify_add_watch", "inotify_init1",
        "inotify_rm_watch", "lgetxattr", "link", "linkat", "listxattr", "llistxattr", "lseek", "lstat", "memfd_create", "mkdir",
        "mkdirat", "newfstatat", "open", "openat", "openat2", "pipe", "pipe2", "pread64", "preadv", "pwrite64", "pwritev", "read",
        "readahead", "readlink", "readlinkat", "readv", "rename", "renameat", "renameat2", "rmdir", "sendfile", "splice", "stat",
        "statfs", "statx", "symlink", "symlinkat", "sync_file_range", "truncate", "umask", "unlink", "unlinkat", "utimensat",
        "write",
        "writev",
    ]

    /// Sockets and waiting for them.
    private static let sockets = [
        "accept", "accept4", "bind", "connect", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2",
        "epoll_wait", "eventfd2", "getpeername", "getsockname", "getsockopt", "listen", "poll", "ppoll", "pselect6", "recvfrom",
        "recvmmsg", "recvmsg", "select", "sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown", "signalfd4", "socketpair",
        "timerfd_create", "timerfd_gettime", "timerfd_settime",
    ]

    /// Memory, threads, time, and what a process may know of itself.
    private static let machine = [
        "alarm", "arch_prctl", "brk", "capget", "clock_getres", "clock_gettime", "clock_nanosleep", "exit", "exit_group", "futex",
        "futex_waitv", "get_mempolicy", "get_robust_list", "getcpu", "getegid", "geteuid", "getgid", "getgroups", "getitimer",
        "getpgid",
        "getpgrp", "getpid", "getppid", "getpriority", "getrandom", "getresgid", "getresuid", "getrlimit", "getrusage", "getsid",
        "gettid", "gettimeofday", "getuid", "landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self", "madvise",
        "membarrier", "mincore", "mlock", "mremap", "msync", "munlock", "munmap", "nanosleep", "pause", "pidfd_open", "prctl",
        "prlimit64", "restart_syscall", "rseq", "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn",
        "rt_sigsuspend",
        "rt_sigtimedwait", "sched_get_priority_max", "sched_get_priority_min", "sched_getaffinity", "sched_getattr",
        "sched_getparam",
        "sched_getscheduler", "sched_yield", "set_robust_list", "set_tid_address", "setitimer", "setpriority", "sigaltstack",
        "sysinfo",
        "time", "times", "uname", "wait4", "waitid",
    ]

    /// Another program, another process, the kernel's inner parts, the machine's settings.
    private static let attacks = [
        "acct", "add_key", "adjtimex", "bpf", "chroot", "clock_adjtime", "clock_settime", "delete_module", "execve", "execveat",
        "finit_module", "fork", "fsconfig", "fsmount", "fsopen", "fspick", "init_module", "ioperm", "iopl", "kcmp",
        "kexec_file_load",
        "kexec_load", "keyctl", "lookup_dcookie", "mount", "mount_setattr", "move_mount", "move_pages", "migrate_pages",
        "name_to_handle_at", "open_by_handle_at", "open_tree", "perf_event_open", "pidfd_getfd", "pivot_root", "process_madvise",
        "process_vm_readv", "process_vm_writev", "ptrace", "quotactl", "quotactl_fd", "reboot", "request_key", "setdomainname",
        "setns",
        "sethostname", "settimeofday", "swapoff", "swapon", "syslog", "umount2", "unshare", "userfaultfd", "vfork", "vhangup",
    ]

    private static let (TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIOCLEX) = (0x5401, 0x5413, 0x541b, 0x5421, 0x5451)
}
