// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "include/reference.h"

// The rings of AF_XDP, as in Sources/bytes/Ring: our own position in a local field, the other side's read only when it must be.

#define INLINE static inline __attribute__((always_inline))
#define RARELY __attribute__((noinline, cold))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

// A slot of the receive and transmit rings (struct xdp_desc).
struct descriptor {
    uint64_t address;
    uint32_t length, options;
};

// A ring that we write to.
struct producer {
    _Atomic(uint32_t) *producer, *consumer;
    void *slots;
    uint32_t mask, head, limit;
};

// A ring that we read.
struct consumer {
    _Atomic(uint32_t) *producer, *consumer;
    const void *slots;
    uint32_t mask, head;
};

INLINE uint32_t producer_free(struct producer *ring, uint32_t wanted) {
    if (unlikely(ring->limit - ring->head < wanted))
        ring->limit = atomic_load_explicit(ring->consumer, memory_order_acquire) + ring->mask + 1;
    return ring->limit - ring->head;
}

INLINE void producer_submit(const struct producer *ring) {
    atomic_store_explicit(ring->producer, ring->head, memory_order_release);
}

INLINE uint32_t consumer_peek(const struct consumer *ring, uint32_t limit) {
    uint32_t ready = atomic_load_explicit(ring->producer, memory_order_acquire) - ring->head;
    return ready < limit ? ready : limit;
}

INLINE void consumer_release(struct consumer *ring, uint32_t count) {
    ring->head += count;
    atomic_store_explicit(ring->consumer, ring->head, memory_order_release);
}

INLINE struct producer producer_over(const struct reference_ring *memory, uint32_t size) {
    struct producer ring = {memory->producer, memory->consumer, memory->slots, size - 1, 0, 0};
    ring.head = atomic_load_explicit(ring.producer, memory_order_relaxed);
    ring.limit = atomic_load_explicit(ring.consumer, memory_order_acquire) + size;
    return ring;
}

INLINE struct consumer consumer_over(const struct reference_ring *memory, uint32_t size) {
    struct consumer ring = {memory->producer, memory->consumer, memory->slots, size - 1, 0};
    ring.head = atomic_load_explicit(ring.consumer, memory_order_relaxed);
    return ring;
}
