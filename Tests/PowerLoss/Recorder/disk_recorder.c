// SPDX-License-Identifier: Apache-2.0
// Events in the log, each a byte for its kind, then numbers of 8 bytes in the machine's order, then texts and bytes with their length before:
// O fd flags name | W fd offset bytes | T fd length | S fd | R old new | U name | M text. A folder's name is empty.
#define _GNU_SOURCE
#include "disk_recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FILES 1024

static char watched[1024];
static size_t watched_length;
static int log_file = -1;
// Which descriptors are files beneath the folder.
static char tracked[FILES];
static int fail_turn, fail_error, failures;

static void put(const void *bytes, size_t length) {
    while (length > 0) {
        long count = syscall(SYS_write, log_file, bytes, length);
        if (count <= 0) return;
        bytes = (const char *)bytes + count;
        length -= (size_t)count;
    }
}

static void put_number(int64_t number) { put(&number, sizeof number); }

static void put_bytes(const void *bytes, size_t length) {
    put_number((int64_t)length);
    put(bytes, length);
}

static void event(char kind) { put(&kind, 1); }

/// The name beneath the folder: empty for the folder itself, NULL for what is elsewhere.
static const char *beneath(const char *path) {
    if (watched_length == 0 || strncmp(path, watched, watched_length) != 0) return NULL;
    if (path[watched_length] == 0) return path + watched_length;
    return path[watched_length] == '/' ? path + watched_length + 1 : NULL;
}

static int is_tracked(int fd) { return fd >= 0 && fd < FILES && tracked[fd]; }

/// Whether this change is to fail now.
static int fails(int needs_room) {
    if (fail_turn == 0 || (fail_error == ENOSPC && !needs_room)) return 0;
    if (fail_turn > 1) {
        fail_turn--;
        return 0;
    }
    failures++;
    errno = fail_error;
    return 1;
}

int disk_recorder_begin(const char *folder, const char *log) {
    if (snprintf(watched, sizeof watched, "%s", folder) >= (int)sizeof watched) {
        errno = ENAMETOOLONG;
        return -1;
    }
    log_file = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    watched_length = log_file < 0 ? 0 : strlen(watched);
    return log_file < 0 ? -1 : 0;
}

void disk_recorder_mark(const char *text, size_t length) {
    event('M');
    put_bytes(text, length);
}

int disk_recorder_fail(int turn, int error) {
    int count = failures;
    failures = 0;
    fail_turn = turn;
    fail_error = error;
    return count;
}

static int open_recorded(const char *path, int flags, mode_t mode) {
    const char *name = beneath(path);
    int makes = name && (flags & O_CREAT) && syscall(SYS_access, path, F_OK) != 0;
    if (makes && fails(1)) return -1;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (fd >= 0 && fd < FILES) {
        tracked[fd] = name != NULL;
        if (name) {
            event('O');
            put_number(fd);
            put_number(flags & O_TRUNC ? 1 : 0);
            put_bytes(name, strlen(name));
        }
    }
    return fd;
}

#define OPEN(NAME)                                                     \
    int NAME(const char *path, int flags, ...) {                       \
        va_list arguments;                                             \
        va_start(arguments, flags);                                    \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0; \
        va_end(arguments);                                             \
        return open_recorded(path, flags, mode);                       \
    }
OPEN(open)
OPEN(open64)

static ssize_t write_recorded(int fd, const void *bytes, size_t length, int64_t offset) {
    if (is_tracked(fd) && fails(1)) return -1;
    ssize_t count = syscall(SYS_pwrite64, fd, bytes, length, offset);
    if (count > 0 && is_tracked(fd)) {
        event('W');
        put_number(fd);
        put_number(offset);
        put_bytes(bytes, (size_t)count);
    }
    return count;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return write_recorded(fd, bytes, length, offset); }
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) { return write_recorded(fd, bytes, length, offset); }

ssize_t write(int fd, const void *bytes, size_t length) {
    if (!is_tracked(fd)) return syscall(SYS_write, fd, bytes, length);
    int64_t offset = syscall(SYS_lseek, fd, 0, SEEK_CUR);
    ssize_t count = write_recorded(fd, bytes, length, offset);
    if (count > 0) syscall(SYS_lseek, fd, offset + count, SEEK_SET);
    return count;
}

static int truncate_recorded(int fd, int64_t length) {
    // Making a file shorter needs no room.
    if (is_tracked(fd) && fails(length > syscall(SYS_lseek, fd, 0, SEEK_END))) return -1;
    int result = (int)syscall(SYS_ftruncate, fd, length);
    if (result == 0 && is_tracked(fd)) {
        event('T');
        put_number(fd);
        put_number(length);
    }
    return result;
}

int ftruncate(int fd, off_t length) { return truncate_recorded(fd, length); }
int ftruncate64(int fd, off64_t length) { return truncate_recorded(fd, length); }

static int sync_recorded(int fd, long call) {
    if (is_tracked(fd) && fails(0)) return -1;
    int result = (int)syscall(call, fd);
    if (result == 0 && is_tracked(fd)) {
        event('S');
        put_number(fd);
    }
    return result;
}

int fsync(int fd) { return sync_recorded(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_recorded(fd, SYS_fdatasync); }

int rename(const char *old, const char *new) {
    const char *from = beneath(old), *to = beneath(new);
    if (from && fails(1)) return -1;
    int result = (int)syscall(SYS_rename, old, new);
    if (result == 0 && from && to) {
        event('R');
        put_bytes(from, strlen(from));
        put_bytes(to, strlen(to));
    }
    return result;
}

int unlink(const char *path) {
    const char *name = beneath(path);
    if (name && fails(0)) return -1;
    int result = (int)syscall(SYS_unlink, path);
    if (result == 0 && name) {
        event('U');
        put_bytes(name, strlen(name));
    }
    return result;
}

int close(int fd) {
    if (fd >= 0 && fd < FILES) tracked[fd] = 0;
    return (int)syscall(SYS_close, fd);
}
