// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "flows.h"

// How a flow gets a place in the table, for where the reference judges real traffic. Nothing moves out of the way, and no flow ends: the
// table has to be larger than what comes.

// Finds a hash a place in its first bucket or its second, and gives it the next free entry: its number, or UINT32_MAX without a place.
RARELY static uint32_t occupy(struct table *table, uint64_t hash) {
    uint32_t home = first_bucket(table, hash), number = table->used;
    uint64_t tag = tag_of(hash);
    if (number == table->limit) return UINT32_MAX;
    for (uint32_t turn = 0, bucket = home; turn < 2; turn++, bucket = other_bucket(table, home, tag)) {
        uint8_t *at = table->index + (uint64_t)bucket * 64;
        uint64_t set = places(at, 0);
        if (!set) continue;
        int bit = __builtin_ctzll(set), place = (bit & 3) << 2 | bit >> 4;
        *(uint16_t *)(at + 2 * place) = (uint16_t)tag;
        *(uint32_t *)(at + 24 + 4 * place) = number | turn << 31;
        // The first bucket counts those of its keys that strayed.
        if (turn) ++*(uint32_t *)(table->index + (uint64_t)home * 64 + 20);
        table->used++;
        return number;
    }
    return UINT32_MAX;
}
