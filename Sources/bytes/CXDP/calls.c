// SPDX-License-Identifier: Apache-2.0
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "cxdp_sandbox.h"

// Calls of old that only some architectures have.
#ifndef __NR_access
#define __NR_access -1
#endif
#ifndef __NR_alarm
#define __NR_alarm -1
#endif
#ifndef __NR_arch_prctl
#define __NR_arch_prctl -1
#endif
#ifndef __NR_chmod
#define __NR_chmod -1
#endif
#ifndef __NR_chown
#define __NR_chown -1
#endif
#ifndef __NR_creat
#define __NR_creat -1
#endif
#ifndef __NR_dup2
#define __NR_dup2 -1
#endif
#ifndef __NR_epoll_create
#define __NR_epoll_create -1
#endif
#ifndef __NR_epoll_wait
#define __NR_epoll_wait -1
#endif
#ifndef __NR_fork
#define __NR_fork -1
#endif
#ifndef __NR_getpgrp
#define __NR_getpgrp -1
#endif
#ifndef __NR_ioperm
#define __NR_ioperm -1
#endif
#ifndef __NR_iopl
#define __NR_iopl -1
#endif
#ifndef __NR_link
#define __NR_link -1
#endif
#ifndef __NR_lstat
#define __NR_lstat -1
#endif
#ifndef __NR_mkdir
#define __NR_mkdir -1
#endif
#ifndef __NR_open
#define __NR_open -1
#endif
#ifndef __NR_pause
#define __NR_pause -1
#endif
#ifndef __NR_pipe
#define __NR_pipe -1
#endif
#ifndef __NR_poll
#define __NR_poll -1
#endif
#ifndef __NR_readlink
#define __NR_readlink -1
#endif
#ifndef __NR_rename
#define __NR_rename -1
#endif
#ifndef __NR_rmdir
#define __NR_rmdir -1
#endif
#ifndef __NR_select
#define __NR_select -1
#endif
#ifndef __NR_stat
#define __NR_stat -1
#endif
#ifndef __NR_symlink
#define __NR_symlink -1
#endif
#ifndef __NR_time
#define __NR_time -1
#endif
#ifndef __NR_unlink
#define __NR_unlink -1
#endif
#ifndef __NR_vfork
#define __NR_vfork -1
#endif

struct call {
    const char *name;
    int number;
};

#define CALL(name) {#name, __NR_##name}

