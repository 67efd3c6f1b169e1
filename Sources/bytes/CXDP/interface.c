// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "cxdp_interface.h"

#include "control.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int cxdp_control(const char *name, unsigned long request, struct ifreq *ask) {
    size_t const length = strnlen(name, IFNAMSIZ);
    if (length == IFNAMSIZ) return -ENAMETOOLONG;
    memset(ask->ifr_name, 0, sizeof ask->ifr_name);
    memcpy(ask->ifr_name, name, length);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int error = ioctl(fd, request, ask) < 0 ? -errno : 0;
    close(fd);
    return error;
}

int cxdp_ethtool(const char *name, void *command) {
    struct ifreq ask;
    memset(&ask, 0, sizeof ask);
    ask.ifr_data = command;
    return cxdp_control(name, SIOCETHTOOL, &ask);
}

int cxdp_interface_change_flags(const char *name, uint32_t set, uint32_t clear) {
    struct ifreq ask;
    memset(&ask, 0, sizeof ask);
    int error = cxdp_control(name, SIOCGIFFLAGS, &ask);
    if (error) return error;
    ask.ifr_flags = (short)(((uint32_t)(unsigned short)ask.ifr_flags | set) & ~clear);
    return cxdp_control(name, SIOCSIFFLAGS, &ask);
}

int cxdp_interface_set_up(const char *name, int up) {
    return cxdp_interface_change_flags(name, up ? IFF_UP : 0, up ? 0 : IFF_UP);
}

int cxdp_interface_channels(const char *name, uint32_t *receive, uint32_t *transmit) {
    struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
    int error = cxdp_ethtool(name, &channels);
    if (error) return error;
    *receive = channels.rx_count + channels.combined_count;
    *transmit = channels.tx_count + channels.combined_count;
    return 0;
}

int cxdp_interface_driver(const char *name, char *driver, char *bus_address) {
    struct ethtool_drvinfo information = {.cmd = ETHTOOL_GDRVINFO};
    int error = cxdp_ethtool(name, &information);
    if (error) return error;
    memcpy(driver, information.driver, 32);
    memcpy(bus_address, information.bus_info, 32);
    driver[31] = bus_address[31] = 0;
    return 0;
}

int cxdp_interface_offload(const char *name, int offload) {
    static const struct {
        uint32_t command, mask;
    } offloads[] = {
        [CXDP_OFFLOAD_RX_CHECKSUM] = {ETHTOOL_GRXCSUM, ~0u},      [CXDP_OFFLOAD_TX_CHECKSUM] = {ETHTOOL_GTXCSUM, ~0u},
        [CXDP_OFFLOAD_TSO] = {ETHTOOL_GTSO, ~0u},                 [CXDP_OFFLOAD_GSO] = {ETHTOOL_GGSO, ~0u},
        [CXDP_OFFLOAD_GRO] = {ETHTOOL_GGRO, ~0u},                 [CXDP_OFFLOAD_LRO] = {ETHTOOL_GFLAGS, ETH_FLAG_LRO},
        [CXDP_OFFLOAD_RX_VLAN] = {ETHTOOL_GFLAGS, ETH_FLAG_RXVLAN}, [CXDP_OFFLOAD_TX_VLAN] = {ETHTOOL_GFLAGS, ETH_FLAG_TXVLAN},
    };
    if (offload < 0 || offload >= (int)(sizeof offloads / sizeof offloads[0])) return -EINVAL;
    struct ethtool_value value = {.cmd = offloads[offload].command};
    int error = cxdp_ethtool(name, &value);
    return error ? error : (value.data & offloads[offload].mask) != 0;
}

int cxdp_count_strings(const char *name, unsigned set) {
    _Alignas(struct ethtool_sset_info) char room[sizeof(struct ethtool_sset_info) + sizeof(uint32_t)] = {0};
    struct ethtool_sset_info *ask = (void *)room;
    ask->cmd = ETHTOOL_GSSET_INFO;
    ask->sset_mask = 1ull << set;
    int error = cxdp_ethtool(name, ask);
    if (error) return error;
    return ask->sset_mask ? (int)ask->data[0] : 0;
}

int cxdp_interface_counter(const char *name, const char *counter, uint64_t *value) {
    int const count = cxdp_count_strings(name, ETH_SS_STATS);
    if (count < 0) return count;
    // Queues may be added between two calls: room for twice as many, and the kernel's own count decides.
    size_t const room = 2 * (size_t)count + 16;
    struct ethtool_gstrings *names = calloc(1, sizeof *names + room * ETH_GSTRING_LEN);
    struct ethtool_stats *values = calloc(1, sizeof *values + room * sizeof(uint64_t));
    int error = names && values ? 0 : -ENOMEM;
    if (!error) {
        *names = (struct ethtool_gstrings){.cmd = ETHTOOL_GSTRINGS, .string_set = ETH_SS_STATS, .len = (uint32_t)count};
        error = cxdp_ethtool(name, names);
    }
    if (!error) {
        *values = (struct ethtool_stats){.cmd = ETHTOOL_GSTATS, .n_stats = (uint32_t)count};
        error = cxdp_ethtool(name, values);
    }
    if (!error) {
        error = -ENOENT;
        for (uint32_t i = 0; i < names->len && i < values->n_stats && i < room; i++) {
            if (strncmp((char *)names->data + i * ETH_GSTRING_LEN, counter, ETH_GSTRING_LEN) != 0) continue;
            *value = values->data[i];
            error = 0;
            break;
        }
    }
    free(names);
    free(values);
    return error;
}
