// SPDX-License-Identifier: Apache-2.0
// Messages with file descriptors over unix sockets (SCM_RIGHTS), and who sits at the other end.
#ifndef CXDP_MESSAGE_H
#define CXDP_MESSAGE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// The most descriptors that one message carries (the kernel's SCM_MAX_FD).
enum { CXDP_MESSAGE_DESCRIPTORS = 253 };

/// Sends `length` bytes and `count` descriptors as one message, without SIGPIPE. The number of bytes sent, or -errno. At least
/// one byte must go with descriptors.
int64_t cxdp_send_message(int fd, const void *bytes, size_t length, const int *fds, unsigned count);

/// Receives one message: up to `length` bytes and up to `max_fds` descriptors (close-on-exec); `*count` says how many came.
/// The number of bytes, 0 at the end of the connection, or -errno. -EBADMSG when more descriptors came than fit, -EMSGSIZE
/// when more bytes came than fit; in both cases every descriptor that did arrive is closed again.
int64_t cxdp_receive_message(int fd, void *bytes, size_t length, int *fds, unsigned max_fds, unsigned *count);

/// Process, user and group of whoever connected to, or created, the other end of a unix socket (SO_PEERCRED). 0 or -errno.
int cxdp_peer_credentials(int fd, int32_t *pid, uint32_t *uid, uint32_t *gid);

#endif
