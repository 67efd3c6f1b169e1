// SPDX-License-Identifier: Apache-2.0
// The kernel half of Bulkhead: it moves frames and judges none.
//
// Each port of a pair runs this program. It sees one frame and asks two things: what does the keeper want (the mode word,
// one for both ports), and does a worker listen on this queue (the socket map)? The kernel takes a socket out of the map when
// its process dies, so CLOSED and OPEN are promises that hold without us. A process that hangs keeps its sockets: for that
// there are BLOCK and BYPASS, which the keeper writes from outside.
//
// A miss never ends in the host's stack: XDP_PASS appears below only as a question, and is turned into a redirect.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

// As `PortMode` in Sources/bytes/Net. 0 is what a map holds before anybody wrote it: nothing passes.
enum { BLOCK = 0, CLOSED = 1, OPEN = 2, BYPASS = 3 };

struct mode_word {
    __u32 mode;
    __u32 epoch; // bumped with each change of the mode; workers read it, this program does not
};

struct {
    __uint(type, BPF_MAP_TYPE_XSKMAP);
    __type(key, __u32);
    __type(value, __u32);
    __uint(max_entries, 64);
} sockets SEC(".maps"); // receive queue -> AF_XDP socket

struct {
    __uint(type, BPF_MAP_TYPE_DEVMAP);
    __type(key, __u32);
    __type(value, __u32);
    __uint(max_entries, 1);
} peer SEC(".maps"); // 0 -> the pair's other port

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __type(key, __u32);
    __type(value, struct mode_word);
    __uint(max_entries, 1);
    __uint(map_flags, BPF_F_MMAPABLE);
} mode SEC(".maps");

SEC("xdp") int redirect(struct xdp_md *frame) {
    __u32 first = 0;
    struct mode_word *word = bpf_map_lookup_elem(&mode, &first);
    __u32 now = word ? word->mode : BLOCK;
    // bpf_redirect_map gives its flags back when the map has no entry, so no look-up of ours is needed.
    if (now == CLOSED) return bpf_redirect_map(&sockets, frame->rx_queue_index, XDP_DROP);
    if (now == OPEN && bpf_redirect_map(&sockets, frame->rx_queue_index, XDP_PASS) == XDP_REDIRECT) return XDP_REDIRECT;
    if (now == OPEN || now == BYPASS) return bpf_redirect_map(&peer, 0, XDP_DROP);
    return XDP_DROP;
}

// Named so because clang 21 mistakes a symbol called like its section for the section.
char terms[] SEC("license") = "Apache-2.0";
