// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cxdp_interface.h"
#include "netlink.h"

static uint32_t word(const struct rtattr *attribute) {
    uint32_t value = 0;
    size_t const length = RTA_PAYLOAD(attribute);
    memcpy(&value, RTA_DATA(attribute), length < sizeof value ? length : sizeof value);
    return value;
}

static void text(const struct rtattr *attribute, char out[16]) {
    size_t const length = RTA_PAYLOAD(attribute);
    memset(out, 0, 16);
    memcpy(out, RTA_DATA(attribute), length < 15 ? length : 15);
}

static void read_xdp(const struct rtattr *nested, struct cxdp_link *out) {
    int left = (int)RTA_PAYLOAD(nested);
    for (const struct rtattr *a = RTA_DATA(nested); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
        if (a->rta_type == IFLA_XDP_ATTACHED) out->xdp_mode = *(const uint8_t *)RTA_DATA(a);
        if (a->rta_type == IFLA_XDP_PROG_ID) out->xdp_program = word(a);
    }
}

static void read_kind(const struct rtattr *nested, struct cxdp_link *out) {
    int left = (int)RTA_PAYLOAD(nested);
    for (const struct rtattr *a = RTA_DATA(nested); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
        if (a->rta_type == IFLA_INFO_KIND) text(a, out->kind);
    }
}

static void read_attribute(const struct rtattr *a, struct cxdp_link *out) {
    switch (a->rta_type & NLA_TYPE_MASK) {
    case IFLA_IFNAME: text(a, out->name); break;
    case IFLA_MTU: out->mtu = word(a); break;
    case IFLA_LINK: out->peer_ifindex = word(a); break;
    case IFLA_MASTER: out->master = word(a); break;
    case IFLA_LINK_NETNSID: out->peer_namespace = (int32_t)word(a); break;
    case IFLA_NUM_RX_QUEUES: out->rx_queues = word(a); break;
    case IFLA_NUM_TX_QUEUES: out->tx_queues = word(a); break;
    case IFLA_OPERSTATE: out->operational = *(const uint8_t *)RTA_DATA(a); break;
    case IFLA_CARRIER: out->carrier = *(const uint8_t *)RTA_DATA(a); break;
    case IFLA_XDP: read_xdp(a, out); break;
    case IFLA_LINKINFO: read_kind(a, out); break;
    case IFLA_ADDRESS:
        if (RTA_PAYLOAD(a) > sizeof out->address) break;
        out->address_length = (uint8_t)RTA_PAYLOAD(a);
        memcpy(out->address, RTA_DATA(a), out->address_length);
        break;
    default: break;
    }
}

/// Reads one message; false when it is not about a link of ours.
static bool read_message(const struct nlmsghdr *header, struct cxdp_link *out) {
    if (header->nlmsg_type != RTM_NEWLINK && header->nlmsg_type != RTM_DELLINK) return false;
    const struct ifinfomsg *body = NLMSG_DATA(header);
    int left = (int)header->nlmsg_len - (int)NLMSG_LENGTH(sizeof *body);
    // AF_BRIDGE repeats the same messages in its own family: a port leaving a bridge is not a port deleted.
    if (left < 0 || body->ifi_family != AF_UNSPEC) return false;
    memset(out, 0, sizeof *out);
    out->event = header->nlmsg_type == RTM_NEWLINK ? CXDP_LINK_PRESENT : CXDP_LINK_DELETED;
    out->ifindex = (uint32_t)body->ifi_index;
    out->flags = body->ifi_flags;
    out->peer_namespace = -1;
    for (const struct rtattr *a = IFLA_RTA(body); RTA_OK(a, left); a = RTA_NEXT(a, left)) read_attribute(a, out);
    return true;
}

static int open_netlink(int protocol, unsigned groups, int type) {
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | type, protocol);
    if (fd < 0) return -errno;
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

int cxdp_links_open(void) {
    return open_netlink(NETLINK_ROUTE, RTMGRP_LINK, SOCK_NONBLOCK);
}

/// Takes one datagram. Its length or -errno; -ENOBUFS when it did not fit.
static ssize_t take(int fd, void *buffer, size_t room) {
    ssize_t length;
    do length = recv(fd, buffer, room, MSG_TRUNC);
    while (length < 0 && errno == EINTR);
    if (length < 0) return -errno;
    return (size_t)length > room ? -ENOBUFS : length;
}

int cxdp_links_receive(int fd, struct cxdp_link *out, unsigned max) {
    _Alignas(struct nlmsghdr) char buffer[32768];
    ssize_t length = take(fd, buffer, sizeof buffer);
    if (length < 0) return (int)length;
    unsigned count = 0;
    for (struct nlmsghdr *h = (void *)buffer; NLMSG_OK(h, length); h = NLMSG_NEXT(h, length)) {
        struct cxdp_link one;
        if (!read_message(h, &one)) continue;
        if (count == max) return -ENOBUFS;
        out[count++] = one;
    }
    return (int)count;
}

