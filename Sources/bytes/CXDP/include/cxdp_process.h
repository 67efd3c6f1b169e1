// SPDX-License-Identifier: Apache-2.0
// Processes, threads, privileges, mounts and namespaces.
#ifndef CXDP_PROCESS_H
#define CXDP_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/// A descriptor that stands for a process and becomes readable when it ends. It or -errno; -ESRCH when there is none.
int cxdp_pidfd_open(int32_t pid);

/// Sends `signal` (0: only asks) to the process behind `pidfd`, which cannot be mistaken for a later one. 0 or -errno.
int cxdp_pidfd_send_signal(int pidfd, int signal);

/// Starts `path` with `arguments` and `environment` (NULL: ours). `fds` become 3, 4, 5, … in the child, in order; 0, 1 and 2
/// stay, everything else is closed. The child leads a session of its own, so that a terminal's Ctrl-C reaches only its
/// parent, with an empty signal mask and default handlers. Its process id, or -errno, also for a failing exec.
int32_t cxdp_spawn(const char *path, char *const *arguments, char *const *environment, const int *fds, unsigned count);

/// Asks without waiting whether child `pid` has ended, and reaps it. 1: ended, with `*code` its exit code or -1, and
/// `*signal` the signal that killed it or 0; 0: still running; or -errno.
int cxdp_reap(int32_t pid, int *code, int *signal);

/// Pins the calling thread to one CPU. 0 or -errno; -EINVAL when the CPU is offline or not allowed to us.
int cxdp_pin_thread(int cpu);

/// The CPUs that the calling thread may run on, ascending, at most `max`. Their number or -errno.
int cxdp_allowed_cpus(int *cpus, unsigned max);

/// Holds the calling thread, and threads and processes that it starts later, to the `count` CPUs at `cpus`. 0 or -errno; -EINVAL when
/// none of them is online and allowed to us.
int cxdp_run_on(const int *cpus, unsigned count);

/// Lets the calling thread, and those that it starts later, give way to others: SCHED_BATCH and `nice` (0 to 19), for which nobody
/// needs a right. What cannot be had stays as it was.
void cxdp_give_way(int nice);

/// Names the calling thread (at most 15 bytes are kept) as ps and top show it. 0 or -errno.
int cxdp_name_thread(const char *name);

/// Gives privilege up for good: no_new_privs, all capabilities out of all five sets, and, unless `keep_uid`, the `count`
/// supplementary groups at `groups` and no others, and `uid` and `gid` in all their forms. Capabilities and no_new_privs are the calling thread's and those of threads and
/// processes that it starts later: call it before the first other thread. 0 or -errno, and then nothing may be relied on.
int cxdp_drop_privileges(uint32_t uid, uint32_t gid, const uint32_t *groups, unsigned count, bool keep_uid);

/// The calling thread's effective capabilities as a bit set; 0 when it has none or /proc is missing.
uint64_t cxdp_effective_capabilities(void);

/// Sends `signal` to us when the *thread* that started us ends. It is forgotten by exec of a set-uid program and by a change
/// of uid; a parent that died before the call is not noticed: compare getppid() afterwards. 0 or -errno.
int cxdp_set_parent_death_signal(int signal);

/// Whether `path` lies on a BPF file system: 1, 0, or -errno.
int cxdp_is_bpffs(const char *path);

/// Mounts a BPF file system at `path` (mode 0700) in our own mount namespace. 0 or -errno.
int cxdp_mount_bpffs(const char *path);

/// The same in the mount namespace of process `pid`, by a child process that enters it. 0 or -errno.
int cxdp_mount_bpffs_of(int32_t pid, const char *path);

/// Whether process `pid` sees the same mounts as we do: 1, 0, or -errno; -EACCES when it has privileges that we lack.
int cxdp_shares_mounts(int32_t pid);

/// The parent of process `pid`, 0 for the first one, or -errno.
int32_t cxdp_parent(int32_t pid);

/// The inode that names the calling thread's network namespace. 0 or -errno.
int cxdp_network_namespace(uint64_t *inode);

/// Gives the calling thread a network namespace of its own, empty but for a loopback that is down. It ends with its last
/// thread, open descriptor or name. 0 or -errno.
int cxdp_new_network_namespace(void);

/// Moves the calling thread into the network namespace behind `fd`. 0 or -errno. For threads that do nothing else.
int cxdp_enter_network_namespace(int fd);

#endif
