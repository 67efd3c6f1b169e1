// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "cxdp_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <numa.h>
#include <numaif.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef MFD_HUGE_2MB
#define MFD_HUGE_2MB (21u << 26)
#endif

enum { ALL_SEALS = CXDP_SEAL_SEAL | CXDP_SEAL_SHRINK | CXDP_SEAL_GROW | CXDP_SEAL_WRITE, HUGE_PAGE = 2 << 20 };

int cxdp_memfd_create(const char *name, uint64_t size, bool huge) {
    unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING | (huge ? MFD_HUGETLB | MFD_HUGE_2MB : 0);
    int fd = memfd_create(name, flags | MFD_NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL) fd = memfd_create(name, flags);  // before Linux 6.3
    if (fd < 0) return -errno;
    if (huge) size = (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    if (ftruncate(fd, (off_t)size) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

int cxdp_memfd_seal(int fd, int seals) {
    return fcntl(fd, F_ADD_SEALS, seals) < 0 ? -errno : 0;
}

int cxdp_memfd_seals(int fd) {
    int seals = fcntl(fd, F_GET_SEALS);
    return seals < 0 ? -errno : seals & ALL_SEALS;
}

int64_t cxdp_file_size(int fd) {
    struct stat status;
    return fstat(fd, &status) < 0 ? -errno : (int64_t)status.st_size;
}

static int map_mode(int fd, int protection, uint32_t **words) {
    void *address = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), protection, MAP_SHARED, fd, 0);
    if (address == MAP_FAILED) return -errno;
    *words = address;
    return 0;
}

int cxdp_map_mode(int fd, const uint32_t **words) {
    return map_mode(fd, PROT_READ, (uint32_t **)words);
}

int cxdp_map_mode_for_writing(int fd, uint32_t **words) {
    return map_mode(fd, PROT_READ | PROT_WRITE, words);
}

void cxdp_write_mode(uint32_t *words, uint32_t mode, uint32_t epoch) {
    // Both machines that we build for are little-endian: the mode is the low half.
    __atomic_store_n((uint64_t *)(void *)words, (uint64_t)epoch << 32 | mode, __ATOMIC_RELEASE);
}

void cxdp_unmap_mode(const uint32_t *words) {
    munmap((void *)words, (size_t)sysconf(_SC_PAGESIZE));
}

int cxdp_raise_memlock(void) {
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    if (setrlimit(RLIMIT_MEMLOCK, &limit) == 0) return 0;
    if (errno != EPERM || getrlimit(RLIMIT_MEMLOCK, &limit) < 0) return -errno;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_MEMLOCK, &limit) < 0 ? -errno : 0;
}

uint64_t cxdp_memlock(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY) return UINT64_MAX;
    return limit.rlim_cur;
}

int cxdp_node_of_device(const char *bus_address) {
    char path[128];
    int length = snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/numa_node", bus_address);
    if (bus_address[0] == 0 || strchr(bus_address, '/') || length >= (int)sizeof path) return -1;
    FILE *file = fopen(path, "re");
    int node = -1;
    if (!file) return -1;
    if (fscanf(file, "%d", &node) != 1) node = -1;
    fclose(file);
    return node;
}

int cxdp_node_count(void) {
    return numa_available() < 0 ? 1 : numa_num_configured_nodes();
}

int cxdp_bind_memory_to_node(void *address, uint64_t length, int node) {
    if (node < 0) return 0;
    if (numa_available() < 0) return -ENOSYS;
    unsigned long mask[16] = {0};
    unsigned const bits = 8 * sizeof mask[0];
    if ((unsigned)node >= bits * 16) return -EINVAL;
    mask[(unsigned)node / bits] = 1ul << (unsigned)node % bits;
    return mbind(address, length, MPOL_PREFERRED, mask, bits * 16, MPOL_MF_MOVE) < 0 ? -errno : 0;
}
