// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cxdp_process.h"
#include "privilege.h"

static int capabilities(long call, struct __user_cap_data_struct data[2]) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    return syscall(call, &header, data) < 0 ? -errno : 0;
}

uint64_t cxdp_effective_capabilities(void) {
    struct __user_cap_data_struct data[2];
    if (capabilities(SYS_capget, data) < 0) return 0;
    return (uint64_t)data[1].effective << 32 | data[0].effective;
}

int cxdp_limit_bounding_set(uint64_t kept) {
    for (int capability = 0; capability <= 63; capability++) {
        if (kept >> capability & 1) continue;
        int const held = prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
        if (held < 0) return errno == EINVAL ? 0 : -errno;  // past the last one that this kernel knows
        if (held == 1 && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) return errno == EPERM ? 0 : -errno;
    }
    return 0;
}

int cxdp_drop_privileges(uint32_t uid, uint32_t gid, const uint32_t *groups, unsigned count, bool keep_uid) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return -errno;
    int error = cxdp_limit_bounding_set(0);
    if (error) return error;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) return -errno;
    if (!keep_uid) {
        if (setgroups(count, groups) < 0) return -errno;
        if (setresgid(gid, gid, gid) < 0) return -errno;
        if (setresuid(uid, uid, uid) < 0) return -errno;
    }
    struct __user_cap_data_struct none[2];
    memset(none, 0, sizeof none);
    return capabilities(SYS_capset, none);
}

int cxdp_is_bpffs(const char *path) {
    struct statfs status;
    return statfs(path, &status) < 0 ? -errno : status.f_type == BPF_FS_MAGIC;
}

int cxdp_mount_bpffs(const char *path) {
    return mount("bpf", path, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0 ? -errno : 0;
}

int cxdp_mount_bpffs_of(int32_t pid, const char *path) {
    char name[32];
    snprintf(name, sizeof name, "/proc/%d/ns/mnt", pid);
    int const there = open(name, O_RDONLY | O_CLOEXEC);
    if (there < 0) return -errno;
    // setns into a mount namespace is refused to a process with threads that share its file-system state: hence the child.
    pid_t const child = fork();
    if (child == 0) {
        if (setns(there, CLONE_NEWNS) < 0) _exit(errno);
        _exit(-cxdp_mount_bpffs(path));
    }
    int const error = errno;
    close(there);
    if (child < 0) return -error;
    int status = 0;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) return -errno;
    }
    return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
}

int cxdp_shares_mounts(int32_t pid) {
    char name[32];
    struct stat theirs, ours;
    snprintf(name, sizeof name, "/proc/%d/ns/mnt", pid);
    if (stat(name, &theirs) < 0 || stat("/proc/self/ns/mnt", &ours) < 0) return -errno;
    return theirs.st_ino == ours.st_ino;
}

int32_t cxdp_parent(int32_t pid) {
    char text[512], name[32];
    snprintf(name, sizeof name, "/proc/%d/stat", pid);
    int const fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    ssize_t const length = read(fd, text, sizeof text - 1);
    close(fd);
    text[length < 0 ? 0 : length] = 0;
    // The command's name, in brackets, may hold brackets itself: its last one ends it.
    const char *after = strrchr(text, ')');
    int parent;
    return after && sscanf(after, ") %*c %d", &parent) == 1 ? parent : -EINVAL;
}

int cxdp_network_namespace(uint64_t *inode) {
    struct stat status;
    // The thread's own: /proc/self would be the first thread's.
    if (stat("/proc/thread-self/ns/net", &status) < 0) return -errno;
    *inode = status.st_ino;
    return 0;
}

int cxdp_new_network_namespace(void) {
    return unshare(CLONE_NEWNET) < 0 ? -errno : 0;
}

int cxdp_enter_network_namespace(int fd) {
    return setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
}
