// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "cxdp_hot.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <time.h>

int cxdp_xsk_kick(int fd) {
    return sendto(fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 ? -errno : 0;
}

int cxdp_xsk_receive_kick(int fd) {
    return recvfrom(fd, NULL, 0, MSG_DONTWAIT, NULL, NULL) < 0 ? -errno : 0;
}

int cxdp_poll(struct pollfd *fds, unsigned count, int timeout_ms) {
    int ready = poll(fds, count, timeout_ms);
    return ready < 0 ? -errno : ready;
}

static uint64_t nanoseconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

uint64_t cxdp_monotonic_ns(void) {
    return nanoseconds(CLOCK_MONOTONIC);
}

uint64_t cxdp_wall_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec;
}

uint64_t cxdp_thread_cpu_ns(void) {
    return nanoseconds(CLOCK_THREAD_CPUTIME_ID);
}

int cxdp_wake(int fd) {
    char one = 1;
    return send(fd, &one, 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int cxdp_drain(int fd) {
    char bytes[8];
    int taken = 0;
    while (taken < 64) {
        ssize_t length = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (length == 0) break;  // the other end of a stream closed
        if (length < 0) return taken > 0 || errno == EAGAIN ? taken : -errno;
        taken++;
    }
    return taken;
}
