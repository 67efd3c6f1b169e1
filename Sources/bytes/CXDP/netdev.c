// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include "cxdp_ground.h"
#include "netlink.h"

// The netdev family is younger than Debian 12's headers: <linux/netdev.h> of Linux 6.3.
enum {
    NETDEV_CMD_DEV_GET = 1,
    NETDEV_A_DEV_IFINDEX = 1,
    NETDEV_A_DEV_XDP_FEATURES = 3,
    NETDEV_A_DEV_XDP_ZC_MAX_SEGS = 4,
};

struct generic_request {
    struct nlmsghdr header;
    struct genlmsghdr body;
    char attributes[64];
};

/// Asks a generic netlink family; `*attributes` and `*left` are the answer's. 0 or -errno.
static int ask_family(
    struct generic_request *ask, void *buffer, size_t room, const struct nlattr **attributes, int *left) {
    ssize_t length = cxdp_exchange(NETLINK_GENERIC, &ask->header, buffer, room);
    if (length < 0) return (int)length;
    const struct nlmsghdr *answer = buffer;
    if (!NLMSG_OK(answer, length)) return -EBADMSG;
    if (answer->nlmsg_type == NLMSG_ERROR) return ((const struct nlmsgerr *)NLMSG_DATA(answer))->error;
    *left = (int)answer->nlmsg_len - (int)NLMSG_LENGTH(sizeof ask->body);
    *attributes = (const void *)((const char *)NLMSG_DATA(answer) + NLMSG_ALIGN(sizeof ask->body));
    return *left < 0 ? -EBADMSG : 0;
}

static struct generic_request request(uint16_t family, uint8_t command) {
    struct generic_request ask = {
        .header = {.nlmsg_len = NLMSG_LENGTH(sizeof ask.body), .nlmsg_type = family, .nlmsg_flags = NLM_F_REQUEST},
        .body = {.cmd = command, .version = 1},
    };
    return ask;
}

/// Copies the value of attribute `type`, at most `length` bytes of it; false when it is not there.
static bool find(const struct nlattr *attributes, int left, uint16_t type, void *value, size_t length) {
    const char *at = (const char *)attributes;
    while (left >= (int)sizeof(struct nlattr)) {
        const struct nlattr *a = (const void *)at;
        if (a->nla_len < sizeof *a || a->nla_len > left) return false;
        if ((a->nla_type & NLA_TYPE_MASK) == type) {
            size_t const held = a->nla_len - sizeof *a;
            memcpy(value, a + 1, held < length ? held : length);
            return true;
        }
        at += NLA_ALIGN(a->nla_len);
        left -= (int)NLA_ALIGN(a->nla_len);
    }
    return false;
}

/// The number of the family `netdev`; -EOPNOTSUPP where the kernel has none.
static int netdev_family(void) {
    struct generic_request ask = request(GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
    cxdp_append(&ask.header, CTRL_ATTR_FAMILY_NAME, "netdev", sizeof "netdev");
    _Alignas(struct nlmsghdr) char buffer[8192];
    const struct nlattr *attributes;
    int left;
    int error = ask_family(&ask, buffer, sizeof buffer, &attributes, &left);
    uint16_t number = 0;
    if (error) return error == -ENOENT ? -EOPNOTSUPP : error;
    return find(attributes, left, CTRL_ATTR_FAMILY_ID, &number, sizeof number) ? number : -EOPNOTSUPP;
}

int cxdp_interface_xdp_features(uint32_t ifindex, uint64_t *features, uint32_t *segments) {
    int const family = netdev_family();
    if (family < 0) return family;
    struct generic_request ask = request((uint16_t)family, NETDEV_CMD_DEV_GET);
    cxdp_append(&ask.header, NETDEV_A_DEV_IFINDEX, &ifindex, sizeof ifindex);
    _Alignas(struct nlmsghdr) char buffer[8192];
    const struct nlattr *attributes;
    int left;
    int error = ask_family(&ask, buffer, sizeof buffer, &attributes, &left);
    if (error) return error;
    *features = *segments = 0;
    find(attributes, left, NETDEV_A_DEV_XDP_ZC_MAX_SEGS, segments, sizeof *segments);
    return find(attributes, left, NETDEV_A_DEV_XDP_FEATURES, features, sizeof *features) ? 0 : -EOPNOTSUPP;
}

/// Opens a nested attribute; `close_nest` gives it its length.
static struct rtattr *open_nest(struct nlmsghdr *header, uint16_t type) {
    struct rtattr *nest = (void *)((char *)header + NLMSG_ALIGN(header->nlmsg_len));
    cxdp_append(header, type, "", 0);
    return nest;
}

static void close_nest(struct nlmsghdr *header, struct rtattr *nest) {
    nest->rta_len = (uint16_t)((char *)header + NLMSG_ALIGN(header->nlmsg_len) - (char *)nest);
}

int cxdp_veth_create(const char *name, const char *peer, int peer_namespace) {
    struct {
        struct nlmsghdr header;
        struct ifinfomsg body;
        char attributes[256];
    } ask = {
        .header = {
            .nlmsg_len = NLMSG_LENGTH(sizeof ask.body), .nlmsg_type = RTM_NEWLINK,
            .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK},
        .body = {.ifi_family = AF_UNSPEC},
    };
    if (strnlen(name, IFNAMSIZ) == IFNAMSIZ || strnlen(peer, IFNAMSIZ) == IFNAMSIZ) return -ENAMETOOLONG;
    uint32_t const one = 1, there = (uint32_t)peer_namespace;
    struct ifinfomsg const far = {.ifi_family = AF_UNSPEC};
    cxdp_append(&ask.header, IFLA_IFNAME, name, strlen(name) + 1);
    cxdp_append(&ask.header, IFLA_NUM_RX_QUEUES, &one, sizeof one);
    cxdp_append(&ask.header, IFLA_NUM_TX_QUEUES, &one, sizeof one);
    struct rtattr *info = open_nest(&ask.header, IFLA_LINKINFO);
    cxdp_append(&ask.header, IFLA_INFO_KIND, "veth", sizeof "veth");
    struct rtattr *data = open_nest(&ask.header, IFLA_INFO_DATA);
    struct rtattr *end = open_nest(&ask.header, VETH_INFO_PEER);
    memcpy((char *)&ask.header + ask.header.nlmsg_len, &far, sizeof far);
    ask.header.nlmsg_len += NLMSG_ALIGN(sizeof far);
    cxdp_append(&ask.header, IFLA_IFNAME, peer, strlen(peer) + 1);
    cxdp_append(&ask.header, IFLA_NET_NS_FD, &there, sizeof there);
    cxdp_append(&ask.header, IFLA_NUM_RX_QUEUES, &one, sizeof one);
    cxdp_append(&ask.header, IFLA_NUM_TX_QUEUES, &one, sizeof one);
    close_nest(&ask.header, end);
    close_nest(&ask.header, data);
    close_nest(&ask.header, info);
    _Alignas(struct nlmsghdr) char buffer[1024];
    ssize_t length = cxdp_exchange(NETLINK_ROUTE, &ask.header, buffer, sizeof buffer);
    const struct nlmsghdr *answer = (const void *)buffer;
    if (length < 0) return (int)length;
    if (!NLMSG_OK(answer, length) || answer->nlmsg_type != NLMSG_ERROR) return -EBADMSG;
    return ((const struct nlmsgerr *)NLMSG_DATA(answer))->error;
}
