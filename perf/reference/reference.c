// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "opening.h"
#include "wire.h"

enum { burst = 64, short_frame = 256 };
// Flags of a window whose end has sent an acknowledgement, and how far back segments may lie at least.
enum { ordinary = 9, past = 66000 };

struct port {
    struct producer fill, transmit;
    struct consumer receive, completion;
    const _Atomic(uint32_t) *link;
    uint32_t maximum_frame;
    // Of these the counters of a worker consist, too.
    uint64_t received, received_bytes, ring_position, forwarded, forwarded_bytes, dropped[reasons];
};

struct reference {
    struct port ports[2];
    uint8_t *frames;
    uint64_t frames_size, frame_mask;
    uint64_t *free_top, *free_slots, free_capacity;
    struct table v4, v6;
    uint32_t generation;
    const _Atomic(uint32_t) *epoch;
    reference_lookup lookup;
    void *lookup_table;
    struct terms terms;
    bool any_zone_on_link, opens_flows;
    // Whether the bytes of the frames in hand are asked for before they are summed: where frames have many.
    bool asks_ahead;
    struct descriptor descriptors[burst];
    struct note notes[burst] __attribute__((aligned(64)));
};

static struct table table_over(const struct reference_table *parts, const uint64_t *secret) {
    uint8_t *base = parts->base;
    struct table table = {base + parts->index, base + parts->entries, parts->capacity, parts->buckets, 0, {0}};
    memcpy(table.secret, secret, sizeof table.secret);
    return table;
}

struct reference_port reference_port_over(void *base, uint32_t ring_size) {
    struct reference_ring rings[4];
    for (int i = 0; i < 4; i++) {
        uint8_t *ring = (uint8_t *)base + i * (192 + (uint64_t)ring_size * 16);
        rings[i] = (struct reference_ring){ring, ring + 64, ring + 192};
    }
    return (struct reference_port){rings[0], rings[1], rings[2], rings[3], .ring_size = ring_size};
}

struct reference_table reference_table_for(uint32_t capacity) {
    uint32_t buckets = (uint32_t)((uint64_t)capacity * 3 / 25 + 2);
    return (struct reference_table){NULL, 0, (uint64_t)buckets * 64, capacity, buckets};
}

uint64_t reference_table_size(const struct reference_table *table, bool is_ipv4) {
    return table->entries + (uint64_t)table->capacity * (is_ipv4 ? stride4 : stride6);
}

struct reference *reference_create(const struct reference_parts *parts) {
    struct reference *self = aligned_alloc(64, (sizeof(struct reference) + 63) & ~63ul);
    if (!self) return NULL;
    memset(self, 0, sizeof *self);
    for (int i = 0; i < 2; i++) {
        const struct reference_port *from = &parts->ports[i];
        struct port *port = &self->ports[i];
        port->fill = producer_over(&from->fill, from->ring_size);
        port->receive = consumer_over(&from->receive, from->ring_size);
        port->transmit = producer_over(&from->transmit, from->ring_size);
        port->completion = consumer_over(&from->completion, from->ring_size);
        port->link = (const _Atomic(uint32_t) *)from->link;
        self->terms.own[i] = from->own_address;
        port->maximum_frame = from->maximum_frame;
    }
    self->frames = parts->frames;
    self->frames_size = parts->frames_size;
    self->frame_mask = ~(parts->frame_size - 1);
    self->free_top = parts->free;
    self->free_slots = parts->free + 8;
    self->free_capacity = parts->free_capacity;
    self->v4 = table_over(&parts->v4, parts->secret);
    self->v6 = table_over(&parts->v6, parts->secret);
    self->generation = parts->generation;
    self->epoch = (const _Atomic(uint32_t) *)parts->epoch;
    self->terms.pair = parts->pair;
    self->terms.verifies = parts->verifies_checksums;
    self->any_zone_on_link = parts->any_zone_on_link;
    self->opens_flows = parts->opens_flows;
    return self;
}

