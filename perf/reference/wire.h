// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "flows.h"

// From bytes to what the later stages need of a frame: what `readPlain` of Sources/bytes/Wire asks of a TCP segment or a UDP datagram, in
// the same order. What is not plain is refused as `other`.

enum reason { fine = 0, truncated, other, unknown_flow, spoofed, link_down, oversize, transmit_full, out_of_window, not_opening, stale,
    denied, reasons };

// What is known of a frame in hand: over IPv4 one line of cache.
struct note {
    uint64_t address, hash;
    uint32_t length, candidate;
    uint32_t sequence, acknowledgement;
    uint16_t window, payload;
    uint8_t flags, sender, reason, kind;
    union {
        struct key4 v4;
        struct key6 v6;
    } key;
} __attribute__((aligned(128)));
_Static_assert(offsetof(struct note, key) + sizeof(struct key4) == 64, "over IPv4 one line");

// Bits of a note's kind.
enum { over_ipv6 = 1, datagram = 2 };

INLINE bool is_ipv4(const struct note *note) { return !(note->kind & over_ipv6); }
INLINE bool is_datagram(const struct note *note) { return note->kind & datagram; }

// Whether a key is that of a frame's flow.
INLINE bool is_key(const void *at, const struct note *note) {
    return is_ipv4(note) ? same4(at, &note->key.v4) : same6(at, &note->key.v6);
}

// What makes a frame plain for a worker.
struct terms {
    uint64_t own[2];
    uint8_t pair;
    bool verifies;
};

INLINE uint16_t u16(const uint8_t *at) {
    uint16_t word;
    memcpy(&word, at, 2);
    return __builtin_bswap16(word);
}
INLINE uint32_t u32(const uint8_t *at) {
    uint32_t word;
    memcpy(&word, at, 4);
    return __builtin_bswap32(word);
}
INLINE uint64_t u64(const uint8_t *at) {
    uint64_t word;
    memcpy(&word, at, 8);
    return __builtin_bswap64(word);
}
INLINE uint64_t native64(const uint8_t *at) {
    uint64_t word;
    memcpy(&word, at, 8);
    return word;
}

INLINE uint64_t halves(uint64_t word) { return (word >> 32) + (uint32_t)word; }

// Whether a one's complement sum folds to all ones: whether it is a multiple of 65535 and not 0, by the inverse of 65535.
INLINE bool is_all_ones(uint64_t sum) { return sum * 0xfffefffefffeffff - 1 < UINT64_MAX / 0xffff; }

// Words add up as they are and their upper halves apart: both tell the lower halves' sum.
#define ADD(word) \
    do { \
        uint64_t added = (word); \
        words += added; \
        upper += added >> 32; \
    } while (0)

// Two words of 64 bits at any place.
typedef uint64_t pair __attribute__((vector_size(16)));

INLINE pair native128(const uint8_t *at) {
    pair words;
    memcpy(&words, at, sizeof words);
    return words;
}

// The sum of `count` bytes, a multiple of 64, in steps of 64.
RARELY static uint64_t summed_widely(const uint8_t *at, uint32_t count) {
    pair words = {0, 0}, others = {0, 0}, upper = {0, 0}, uppers = {0, 0};
    for (; count; at += 64, count -= 64) {
        pair a = native128(at), b = native128(at + 16), c = native128(at + 32), d = native128(at + 48);
        words += a + b;
        others += c + d;
        upper += (a >> 32) + (b >> 32);
        uppers += (c >> 32) + (d >> 32);
    }
    words += others;
    upper += uppers;
    uint64_t sum = words[0] + words[1], high = upper[0] + upper[1];
    return sum - (high << 32) + high;
}

// The one's complement sum of some bytes, in the byte order of the machine.
INLINE uint64_t summed(const uint8_t *at, uint32_t count) {
    uint64_t words = 0, upper = 0, wide = 0;
    if (unlikely(count >= 64)) {
        uint32_t many = count & ~63u;
        wide = summed_widely(at, many);
        at += many;
        count -= many;
    }
    if (count & 32) {
        for (int i = 0; i < 32; i += 8) ADD(native64(at + i));
        at += 32;
    }
    if (count & 16) {
        ADD(native64(at));
        ADD(native64(at + 8));
        at += 16;
    }
    if (count & 8) {
        ADD(native64(at));
        at += 8;
    }
    uint64_t sum = wide + words - (upper << 32) + upper;
    if (count & 4) {
        uint32_t word;
        memcpy(&word, at, 4);
        sum += word;
        at += 4;
    }
    if (count & 2) {
        uint16_t word;
        memcpy(&word, at, 2);
        sum += word;
        at += 2;
    }
    return count & 1 ? sum + *at : sum;
}

enum { tcp = 6, udp = 17 };

// Whether a transport's checksum is right; its pseudo-header's addresses stand right before it.
INLINE bool is_right(const uint8_t *addresses, uint32_t count, uint32_t length, uint32_t number) {
    return is_all_ones(summed(addresses, count) + __builtin_bswap16(length) + (number << 8));
}

