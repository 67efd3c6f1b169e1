// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "cxdp_program.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"

/// Uses `fd` as the map of this name, unless it is -1. 0 or -errno.
static int reuse(struct bpf_object *object, const char *name, int fd) {
    struct bpf_map *map = bpf_object__find_map_by_name(object, name);
    if (!map) return -ENOENT;
    return fd < 0 ? 0 : bpf_map__reuse_fd(map, fd);
}

static int map_copy(struct bpf_object *object, const char *name) {
    return cxdp_duplicate(bpf_object__find_map_fd_by_name(object, name));
}

static int load(struct bpf_object *object, int sockets, int peer, int mode, struct cxdp_redirect *out) {
    int error = reuse(object, "sockets", sockets);
    if (!error) error = reuse(object, "peer", peer);
    if (!error) error = reuse(object, "mode", mode);
    if (!error) error = bpf_object__load(object);
    struct bpf_program *program = bpf_object__next_program(object, NULL);
    if (error || !program) return error ? error : -ENOENT;
    *out = (struct cxdp_redirect){
        .program = cxdp_duplicate(bpf_program__fd(program)),
        .sockets = map_copy(object, "sockets"),
        .peer = map_copy(object, "peer"),
        .mode = map_copy(object, "mode"),
    };
    int const all[4] = {out->program, out->sockets, out->peer, out->mode};
    for (int i = 0; i < 4; i++) {
        if (all[i] < 0) error = all[i];
    }
    for (int i = 0; error && i < 4; i++) {
        if (all[i] >= 0) close(all[i]);
    }
    return error;
}

int cxdp_redirect_load(
    const void *object, size_t length, int sockets, int peer, int mode, struct cxdp_redirect *out, char *log,
    size_t log_length) {
    cxdp_log_begin(log, log_length);
    LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "bulkhead");
    struct bpf_object *opened = bpf_object__open_mem(object, length, &options);
    int error = opened ? load(opened, sockets, peer, mode, out) : -errno;
    bpf_object__close(opened);
    cxdp_log_end();
    return error;
}

int cxdp_link_create(int program, uint32_t ifindex, uint32_t attach_flags) {
    LIBBPF_OPTS(bpf_link_create_opts, options, .flags = attach_flags);
    return bpf_link_create(program, (int)ifindex, BPF_XDP, &options);
}

int cxdp_link_update(int link, int program) {
    return bpf_link_update(link, program, NULL);
}

int cxdp_link_detach(int link) {
    return bpf_link_detach(link);
}

/// Whether a descriptor is a BPF link. The information call answers for programs as well, and with the same number for "XDP".
static int is_link(int fd) {
    char path[32], target[64] = {0};
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return readlink(path, target, sizeof target - 1) > 0 && strstr(target, "link") != NULL;
}

int cxdp_link_info(int link, uint32_t *ifindex, uint32_t *program_id) {
    struct bpf_link_info info;
    uint32_t length = sizeof info;
    if (!is_link(link)) return -EINVAL;
    memset(&info, 0, sizeof info);
    int error = bpf_obj_get_info_by_fd(link, &info, &length);
    if (error) return error;
    if (info.type != BPF_LINK_TYPE_XDP) return -EINVAL;
    *ifindex = info.xdp.ifindex;
    *program_id = info.prog_id;
    return 0;
}

int64_t cxdp_program_id(int program) {
    struct bpf_prog_info info;
    uint32_t length = sizeof info;
    memset(&info, 0, sizeof info);
    int error = bpf_obj_get_info_by_fd(program, &info, &length);
    return error ? error : (int64_t)info.id;
}

int cxdp_pin(int fd, const char *path) {
    return bpf_obj_pin(fd, path);
}

int cxdp_pinned(const char *path) {
    return bpf_obj_get(path);
}

int cxdp_map_info(
    int map, uint32_t *type, uint32_t *key_size, uint32_t *value_size, uint32_t *entries, uint32_t *flags) {
    struct bpf_map_info info;
    uint32_t length = sizeof info;
    memset(&info, 0, sizeof info);
    int error = bpf_obj_get_info_by_fd(map, &info, &length);
    if (error) return error;
    *type = info.type;
    *key_size = info.key_size;
    *value_size = info.value_size;
    *entries = info.max_entries;
    *flags = info.map_flags;
    return 0;
}

int cxdp_create_mode_map(void) {
    LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
    return bpf_map_create(BPF_MAP_TYPE_ARRAY, "mode", sizeof(uint32_t), 2 * sizeof(uint32_t), 1, &options);
}

int cxdp_map_set(int map, uint32_t key, uint32_t value) {
    return bpf_map_update_elem(map, &key, &value, BPF_ANY);
}

int cxdp_map_delete(int map, uint32_t key) {
    return bpf_map_delete_elem(map, &key);
}

int cxdp_map_get(int map, uint32_t key, uint32_t *value) {
    return bpf_map_lookup_elem(map, &key, value);
}

int cxdp_program_test(int program, const void *frame, uint32_t length) {
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = length, .repeat = 1);
    int error = bpf_prog_test_run_opts(program, &options);
    return error ? error : (int)options.retval;
}
