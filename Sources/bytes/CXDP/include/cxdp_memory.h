// SPDX-License-Identifier: Apache-2.0
// Memory files, seals, the mapped mode word, NUMA placement.
#ifndef CXDP_MEMORY_H
#define CXDP_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Seals of a memory file; see fcntl(2), F_ADD_SEALS.
enum {
    CXDP_SEAL_SEAL = 0x0001,    ///< no further seals
    CXDP_SEAL_SHRINK = 0x0002,  ///< the file cannot get smaller: no SIGBUS for whoever mapped it
    CXDP_SEAL_GROW = 0x0004,    ///< the file cannot get larger
    CXDP_SEAL_WRITE = 0x0008,   ///< the content cannot change; refused while a writable mapping exists
};

/// Creates a memory file of `size` bytes that can be sealed and is not executable; with `huge` of 2 MiB pages (`size` is
/// then rounded up to them). The descriptor or -errno; -ENOMEM with `huge` when too few huge pages are reserved
/// (a shortage may also show only when the pages are mapped).
int cxdp_memfd_create(const char *name, uint64_t size, bool huge);

/// Adds `seals` (CXDP_SEAL_…). 0 or -errno; -EBUSY when CXDP_SEAL_WRITE meets a writable mapping.
int cxdp_memfd_seal(int fd, int seals);

/// The seals that `fd` carries, of the four above; -EINVAL when it is not a memory file.
int cxdp_memfd_seals(int fd);

/// The size of the file behind `fd` in bytes, or -errno.
int64_t cxdp_file_size(int fd);

/// Maps the mode word (map `mode` of the redirect program) for reading: `words[0]` is the mode, `words[1]` the epoch. Read it
/// with `cxdp_read_mode`. 0 or -errno. Needs no privilege, only a descriptor, which must be open for writing too: the kernel
/// refuses to map a map through a read-only one. Close it afterwards, and nothing is left that could write: the mapping cannot be
/// made writable.
int cxdp_map_mode(int fd, const uint32_t **words);

/// Maps the mode word for writing. 0 or -errno.
int cxdp_map_mode_for_writing(int fd, uint32_t **words);

/// Stores mode and epoch in one store, so that no reader sees one without the other.
void cxdp_write_mode(uint32_t *words, uint32_t mode, uint32_t epoch);

/// Unmaps what the two functions above mapped.
void cxdp_unmap_mode(const uint32_t *words);

/// Lifts RLIMIT_MEMLOCK to infinity, or, without the privilege to do so, to its hard limit. 0 or -errno.
int cxdp_raise_memlock(void);

/// RLIMIT_MEMLOCK in bytes; UINT64_MAX when there is no limit.
uint64_t cxdp_memlock(void);

/// The NUMA node of the device with this bus address (`0000:01:00.0`, as ethtool's bus-info says it), or -1 for none, a
/// virtual device, or a machine with one node. It is read from /sys/bus, which looks the same in each network namespace.
int cxdp_node_of_device(const char *bus_address);

/// How many NUMA nodes the machine has, at least 1.
int cxdp_node_count(void);

/// Lets the pages of a mapping come from `node`, and moves those that are there already. Another node serves when this one is
/// full: far memory is slow, no memory is fatal. 0 or -errno; `node` < 0 does nothing.
int cxdp_bind_memory_to_node(void *address, uint64_t length, int node);

#endif
