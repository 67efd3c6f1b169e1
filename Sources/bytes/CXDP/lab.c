// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "cxdp_lab.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include "log.h"

static int take(struct bpf_object *object, const char *const *names, unsigned count, int *maps) {
    int error = bpf_object__load(object);
    struct bpf_program *program = bpf_object__next_program(object, NULL);
    if (error || !program) return error ? error : -ENOENT;
    unsigned taken = 0;
    for (; taken < count; taken++) {
        maps[taken] = cxdp_duplicate(bpf_object__find_map_fd_by_name(object, names[taken]));
        if (maps[taken] < 0) error = maps[taken];
        if (error) break;
    }
    int const result = error ? error : cxdp_duplicate(bpf_program__fd(program));
    while (result < 0 && taken > 0) close(maps[--taken]);
    return result;
}

int cxdp_lab_load(
    const void *object, size_t length, const char *const *names, unsigned count, int *maps, char *log, size_t log_length) {
    cxdp_log_begin(log, log_length);
    LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "bulkhead_lab");
    struct bpf_object *opened = bpf_object__open_mem(object, length, &options);
    int const result = opened ? take(opened, names, count, maps) : -errno;
    bpf_object__close(opened);
    cxdp_log_end();
    return result;
}

int cxdp_lab_map(int map, size_t length, void **memory) {
    void *address = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
    if (address == MAP_FAILED) return -errno;
    *memory = address;
    return 0;
}

void cxdp_lab_unmap(void *memory, size_t length) {
    munmap(memory, length);
}

int cxdp_lab_try(int program, const void *frame, uint32_t length, void *out, uint32_t *out_length) {
    LIBBPF_OPTS(
        bpf_test_run_opts, options, .data_in = frame, .data_size_in = length, .data_out = out, .data_size_out = *out_length,
        .repeat = 1);
    int const error = bpf_prog_test_run_opts(program, &options);
    *out_length = options.data_size_out;
    return error ? error : (int)options.retval;
}

int cxdp_lab_send(
    int program, uint32_t ifindex, const void *frame, uint32_t length, uint32_t repeat, uint32_t batch) {
    // The frame begins where the context says: no metadata before it.
    struct xdp_md context = {.data_end = length, .ingress_ifindex = ifindex};
    LIBBPF_OPTS(
        bpf_test_run_opts, options, .data_in = frame, .data_size_in = length, .ctx_in = &context, .ctx_size_in = sizeof context,
        .repeat = (int)repeat, .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = batch);
    return bpf_prog_test_run_opts(program, &options);
}