void reference_destroy(struct reference *self) { free(self); }

void reference_use(struct reference *self, reference_lookup lookup, void *table) {
    self->lookup = lookup;
    self->lookup_table = table;
}

uint64_t reference_forwarded(const struct reference *self) { return self->ports[0].forwarded + self->ports[1].forwarded; }

uint64_t reference_dropped(const struct reference *self) {
    uint64_t sum = 0;
    for (int i = 0; i < reasons; i++) sum += self->ports[0].dropped[i] + self->ports[1].dropped[i];
    return sum;
}

// Whether `length` bytes at an address lie inside the packet memory and inside one frame.
INLINE bool contains(const struct reference *self, uint64_t address, uint32_t length) {
    return address < self->frames_size && (address & ~self->frame_mask) + length <= ~self->frame_mask + 1;
}

INLINE void release(struct reference *self, uint64_t address) {
    if (unlikely(!contains(self, address, 0) || *self->free_top >= self->free_capacity)) return;
    self->free_slots[(*self->free_top)++] = address & self->frame_mask;
}

static void complete(struct reference *self, struct port *port) {
    struct consumer *ring = &port->completion;
    uint32_t count = consumer_peek(ring, UINT32_MAX);
    if (!count) return;
    for (uint32_t i = 0; i < count; i++) release(self, ((const uint64_t *)ring->slots)[(ring->head + i) & ring->mask]);
    consumer_release(ring, count);
}

static void refill(struct reference *self, struct port *port) {
    struct producer *ring = &port->fill;
    uint32_t room = producer_free(ring, 512), given = 0;
    if (room < 64) return;
    for (; given < room && *self->free_top; given++)
        ((uint64_t *)ring->slots)[ring->head++ & ring->mask] = self->free_slots[--*self->free_top];
    if (given) producer_submit(ring);
}

static uint32_t receive(struct reference *self, struct port *port) {
    struct consumer *ring = &port->receive;
    uint32_t count = consumer_peek(ring, burst);
    if (!count) return 0;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        self->descriptors[i] = ((const struct descriptor *)ring->slots)[(ring->head + i) & ring->mask];
        bytes += self->descriptors[i].length;
        __builtin_prefetch(self->frames + (self->descriptors[i].address & (self->frames_size - 1)));
    }
    consumer_release(ring, count);
    self->asks_ahead = self->terms.verifies && bytes > (uint64_t)count * short_frame;
    port->received += count;
    port->received_bytes += bytes;
    port->ring_position += count;
    return count;
}

// Asks for all lines of a frame behind the first.
INLINE void ask_rest(const struct reference *self, const struct descriptor *descriptor) {
    const uint8_t *frame = self->frames + (descriptor->address & (self->frames_size - 1));
    uint32_t end = descriptor->length < ~self->frame_mask + 1 ? descriptor->length : (uint32_t)(~self->frame_mask + 1);
    for (uint32_t at = 64; at < end; at += 64) __builtin_prefetch(frame + at);
}

// Reads a frame, and asks for its bucket.
INLINE void read_note(struct reference *self, uint32_t i) {
    struct note *note = &self->notes[i];
    const struct descriptor *descriptor = &self->descriptors[i];
    note->candidate = UINT32_MAX;
    note->length = descriptor->length;
    if (unlikely(!contains(self, descriptor->address, descriptor->length))) {
        note->reason = truncated;
        return;
    }
    bool is_plain = read_frame(self->frames + descriptor->address, descriptor->length, &self->terms, note);
    note->reason = is_plain ? fine : other;
    if (unlikely(!is_plain) || self->lookup) return;
    if (note->is_ipv4) {
        note->hash = hash4(&self->v4, &note->key.v4);
        prefetch_bucket(&self->v4, note->hash);
    } else {
        note->hash = hash6(&self->v6, &note->key.v6);
        prefetch_bucket(&self->v6, note->hash);
    }
}

