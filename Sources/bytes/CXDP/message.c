// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "cxdp_message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/// Room for the most descriptors that the kernel ever delivers, so that truncation cannot lose one unseen.
union control {
    char bytes[CMSG_SPACE(sizeof(int) * CXDP_MESSAGE_DESCRIPTORS)];
    struct cmsghdr align;
};

int64_t cxdp_send_message(int fd, const void *bytes, size_t length, const int *fds, unsigned count) {
    if (count > CXDP_MESSAGE_DESCRIPTORS) return -EINVAL;
    union control control;
    struct iovec piece = {(void *)bytes, length};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(header), fds, sizeof(int) * count);
    }
    ssize_t sent;
    do sent = sendmsg(fd, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

/// Moves the descriptors of one message into `fds`; those that do not fit are closed. The number that came.
static unsigned take_descriptors(struct msghdr *message, int *fds, unsigned max_fds) {
    unsigned came = 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t const here = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < here; i++, came++) {
            int one;
            memcpy(&one, CMSG_DATA(header) + i * sizeof(int), sizeof one);
            if (came < max_fds) fds[came] = one;
            else close(one);
        }
    }
    return came;
}

int64_t cxdp_receive_message(int fd, void *bytes, size_t length, int *fds, unsigned max_fds, unsigned *count) {
    union control control;
    struct iovec piece = {bytes, length};
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    *count = 0;
    ssize_t received;
    do received = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    while (received < 0 && errno == EINTR);
    if (received < 0) return -errno;
    unsigned const came = take_descriptors(&message, fds, max_fds);
    int error = 0;
    if (came > max_fds || message.msg_flags & MSG_CTRUNC) error = EBADMSG;
    else if (message.msg_flags & MSG_TRUNC) error = EMSGSIZE;
    if (error == 0) {
        *count = came;
        return received;
    }
    for (unsigned i = 0; i < came && i < max_fds; i++) close(fds[i]);
    return -error;
}

int cxdp_peer_credentials(int fd, int32_t *pid, uint32_t *uid, uint32_t *gid) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return -errno;
    *pid = peer.pid;
    *uid = peer.uid;
    *gid = peer.gid;
    return 0;
}
