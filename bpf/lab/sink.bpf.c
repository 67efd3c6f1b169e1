// SPDX-License-Identifier: Apache-2.0
// Counts frames and drops them; follows the numbers of one stream of the lab's generator, and, where asked, how old each frame is: a
// frame tells when it was made, so between two ports of one machine that is the time on the way, and at the port of the generator, with a
// reflector at the other end, the round trip.
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "../../Sources/bytes/CXDP/include/cxdp_lab.h"

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __type(key, __u32);
    __type(value, struct cxdp_lab_orders);
    __uint(max_entries, 1);
    __uint(map_flags, BPF_F_MMAPABLE);
} orders SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __type(key, __u32);
    __type(value, struct cxdp_lab_count[CXDP_LAB_QUEUES]);
    __uint(max_entries, 1);
    __uint(map_flags, BPF_F_MMAPABLE);
} counts SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __type(key, __u32);
    __type(value, __u64[CXDP_LAB_PLACES]);
    __uint(max_entries, 1);
    __uint(map_flags, BPF_F_MMAPABLE);
} times SEC(".maps");

// number % 65,536 -> number / 65,536 + 1 of the latest such frame that came.
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __type(key, __u32);
    __type(value, __u32[CXDP_LAB_REMEMBERED]);
    __uint(max_entries, 1);
} seen SEC(".maps");

/// Where the generator's number stands, or null: behind one VLAN tag at most, an IPv4 header without options or an IPv6 header without
/// extensions, and UDP.
static __always_inline void *find_number(void *data, void *end, struct cxdp_lab_count *count) {
    __u16 *type = data + 12;
    if (data + 14 > end) return 0;
    if (*type == bpf_htons(0x8100)) type += 2;
    void *network = type + 1;
    if (network + 40 > end) return 0;
    int is_ipv4 = *type == bpf_htons(0x0800) && *(__u8 *)network == 0x45 && *(__u8 *)(network + 9) == 17;
    int is_ipv6 = *type == bpf_htons(0x86dd) && *(__u8 *)(network + 6) == 17;
    if (!is_ipv4 && !is_ipv6) return 0;
    __u16 length = is_ipv4 ? bpf_ntohs(*(__u16 *)(network + 2)) : bpf_ntohs(*(__u16 *)(network + 4)) + 40;
    void *payload = network + (is_ipv4 ? 28 : 48);
    if (payload + CXDP_LAB_NUMBER_LENGTH > end || *(__u16 *)payload != bpf_htons(CXDP_LAB_MARK)) return 0;
    if (network + length > end) count->corrupt++;
    return payload;
}

static __always_inline void follow(struct cxdp_lab_count *count, __u64 number) {
    __u32 first = 0, turn = (__u32)(number / CXDP_LAB_REMEMBERED) + 1;
    __u32 *memory = bpf_map_lookup_elem(&seen, &first);
    if (!memory) return;
    __u32 *latest = &memory[number % CXDP_LAB_REMEMBERED];
    if (*latest == turn) count->duplicated++;
    if (*latest < turn) *latest = turn;
    if (number + 1 < count->highest) count->reordered++;
    if (number + 1 > count->highest) count->highest = number + 1;
    if (count->lowest == 0 || number + 1 < count->lowest) count->lowest = number + 1;
    count->numbered++;
}

/// The place of an age in the histogram.
static __always_inline __u32 place_of(__u64 age) {
    if (age >= 1ull << 35) age = (1ull << 35) - 1;
    // The highest bit's number, by halves; above the lowest bits that are kept whole.
    __u32 shift = 0;
    __u64 rest = age >> (CXDP_LAB_PLACES_BITS + 1);
#pragma unroll
    for (int half = 16; half > 0; half /= 2) {
        if (rest >> half) {
            rest >>= half;
            shift += half;
        }
    }
    if (rest) shift++;
    return (shift << CXDP_LAB_PLACES_BITS) + (__u32)(age >> shift);
}

static __always_inline void count_age(__u64 made) {
    __u32 first = 0;
    __u64 *histogram = bpf_map_lookup_elem(&times, &first);
    __u32 place = place_of((bpf_ktime_get_ns() - made) & 0xffffffffffff);
    if (histogram && place < CXDP_LAB_PLACES) __sync_fetch_and_add(&histogram[place], 1);
}

SEC("xdp") int sink(struct xdp_md *frame) {
    void *data = (void *)(long)frame->data, *end = (void *)(long)frame->data_end;
    __u32 first = 0;
    struct cxdp_lab_orders *told = bpf_map_lookup_elem(&orders, &first);
    struct cxdp_lab_count *all = bpf_map_lookup_elem(&counts, &first);
    if (!told || !all) return XDP_DROP;
    struct cxdp_lab_count *count = &all[frame->rx_queue_index % CXDP_LAB_QUEUES];
    count->frames++;
    count->bytes += end - data;
    void *payload = find_number(data, end, count);
    __u32 stream = payload ? 0x10000 + bpf_ntohs(*(__u16 *)(payload + 2)) : 0;
    if (payload && told->stream == 0) told->stream = stream;
    if (!payload || told->stream != stream) {
        count->foreign++;
        return XDP_DROP;
    }
    follow(count, bpf_be64_to_cpu(*(__u64 *)(payload + 4)));
    if (told->times) count_age((__u64)bpf_ntohs(*(__u16 *)(payload + 12)) << 32 | bpf_ntohl(*(__u32 *)(payload + 14)));
    return XDP_DROP;
}

// Named so because clang 21 mistakes a symbol called like its section for the section.
char terms[] SEC("license") = "Apache-2.0";
