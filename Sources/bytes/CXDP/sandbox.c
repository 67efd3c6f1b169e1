// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "cxdp_sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "privilege.h"

int cxdp_keep_capabilities(uint64_t kept) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return -errno;
    int const error = cxdp_limit_bounding_set(kept);
    if (error) return error;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) return -errno;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0) return -errno;
    for (int half = 0; half < 2; half++) {
        data[half].permitted &= (uint32_t)(kept >> (32 * half));
        data[half].effective = data[half].permitted;
        data[half].inheritable = 0;
    }
    return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int cxdp_forbid_dumps(void) {
    struct rlimit const none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) < 0) return -errno;
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? -errno : 0;
}

uint32_t cxdp_call_architecture(void) {
#if defined(__x86_64__)
    return AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
    return AUDIT_ARCH_AARCH64;
#else
#error "no system call filter for this architecture yet"
#endif
}

int cxdp_install_filter(const uint64_t *instructions, unsigned count) {
    if (count == 0 || count > BPF_MAXINSNS) return -EINVAL;
    struct sock_filter *filter = calloc(count, sizeof *filter);
    if (!filter) return -ENOMEM;
    for (unsigned i = 0; i < count; i++) {
        uint64_t const one = instructions[i];
        filter[i] = (struct sock_filter){(uint16_t)one, (uint8_t)(one >> 16), (uint8_t)(one >> 24), (uint32_t)(one >> 32)};
    }
    struct sock_fprog const program = {.len = (unsigned short)count, .filter = filter};
    // Nothing that is not ours runs in a process: without the flag, older kernels turn speculative store bypass off, which costs
    // the workers.
    long const result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program);
    int const error = errno;
    free(filter);
    return result < 0 ? -error : 0;
}

/// As the kernel's header of Linux 6.12 has it; the one that this is built with may be older.
struct landlock_rules {
    uint64_t files, net, scoped;
};

struct landlock_path {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

enum { LANDLOCK_VERSION_FLAG = 1, LANDLOCK_PATH_RULE = 1 };

int cxdp_landlock_version(void) {
    long const version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION_FLAG);
    return version < 0 ? 0 : (int)version;
}

int cxdp_landlock_create(uint64_t files, uint64_t net, uint64_t scoped) {
    struct landlock_rules const rules = {files, net, scoped};
    // An older kernel knows less of it, and takes what is zero behind its own.
    long const fd = syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
    return fd < 0 ? -errno : (int)fd;
}

int cxdp_landlock_allow(int rules, const char *path, uint64_t files) {
    int const parent = open(path, O_PATH | O_CLOEXEC);
    if (parent < 0) return -errno;
    struct landlock_path const rule = {files, parent};
    int const error = syscall(SYS_landlock_add_rule, rules, LANDLOCK_PATH_RULE, &rule, 0) < 0 ? -errno : 0;
    close(parent);
    return error;
}

int cxdp_landlock_enforce(int rules) {
    return syscall(SYS_landlock_restrict_self, rules, 0) < 0 ? -errno : 0;
}
