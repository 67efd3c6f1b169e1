// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "denials.h"
#include "opening.h"

enum { burst = 64, short_frame = 256 };

struct port {
    struct producer fill, transmit;
    struct consumer receive, completion;
    const _Atomic(uint32_t) *link;
    uint32_t maximum_frame;
    // Of these the counters of a worker consist, too.
    uint64_t received, received_bytes, ring_position, forwarded, forwarded_bytes, dropped[reasons];
};

// Connections that were refused: all, those of a connection that had been within a second, and those that no record tells of yet.
struct refusals {
    uint64_t all, again;
    uint32_t untold;
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
    bool any_zone_on_link, opens_flows, refuses_flows;
    // Until when somebody may be answered by whom it did not ask: nobody ever is.
    _Atomic(uint64_t) expected_until;
    struct denials denials;
    struct refusals refusals;
    // Whether the bytes of the frames in hand are asked for before they are summed: where frames have many.
    bool asks_ahead;
    struct note notes[burst];
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
    struct reference *self = aligned_alloc(_Alignof(struct reference), sizeof(struct reference));
    if (!self) return NULL;
    memset(self, 0, sizeof *self);
    self->denials = (struct denials){empty_lines(), empty_lines(), 0};
    if (!self->denials.v4 || !self->denials.v6) {
        reference_destroy(self);
        return NULL;
    }
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
    self->refuses_flows = parts->refuses_flows;
    return self;
}

void reference_destroy(struct reference *self) {
    if (!self) return;
    free(self->denials.v4);
    free(self->denials.v6);
    free(self);
}

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

uint64_t reference_refused_again(const struct reference *self) { return self->refusals.again; }

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
    uint32_t count = consumer_peek(ring, UINT32_MAX), head = ring->head, mask = ring->mask;
    if (!count) return;
    const uint64_t *addresses = ring->slots;
    uint64_t top = *self->free_top, *slots = self->free_slots;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t address = addresses[(head + i) & mask];
        if (likely(contains(self, address, 0) && top < self->free_capacity)) slots[top++] = address & self->frame_mask;
    }
    *self->free_top = top;
    consumer_release(ring, count);
}

static void refill(struct reference *self, struct port *port) {
    struct producer *ring = &port->fill;
    uint32_t room = producer_free(ring, 512), head = ring->head, mask = ring->mask;
    if (room < 64) return;
    uint64_t top = *self->free_top, *addresses = ring->slots;
    const uint64_t *slots = self->free_slots;
    uint32_t given = top < room ? (uint32_t)top : room;
    if (!given) return;
    for (uint32_t i = 0; i < given; i++) addresses[(head + i) & mask] = slots[top - 1 - i];
    *self->free_top = top - given;
    ring->head = head + given;
    producer_submit(ring);
}

static uint32_t receive(struct reference *self, struct port *port) {
    struct consumer *ring = &port->receive;
    uint32_t count = consumer_peek(ring, burst), head = ring->head, mask = ring->mask;
    if (!count) return 0;
    const struct descriptor *descriptors = ring->slots;
    const uint8_t *frames = self->frames;
    struct note *notes = self->notes;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct descriptor descriptor = descriptors[(head + i) & mask];
        notes[i].address = descriptor.address;
        notes[i].length = descriptor.length;
        bytes += descriptor.length;
        // To ask for a line that is not there is no fault.
        __builtin_prefetch((const void *)((uintptr_t)frames + descriptor.address));
    }
    consumer_release(ring, count);
    self->asks_ahead = self->terms.verifies && bytes > (uint64_t)count * short_frame;
    port->received += count;
    port->received_bytes += bytes;
    port->ring_position += count;
    return count;
}

// Asks for all lines of a frame behind the first.
INLINE void ask_rest(const struct reference *self, const struct note *note) {
    uintptr_t frame = (uintptr_t)self->frames + note->address;
    uint32_t end = note->length < ~self->frame_mask + 1 ? note->length : (uint32_t)(~self->frame_mask + 1);
    for (uint32_t at = 64; at < end; at += 64) __builtin_prefetch((const void *)(frame + at));
}

// Each stage over a burst is a function of its own, so that its loop has all registers to itself.
#define STAGE static __attribute__((noinline))

