// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "flows.h"

// From bytes to what the later stages need of a frame: every check that Sources/bytes/Wire makes on an ordinary one (Ethernet II, IPv4
// without options or IPv6 without extension headers, TCP), in the same order. What is not ordinary is refused as `other`.

enum reason { fine = 0, truncated, bad_length, bad_checksum, bad_tcp, martian, other, unknown_flow, spoofed, link_down, oversize,
    transmit_full, out_of_window, own_address, not_opening, stale, reasons };

// What is known of a frame in hand; one line and a half.
struct note {
    union {
        struct key4 v4;
        struct key6 v6;
    } key;
    uint64_t hash;
    uint64_t source_mac, destination_mac;
    uint32_t candidate, length;
    uint32_t sequence, acknowledgement;
    uint16_t window, payload;
    uint8_t flags, sender, reason, is_ipv4, group;
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

INLINE uint16_t folded(uint64_t sum) {
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (sum & 0xffff) + (sum >> 16);
}

// The one's complement sum of some bytes, in the byte order of the machine.
INLINE uint64_t summed(const uint8_t *at, uint32_t count) {
    uint64_t sum = 0;
    for (; count >= 8; at += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        sum += (word >> 32) + (uint32_t)word;
    }
    if (count >= 4) {
        uint32_t word;
        memcpy(&word, at, 4);
        sum += word;
        at += 4, count -= 4;
    }
    if (count >= 2) {
        uint16_t word;
        memcpy(&word, at, 2);
        sum += word;
        at += 2, count -= 2;
    }
    return count ? sum + *at : sum;
}

// Whether a connection ever sends these flags.
INLINE bool is_legal(uint8_t flags) {
    uint8_t judged = flags & 0x3f;
    if (unlikely(!(judged & 0x10))) return judged == 0x02 || judged == 0x04;
    return likely(!(judged & 0x02)) || !(judged & 0x05);
}

// Walks the options of a segment that has others than two times no operation and timestamps.
RARELY static bool options_are_right(const uint8_t *at, const uint8_t *end) {
    while (at < end) {
        if (*at == 0) return true;
        if (*at == 1) {
            at++;
            continue;
        }
        if (end - at < 2 || at[1] < 2 || at[1] > end - at) return false;
        at += at[1];
    }
    return true;
}

// Reads the segment between `start` and `end`, both offsets in the frame.
INLINE enum reason read_tcp(const uint8_t *frame, uint32_t start, uint32_t end, struct note *note, uint32_t *ports) {
    uint32_t length = end - start;
    if (unlikely(length < 20)) return truncated;
    const uint8_t *tcp = frame + start;
    uint32_t header = (tcp[12] >> 4) * 4;
    uint8_t flags = tcp[13];
    if (unlikely(header < 20 || !is_legal(flags) || header > length)) return bad_tcp;
    *ports = u32(tcp);
    note->sequence = u32(tcp + 4);
    note->acknowledgement = u32(tcp + 8);
    note->window = u16(tcp + 14);
    note->flags = flags;
    note->payload = length - header;
    if (header > 20) {
        uint32_t skipped = u32(tcp + 20) == 0x0101080a ? 32 : 20;
        if (unlikely(skipped > header)) return bad_tcp;
        if (unlikely(skipped != header) && !options_are_right(tcp + skipped, tcp + header)) return bad_tcp;
    }
    return fine;
}

INLINE bool is_possible_source(uint32_t address) {
    uint32_t top = address >> 24;
    return top != 0 && top != 127 && address >> 28 != 0xe && address != 0xffffffff;
}

INLINE enum reason read_ipv4(const uint8_t *frame, uint32_t length, bool verifies, uint8_t pair, struct note *note) {
    const uint8_t *ip = frame + 14;
    if (unlikely(length < 34)) return truncated;
    uint32_t header = (ip[0] & 15) * 4, total = u16(ip + 2);
    if (unlikely(ip[0] >> 4 != 4 || header < 20 || header > total || total > length - 14)) return bad_length;
    if (unlikely(folded(summed(ip, header)) != 0xffff)) return bad_checksum;
    uint32_t source = u32(ip + 12), destination = u32(ip + 16);
    note->group |= destination >> 28 == 0xe || destination == 0xffffffff;
    if (unlikely(header > 20 || u16(ip + 6) & 0x3fff || ip[9] != 6)) return other;
    uint32_t ports;
    enum reason reason = read_tcp(frame, 34, 14 + total, note, &ports);
    if (unlikely(reason)) return reason;
    uint32_t top = destination >> 24;
    if (unlikely(!is_possible_source(source) || top == 0 || top == 127 || source == destination)) return martian;
    if (verifies) {
        uint64_t sum = summed(ip + 20, total - 20) + summed(ip + 12, 8) + __builtin_bswap16(total - 20) + (6 << 8);
        if (unlikely(folded(sum) != 0xffff)) return bad_checksum;
    }
    bool is_low = source < destination;
    note->sender = !is_low;
    note->key.v4 = (struct key4){is_low ? source : destination, is_low ? destination : source,
        is_low ? ports : ports << 16 | ports >> 16, 0, 0, 6u << 24 | (uint32_t)pair << 16};
    return fine;
}

INLINE bool is_mapped(const uint64_t address[2]) { return address[0] == 0 && address[1] >> 32 == 0xffff; }

INLINE enum reason read_ipv6(const uint8_t *frame, uint32_t length, bool verifies, uint8_t pair, struct note *note) {
    const uint8_t *ip = frame + 14;
    if (unlikely(length < 54)) return truncated;
    uint32_t payload = u16(ip + 4);
    if (unlikely(ip[0] >> 4 != 6 || payload > length - 54)) return bad_length;
    uint64_t source[2] = {u64(ip + 8), u64(ip + 16)}, destination[2] = {u64(ip + 24), u64(ip + 32)};
    if (unlikely(is_mapped(source) || is_mapped(destination))) return martian;
    if (unlikely(payload == 0)) return bad_length;
    note->group |= destination[0] >> 56 == 0xff;
    if (unlikely(ip[6] != 6)) return other;
    uint32_t ports;
    enum reason reason = read_tcp(frame, 54, 54 + payload, note, &ports);
    if (unlikely(reason)) return reason;
    bool from_none = (source[0] | source[1]) == 0 || (source[0] == 0 && source[1] == 1) || source[0] >> 56 == 0xff;
    bool to_none = (destination[0] | destination[1]) == 0 || (destination[0] == 0 && destination[1] == 1);
    bool same = ((source[0] ^ destination[0]) | (source[1] ^ destination[1])) == 0;
    if (unlikely(from_none || to_none || same)) return martian;
    if (verifies) {
        uint64_t sum = summed(ip + 40, payload) + summed(ip + 8, 32) + __builtin_bswap16(payload) + (6 << 8);
        if (unlikely(folded(sum) != 0xffff)) return bad_checksum;
    }
    bool is_low = source[0] != destination[0] ? source[0] < destination[0] : source[1] < destination[1];
    note->sender = !is_low;
    const uint64_t *low = is_low ? source : destination, *high = is_low ? destination : source;
    note->key.v6 = (struct key6){{low[0], low[1]}, {high[0], high[1]}, is_low ? ports : ports << 16 | ports >> 16, 0, 0,
        6u << 24 | (uint32_t)pair << 16};
    return fine;
}

// Reads a frame of `length` bytes.
INLINE enum reason read_frame(const uint8_t *frame, uint32_t length, bool verifies, uint8_t pair, struct note *note) {
    if (unlikely(length > UINT16_MAX || length < 14)) return truncated;
    // Eight bytes each, of which the header surely has the two behind the address.
    note->destination_mac = u64(frame) >> 16;
    note->source_mac = u64(frame + 6) >> 16;
    note->group = note->destination_mac >> 40 & 1;
    if (unlikely(note->source_mac >> 40 & 1)) return martian;
    uint16_t type = u16(frame + 12);
    note->is_ipv4 = type == 0x0800;
    if (likely(type == 0x0800)) return read_ipv4(frame, length, verifies, pair, note);
    return likely(type == 0x86dd) ? read_ipv6(frame, length, verifies, pair, note) : other;
}
