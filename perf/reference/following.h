// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "wire.h"

// What a flow's entry says to a frame, and what it learns from it, as FlowPlace and FlowEntry in Sources/bytes/Flow have it.

// Flags of a window whose end has sent an acknowledgement, and how far back segments may lie at least.
enum { ordinary = 9, past = 66000 };

// What a verdict is held against: once a burst. `opened` says how many flows there were when its frames were looked up.
struct stamps {
    uint32_t generation, epoch, second, ticks, opened;
};

INLINE struct entry *behind_key(uint8_t *at, bool over_ipv4) {
    return (struct entry *)(at + (over_ipv4 ? sizeof(struct key4) : sizeof(struct key6)));
}

// The four questions of netfilter's `tcp_in_window` on a segment with ACK and neither SYN, FIN nor RST, and what it teaches.
INLINE bool is_in_windows(struct window *own, const struct window *peer, const struct note *note) {
    uint32_t end = note->sequence + note->payload;
    uint32_t own_span = (uint32_t)own->maximum << (own->scale & 31), peer_span = (uint32_t)peer->maximum << (peer->scale & 31);
    // Each is negative where its border is crossed.
    uint32_t beyond = peer->acknowledged + peer_span + 1 - end, too_old = end - own->end + peer_span + past;
    uint32_t unsent = peer->end - note->acknowledgement;
    uint32_t too_late = note->acknowledgement - peer->end + (own_span > past ? own_span : past);
    if (unlikely((int32_t)(beyond | too_old | unsent | too_late) < 0)) return false;
    own->end = (int32_t)(end - own->end) > 0 ? end : own->end;
    own->acknowledged = (int32_t)(note->acknowledgement - own->acknowledged) > 0 ? note->acknowledgement : own->acknowledged;
    own->maximum = note->window > own->maximum ? note->window : own->maximum;
    return true;
}

// Follows a datagram's flow: established, or on its way there by the first answer and by what the initiator sends behind it.
INLINE bool take_datagram(struct entry *entry, const struct note *note) {
    if (likely(entry->state == state_established)) return true;
    bool is_initiator = (entry->marks & mark_high) == note->sender;
    if (entry->state == state_one_sided) {
        if (!is_initiator) entry->state = state_answered;
        return true;
    }
    if (entry->state != state_answered) return false;
    if (is_initiator) entry->state = state_established;
    return true;
}

// Follows a segment's connection.
INLINE enum reason take_segment(struct entry *entry, const struct note *note) {
    struct window *own = &entry->window[note->sender];
    const struct window *peer = &entry->window[!note->sender];
    uint8_t odd = (entry->state ^ state_established) | (own->flags ^ ordinary) | (peer->flags ^ ordinary);
    if (unlikely(odd)) return not_opening;
    if (unlikely(!is_in_windows(own, peer, note))) return out_of_window;
    entry->seen[note->sender] |= note->flags;
    return fine;
}

// The verdict on a frame whose flow has an entry: `fine` to forward it.
INLINE enum reason judge_known(uint8_t *at, const struct note *note, uint32_t port, const struct stamps *stamps) {
    struct entry *entry = behind_key(at, is_ipv4(note));
    uint8_t marks = entry->marks, wrong_port = (marks ^ marks >> 6 ^ note->sender ^ port) & 1;
    uint32_t other_stamp = (entry->generation ^ stamps->generation) | (entry->epoch ^ stamps->epoch);
    if (unlikely(other_stamp | wrong_port | (marks & mark_elsewhere))) return spoofed;
    if (unlikely(stamps->second >= entry->valid_until)) return stale;
    if (is_datagram(note)) {
        if (!take_datagram(entry, note)) return not_opening;
    } else {
        enum reason reason = take_segment(entry, note);
        if (unlikely(reason)) return reason;
    }
    entry->frames[note->sender]++;
    entry->meter[note->sender] += (uint64_t)note->length << 16;
    entry->last_seen = stamps->ticks;
    return fine;
}
