// SPDX-License-Identifier: Apache-2.0
// What a worker may call between receive and transmit: wake-ups, clocks, prefetch. Nothing here allocates or locks.
#ifndef CXDP_HOT_H
#define CXDP_HOT_H

#include <poll.h>
#include <stdint.h>

/// Marks a declaration as callable from Swift functions under `@_noLocks`; callers still write `unsafe`.
#define CXDP_HOT __attribute__((swift_attr("@_noLocks"), swift_attr("@unsafe")))

/// Asks the kernel to work on the transmit ring (`sendto` without data, MSG_DONTWAIT). 0 or -errno: -EAGAIN, -EBUSY and
/// -ENOBUFS mean "kick again later", -ENETDOWN a port without link, -ENXIO a port that was deleted.
int cxdp_xsk_kick(int fd) CXDP_HOT;

/// Drives reception in busy-poll mode (`recvfrom` without data, MSG_DONTWAIT). 0 or -errno, as for `cxdp_xsk_kick`.
int cxdp_xsk_receive_kick(int fd) CXDP_HOT;

/// `poll(2)` for up to `timeout_ms` (-1: for ever). The number of descriptors that are ready, or -errno.
int cxdp_poll(struct pollfd *fds, unsigned count, int timeout_ms) CXDP_HOT;

/// CLOCK_MONOTONIC in nanoseconds.
uint64_t cxdp_monotonic_ns(void) CXDP_HOT;

/// CLOCK_REALTIME in whole seconds since 1970.
uint64_t cxdp_wall_seconds(void) CXDP_HOT;

/// The CPU time that the calling thread has used, in nanoseconds. Exact where /proc counts in ticks.
uint64_t cxdp_thread_cpu_ns(void) CXDP_HOT;

/// Wakes whoever polls the other end of a connected unix datagram socket: one byte, MSG_DONTWAIT. 0 or -errno; -EAGAIN
/// means that wake-ups are already queued, so nothing is lost.
int cxdp_wake(int fd) CXDP_HOT;

/// Takes queued wake-ups off a datagram socket: at most 64 of them, so that a mad sender cannot hold a worker. The
/// number taken, or -errno when the first receive failed for another reason than an empty queue.
int cxdp_drain(int fd) CXDP_HOT;

/// Brings the cache line of `address` near; never faults.
CXDP_HOT static inline void cxdp_prefetch(const void *address) {
    __builtin_prefetch(address, 0, 3);
}

/// The processor's hint for a loop that spins.
CXDP_HOT static inline void cxdp_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/// Mode (low 32 bits) and epoch (high 32 bits) of the mode word at `words`, as `cxdp_map_mode` mapped it, read in one load
/// so that they belong together.
CXDP_HOT static inline uint64_t cxdp_read_mode(const uint32_t *words) {
    return __atomic_load_n((const uint64_t *)(const void *)words, __ATOMIC_ACQUIRE);
}

#endif
