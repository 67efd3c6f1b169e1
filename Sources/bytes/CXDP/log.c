// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "log.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>

// What libbpf says while the calling thread loads goes into that thread's log, and not to standard error.
static __thread char *log_here;
static __thread size_t log_room;

static int keep_message(enum libbpf_print_level level, const char *format, va_list arguments) {
    if (level > LIBBPF_INFO || !log_here || log_room < 2) return 0;
    int length = vsnprintf(log_here, log_room, format, arguments);
    if (length < 0) return 0;
    size_t const used = (size_t)length < log_room ? (size_t)length : log_room - 1;
    log_here += used;
    log_room -= used;
    return 0;
}

void cxdp_log_begin(char *log, size_t length) {
    if (length > 0) log[0] = 0;
    log_here = log;
    log_room = length;
    libbpf_set_print(keep_message);
}

void cxdp_log_end(void) {
    log_here = NULL;
}

int cxdp_duplicate(int fd) {
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return copy < 0 ? -errno : copy;
}
