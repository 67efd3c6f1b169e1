// SPDX-License-Identifier: Apache-2.0
// What a process takes away from itself: capabilities, memory dumps, system calls (seccomp) and files (Landlock).
#ifndef CXDP_SANDBOX_H
#define CXDP_SANDBOX_H

#include <stdint.h>

/// Keeps of all capabilities those in the bit set `kept`, as far as they are held, and gives the others up for good: out of the
/// bounding, permitted, effective, inheritable and ambient sets. With no_new_privs. 0 or -errno.
int cxdp_keep_capabilities(uint64_t kept);

/// No core file, and nobody but root may read the process's memory or trace it. Forgotten by exec. 0 or -errno.
int cxdp_forbid_dumps(void);

/// The number of the system call of that name on this machine; -1 for one that this architecture has not, or that is not listed.
int cxdp_call_number(const char *name);

/// The architecture as filters see it (AUDIT_ARCH_…).
uint32_t cxdp_call_architecture(void);

/// Puts a classic BPF program over all system calls of the calling thread and those that it starts later, for good. Needs
/// no_new_privs. Each instruction is a `struct sock_filter` as one number: code, jt, jf, k from the lowest bits. 0 or -errno.
int cxdp_install_filter(const uint64_t *instructions, unsigned count);

/// Landlock's version on this kernel, 0 where there is none.
int cxdp_landlock_version(void);

/// A new set of rules that forbids `files` (LANDLOCK_ACCESS_FS_…), `net` (…_NET_…) and reaching out of the sandbox by `scoped`
/// (LANDLOCK_SCOPE_…), wherever no rule allows it. Its descriptor or -errno.
int cxdp_landlock_create(uint64_t files, uint64_t net, uint64_t scoped);

/// Allows `files` at `path` and beneath. 0 or -errno; -ENOENT when there is nothing at the path.
int cxdp_landlock_allow(int rules, const char *path, uint64_t files);

/// Puts the rules over the calling thread and those that it starts later, for good. Needs no_new_privs. 0 or -errno.
int cxdp_landlock_enforce(int rules);

#endif