/// All names that the filters of Sandbox use, sorted by bytes.
static const struct call calls[] = {
    CALL(accept), CALL(accept4), CALL(access), CALL(acct), CALL(add_key), CALL(adjtimex), CALL(alarm), CALL(arch_prctl),
    CALL(bind), CALL(bpf), CALL(brk), CALL(capget), CALL(chdir), CALL(chmod), CALL(chown), CALL(chroot), CALL(clock_adjtime),
    CALL(clock_getres), CALL(clock_gettime), CALL(clock_nanosleep), CALL(clock_settime), CALL(clone), CALL(clone3), CALL(close),
    CALL(close_range), CALL(connect), CALL(copy_file_range), CALL(creat), CALL(delete_module), CALL(dup), CALL(dup2),
    CALL(dup3), CALL(epoll_create), CALL(epoll_create1), CALL(epoll_ctl), CALL(epoll_pwait), CALL(epoll_pwait2),
    CALL(epoll_wait), CALL(eventfd2), CALL(execve), CALL(execveat), CALL(exit), CALL(exit_group), CALL(faccessat),
    CALL(faccessat2), CALL(fadvise64), CALL(fallocate), CALL(fchdir), CALL(fchmod), CALL(fchmodat), CALL(fchown), CALL(fchownat),
    CALL(fcntl), CALL(fdatasync), CALL(fgetxattr), CALL(finit_module), CALL(flistxattr), CALL(flock), CALL(fork), CALL(fsconfig),
    CALL(fsmount), CALL(fsopen), CALL(fspick), CALL(fstat), CALL(fstatfs), CALL(fsync), CALL(ftruncate), CALL(futex),
    CALL(futex_waitv), CALL(get_mempolicy), CALL(get_robust_list), CALL(getcpu), CALL(getcwd), CALL(getdents64), CALL(getegid),
    CALL(geteuid), CALL(getgid), CALL(getgroups), CALL(getitimer), CALL(getpeername), CALL(getpgid), CALL(getpgrp),
    CALL(getpid), CALL(getppid), CALL(getpriority), CALL(getrandom), CALL(getresgid), CALL(getresuid), CALL(getrlimit),
    CALL(getrusage), CALL(getsid), CALL(getsockname), CALL(getsockopt), CALL(gettid), CALL(gettimeofday), CALL(getuid),
    CALL(getxattr), CALL(init_module), CALL(inotify_add_watch), CALL(inotify_init1), CALL(inotify_rm_watch), CALL(ioctl),
    CALL(ioperm), CALL(iopl), CALL(kcmp), CALL(kexec_file_load), CALL(kexec_load), CALL(keyctl), CALL(kill),
    CALL(landlock_add_rule), CALL(landlock_create_ruleset), CALL(landlock_restrict_self), CALL(lgetxattr), CALL(link),
    CALL(linkat), CALL(listen), CALL(listxattr), CALL(llistxattr), CALL(lookup_dcookie), CALL(lseek), CALL(lstat),
    CALL(madvise), CALL(membarrier), CALL(memfd_create), CALL(migrate_pages), CALL(mincore), CALL(mkdir), CALL(mkdirat),
    CALL(mlock), CALL(mmap), CALL(mount), CALL(mount_setattr), CALL(move_mount), CALL(move_pages), CALL(mprotect), CALL(mremap),
    CALL(msync), CALL(munlock), CALL(munmap), CALL(name_to_handle_at), CALL(nanosleep), CALL(newfstatat), CALL(open),
    CALL(open_by_handle_at), CALL(open_tree), CALL(openat), CALL(openat2), CALL(pause), CALL(perf_event_open),
    CALL(pidfd_getfd), CALL(pidfd_open), CALL(pipe), CALL(pipe2), CALL(pivot_root), CALL(pkey_mprotect), CALL(poll),
    CALL(ppoll), CALL(prctl), CALL(pread64), CALL(preadv), CALL(prlimit64), CALL(process_madvise), CALL(process_vm_readv),
    CALL(process_vm_writev), CALL(pselect6), CALL(ptrace), CALL(pwrite64), CALL(pwritev), CALL(quotactl), CALL(quotactl_fd),
    CALL(read), CALL(readahead), CALL(readlink), CALL(readlinkat), CALL(readv), CALL(reboot), CALL(recvfrom), CALL(recvmmsg),
    CALL(recvmsg), CALL(rename), CALL(renameat), CALL(renameat2), CALL(request_key), CALL(restart_syscall), CALL(rmdir),
    CALL(rseq), CALL(rt_sigaction), CALL(rt_sigpending), CALL(rt_sigprocmask), CALL(rt_sigreturn), CALL(rt_sigsuspend),
    CALL(rt_sigtimedwait), CALL(sched_get_priority_max), CALL(sched_get_priority_min), CALL(sched_getaffinity),
    CALL(sched_getattr), CALL(sched_getparam), CALL(sched_getscheduler), CALL(sched_setaffinity), CALL(sched_yield),
    CALL(select), CALL(sendfile), CALL(sendmmsg), CALL(sendmsg), CALL(sendto), CALL(set_robust_list), CALL(set_tid_address),
    CALL(setdomainname), CALL(sethostname), CALL(setitimer), CALL(setns), CALL(setpriority), CALL(setsockopt),
    CALL(settimeofday), CALL(shutdown), CALL(sigaltstack), CALL(signalfd4), CALL(socket), CALL(socketpair), CALL(splice),
    CALL(stat), CALL(statfs), CALL(statx), CALL(swapoff), CALL(swapon), CALL(symlink), CALL(symlinkat), CALL(sync_file_range),
    CALL(sysinfo), CALL(syslog), CALL(tgkill), CALL(time), CALL(timerfd_create), CALL(timerfd_gettime), CALL(timerfd_settime),
    CALL(times), CALL(truncate), CALL(umask), CALL(umount2), CALL(uname), CALL(unlink), CALL(unlinkat), CALL(unshare),
    CALL(userfaultfd), CALL(utimensat), CALL(vfork), CALL(vhangup), CALL(wait4), CALL(waitid), CALL(write), CALL(writev),
};

static int compare(const void *name, const void *call) { return strcmp(name, ((const struct call *)call)->name); }

int cxdp_call_number(const char *name) {
    const struct call *found = bsearch(name, calls, sizeof calls / sizeof calls[0], sizeof calls[0], compare);
    return found ? found->number : -1;
}
