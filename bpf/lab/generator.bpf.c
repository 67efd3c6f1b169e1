// SPDX-License-Identifier: Apache-2.0
// Makes test frames. Nothing attaches this program: user space runs it many times over copies of one template
// (BPF_PROG_TEST_RUN with live frames), and the kernel sends what it returns as XDP_TX.
//
// The kernel uses the same few dozen copies again and again and resets none of them, and what stands behind the port may have written
// into them. So every field that changes is written each time, the hop limit too: not one byte is left to what was there.
//
// A frame belongs to a flow. Flows are numbered from 0; those alive at a time are a window of `flows` numbers, which moves up by one
// with each renewal, and each frame takes a random one of them. Source address and port belong to one number alone.
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "../../Sources/bytes/CXDP/include/cxdp_lab.h"

// Source ports that are used: 1024 to 61023.
enum { FIRST_PORT = 1024, PORTS = 60000, HOP_LIMIT = 64 };

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __type(key, __u32);
    __type(value, struct cxdp_lab_plan);
    __uint(max_entries, 1);
    __uint(map_flags, BPF_F_MMAPABLE);
} plan SEC(".maps");

struct place {
    __u32 source, destination;
    __u16 port;
};

/// The first run: time begins here, because the kernel takes a while to make its copies of the template.
static __always_inline void begin(struct cxdp_lab_plan *orders, __u64 now) {
    orders->begin = now;
    orders->next = now << 8;
    orders->next_renewal = now + orders->renewal;
    if (orders->duration) orders->end = now + orders->duration;
}

/// Whether it is time for a frame; what came too late is counted and skipped, or it would leave in a burst.
static __always_inline int is_due(struct cxdp_lab_plan *orders, __u64 now) {
    if (orders->interval == 0) return 1;
    __u64 due = orders->next >> 8;
    if (now < due) return 0;
    if (now - due > CXDP_LAB_PATIENCE) {
        __u64 missed = (now - due) * 256 / orders->interval;
        orders->missed += missed;
        orders->next += missed * orders->interval;
    }
    orders->next += orders->interval;
    return 1;
}

/// A random number of 32 bits from a frame's number (the finaliser of MurmurHash3).
static __always_inline __u64 scatter(__u64 number) {
    number ^= number >> 33;
    number *= 0xff51afd7ed558ccdull;
    number ^= number >> 33;
    number *= 0xc4ceb9fe1a85ec53ull;
    return number >> 32;
}

static __always_inline struct place flow_place(const struct cxdp_lab_plan *orders, __u64 flow) {
    __u64 turn = flow / orders->sources;
    return (struct place){
        .source = orders->source + (__u32)(flow % orders->sources),
        .destination = orders->destination + (__u32)((flow + turn) % orders->destinations),
        .port = FIRST_PORT + turn % PORTS,
    };
}

static __always_inline __u32 words(__u64 value) {
    return (value >> 48) + (value >> 32 & 0xffff) + (value >> 16 & 0xffff) + (value & 0xffff);
}

/// The checksum field for a sum of 16-bit words (RFC 1071).
static __always_inline __u16 checksum(__u32 sum) {
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return ~sum;
}

static __always_inline void put16(void *place, __u16 value) { *(__u16 *)place = bpf_htons(value); }
static __always_inline void put32(void *place, __u32 value) { *(__u32 *)place = bpf_htonl(value); }
static __always_inline void put64(void *place, __u64 value) { *(__u64 *)place = bpf_cpu_to_be64(value); }

/// Writes the IP header's changing fields; `network` is its start.
static __always_inline void write_network(
    void *network, int is_ipv6, const struct cxdp_lab_plan *orders, const struct place *place) {
    if (is_ipv6) {
        *(__u8 *)(network + 7) = HOP_LIMIT;
        put32(network + 20, place->source);
        put32(network + 36, place->destination);
        return;
    }
    *(__u8 *)(network + 8) = HOP_LIMIT;
    put16(network + 10, checksum(orders->network_sum + words(place->source) + words(place->destination)));
    put32(network + 12, place->source);
    put32(network + 16, place->destination);
}

/// Writes the transport's changing fields, and a datagram's number; `transport` is its start.
static __always_inline void write_transport(
    void *transport, int is_syn, const struct cxdp_lab_plan *orders, const struct place *place, __u64 number, __u64 now) {
    __u32 sum = orders->transport_sum + words(place->source) + words(place->destination) + place->port;
    put16(transport, place->port);
    if (is_syn) {
        put32(transport + 4, number);
        put16(transport + 16, checksum(sum + words((__u32)number)));
        return;
    }
    __u64 time = now & 0xffffffffffff;
    void *payload = transport + 8;
    put16(payload, CXDP_LAB_MARK);
    put16(payload + 2, orders->stream);
    put64(payload + 4, number);
    put16(payload + 12, time >> 32);
    put32(payload + 14, time);
    __u16 made = checksum(sum + words(number) + words(time));
    // 0 would say that there is no checksum (RFC 768).
    put16(transport + 6, made ? made : 0xffff);
}

/// Writes a frame of one shape, whose offsets are constants; whether there was room.
static __always_inline int write_shape(
    struct xdp_md *frame, int tag, int is_ipv6, int is_syn, const struct cxdp_lab_plan *orders, __u64 number, __u64 now) {
    void *network = (void *)(long)frame->data + 14 + tag;
    void *transport = network + (is_ipv6 ? 40 : 20);
    if (transport + (is_syn ? 20 : 8 + CXDP_LAB_NUMBER_LENGTH) > (void *)(long)frame->data_end) return 0;
    __u64 flow = orders->renewed + (scatter(number) * orders->flows >> 32);
    struct place place = flow_place(orders, flow);
    write_network(network, is_ipv6, orders, &place);
    write_transport(transport, is_syn, orders, &place, number, now);
    return 1;
}

static __always_inline int write_frame(struct xdp_md *frame, const struct cxdp_lab_plan *orders, __u64 number, __u64 now) {
    int tag = orders->is_tagged ? 4 : 0;
    if (orders->is_ipv6) {
        if (orders->is_syn) return write_shape(frame, tag, 1, 1, orders, number, now);
        return write_shape(frame, tag, 1, 0, orders, number, now);
    }
    if (orders->is_syn) return write_shape(frame, tag, 0, 1, orders, number, now);
    return write_shape(frame, tag, 0, 0, orders, number, now);
}

SEC("xdp") int generator(struct xdp_md *frame) {
    __u32 first = 0;
    struct cxdp_lab_plan *orders = bpf_map_lookup_elem(&plan, &first);
    if (!orders || orders->flows == 0 || orders->sources == 0 || orders->destinations == 0) return XDP_ABORTED;
    __u64 number = orders->sent, now = bpf_ktime_get_ns();
    if (!orders->begin) begin(orders, now);
    if ((orders->end && now >= orders->end) || (orders->limit && number >= orders->limit)) return XDP_DROP;
    if (!is_due(orders, now)) return XDP_DROP;
    if (orders->renewal && now >= orders->next_renewal) {
        orders->renewed++;
        orders->next_renewal += orders->renewal;
    }
    if (!write_frame(frame, orders, number, now)) return XDP_ABORTED;
    orders->sent = number + 1;
    return XDP_TX;
}

// Named so because clang 21 mistakes a symbol called like its section for the section.
char terms[] SEC("license") = "Apache-2.0";