// Reads the frames, and asks for their buckets.
INLINE void read_each(struct reference *self, uint32_t count, bool asks_ahead, bool hashes) {
    struct terms terms = self->terms;
    bool is_none_plain = self->any_zone_on_link;
    for (uint32_t i = 0; i < count; i++) {
        struct note *note = &self->notes[i];
        if (asks_ahead && i + 2 < count) ask_rest(self, note + 2);
        if (unlikely(!contains(self, note->address, note->length))) {
            note->reason = truncated;
            continue;
        }
        bool is_plain = !is_none_plain && read_frame(self->frames + note->address, note->length, &terms, note);
        note->reason = is_plain ? fine : other;
        if (unlikely(!is_plain) || !hashes) continue;
        note->hash = is_ipv4(note) ? hash4(&self->v4, &note->key.v4) : hash6(&self->v6, &note->key.v6);
        prefetch_bucket(is_ipv4(note) ? &self->v4 : &self->v6, note->hash);
    }
}

STAGE void read_short(struct reference *self, uint32_t count) { read_each(self, count, false, true); }
STAGE void read_long(struct reference *self, uint32_t count) { read_each(self, count, true, true); }
STAGE void read_unhashed(struct reference *self, uint32_t count) { read_each(self, count, false, false); }

INLINE uint8_t *table_entry(const struct reference *self, bool over_ipv4, uint32_t number) {
    return over_ipv4 ? self->v4.entries + (uint64_t)number * stride4 : self->v6.entries + (uint64_t)number * stride6;
}

INLINE void prefetch_entry(const uint8_t *entry) {
    __builtin_prefetch(entry, 1);
    __builtin_prefetch(entry + 64, 1);
}

// Looks into the buckets for the entries, and asks for these; where there is none, for where its refusal would lie.
STAGE void suggest(struct reference *self, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        struct note *note = &self->notes[i];
        if (unlikely(note->reason)) continue;
        bool over_ipv4 = is_ipv4(note);
        note->candidate = candidate(over_ipv4 ? &self->v4 : &self->v6, note->hash);
        if (likely(note->candidate != UINT32_MAX))
            prefetch_entry(table_entry(self, over_ipv4, note->candidate));
        else if (self->refuses_flows)
            prefetch_denial(over_ipv4 ? self->denials.v4 : self->denials.v6, note->hash);
    }
}

// The same by another index.
STAGE void look_up(struct reference *self, uint32_t count) {
    const void *keys[burst];
    uint32_t numbers[burst];
    for (uint32_t i = 0; i < count; i++) keys[i] = &self->notes[i].key;
    self->lookup(self->lookup_table, keys, count, numbers);
    for (uint32_t i = 0; i < count; i++) {
        self->notes[i].candidate = numbers[i] < self->v4.limit ? numbers[i] : UINT32_MAX;
        if (numbers[i] < self->v4.limit) prefetch_entry(table_entry(self, true, numbers[i]));
    }
}

// Where the bucket suggests another flow with the same tag: all places of both buckets.
RARELY static uint32_t find(const struct reference *self, const struct note *note) {
    const struct table *table = is_ipv4(note) ? &self->v4 : &self->v6;
    uint32_t number = first_bucket(table, note->hash);
    uint64_t tag = tag_of(note->hash);
    for (int turn = 0; turn < 2; turn++) {
        const uint8_t *bucket = table->index + (uint64_t)number * 64;
        for (uint64_t set = places(bucket, tag); set; set &= set - 1) {
            uint32_t found = number_at(bucket, set);
            if (found < table->limit && is_key(table_entry(self, is_ipv4(note), found), note)) return found;
        }
        if (!*(const uint32_t *)(bucket + 20)) break;
        number = other_bucket(table, number, tag);
    }
    return UINT32_MAX;
}

// The number of the entry that a frame's flow has, where its candidate is another one; UINT32_MAX where there is none.
RARELY static uint32_t look_further(struct reference *self, const struct note *note, uint32_t port, const struct stamps *stamps) {
    uint32_t number = self->lookup ? UINT32_MAX : find(self, note);
    if (number != UINT32_MAX || !self->opens_flows || !is_datagram(note)) return number;
    struct table *table = is_ipv4(note) ? &self->v4 : &self->v6;
    number = occupy(table, note->hash);
    if (number == UINT32_MAX) return number;
    uint8_t *at = table_entry(self, is_ipv4(note), number);
    memcpy(at, &note->key, is_ipv4(note) ? sizeof(struct key4) : sizeof(struct key6));
    *behind_key(at, is_ipv4(note)) = (struct entry){.generation = stamps->generation, .epoch = stamps->epoch,
        .valid_until = UINT32_MAX, .grounds = UINT32_MAX, .state = state_one_sided,
        .marks = (note->sender ? mark_high : 0) | (port ? mark_second_port : 0)};
    return number;
}