// Reads a segment of `length` bytes, of which 20 lie in the frame in any case.
INLINE bool read_tcp(const uint8_t *tcp, int32_t length, struct note *note) {
    uint16_t control = u16(tcp + 12);
    if (unlikely((control & 0x17) != 0x10)) return false;
    int32_t header = 20;
    if (control >> 12 != 5) {
        if (unlikely(control >> 12 != 8 || length < 32 || u32(tcp + 20) != 0x0101080a)) return false;
        header = 32;
    }
    if (unlikely(length < header)) return false;
    note->sequence = u32(tcp + 4);
    note->acknowledgement = u32(tcp + 8);
    note->window = u16(tcp + 14);
    note->flags = control;
    note->payload = length - header;
    return true;
}

// Datagrams to these ports are looked into.
INLINE bool is_known_service(uint16_t port) {
    switch (port) {
    case 67: case 68: case 319: case 320: case 546: case 547: case 3784: case 3785: case 4784: case 4789: case 6081: return true;
    default: return false;
    }
}

// Reads a datagram of `length` bytes that has a checksum, as `read_tcp` does.
INLINE bool read_udp(const uint8_t *udp, int32_t length, struct note *note) {
    if (unlikely(length < 8 || u16(udp + 4) != length || u16(udp + 6) == 0)) return false;
    if (unlikely(is_known_service(u16(udp + 2)))) return false;
    note->kind |= datagram;
    return true;
}

INLINE bool read_transport(const uint8_t *at, uint32_t number, int32_t length, struct note *note) {
    if (likely(number == tcp)) return read_tcp(at, length, note);
    return number == udp && read_udp(at, length, note);
}

INLINE bool is_ordinary4(uint32_t address) { return (address >> 24) - 1 < 223 && address >> 24 != 127; }
INLINE bool is_ordinary6(uint64_t high) { return high - 1 < 0xfeffffffffffffff; }

INLINE bool read_ipv4(const uint8_t *frame, uint32_t count, const struct terms *terms, struct note *note) {
    uint64_t first = u64(frame + 14), second = u64(frame + 22);
    uint32_t source = second, destination = u32(frame + 30), length = first >> 32 & 0xffff;
    if (unlikely((first & 0x3fff) != 0 || length > count - 14)) return false;
    if (unlikely(!is_all_ones(halves(first) + halves(second) + destination))) return false;
    if (unlikely(!is_ordinary4(source) || !is_ordinary4(destination) || source == destination)) return false;
    uint32_t number = second >> 48 & 0xff;
    int32_t segment = (int32_t)length - 20;
    if (unlikely(!read_transport(frame + 34, number, segment, note))) return false;
    if (terms->verifies && unlikely(!is_right(frame + 26, segment + 8, segment, number))) return false;
    uint32_t ports = u32(frame + 34);
    bool is_low = source < destination;
    note->sender = !is_low;
    note->key.v4 = (struct key4){is_low ? source : destination, is_low ? destination : source,
        is_low ? ports : ports << 16 | ports >> 16, 0, 0, number << 24 | (uint32_t)terms->pair << 16};
    return true;
}

INLINE bool read_ipv6(const uint8_t *frame, uint32_t count, const struct terms *terms, struct note *note) {
    if (unlikely(count < 74)) return false;
    uint32_t length = u16(frame + 18), number = frame[20];
    if (unlikely(frame[14] >> 4 != 6 || length > count - 54)) return false;
    uint64_t source[2] = {u64(frame + 22), u64(frame + 30)}, destination[2] = {u64(frame + 38), u64(frame + 46)};
    if (unlikely(!is_ordinary6(source[0]) || !is_ordinary6(destination[0]))) return false;
    if (unlikely(((source[0] ^ destination[0]) | (source[1] ^ destination[1])) == 0)) return false;
    if (unlikely(!read_transport(frame + 54, number, length, note))) return false;
    if (terms->verifies && unlikely(!is_right(frame + 22, 32 + length, length, number))) return false;
    uint32_t ports = u32(frame + 54);
    bool is_low = source[0] != destination[0] ? source[0] < destination[0] : source[1] < destination[1];
    note->sender = !is_low;
    note->key.v6.low[0] = is_low ? source[0] : destination[0];
    note->key.v6.low[1] = is_low ? source[1] : destination[1];
    note->key.v6.high[0] = is_low ? destination[0] : source[0];
    note->key.v6.high[1] = is_low ? destination[1] : source[1];
    note->key.v6.ports = is_low ? ports : ports << 16 | ports >> 16;
    note->key.v6.vlans = note->key.v6.tunnel = 0;
    note->key.v6.context = number << 24 | (uint32_t)terms->pair << 16;
    return true;
}

// Reads a frame of `count` bytes.
INLINE bool read_frame(const uint8_t *frame, uint32_t count, const struct terms *terms, struct note *note) {
    if (unlikely(count > UINT16_MAX || count < 54)) return false;
    // Eight bytes each, of which the header surely has the two behind the address.
    uint64_t destination = u64(frame) >> 16, source = u64(frame + 6) >> 16;
    if (unlikely((destination | source) >> 40 & 1)) return false;
    if (unlikely(destination == terms->own[0] || destination == terms->own[1])) return false;
    if (unlikely(source == terms->own[0] || source == terms->own[1])) return false;
    // The ether type, version 4 and a header of five words at once.
    bool is_ipv4 = u32(frame + 12) >> 8 == 0x080045;
    note->kind = is_ipv4 ? 0 : over_ipv6;
    if (is_ipv4) return read_ipv4(frame, count, terms, note);
    return u16(frame + 12) == 0x86dd && read_ipv6(frame, count, terms, note);
}
