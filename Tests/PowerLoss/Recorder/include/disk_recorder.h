// SPDX-License-Identifier: Apache-2.0
// Stands between this process and the kernel where files are changed. Whoever links it has the C library's own calls replaced (open,
// write, pwrite, ftruncate, fsync, fdatasync, rename, unlink), also for the libraries that it uses: SQLite's are among them.
#pragma once
#include <stddef.h>

/// Writes each change of a file beneath `folder` to the file `log`, in order; returns 0, or -1 with errno. For one thread at a time.
int disk_recorder_begin(const char *folder, const char *log);

/// Writes down that everything up to here has been promised to somebody, with what, in so many bytes of text.
void disk_recorder_mark(const char *text, size_t length);

/// Lets the change number `turn` from now (1: the next one), and all behind it, fail with `error`; 0 ends that. With ENOSPC only what needs
/// room fails, as on a full disk. Returns how often something has failed since the last call.
int disk_recorder_fail(int turn, int error);
