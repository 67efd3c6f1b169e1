// SPDX-License-Identifier: Apache-2.0
// What privilege.c and sandbox.c share.
#ifndef CXDP_PRIVILEGE_H
#define CXDP_PRIVILEGE_H

#include <stdint.h>

/// Takes all capabilities but those in the bit set `kept` out of the bounding set, so that no later exec can bring one back. A
/// process that may not touch the set (it has given CAP_SETPCAP up) needs not: no_new_privs, which is set before, does the same for
/// it. 0 or -errno.
int cxdp_limit_bounding_set(uint64_t kept);

#endif
