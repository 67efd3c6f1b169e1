// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What the data path costs in C: one worker's turn over both ports, with the rings, the frames, the flow tables and the checks of
// Bulkhead's own (Sources/bytes), written as a C programmer would write it who knows that memory is what limits it. It opens no flow
// and asks no policy: a frame without a flow is dropped. `scripts/perf pipeline` measures both in turn.

// The rings of one port and what must be known of it.
struct reference_port {
    // Memory of `SocketRings(base:size:)`: fill, receive, transmit and completion ring, `ring_size` slots each.
    void *rings;
    uint32_t ring_size;
    uint32_t maximum_frame;
    // The port's own hardware address.
    uint64_t own_address;
    // 1 while the port has a link.
    const uint32_t *link;
};

// A flow table's memory (`FlowTableLayout`); it may be a copy of a table that Bulkhead filled.
struct reference_table {
    void *base;
    // Where index and entries begin, in bytes.
    uint64_t index, entries;
    uint32_t capacity, buckets;
};

// Everything that a worker works on.
struct reference_parts {
    struct reference_port ports[2];
    uint8_t *frames;
    uint64_t frames_size, frame_size;
    // A free list's memory: the number of free frames, and 64 bytes behind it their addresses.
    uint64_t *free;
    uint64_t free_capacity;
    struct reference_table v4, v6;
    // The 16 words that keys are hashed with.
    const uint64_t *secret;
    // The stamps of the policy in force.
    uint32_t generation;
    const uint32_t *epoch;
    uint8_t pair;
    // Whether the transport's checksum is verified, and whether any zone is on the link itself.
    bool verifies_checksums, any_zone_on_link;
};

// Finds up to 64 keys at once in another index than ours: their entries' numbers, or UINT32_MAX.
typedef void (*reference_lookup)(void *table, const void *const *keys, uint32_t count, uint32_t *numbers);

struct reference;

// A worker over its parts, or NULL without memory. The parts' memory outlives it.
struct reference *reference_create(const struct reference_parts *parts);
void reference_destroy(struct reference *self);
// From here on `lookup` finds flows of IPv4 instead of the index.
void reference_use(struct reference *self, reference_lookup lookup, void *table);
// One turn over both ports, at a moment in seconds and in ticks of 2^20 ns; says how many frames it handled.
uint32_t reference_turn(struct reference *self, uint64_t wall, uint32_t ticks);
// Frames forwarded and dropped so far.
uint64_t reference_forwarded(const struct reference *self);
uint64_t reference_dropped(const struct reference *self);
