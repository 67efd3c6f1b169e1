// SPDX-License-Identifier: Apache-2.0
// AF_XDP by raw socket options: libxdp 1.3.1 can create a socket but not adopt one that another process has bound.
// Documentation/networking/af_xdp.rst has the rules; they are not repeated here, except where they bite.
#ifndef CXDP_SOCKET_H
#define CXDP_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Flags of `cxdp_xsk_bind`; some are younger than Debian 12's headers.
enum {
    CXDP_BIND_SHARED_UMEM = 1 << 0,  ///< share the UMEM of another socket; no other flag may stand beside it
    CXDP_BIND_COPY = 1 << 1,         ///< the kernel copies frames into the UMEM
    CXDP_BIND_ZERO_COPY = 1 << 2,    ///< the device writes into the UMEM, or bind fails
    CXDP_BIND_NEED_WAKEUP = 1 << 3,  ///< the kernel says in the ring's flags when it wants a kick
    CXDP_BIND_MULTI_BUFFER = 1 << 4, ///< frames may span descriptors (Linux 6.6)
};

/// Flag in a ring's flags word: the kernel waits for a kick (XDP_RING_NEED_WAKEUP).
enum { CXDP_RING_NEED_WAKEUP = 1 << 0 };

/// One ring as it lies in our memory. `producer`, `consumer` and `flags` are shared with the kernel: read and write them
/// atomically.
struct cxdp_ring {
    void *map;
    size_t map_size;
    uint32_t *producer;
    uint32_t *consumer;
    uint32_t *flags;
    void *descriptors;  ///< receive and transmit: 16-byte `struct xdp_desc`; fill and completion: 8-byte addresses
    uint32_t size;      ///< descriptors in the ring, a power of two; 0: no such ring
};

/// The kernel's four rings of one socket.
struct cxdp_rings {
    struct cxdp_ring receive;
    struct cxdp_ring transmit;
    struct cxdp_ring fill;
    struct cxdp_ring completion;
};

/// The six counters of XDP_STATISTICS, in frames, since the socket was made.
struct cxdp_statistics {
    uint64_t rx_dropped;
    uint64_t rx_invalid_descs;
    uint64_t tx_invalid_descs;
    uint64_t rx_ring_full;
    uint64_t rx_fill_ring_empty_descs;
    uint64_t tx_ring_empty_descs;
};

/// A new AF_XDP socket. The descriptor or -errno; -EPERM without CAP_NET_RAW, -EAFNOSUPPORT without kernel support.
int cxdp_xsk_open(void);

/// Registers `length` bytes at `area` (page-aligned) as the UMEM of this socket, in frames of `frame_size` (2048 or 4096) with
/// `headroom` bytes kept free at their start, beside the kernel's own 256. 0 or -errno; -ENOBUFS when RLIMIT_MEMLOCK is too low.
int cxdp_xsk_register_umem(int fd, void *area, uint64_t length, uint32_t frame_size, uint32_t headroom);

/// Makes the rings, each a power of two or 0 for none. Fill and completion are needed by each (port, queue) pair of its own.
/// 0 or -errno.
int cxdp_xsk_set_rings(int fd, uint32_t receive, uint32_t transmit, uint32_t fill, uint32_t completion);

/// Binds to one queue of a port. `shared_umem_fd` is a bound socket whose UMEM is shared (then `flags` must be exactly
/// CXDP_BIND_SHARED_UMEM), or -1. 0 or -errno; -EBUSY while a former owner's teardown still runs.
int cxdp_xsk_bind(int fd, uint32_t ifindex, uint32_t queue, uint32_t flags, int shared_umem_fd);

/// Maps all four rings through XDP_MMAP_OFFSETS; the sizes must be those given to `cxdp_xsk_set_rings`. It works on a fresh
/// socket as on one that another process made and bound: positions are in the shared indices. 0 or -errno, and then nothing
/// is mapped.
int cxdp_xsk_map_rings(
    int fd, uint32_t receive, uint32_t transmit, uint32_t fill, uint32_t completion, struct cxdp_rings *out);

/// Unmaps what `cxdp_xsk_map_rings` mapped and zeroes `rings`.
void cxdp_xsk_unmap_rings(struct cxdp_rings *rings);

/// Reads the six counters; those that the kernel is too old for are 0. 0 or -errno.
int cxdp_xsk_statistics(int fd, struct cxdp_statistics *out);

/// How a bound socket moves frames: 1 zero-copy, 0 copy, or -errno (XDP_OPTIONS).
int cxdp_xsk_is_zero_copy(int fd);

/// XDP_OPTIONS as the kernel returns them, or -errno.
int64_t cxdp_xsk_options(int fd);

/// The pending error of the socket, which this clears: 0 for none, else -errno (-ENETDOWN once after its port was deleted).
int cxdp_xsk_take_error(int fd);

/// Busy polling: the worker's own system calls drive the device (SO_PREFER_BUSY_POLL, SO_BUSY_POLL in microseconds,
/// SO_BUSY_POLL_BUDGET in frames). 0 or -errno; -EPERM without CAP_NET_ADMIN.
int cxdp_xsk_busy_poll(int fd, bool prefer, uint32_t microseconds, uint32_t budget);

#endif
