// SPDX-License-Identifier: Apache-2.0
// What the loaders share among themselves.
#ifndef CXDP_LOG_H
#define CXDP_LOG_H

#include <stddef.h>

/// From now on what libbpf says in the calling thread goes into `log`, zero-terminated and cut to `length`, and not to standard error.
void cxdp_log_begin(char *log, size_t length);

/// From now on it goes nowhere.
void cxdp_log_end(void);

/// A copy of a descriptor, close-on-exec, or -errno.
int cxdp_duplicate(int fd);

#endif
