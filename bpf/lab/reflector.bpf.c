// SPDX-License-Identifier: Apache-2.0
// Sends each frame of the lab's generator back to where it came from: hardware addresses, IP addresses and ports change places, which
// leaves every checksum right. Other frames are dropped, so that nothing is ever sent back to somebody who did not ask for it.
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "../../Sources/bytes/CXDP/include/cxdp_lab.h"

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __type(key, __u32);
    __type(value, struct cxdp_lab_count[CXDP_LAB_QUEUES]);
    __uint(max_entries, 1);
    __uint(map_flags, BPF_F_MMAPABLE);
} counts SEC(".maps");

static __always_inline void swap32(__u32 *a, __u32 *b) {
    __u32 kept = *a;
    *a = *b;
    *b = kept;
}

static __always_inline void swap16(__u16 *a, __u16 *b) {
    __u16 kept = *a;
    *a = *b;
    *b = kept;
}

/// Turns a frame round whose IP header has this form; 0 when it is none of ours.
static __always_inline int turn(void *data, void *end, void *network, int is_ipv6) {
    void *transport = network + (is_ipv6 ? 40 : 20);
    void *payload = transport + 8;
    if (payload + CXDP_LAB_NUMBER_LENGTH > end || *(__u16 *)payload != bpf_htons(CXDP_LAB_MARK)) return 0;
    __u32 *source = network + (is_ipv6 ? 8 : 12);
#pragma unroll
    for (int word = 0; word < (is_ipv6 ? 4 : 1); word++) swap32(source + word, source + word + (is_ipv6 ? 4 : 1));
    swap16(transport, transport + 2);
    __u16 *address = data;
#pragma unroll
    for (int word = 0; word < 3; word++) swap16(address + word, address + word + 3);
    return 1;
}

SEC("xdp") int reflector(struct xdp_md *frame) {
    void *data = (void *)(long)frame->data, *end = (void *)(long)frame->data_end;
    __u32 first = 0;
    struct cxdp_lab_count *all = bpf_map_lookup_elem(&counts, &first);
    if (!all || data + 18 + 40 > end) return XDP_DROP;
    struct cxdp_lab_count *count = &all[frame->rx_queue_index % CXDP_LAB_QUEUES];
    count->frames++;
    count->bytes += end - data;
    __u16 *type = data + 12;
    if (*type == bpf_htons(0x8100)) type += 2;
    void *network = type + 1;
    int turned = 0;
    if (*type == bpf_htons(0x0800) && *(__u8 *)network == 0x45 && *(__u8 *)(network + 9) == 17) {
        turned = turn(data, end, network, 0);
    } else if (*type == bpf_htons(0x86dd) && *(__u8 *)(network + 6) == 17) {
        turned = turn(data, end, network, 1);
    }
    if (!turned) {
        count->foreign++;
        return XDP_DROP;
    }
    count->numbered++;
    // Not XDP_TX: a veth sends that only while its peer has an XDP program; a redirect asks no more of it than NAPI.
    return bpf_redirect(frame->ingress_ifindex, 0);
}

// Named so because clang 21 mistakes a symbol called like its section for the section.
char terms[] SEC("license") = "Apache-2.0";
