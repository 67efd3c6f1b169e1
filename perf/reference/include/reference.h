// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What the data path costs in C: one worker's turn over both ports, with the rings, the frames, the flow tables and the checks of
// Bulkhead's own (Sources/bytes), written as a C programmer would write it who knows that memory is what limits it. It asks no policy:
// a frame without a flow is dropped, or, where that is wished and it is a datagram, opens one or is refused unasked. `scripts/perf pipeline`
// measures both in turn in memory, `scripts/perf inline` between two ports.

// One ring: both positions and the slots.
struct reference_ring {
    void *producer, *consumer, *slots;
};

// The rings of one port, `ring_size` slots each, and what must be known of it.
struct reference_port {
    struct reference_ring fill, receive, transmit, completion;
    uint32_t ring_size;
    uint32_t maximum_frame;
    // The port's own hardware address.
    uint64_t own_address;
    // 1 while the port has a link.
    const uint32_t *link;
};

// A port whose rings lie in the memory of `SocketRings(base:size:)`; what else must be known of it is left to be said.
struct reference_port reference_port_over(void *base, uint32_t ring_size);

// A flow table's memory (`FlowTableLayout`); it may be a copy of a table that Bulkhead filled.
struct reference_table {
    void *base;
    // Where index and entries begin, in bytes.
    uint64_t index, entries;
    uint32_t capacity, buckets;
};

// An empty table for so many flows, whose memory is not there yet: `reference_table_size` bytes of zeros for `base`. The rest of a
// table of Bulkhead's own, what only judging and ending read, is left out.
struct reference_table reference_table_for(uint32_t capacity);
uint64_t reference_table_size(const struct reference_table *table, bool is_ipv4);

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
    // Whether a datagram of no flow opens one, as long as the table has room; no flow ever ends.
    bool opens_flows;
    // Whether a datagram of no flow is refused, and its connection remembered, as by a policy that allows nothing.
    bool refuses_flows;
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
// Frames of connections that had been refused within a second.
uint64_t reference_refused_again(const struct reference *self);
