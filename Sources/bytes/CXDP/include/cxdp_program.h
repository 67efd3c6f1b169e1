// SPDX-License-Identifier: Apache-2.0
// The redirect program through libbpf: load, attach by BPF link, pin, maps.
#ifndef CXDP_PROGRAM_H
#define CXDP_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

/// How a program is attached (XDP_FLAGS_…). 0 is missing on purpose: it falls back to generic mode without a word.
enum {
    CXDP_ATTACH_GENERIC = 1 << 1,
    CXDP_ATTACH_NATIVE = 1 << 2,
};

/// Descriptors of a loaded redirect program and its maps.
struct cxdp_redirect {
    int program;
    int sockets;
    int peer;
    int mode;
};

/// Loads the ELF object with libbpf. `sockets`, `peer` and `mode` are maps to be used in place of fresh ones, or -1. `log`
/// receives what libbpf and the verifier said (zero-terminated, cut to `log_length`). All four descriptors of `out` are the
/// caller's to close. 0 or -errno.
int cxdp_redirect_load(
    const void *object, size_t length, int sockets, int peer, int mode, struct cxdp_redirect *out, char *log,
    size_t log_length);

/// Attaches `program` to the port by a BPF link. The link's descriptor or -errno: -EBUSY when another program is there,
/// -EOPNOTSUPP when the driver has no native XDP.
int cxdp_link_create(int program, uint32_t ifindex, uint32_t attach_flags);

/// Puts `program` in place of the link's present one; no frame is lost. 0 or -errno.
int cxdp_link_update(int link, int program);

/// Takes the program off its port at once, also while the link is pinned or open elsewhere. 0 or -errno.
int cxdp_link_detach(int link);

/// Where the link sits (`*ifindex` is 0 once its device is deleted) and the id of its program. 0 or -errno; -EINVAL when
/// the descriptor is no link.
int cxdp_link_info(int link, uint32_t *ifindex, uint32_t *program_id);

/// The id of a loaded program, or -errno.
int64_t cxdp_program_id(int program);

/// Pins a program, map or link at `path`. 0 or -errno.
int cxdp_pin(int fd, const char *path);

/// Opens what is pinned at `path`. Its descriptor or -errno.
int cxdp_pinned(const char *path);

/// Type, key size, value size, entries and flags of a map. 0 or -errno.
int cxdp_map_info(
    int map, uint32_t *type, uint32_t *key_size, uint32_t *value_size, uint32_t *entries, uint32_t *flags);

/// The kernel's numbers of the map types in use.
enum { CXDP_MAP_ARRAY = 2, CXDP_MAP_DEVICES = 14, CXDP_MAP_SOCKETS = 17 };

/// Creates the map `mode`: one entry of 8 bytes (mode, epoch) that can be mapped. Its descriptor or -errno.
int cxdp_create_mode_map(void);

/// Sets entry `key` of a map with 4-byte values (a socket's descriptor, an ifindex). 0 or -errno.
int cxdp_map_set(int map, uint32_t key, uint32_t value);

/// Deletes entry `key`. 0 or -errno; -ENOENT when it is empty.
int cxdp_map_delete(int map, uint32_t key);

/// Reads entry `key` of a map with 4-byte values. 0 or -errno; -ENOENT when it is empty, -EOPNOTSUPP for the socket map,
/// which cannot be read.
int cxdp_map_get(int map, uint32_t key, uint32_t *value);

/// Runs a program on one frame (BPF_PROG_TEST_RUN, as if received on queue 0). Its XDP return code, or -errno.
int cxdp_program_test(int program, const void *frame, uint32_t length);

#endif
