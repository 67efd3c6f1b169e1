// SPDX-License-Identifier: Apache-2.0
#include <stdbool.h>
#include <rte_eal.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>

// DPDK's hash table behind the three functions that `bulkhead-perf-pipeline --rte-hash` looks for. `scripts/perf` builds it as a shared
// library where Debian's dpdk-dev is installed; no part of the package links it.

enum { key_bytes = 24, most = 64 };

static bool is_started;

// A table for so many keys of 24 bytes, or NULL.
void *index_create(uint32_t capacity) {
    if (!is_started) {
        char *arguments[] = {"perf", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "-l", "0", "-m", "6144",
            "--log-level", "1"};
        if (rte_eal_init(sizeof arguments / sizeof *arguments, arguments) < 0) return NULL;
        is_started = true;
    }
    struct rte_hash_parameters parameters = {
        .name = "flows", .entries = capacity < 8 ? 8 : capacity + capacity / 8, .key_len = key_bytes, .hash_func = rte_hash_crc};
    return rte_hash_create(&parameters);
}

// Enters a key with its number; negative where there is no place.
int index_add(void *table, const void *key, uint32_t number) {
    return rte_hash_add_key_data(table, key, (void *)(uintptr_t)number);
}

// Looks up to 64 keys up at once: their numbers, or UINT32_MAX.
void index_find(void *table, const void *const *keys, uint32_t count, uint32_t *numbers) {
    uint64_t hits = 0;
    void *data[most];
    if (rte_hash_lookup_bulk_data(table, (const void **)keys, count, &hits, data) < 0) hits = 0;
    for (uint32_t i = 0; i < count; i++) numbers[i] = hits >> i & 1 ? (uint32_t)(uintptr_t)data[i] : UINT32_MAX;
}
