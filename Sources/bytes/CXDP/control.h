// SPDX-License-Identifier: Apache-2.0
// What the interface shims share among themselves.
#ifndef CXDP_CONTROL_H
#define CXDP_CONTROL_H

#include <net/if.h>

/// Runs one interface ioctl on a socket of its own, which belongs to the calling thread's namespace. 0 or -errno.
int cxdp_control(const char *name, unsigned long request, struct ifreq *ask);

/// Runs one ethtool command. 0 or -errno.
int cxdp_ethtool(const char *name, void *command);

/// How many strings a set of the device (ETH_SS_…) has, or -errno.
int cxdp_count_strings(const char *name, unsigned set);

#endif
