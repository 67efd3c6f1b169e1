// SPDX-License-Identifier: Apache-2.0
// Interfaces: what rtnetlink, the interface ioctls and ethtool's ioctls say. All names and numbers are those of the calling
// thread's network namespace.
#ifndef CXDP_INTERFACE_H
#define CXDP_INTERFACE_H

#include <stdint.h>

/// What a message about a link says.
enum {
    CXDP_LINK_PRESENT = 1,  ///< it exists, or changed
    CXDP_LINK_DELETED = 2,  ///< it is gone
};

/// XDP on a link (IFLA_XDP_ATTACHED).
enum { CXDP_XDP_NONE = 0, CXDP_XDP_NATIVE = 1, CXDP_XDP_GENERIC = 2, CXDP_XDP_OFFLOADED = 3, CXDP_XDP_SEVERAL = 4 };

/// One link as RTM_NEWLINK or RTM_DELLINK shows it.
struct cxdp_link {
    uint32_t event;          ///< CXDP_LINK_…
    uint32_t ifindex;
    uint32_t flags;          ///< IFF_…
    uint32_t mtu;
    uint32_t rx_queues;      ///< allocated at creation, not necessarily in use
    uint32_t tx_queues;
    uint32_t peer_ifindex;   ///< veth: the other end, numbered in its own namespace; 0 when not told
    int32_t peer_namespace;  ///< nsid of that namespace, -1 when it is ours or not told
    uint32_t master;         ///< the bridge or bond that it belongs to; 0 for none
    uint32_t xdp_mode;       ///< CXDP_XDP_…
    uint32_t xdp_program;    ///< id of the attached program, 0 for none
    uint8_t address[6];
    uint8_t address_length;
    uint8_t operational;     ///< IF_OPER_… (RFC 2863)
    uint8_t carrier;         ///< 1 or 0
    char name[16];
    char kind[16];           ///< `veth`, `bond`, …; empty for hardware
};

/// A netlink socket that hears of link changes (group RTNLGRP_LINK), non-blocking. The descriptor or -errno.
int cxdp_links_open(void);

/// Takes one datagram off the socket and writes up to `max` links of it. Their number, -EAGAIN when the queue is empty,
/// -ENOBUFS when messages were lost (here or in the kernel): then ask anew for whatever matters.
int cxdp_links_receive(int fd, struct cxdp_link *out, unsigned max);

/// Asks for one link by name or, with `name` NULL, by index; `namespace_id` is an nsid as in `peer_namespace`, or -1 for ours.
/// 0 or -errno; -ENODEV when there is none.
int cxdp_link_query(const char *name, uint32_t ifindex, int32_t namespace_id, struct cxdp_link *out);

/// Opens the namespace that ours knows as `namespace_id`, if it is one of those that `ip netns` names in /run/netns, and
/// writes that name into `name`, a buffer of 256 bytes. Its descriptor or -errno; -ENOENT when it is none of them.
int cxdp_named_namespace(int32_t namespace_id, char *name);

/// The same by a process that lives in it, whose number is written into `pid`: containers' namespaces have no name there.
int cxdp_inhabited_namespace(int32_t namespace_id, int32_t *pid);

/// Sets and clears IFF_ flags by ioctl. 0 or -errno.
int cxdp_interface_change_flags(const char *name, uint32_t set, uint32_t clear);

/// Sets IFF_UP or clears it. 0 or -errno.
int cxdp_interface_set_up(const char *name, int up);

/// Queues in use (ethtool channels): receive and transmit, combined ones counted in both. 0 or -errno; -EOPNOTSUPP for
/// drivers that do not tell.
int cxdp_interface_channels(const char *name, uint32_t *receive, uint32_t *transmit);

/// Driver and bus address, each zero-terminated, both buffers of 32 bytes. 0 or -errno.
int cxdp_interface_driver(const char *name, char *driver, char *bus_address);

/// Offloads that matter to a firewall in the path.
enum {
    CXDP_OFFLOAD_RX_CHECKSUM = 0,
    CXDP_OFFLOAD_TX_CHECKSUM,
    CXDP_OFFLOAD_TSO,
    CXDP_OFFLOAD_GSO,
    CXDP_OFFLOAD_GRO,
    CXDP_OFFLOAD_LRO,
    CXDP_OFFLOAD_RX_VLAN,
    CXDP_OFFLOAD_TX_VLAN,
};

/// Whether an offload is on: 1, 0, or -errno.
int cxdp_interface_offload(const char *name, int offload);

/// One of the driver's own counters (`ethtool -S`) by its name. 0 or -errno; -ENOENT when the driver has no such counter.
int cxdp_interface_counter(const char *name, const char *counter, uint64_t *value);

#endif
