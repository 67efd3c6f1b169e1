// SPDX-License-Identifier: Apache-2.0
#pragma once

// Asks the processor for the line of cache that holds an address, and goes on at once. Swift has no word for it: an early load would
// do the same, but an instruction that waits for memory cannot retire, and those behind it pile up.
//
// Any address will do, also one that is not mapped: a prefetch never faults.
__attribute__((always_inline, swift_attr("@_noLocks"))) static inline void bulkhead_prefetch(const void *address) {
    __builtin_prefetch(address);
}
