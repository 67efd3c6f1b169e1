// SPDX-License-Identifier: Apache-2.0
// The kernel's four rings in C (net/xdp/xsk_queue.h): the side that user space has.
#ifndef FORWARDER_RINGS_H
#define FORWARDER_RINGS_H

#include <stdint.h>

#include "CXDP.h"

/// A descriptor of a receive or transmit ring (struct xdp_desc).
struct descriptor {
    uint64_t address;
    uint32_t length, options;
};

/// A ring and where this side stands in it.
struct ring {
    struct cxdp_ring shared;
    uint32_t mask, own, other;  ///< own: next slot to write or read; other: the other side's position when last looked at
};

static inline struct ring ring_over(struct cxdp_ring shared) {
    return (struct ring){.shared = shared, .mask = shared.size - 1, .own = 0, .other = 0};
}

/// Filled slots from `own` on, `most` at most; looks at the kernel's position only where too few are known.
static inline uint32_t ring_filled(struct ring *ring, uint32_t most) {
    uint32_t known = ring->other - ring->own;
    if (known < most) {
        ring->other = __atomic_load_n(ring->shared.producer, __ATOMIC_ACQUIRE);
        known = ring->other - ring->own;
    }
    return known < most ? known : most;
}

/// Free slots from `own` on, `most` at most.
static inline uint32_t ring_free(struct ring *ring, uint32_t most) {
    uint32_t known = ring->shared.size - (ring->own - ring->other);
    if (known < most) {
        ring->other = __atomic_load_n(ring->shared.consumer, __ATOMIC_ACQUIRE);
        known = ring->shared.size - (ring->own - ring->other);
    }
    return known < most ? known : most;
}

/// What was written so far is the kernel's.
static inline void ring_submit(struct ring *ring) {
    __atomic_store_n(ring->shared.producer, ring->own, __ATOMIC_RELEASE);
}

/// What was read so far is the kernel's.
static inline void ring_release(struct ring *ring) {
    __atomic_store_n(ring->shared.consumer, ring->own, __ATOMIC_RELEASE);
}

static inline struct descriptor *ring_descriptor(struct ring *ring) {
    return (struct descriptor *)ring->shared.descriptors + (ring->own++ & ring->mask);
}

static inline uint64_t *ring_address(struct ring *ring) {
    return (uint64_t *)ring->shared.descriptors + (ring->own++ & ring->mask);
}

/// Descriptors that were submitted and that the kernel has not taken yet.
static inline uint32_t ring_pending(const struct ring *ring) {
    return __atomic_load_n(ring->shared.producer, __ATOMIC_RELAXED) - __atomic_load_n(ring->shared.consumer, __ATOMIC_ACQUIRE);
}

#endif
