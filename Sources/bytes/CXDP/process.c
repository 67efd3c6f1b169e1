// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "cxdp_process.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int cxdp_pidfd_open(int32_t pid) {
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    return fd < 0 ? -errno : fd;
}

int cxdp_pidfd_send_signal(int pidfd, int signal) {
    return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

/// What the child does between fork and exec: only calls that are safe in the child of a process with threads. Returns errno;
/// `*report` follows the pipe's end to its present number.
static int become(
    const char *path, char *const *arguments, char *const *environment, const int *fds, unsigned count, int *report) {
    enum { FIRST = 3 };
    int const above = FIRST + (int)count;
    // First out of the way of the final numbers, then into place: the given ones may overlap them in any order.
    int const reporter = fcntl(*report, F_DUPFD_CLOEXEC, above);
    if (reporter < 0) return errno;
    *report = reporter;
    int moved[256];
    for (unsigned i = 0; i < count; i++) {
        moved[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, reporter + 1);
        if (moved[i] < 0) return errno;
    }
    for (unsigned i = 0; i < count; i++) {
        if (dup2(moved[i], FIRST + (int)i) < 0) return errno;
    }
    // The reporter must outlive the rest, up to exec, which closes it.
    if (reporter != above && dup3(reporter, above, O_CLOEXEC) < 0) return errno;
    *report = above;
    if (syscall(SYS_close_range, above + 1, ~0u, 0) < 0) return errno;
    setsid();
    for (int number = 1; number < _NSIG; number++) signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(path, arguments, environment ? environment : environ);
    return errno;
}

int32_t cxdp_spawn(const char *path, char *const *arguments, char *const *environment, const int *fds, unsigned count) {
    int report[2];
    if (count > 250) return -EINVAL;
    if (pipe2(report, O_CLOEXEC) < 0) return -errno;
    // No handler of ours may run in the child, which shares our file descriptions and nothing else.
    sigset_t every, before;
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    pid_t const child = fork();
    if (child == 0) {
        int const error = become(path, arguments, environment, fds, count, &report[1]);
        _exit(write(report[1], &error, sizeof error) < 0 ? 126 : 127);
    }
    int const fork_error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(report[1]);
    int error = 0;
    ssize_t told = 0;
    if (child > 0) {
        do told = read(report[0], &error, sizeof error);
        while (told < 0 && errno == EINTR);
    }
    close(report[0]);
    if (child < 0) return -fork_error;
    if (told == (ssize_t)sizeof error) {
        waitpid(child, NULL, 0);
        return -error;
    }
    return child;
}

int cxdp_reap(int32_t pid, int *code, int *signal) {
    int status = 0;
    pid_t ended;
    do ended = waitpid(pid, &status, WNOHANG);
    while (ended < 0 && errno == EINTR);
    if (ended < 0) return -errno;
    if (ended == 0) return 0;
    *code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    *signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return 1;
}

int cxdp_pin_thread(int cpu) {
    if (cpu < 0 || cpu >= CPU_SETSIZE) return -EINVAL;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return sched_setaffinity(0, sizeof set, &set) < 0 ? -errno : 0;
}

int cxdp_run_on(const int *cpus, unsigned count) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (unsigned i = 0; i < count; i++) {
        if (cpus[i] >= 0 && cpus[i] < CPU_SETSIZE) CPU_SET(cpus[i], &set);
    }
    return sched_setaffinity(0, sizeof set, &set) < 0 ? -errno : 0;
}

void cxdp_give_way(int nice) {
    struct sched_param const none = {0};
    sched_setscheduler(0, SCHED_BATCH, &none);
    setpriority(PRIO_PROCESS, 0, nice);
}

int cxdp_allowed_cpus(int *cpus, unsigned max) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) < 0) return -errno;
    unsigned found = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE && found < max; cpu++) {
        if (CPU_ISSET(cpu, &set)) cpus[found++] = cpu;
    }
    return (int)found;
}

int cxdp_name_thread(const char *name) {
    char cut[16] = {0};
    strncpy(cut, name, sizeof cut - 1);
    return -pthread_setname_np(pthread_self(), cut);
}

int cxdp_set_parent_death_signal(int signal) {
    return prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0) < 0 ? -errno : 0;
}
