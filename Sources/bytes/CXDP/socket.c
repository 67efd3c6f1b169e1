// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "cxdp_socket.h"

#include <errno.h>
#include <linux/if_xdp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

// Younger than Debian 12's C library headers.
#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69
#endif
#ifndef SO_BUSY_POLL_BUDGET
#define SO_BUSY_POLL_BUDGET 70
#endif

int cxdp_xsk_open(void) {
    int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

int cxdp_xsk_register_umem(int fd, void *area, uint64_t length, uint32_t frame_size, uint32_t headroom) {
    struct xdp_umem_reg registration = {
        .addr = (uint64_t)(uintptr_t)area, .len = length, .chunk_size = frame_size, .headroom = headroom};
    return setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &registration, sizeof registration) < 0 ? -errno : 0;
}

int cxdp_xsk_set_rings(int fd, uint32_t receive, uint32_t transmit, uint32_t fill, uint32_t completion) {
    int const names[4] = {XDP_RX_RING, XDP_TX_RING, XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING};
    uint32_t const sizes[4] = {receive, transmit, fill, completion};
    for (int i = 0; i < 4; i++) {
        if (sizes[i] == 0) continue;
        if (setsockopt(fd, SOL_XDP, names[i], &sizes[i], sizeof sizes[i]) < 0) return -errno;
    }
    return 0;
}

int cxdp_xsk_bind(int fd, uint32_t ifindex, uint32_t queue, uint32_t flags, int shared_umem_fd) {
    struct sockaddr_xdp address = {
        .sxdp_family = AF_XDP,
        .sxdp_flags = (uint16_t)flags,
        .sxdp_ifindex = ifindex,
        .sxdp_queue_id = queue,
        .sxdp_shared_umem_fd = shared_umem_fd < 0 ? 0 : (uint32_t)shared_umem_fd,
    };
    return bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ? -errno : 0;
}

static int map_ring(
    int fd, const struct xdp_ring_offset *offset, uint32_t size, size_t descriptor, uint64_t page, struct cxdp_ring *out) {
    if (size == 0) return 0;
    size_t const length = offset->desc + size * descriptor;
    char *map = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, (off_t)page);
    if (map == MAP_FAILED) return -errno;
    *out = (struct cxdp_ring){
        .map = map,
        .map_size = length,
        .producer = (uint32_t *)(void *)(map + offset->producer),
        .consumer = (uint32_t *)(void *)(map + offset->consumer),
        .flags = (uint32_t *)(void *)(map + offset->flags),
        .descriptors = map + offset->desc,
        .size = size,
    };
    return 0;
}

int cxdp_xsk_map_rings(
    int fd, uint32_t receive, uint32_t transmit, uint32_t fill, uint32_t completion, struct cxdp_rings *out) {
    struct xdp_mmap_offsets offsets;
    socklen_t length = sizeof offsets;
    memset(out, 0, sizeof *out);
    if (getsockopt(fd, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &length) < 0) return -errno;
    if (length != sizeof offsets) return -EOPNOTSUPP;  // before Linux 5.4: no flags word
    size_t const packet = sizeof(struct xdp_desc), address = sizeof(uint64_t);
    int error = map_ring(fd, &offsets.rx, receive, packet, XDP_PGOFF_RX_RING, &out->receive);
    if (!error) error = map_ring(fd, &offsets.tx, transmit, packet, XDP_PGOFF_TX_RING, &out->transmit);
    if (!error) error = map_ring(fd, &offsets.fr, fill, address, XDP_UMEM_PGOFF_FILL_RING, &out->fill);
    if (!error) {
        error = map_ring(fd, &offsets.cr, completion, address, XDP_UMEM_PGOFF_COMPLETION_RING, &out->completion);
    }
    if (error) cxdp_xsk_unmap_rings(out);
    return error;
}

void cxdp_xsk_unmap_rings(struct cxdp_rings *rings) {
    struct cxdp_ring *all[4] = {&rings->receive, &rings->transmit, &rings->fill, &rings->completion};
    for (int i = 0; i < 4; i++) {
        if (all[i]->map) munmap(all[i]->map, all[i]->map_size);
    }
    memset(rings, 0, sizeof *rings);
}

int cxdp_xsk_statistics(int fd, struct cxdp_statistics *out) {
    _Static_assert(sizeof(struct cxdp_statistics) == sizeof(struct xdp_statistics), "the kernel's layout, name by name");
    socklen_t length = sizeof *out;
    memset(out, 0, sizeof *out);
    return getsockopt(fd, SOL_XDP, XDP_STATISTICS, out, &length) < 0 ? -errno : 0;
}

int64_t cxdp_xsk_options(int fd) {
    struct xdp_options options;
    socklen_t length = sizeof options;
    return getsockopt(fd, SOL_XDP, XDP_OPTIONS, &options, &length) < 0 ? -errno : (int64_t)options.flags;
}

int cxdp_xsk_is_zero_copy(int fd) {
    int64_t options = cxdp_xsk_options(fd);
    return options < 0 ? (int)options : (options & XDP_OPTIONS_ZEROCOPY) != 0;
}

int cxdp_xsk_take_error(int fd) {
    int pending = 0;
    socklen_t length = sizeof pending;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &pending, &length) < 0 ? -errno : -pending;
}

int cxdp_xsk_busy_poll(int fd, bool prefer, uint32_t microseconds, uint32_t budget) {
    int const names[3] = {SO_PREFER_BUSY_POLL, SO_BUSY_POLL, SO_BUSY_POLL_BUDGET};
    int const values[3] = {prefer, (int)microseconds, (int)budget};
    for (int i = 0; i < 3; i++) {
        if (setsockopt(fd, SOL_SOCKET, names[i], &values[i], sizeof values[i]) < 0) return -errno;
    }
    return 0;
}
