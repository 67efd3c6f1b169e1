// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdlib.h>

#include "following.h"

// Connections that were refused a moment ago, in the layout of DenialCache in Sources/bytes/Flow: of each family lines of 64 bytes, each with
// a key and, at its end, what is kept of the refusal. A key may lie in either of two lines.

enum { denial_lines = 8192, denial_line = 64, denial_place = 48, denial_lifetime = 953, no_port = 255 };

// What is kept of a refusal beside its key.
struct denial {
    uint32_t generation, epoch, judged;
    uint8_t is_reject, reason, sender, port;
};
_Static_assert(sizeof(struct denial) == denial_line - denial_place && sizeof(struct key6) == denial_place, "as DenialCache has it");

struct denials {
    uint8_t *v4, *v6;
    // Refusals that lost their line to another one.
    uint32_t displaced;
};

static uint8_t *empty_lines(void) {
    uint8_t *lines = aligned_alloc(denial_line, denial_lines * denial_line);
    if (!lines) return NULL;
    memset(lines, 0, denial_lines * denial_line);
    for (int i = 0; i < denial_lines; i++) ((struct denial *)(lines + i * denial_line + denial_place))->port = no_port;
    return lines;
}

INLINE uint8_t *first_line(uint8_t *lines, uint64_t hash) { return lines + (hash >> 40 & (denial_lines - 1)) * denial_line; }
INLINE uint8_t *second_line(uint8_t *lines, uint64_t hash) { return lines + (hash >> 51) * denial_line; }

INLINE void prefetch_denial(uint8_t *lines, uint64_t hash) {
    __builtin_prefetch(first_line(lines, hash));
    __builtin_prefetch(second_line(lines, hash));
}

INLINE struct denial *denial_in(uint8_t *line) { return (struct denial *)(line + denial_place); }

INLINE bool is_of(uint8_t *line, const struct note *note, uint32_t port) {
    const struct denial *denial = denial_in(line);
    return denial->port == port && denial->sender == note->sender && is_key(line, note);
}

INLINE bool holds(const struct denial *denial, const struct stamps *stamps) {
    uint32_t other = (denial->generation ^ stamps->generation) | (denial->epoch ^ stamps->epoch);
    return !other && stamps->ticks - denial->judged < denial_lifetime;
}

// The refusal of a frame's connection that is believed, or NULL.
INLINE const struct denial *remembered(uint8_t *lines, const struct note *note, uint32_t port, const struct stamps *stamps) {
    uint8_t *line = first_line(lines, note->hash);
    if (!is_of(line, note, port)) {
        line = second_line(lines, note->hash);
        if (!is_of(line, note, port)) return NULL;
    }
    return likely(holds(denial_in(line), stamps)) ? denial_in(line) : NULL;
}

// Remembers that a connection was refused: in its own line, in one that holds nothing that is believed, else in either by turns.
RARELY static void remember(struct denials *denials, const struct note *note, uint32_t port, const struct stamps *stamps, uint8_t reason) {
    uint8_t *lines = is_ipv4(note) ? denials->v4 : denials->v6;
    uint8_t *line = first_line(lines, note->hash), *other = second_line(lines, note->hash);
    if (!is_of(line, note, port)) {
        bool is_taken = denial_in(line)->port != no_port && holds(denial_in(line), stamps);
        bool is_other_taken = denial_in(other)->port != no_port && holds(denial_in(other), stamps);
        if (is_of(other, note, port) || (is_taken && (!is_other_taken || ++denials->displaced & 1))) line = other;
    }
    memcpy(line, &note->key, is_ipv4(note) ? sizeof(struct key4) : sizeof(struct key6));
    *denial_in(line) = (struct denial){stamps->generation, stamps->epoch, stamps->ticks, false, reason, note->sender, (uint8_t)port};
}