void cxdp_append(struct nlmsghdr *header, uint16_t type, const void *value, size_t length) {
    struct rtattr *attribute = (void *)((char *)header + NLMSG_ALIGN(header->nlmsg_len));
    attribute->rta_type = type;
    attribute->rta_len = (uint16_t)RTA_LENGTH(length);
    memcpy(RTA_DATA(attribute), value, length);
    header->nlmsg_len = NLMSG_ALIGN(header->nlmsg_len) + RTA_ALIGN(attribute->rta_len);
}

ssize_t cxdp_exchange(int protocol, struct nlmsghdr *ask, void *buffer, size_t room) {
    int fd = open_netlink(protocol, 0, 0);
    if (fd < 0) return fd;
    ssize_t length = send(fd, ask, ask->nlmsg_len, 0) < 0 ? -errno : take(fd, buffer, room);
    close(fd);
    return length;
}

int cxdp_link_query(const char *name, uint32_t ifindex, int32_t namespace_id, struct cxdp_link *out) {
    struct {
        struct nlmsghdr header;
        struct ifinfomsg body;
        char attributes[64];
    } ask = {
        .header = {.nlmsg_len = NLMSG_LENGTH(sizeof ask.body), .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST},
        .body = {.ifi_family = AF_UNSPEC, .ifi_index = name ? 0 : (int)ifindex},
    };
    if (name && strnlen(name, IFNAMSIZ) == IFNAMSIZ) return -ENAMETOOLONG;
    if (name) cxdp_append(&ask.header, IFLA_IFNAME, name, strlen(name) + 1);
    uint32_t const brief = RTEXT_FILTER_SKIP_STATS;
    cxdp_append(&ask.header, IFLA_EXT_MASK, &brief, sizeof brief);
    if (namespace_id >= 0) cxdp_append(&ask.header, IFLA_TARGET_NETNSID, &namespace_id, sizeof namespace_id);
    _Alignas(struct nlmsghdr) char buffer[32768];
    ssize_t length = cxdp_exchange(NETLINK_ROUTE, &ask.header, buffer, sizeof buffer);
    if (length < 0) return (int)length;
    for (struct nlmsghdr *h = (void *)buffer; NLMSG_OK(h, length); h = NLMSG_NEXT(h, length)) {
        if (h->nlmsg_type == NLMSG_ERROR) return ((struct nlmsgerr *)NLMSG_DATA(h))->error;
        if (read_message(h, out)) return 0;
    }
    return -ENODEV;
}

/// The number that our namespace has for the one behind `fd`, or -1 when it has none.
static int32_t namespace_number(int fd) {
    struct {
        struct nlmsghdr header;
        struct rtgenmsg body;
        char attributes[32];
    } ask = {
        .header = {.nlmsg_len = NLMSG_LENGTH(sizeof ask.body), .nlmsg_type = RTM_GETNSID, .nlmsg_flags = NLM_F_REQUEST},
        .body = {.rtgen_family = AF_UNSPEC},
    };
    uint32_t const value = (uint32_t)fd;
    cxdp_append(&ask.header, NETNSA_FD, &value, sizeof value);
    _Alignas(struct nlmsghdr) char buffer[1024];
    ssize_t length = cxdp_exchange(NETLINK_ROUTE, &ask.header, buffer, sizeof buffer);
    struct nlmsghdr *answer = (void *)buffer;
    if (length < 0 || !NLMSG_OK(answer, length) || answer->nlmsg_type != RTM_NEWNSID) return -1;
    int left = (int)answer->nlmsg_len - (int)NLMSG_SPACE(sizeof ask.body);
    const struct rtattr *a = (void *)((char *)NLMSG_DATA(answer) + NLMSG_ALIGN(sizeof ask.body));
    for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
        if (a->rta_type == NETNSA_NSID) return (int32_t)word(a);
    }
    return -1;
}

int cxdp_named_namespace(int32_t namespace_id, char *name) {
    DIR *folder = opendir("/run/netns");
    if (!folder) return -errno;
    int found = -ENOENT;
    for (struct dirent *entry = readdir(folder); entry && found < 0; entry = readdir(folder)) {
        if (entry->d_name[0] == '.') continue;
        int fd = openat(dirfd(folder), entry->d_name, O_RDONLY | O_CLOEXEC);
        if (fd < 0) continue;
        if (namespace_number(fd) == namespace_id) {
            found = fd;
            strcpy(name, entry->d_name);
        } else {
            close(fd);
        }
    }
    closedir(folder);
    return found;
}

int cxdp_inhabited_namespace(int32_t namespace_id, int32_t *pid) {
    DIR *folder = opendir("/proc");
    if (!folder) return -errno;
    int found = -ENOENT;
    // Most processes share one namespace, which is asked about once for a run of them.
    ino_t last = 0;
    for (struct dirent *entry = readdir(folder); entry && found < 0; entry = readdir(folder)) {
        int32_t const number = (int32_t)strtol(entry->d_name, NULL, 10);
        if (number <= 0) continue;
        char path[32];
        struct stat facts = {0};
        snprintf(path, sizeof path, "%d/ns/net", number);
        int fd = openat(dirfd(folder), path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) continue;
        bool const is_known = fstat(fd, &facts) == 0 && facts.st_ino == last;
        last = facts.st_ino;
        if (!is_known && namespace_number(fd) == namespace_id) {
            found = fd;
            *pid = number;
        } else {
            close(fd);
        }
    }
    closedir(folder);
    return found;
}
