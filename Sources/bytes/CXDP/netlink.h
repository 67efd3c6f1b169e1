// SPDX-License-Identifier: Apache-2.0
// Netlink messages, as the shims share them among themselves.
#ifndef CXDP_NETLINK_H
#define CXDP_NETLINK_H

#include <linux/netlink.h>
#include <stdint.h>
#include <sys/types.h>

/// Puts an attribute at the end of a message; the caller has made room for it.
void cxdp_append(struct nlmsghdr *header, uint16_t type, const void *value, size_t length);

/// Sends one request on a fresh socket of `protocol` and takes one answer into `buffer`. Its length or -errno.
ssize_t cxdp_exchange(int protocol, struct nlmsghdr *ask, void *buffer, size_t room);

#endif
