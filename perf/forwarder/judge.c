// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "judge.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>

/// Flows over IPv4: as many as `scripts/perf` gives Bulkhead. Over IPv6 none come.
enum { FLOWS = 1 << 17, FLOWS6 = 64 };

static void *zeroed(uint64_t bytes) {
    void *made = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    return made == MAP_FAILED ? NULL : made;
}

static struct reference_table table(uint32_t capacity, bool is_ipv4) {
    struct reference_table made = reference_table_for(capacity);
    made.base = zeroed(reference_table_size(&made, is_ipv4));
    return made;
}

struct reference *judging(struct reference_parts *parts, uint64_t frames) {
    static uint32_t const epoch = 1, link = 1;
    static uint64_t secret[16];
    if (getrandom(secret, sizeof secret, 0) != sizeof secret) return NULL;
    for (int i = 0; i < 2; i++) {
        struct reference_port *port = &parts->ports[i];
        // No frame has this address; Bulkhead compares four numbers, too.
        port->own_address = UINT64_MAX;
        port->maximum_frame = 1522;
        port->link = &link;
    }
    parts->v4 = table(FLOWS, true);
    parts->v6 = table(FLOWS6, false);
    // The number of free frames, and 64 bytes behind it where they lie.
    uint64_t *free = zeroed((8 + frames) * sizeof *free);
    if (!parts->v4.base || !parts->v6.base || !free) return NULL;
    for (*free = 0; *free < frames; ++*free) free[8 + *free] = *free * parts->frame_size;
    parts->free = free;
    parts->free_capacity = frames;
    parts->secret = secret;
    parts->generation = 1;
    parts->epoch = &epoch;
    parts->opens_flows = true;
    return reference_create(parts);
}
