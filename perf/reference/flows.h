// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <string.h>

#include "include/reference.h"
#include "rings.h"

// The flow table, in the layout of Sources/bytes/Flow: buckets of 64 bytes with ten tags, entries of 96 or 128 bytes.

// The key of an IPv4 flow, and what both families' keys end with.
struct key4 {
    uint32_t low, high, ports, vlans, tunnel, context;
};
struct key6 {
    uint64_t low[2], high[2];
    uint32_t ports, vlans, tunnel, context;
};

struct window {
    uint32_t end, acknowledged;
    uint16_t maximum;
    uint8_t scale, flags;
};

// What stands behind the key; of each pair the low end's comes first.
struct entry {
    uint64_t meter[2];
    uint32_t frames[2];
    uint32_t generation, epoch, valid_until, last_seen, grounds;
    uint8_t state, marks, seen[2];
    struct window window[2];
};
_Static_assert(sizeof(struct entry) == 72 && sizeof(struct key4) == 24 && sizeof(struct key6) == 48, "as Flow has it");

enum { state_established = 3, state_one_sided = 6, state_answered = 7 };
enum { mark_high = 1, mark_second_port = 64, mark_elsewhere = 128 };
enum { stride4 = 96, stride6 = 128 };

struct table {
    uint8_t *index, *entries;
    uint32_t limit, buckets;
    // Entries in use, where the reference opens flows itself.
    uint32_t used;
    uint64_t secret[16];
};

INLINE uint64_t stir(uint64_t hash) {
    uint64_t x = (hash ^ hash >> 32) * 0xd6e8feb86659fd93;
    x = (x ^ x >> 32) * 0xd6e8feb86659fd93;
    return x ^ x >> 32;
}

INLINE uint64_t finish(uint64_t sum) {
    uint64_t x = sum >> 32;
    x ^= x >> 16;
    x *= 0x9E3779B97F4A7C15;
    x ^= x >> 32;
    x *= 0xD6E8FEB86659FD93;
    return x ^ x >> 32;
}

INLINE uint64_t hash4(const struct table *table, const struct key4 *key) {
    const uint64_t *secret = table->secret;
    uint64_t sum = secret[0] + secret[1] * key->low + secret[2] * key->high + secret[3] * key->ports;
    return stir(finish(sum + secret[4] * key->vlans + secret[5] * key->tunnel + secret[6] * key->context));
}

INLINE uint64_t hash6(const struct table *table, const struct key6 *key) {
    const uint64_t *secret = table->secret;
    uint64_t sum = secret[0] + secret[1] * (key->low[0] >> 32) + secret[2] * (uint32_t)key->low[0];
    sum += secret[3] * (key->low[1] >> 32) + secret[4] * (uint32_t)key->low[1];
    sum += secret[5] * (key->high[0] >> 32) + secret[6] * (uint32_t)key->high[0];
    sum += secret[7] * (key->high[1] >> 32) + secret[8] * (uint32_t)key->high[1];
    sum += secret[9] * key->ports + secret[10] * key->vlans + secret[11] * key->tunnel + secret[12] * key->context;
    return stir(finish(sum));
}

INLINE uint32_t first_bucket(const struct table *table, uint64_t hash) { return ((hash >> 32) * table->buckets) >> 32; }

INLINE uint32_t other_bucket(const struct table *table, uint32_t bucket, uint64_t tag) {
    uint32_t sum = ((uint64_t)(uint32_t)(tag * 0x9E3779B1) * table->buckets) >> 32;
    return sum >= bucket ? sum - bucket : sum + table->buckets - bucket;
}

INLINE uint64_t tag_of(uint64_t hash) {
    uint64_t tag = hash & 0xffff;
    return tag ? tag : 1;
}

INLINE uint64_t zeros(uint64_t parts) {
    const uint64_t low = 0x7fff7fff7fff7fff;
    return ~(((parts & low) + low) | parts | low);
}

// The places of a bucket that hold a tag: bit 16 * (place mod 4) + place / 4 each.
INLINE uint64_t places(const uint8_t *bucket, uint64_t tag) {
    const uint64_t *words = (const uint64_t *)bucket, pattern = tag * 0x0001000100010001;
    return zeros(words[0] ^ pattern) >> 15 | zeros(words[1] ^ pattern) >> 14 | (zeros(words[2] ^ pattern) & 0x80008000) >> 13;
}

INLINE uint32_t number_at(const uint8_t *bucket, uint64_t set) {
    int bit = __builtin_ctzll(set);
    return *(const uint32_t *)(bucket + 24 + 4 * ((bit & 3) << 2 | bit >> 4)) & 0x7fffffff;
}

INLINE void prefetch_bucket(const struct table *table, uint64_t hash) {
    __builtin_prefetch(table->index + (uint64_t)first_bucket(table, hash) * 64);
}

// The entry that a hash's bucket suggests, or UINT32_MAX.
INLINE uint32_t candidate(const struct table *table, uint64_t hash) {
    uint32_t home = first_bucket(table, hash);
    uint64_t tag = tag_of(hash);
    const uint8_t *bucket = table->index + (uint64_t)home * 64;
    uint64_t set = places(bucket, tag);
    if (unlikely(!set)) {
        if (!*(const uint32_t *)(bucket + 20)) return UINT32_MAX;
        bucket = table->index + (uint64_t)other_bucket(table, home, tag) * 64;
        set = places(bucket, tag);
        if (!set) return UINT32_MAX;
    }
    uint32_t number = number_at(bucket, set);
    return number < table->limit ? number : UINT32_MAX;
}

INLINE bool same4(const void *a, const struct key4 *b) {
    uint64_t x[3], y[3];
    memcpy(x, a, sizeof x);
    memcpy(y, b, sizeof y);
    return ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2])) == 0;
}

INLINE bool same6(const void *a, const struct key6 *b) {
    uint64_t x[6], y[6], difference = 0;
    memcpy(x, a, sizeof x);
    memcpy(y, b, sizeof y);
    for (int i = 0; i < 6; i++) difference |= x[i] ^ y[i];
    return difference == 0;
}
