// SPDX-License-Identifier: Apache-2.0
// The lab's programs (bpf/lab): what they share with user space, and how they are loaded and run. The structures lie in maps that
// user space has mapped; times are CLOCK_MONOTONIC in nanoseconds, numbers are in host order.
#ifndef CXDP_LAB_H
#define CXDP_LAB_H

#ifdef __bpf__
#include <linux/types.h>
typedef __u8 uint8_t;
typedef __u16 uint16_t;
typedef __u32 uint32_t;
typedef __u64 uint64_t;
#else
#include <stddef.h>
#include <stdint.h>
#endif

/// What the generator puts into the payload of each UDP frame, in network order, behind the UDP header: 2 bytes of mark, 2 of the
/// stream's number, 8 of the frame's own number from 0, and the low 48 bits of the time at which it was made.
enum { CXDP_LAB_MARK = 0x6268, CXDP_LAB_NUMBER_LENGTH = 18 };

/// The generator's orders and its account; the one entry of its map `plan`.
struct cxdp_lab_plan {
    uint64_t flows;             ///< flows at a time, at least 1
    uint64_t interval;          ///< from frame to frame, in 1/256 ns; 0: as fast as it goes
    uint64_t renewal;           ///< from one renewed flow to the next, in ns; 0: none is renewed
    uint64_t limit;             ///< frames in all; 0: no limit
    uint64_t duration;          ///< no frame so many ns after the first run; 0: no limit
    uint64_t end;               ///< no frame at this time or later; 0: no limit
    uint32_t source;            ///< the first source address; of IPv6 its last 32 bits
    uint32_t sources;           ///< addresses from there, at least 1
    uint32_t destination;       ///< the first destination address; of IPv6 its last 32 bits
    uint32_t destinations;      ///< addresses from there, at least 1
    uint32_t network_sum;       ///< sum of the IPv4 header's 16-bit words without addresses and checksum
    uint32_t transport_sum;     ///< sum of all words under the transport's checksum that do not change
    uint16_t stream;            ///< told in each frame, so that a sink can tell runs apart
    uint8_t is_tagged;          ///< the frame has one VLAN tag
    uint8_t is_ipv6;            ///< the frame is IPv6
    uint8_t is_syn;             ///< the frame is a TCP SYN, else a UDP datagram with a number
    uint8_t unused[3];
    uint64_t begin;             ///< when the program ran first; the program's
    uint64_t next;              ///< when the next frame is due, in 1/256 ns; the program's
    uint64_t next_renewal;      ///< when the next flow is renewed; the program's
    uint64_t sent;              ///< frames handed to the port
    uint64_t renewed;           ///< flows that ended and made room for new ones
    uint64_t missed;            ///< frames whose time had passed by more than a millisecond, and that were never made
};

/// How late a frame may be made before it is given up as missed, in ns: what waited longer would leave in a burst.
enum { CXDP_LAB_PATIENCE = 1000000 };

/// What a sink, or a meter, is told; the one entry of its map `orders`.
struct cxdp_lab_orders {
    uint32_t stream;    ///< whose numbers are followed: 0x10000 + the stream's number; 0 until the first frame names one
    uint32_t times;     ///< whether the age of each frame is counted
};

/// What came in by one receive queue, which alone writes it; an entry of the map `counts`.
struct cxdp_lab_count {
    uint64_t frames;        ///< all of them
    uint64_t bytes;         ///< of all of them, without FCS
    uint64_t numbered;      ///< frames of the followed stream
    uint64_t foreign;       ///< frames without a number, or of another stream
    uint64_t reordered;     ///< numbered frames that came after one with a higher number
    uint64_t duplicated;    ///< numbered frames that had come before, of the last 65,536 numbers
    uint64_t highest;       ///< highest number + 1; 0 before the first
    uint64_t lowest;        ///< lowest number + 1; 0 before the first
    uint64_t corrupt;       ///< numbered frames that are not as long as their IP header says
    uint64_t unused[7];     ///< a queue's entry has cache lines of its own
};

/// The queues that are told apart; what comes by a later one counts to one of these.
enum { CXDP_LAB_QUEUES = 64 };

/// The numbers for which a sink remembers whether they came.
enum { CXDP_LAB_REMEMBERED = 65536 };

/// A histogram of ages in ns: 128 places in each power of two, so that a value is told to 0.8 %; ages above 34 s count as 34 s.
enum { CXDP_LAB_PLACES_BITS = 7, CXDP_LAB_PLACES = 3712 };

#ifndef __bpf__
/// Loads an ELF object with one program and writes the descriptors of `count` of its maps, by name, into `maps`. `log` receives what
/// libbpf and the verifier said, as for `cxdp_redirect_load`. All descriptors are the caller's to close. The program's, or -errno.
int cxdp_lab_load(
    const void *object, size_t length, const char *const *names, unsigned count, int *maps, char *log, size_t log_length);

/// Maps the single entry of an array map (BPF_F_MMAPABLE), `length` bytes of it, for reading and writing. 0 or -errno.
int cxdp_lab_map(int map, size_t length, void **memory);

/// Unmaps what `cxdp_lab_map` mapped.
void cxdp_lab_unmap(void *memory, size_t length);

/// Runs a program on a copy of a frame, and writes what became of the frame into `out` (`*out_length` bytes of room, then of frame).
/// Its XDP return code, or -errno.
int cxdp_lab_try(int program, const void *frame, uint32_t length, void *out, uint32_t *out_length);

/// Runs a program `repeat` times on copies of a frame that count as received by `ifindex`, and does with them what it says: what it
/// redirects is sent (BPF_F_TEST_XDP_LIVE_FRAMES), `batch` frames at a time. 0 or -errno; -EINTR when a signal came.
int cxdp_lab_send(
    int program, uint32_t ifindex, const void *frame, uint32_t length, uint32_t repeat, uint32_t batch);
#endif

#endif