INLINE uint32_t opened(const struct reference *self) { return self->v4.used + self->v6.used; }

// Whether a datagram of no flow is one whose like was refused a moment ago; why, else `fine`.
INLINE enum reason refused_before(struct reference *self, const struct note *note, uint32_t port, const struct stamps *stamps) {
    if (unlikely(!self->refuses_flows || !is_datagram(note))) return fine;
    const struct denial *denial =
        remembered(is_ipv4(note) ? self->denials.v4 : self->denials.v6, note, port, stamps);
    if (unlikely(!denial || denial->is_reject)) return fine;
    // Somebody may have asked for it since, or a frame before it have opened its flow.
    if (unlikely(atomic_load_explicit(&self->expected_until, memory_order_relaxed) > stamps->ticks)) return fine;
    if (unlikely(opened(self) != stamps->opened)) return fine;
    return denial->reason;
}

// A frame of no flow, or of another one than its bucket suggests.
RARELY static enum reason judge_unknown(
    struct reference *self, struct note *note, uint32_t port, const struct stamps *stamps) {
    note->candidate = look_further(self, note, port, stamps);
    if (note->candidate != UINT32_MAX) return fine;
    if (!self->refuses_flows || !is_datagram(note)) return unknown_flow;
    remember(&self->denials, note, port, stamps, denied);
    self->refusals.all++;
    return denied;
}

INLINE enum reason forward(struct reference *self, const struct note *note, struct port *out) {
    if (unlikely(!atomic_load_explicit(out->link, memory_order_relaxed))) return link_down;
    if (unlikely(note->length > out->maximum_frame)) return oversize;
    if (unlikely(!producer_free(&out->transmit, 1))) {
        complete(self, out);
        if (!producer_free(&out->transmit, 1)) return transmit_full;
    }
    struct descriptor sent = {note->address, note->length, 0};
    ((struct descriptor *)out->transmit.slots)[out->transmit.head++ & out->transmit.mask] = sent;
    return fine;
}

// Lets each frame pass, or ends it.
STAGE void judge(struct reference *self, uint32_t count, uint32_t number, const struct stamps *stamps) {
    struct port *port = &self->ports[number], *out = &self->ports[1 - number];
    uint64_t forwarded = 0, forwarded_bytes = 0;
    uint32_t again = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct note *note = &self->notes[i];
        enum reason reason = note->reason;
        if (likely(!reason)) {
            uint32_t place = note->candidate;
            if (place == UINT32_MAX) {
                reason = refused_before(self, note, number, stamps);
                again += reason != fine;
            }
            if (likely(!reason)) {
                if (unlikely(place == UINT32_MAX || !is_key(table_entry(self, is_ipv4(note), place), note)))
                    reason = judge_unknown(self, note, number, stamps);
                if (likely(!reason)) reason = judge_known(table_entry(self, is_ipv4(note), note->candidate), note, number, stamps);
                if (likely(!reason)) reason = forward(self, note, out);
            }
        }
        if (likely(!reason)) {
            forwarded++;
            forwarded_bytes += note->length;
            continue;
        }
        port->dropped[reason]++;
        release(self, note->address);
    }
    port->forwarded += forwarded;
    port->forwarded_bytes += forwarded_bytes;
    self->refusals.all += again;
    self->refusals.again += again;
    self->refusals.untold = __builtin_add_overflow(self->refusals.untold, again, &again) ? UINT32_MAX : again;
}

uint32_t reference_turn(struct reference *self, uint64_t wall, uint32_t ticks) {
    uint32_t handled = 0;
    for (uint32_t number = 0; number < 2; number++) {
        struct port *port = &self->ports[number];
        complete(self, port);
        refill(self, port);
        uint32_t count = receive(self, port);
        if (!count) continue;
        if (self->lookup) {
            read_unhashed(self, count);
            look_up(self, count);
        } else {
            if (self->asks_ahead) read_long(self, count);
            else read_short(self, count);
            suggest(self, count);
        }
        struct stamps stamps = {self->generation, atomic_load_explicit(self->epoch, memory_order_acquire),
            wall < UINT32_MAX ? wall : UINT32_MAX - 1, ticks, opened(self)};
        judge(self, count, number, &stamps);
        handled += count;
    }
    producer_submit(&self->ports[0].transmit);
    producer_submit(&self->ports[1].transmit);
    return handled;
}
