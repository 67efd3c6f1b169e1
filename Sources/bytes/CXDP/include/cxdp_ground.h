// SPDX-License-Identifier: Apache-2.0
// What a port and its driver can do, as ethtool and the netdev family say it, and the little that a self-test needs to make
// ports of its own. All names and numbers are those of the calling thread's network namespace.
#ifndef CXDP_GROUND_H
#define CXDP_GROUND_H

#include <stdbool.h>
#include <stdint.h>

/// Whether a feature of `ethtool -k`, named as the kernel names it (`rx-gro-hw`), is on: 1, 0, or -errno; -ENOENT when the kernel does
/// not know it.
int cxdp_interface_feature(const char *name, const char *feature);

/// The driver's version and its firmware's, each zero-terminated, both buffers of 32 bytes. 0 or -errno.
int cxdp_interface_versions(const char *name, char *version, char *firmware);

/// Channels in use and the most there can be (`ethtool -l`).
struct cxdp_channels {
    uint32_t receive, transmit, combined;
    uint32_t max_receive, max_transmit, max_combined;
};
int cxdp_interface_channel_limits(const char *name, struct cxdp_channels *out);

/// Descriptors in the device's receive and transmit rings (`ethtool -g`). 0 or -errno.
int cxdp_interface_rings(const char *name, uint32_t *receive, uint32_t *transmit);

/// How a device spreads frames over its queues (`ethtool -x`).
struct cxdp_spreading {
    uint32_t table_size;   ///< entries of the indirection table
    uint32_t key_size;     ///< bytes of the hash key, at most those of `key`
    uint64_t table_print;  ///< a fingerprint of the table
    uint8_t key[256];
    uint8_t function;      ///< ETH_RSS_HASH_…
    uint8_t transform;     ///< RXH_XFRM_…: 1 symmetric-xor, 2 symmetric-or-xor
};
int cxdp_interface_spreading(const char *name, struct cxdp_spreading *out);

/// What a driver says about XDP (netdev family, Linux 6.3): NETDEV_XDP_ACT_…
enum {
    CXDP_CAN_XDP = 1 << 0,         ///< programs run in the driver
    CXDP_CAN_REDIRECT = 1 << 1,    ///< XDP_REDIRECT works
    CXDP_CAN_BE_TARGET = 1 << 2,   ///< frames can be redirected to it by a DEVMAP
    CXDP_CAN_ZERO_COPY = 1 << 3,   ///< AF_XDP without a copy
};
/// 0 or -errno; -EOPNOTSUPP on kernels that do not tell. `segments` is how many frames a packet may span without a copy.
int cxdp_interface_xdp_features(uint32_t ifindex, uint64_t *features, uint32_t *segments);

/// Addresses that this host has on a port.
struct cxdp_addresses {
    uint32_t ipv4, ipv6, link_local;
    char first[64];  ///< the first that is not link-local, else the first, as text
};
int cxdp_interface_addresses(const char *name, struct cxdp_addresses *out);

/// Switches an offload (CXDP_OFFLOAD_RX_CHECKSUM to CXDP_OFFLOAD_GRO) on or off. 0 or -errno.
int cxdp_interface_set_offload(const char *name, int offload, bool on);

/// Makes a veth pair with one queue an end: `name` here and `peer` in the namespace behind `peer_namespace`. 0 or -errno.
int cxdp_veth_create(const char *name, const char *peer, int peer_namespace);

/// Gives a port an IPv4 address (network byte order) in a network of 24 bits. 0 or -errno.
int cxdp_interface_set_ipv4(const char *name, uint32_t address);

/// Asks whether the bpf(2) call answers at all, by making and closing a small map. 0 or -errno; -ENOSYS, -EPERM.
int cxdp_bpf_works(void);

#endif
