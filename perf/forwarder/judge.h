// SPDX-License-Identifier: Apache-2.0
// What the reference pipeline (perf/reference) needs beside rings and packet memory: flow tables, a secret, free frames, a policy's stamps.
#ifndef FORWARDER_JUDGE_H
#define FORWARDER_JUDGE_H

#include "reference.h"
#include "rings.h"

/// A ring as the reference takes it over, at the positions that the kernel's memory holds.
static inline struct reference_ring ring_of(struct ring ring) {
    return (struct reference_ring){ring.shared.producer, ring.shared.consumer, ring.shared.descriptors};
}

/// The reference over `parts`, whose rings, packet memory and checks are said; all else is made here. All of the `frames` frames are free.
/// Datagrams open flows. NULL without memory.
struct reference *judging(struct reference_parts *parts, uint64_t frames);

#endif