INLINE uint8_t *table_entry(const struct reference *self, bool is_ipv4, uint32_t number) {
    return is_ipv4 ? self->v4.entries + (uint64_t)number * stride4 : self->v6.entries + (uint64_t)number * stride6;
}

// Looks into the bucket for the entry, and asks for it.
INLINE void suggest(struct reference *self, struct note *note) {
    if (unlikely(note->reason)) return;
    if (!self->lookup) note->candidate = candidate(note->is_ipv4 ? &self->v4 : &self->v6, note->hash);
    if (unlikely(note->candidate == UINT32_MAX)) return;
    const uint8_t *entry = table_entry(self, note->is_ipv4, note->candidate);
    __builtin_prefetch(entry, 1);
    __builtin_prefetch(entry + 64, 1);
}

// The keys of a burst in another index.
static void look_up(struct reference *self, uint32_t count) {
    const void *keys[burst];
    uint32_t numbers[burst];
    for (uint32_t i = 0; i < count; i++) keys[i] = &self->notes[i].key;
    self->lookup(self->lookup_table, keys, count, numbers);
    for (uint32_t i = 0; i < count; i++) self->notes[i].candidate = numbers[i] < self->v4.limit ? numbers[i] : UINT32_MAX;
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

INLINE struct entry *behind_key(uint8_t *at, bool is_ipv4) {
    return (struct entry *)(at + (is_ipv4 ? sizeof(struct key4) : sizeof(struct key6)));
}

// Whether an entry is that of a key; its state is looked at later.
INLINE bool is_flow(uint8_t *at, const struct note *note) {
    return note->is_ipv4 ? same4(at, &note->key.v4) : same6(at, &note->key.v6);
}

// Where the bucket suggests another flow with the same tag: all places of both buckets.
RARELY static uint32_t find(const struct reference *self, const struct note *note) {
    const struct table *table = note->is_ipv4 ? &self->v4 : &self->v6;
    uint32_t number = first_bucket(table, note->hash);
    uint64_t tag = tag_of(note->hash);
    for (int turn = 0; turn < 2; turn++) {
        const uint8_t *bucket = table->index + (uint64_t)number * 64;
        for (uint64_t set = places(bucket, tag); set; set &= set - 1) {
            uint32_t found = number_at(bucket, set);
            if (found < table->limit && is_flow(table_entry(self, note->is_ipv4, found), note)) return found;
        }
        if (!*(const uint32_t *)(bucket + 20)) break;
        number = other_bucket(table, number, tag);
    }
    return UINT32_MAX;
}

// What a flow's verdict is held against: once a burst.
struct stamps {
    uint32_t generation, epoch, second;
};

// Follows a datagram's flow: both ends have spoken, or one alone, which the first answer changes.
INLINE bool take_datagram(struct entry *entry, const struct note *note) {
    if (likely(entry->state == state_established)) return true;
    if (entry->state != state_one_sided) return false;
    if ((entry->marks & mark_high) != note->sender) entry->state = state_established;
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

// The number of the entry that a frame's flow has, where its candidate is none; UINT32_MAX where there is none.
RARELY static uint32_t look_further(struct reference *self, const struct note *note, uint32_t port, const struct stamps *stamps) {
    uint32_t number = self->lookup ? UINT32_MAX : find(self, note);
    if (number != UINT32_MAX || !self->opens_flows || !note->is_datagram) return number;
    struct table *table = note->is_ipv4 ? &self->v4 : &self->v6;
    number = occupy(table, note->hash);
    if (number == UINT32_MAX) return number;
    uint8_t *at = table_entry(self, note->is_ipv4, number);
    memcpy(at, &note->key, note->is_ipv4 ? sizeof(struct key4) : sizeof(struct key6));
    *behind_key(at, note->is_ipv4) = (struct entry){.generation = stamps->generation, .epoch = stamps->epoch,
        .valid_until = UINT32_MAX, .grounds = UINT32_MAX, .state = state_one_sided,
        .marks = (note->sender ? mark_high : 0) | (port ? mark_second_port : 0)};
    return number;
}

// The verdict on a frame: 0 to forward it.
INLINE enum reason judge(struct reference *self, const struct note *note, uint32_t port, const struct stamps *stamps, uint32_t ticks) {
    if (unlikely(note->reason)) return note->reason;
    if (unlikely(self->any_zone_on_link)) return other;
    uint32_t number = note->candidate;
    if (unlikely(number == UINT32_MAX || !is_flow(table_entry(self, note->is_ipv4, number), note))) {
        number = look_further(self, note, port, stamps);
        if (number == UINT32_MAX) return unknown_flow;
    }
    uint8_t *at = table_entry(self, note->is_ipv4, number);
    struct entry *entry = behind_key(at, note->is_ipv4);
    uint8_t marks = entry->marks, wrong_port = (marks ^ marks >> 6 ^ note->sender ^ port) & 1;
    uint32_t other_stamp = (entry->generation ^ stamps->generation) | (entry->epoch ^ stamps->epoch);
    if (unlikely(other_stamp | wrong_port | (marks & mark_elsewhere))) return spoofed;
    if (unlikely(stamps->second >= entry->valid_until)) return stale;
    if (unlikely(note->is_datagram)) {
        if (!take_datagram(entry, note)) return not_opening;
    } else {
        enum reason reason = take_segment(entry, note);
        if (unlikely(reason)) return reason;
    }
    entry->frames[note->sender]++;
    entry->meter[note->sender] += (uint64_t)note->length << 16;
    entry->last_seen = ticks;
    return fine;
}

INLINE enum reason forward(struct reference *self, const struct descriptor *descriptor, uint32_t from) {
    struct port *out = &self->ports[1 - from];
    if (unlikely(!atomic_load_explicit(out->link, memory_order_relaxed))) return link_down;
    if (unlikely(descriptor->length > out->maximum_frame)) return oversize;
    if (unlikely(!producer_free(&out->transmit, 1))) {
        complete(self, out);
        if (!producer_free(&out->transmit, 1)) return transmit_full;
    }
    self->ports[from].forwarded++;
    self->ports[from].forwarded_bytes += descriptor->length;
    struct descriptor sent = {descriptor->address, descriptor->length, 0};
    ((struct descriptor *)out->transmit.slots)[out->transmit.head++ & out->transmit.mask] = sent;
    return fine;
}

uint32_t reference_turn(struct reference *self, uint64_t wall, uint32_t ticks) {
    uint32_t handled = 0;
    for (uint32_t number = 0; number < 2; number++) {
        struct port *port = &self->ports[number];
        complete(self, port);
        refill(self, port);
        uint32_t count = receive(self, port);
        uint32_t const asked = self->asks_ahead && count > 2 ? count - 2 : 0;
        for (uint32_t i = 0; i < count; i++) {
            if (unlikely(i < asked)) ask_rest(self, &self->descriptors[i + 2]);
            read_note(self, i);
        }
        if (self->lookup) look_up(self, count);
        for (uint32_t i = 0; i < count; i++) suggest(self, &self->notes[i]);
        struct stamps stamps = {self->generation, atomic_load_explicit(self->epoch, memory_order_acquire),
            wall < UINT32_MAX ? wall : UINT32_MAX - 1};
        for (uint32_t i = 0; i < count; i++) {
            enum reason reason = judge(self, &self->notes[i], number, &stamps, ticks);
            if (likely(!reason)) reason = forward(self, &self->descriptors[i], number);
            if (likely(!reason)) continue;
            port->dropped[reason]++;
            release(self, self->descriptors[i].address);
        }
        handled += count;
    }
    producer_submit(&self->ports[0].transmit);
    producer_submit(&self->ports[1].transmit);
    return handled;
}
