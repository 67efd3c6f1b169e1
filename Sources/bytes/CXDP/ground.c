// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "cxdp_ground.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "cxdp_interface.h"

/// The number of a feature in the kernel's table, or -errno.
static int find_feature(const char *name, const char *feature, uint32_t count) {
    struct ethtool_gstrings *names = calloc(1, sizeof *names + (size_t)count * ETH_GSTRING_LEN);
    if (!names) return -ENOMEM;
    *names = (struct ethtool_gstrings){.cmd = ETHTOOL_GSTRINGS, .string_set = ETH_SS_FEATURES, .len = count};
    int found = cxdp_ethtool(name, names);
    if (!found) {
        found = -ENOENT;
        for (uint32_t i = 0; i < names->len && i < count && found < 0; i++) {
            if (strncmp((char *)names->data + i * ETH_GSTRING_LEN, feature, ETH_GSTRING_LEN) == 0) found = (int)i;
        }
    }
    free(names);
    return found;
}

int cxdp_interface_feature(const char *name, const char *feature) {
    int const count = cxdp_count_strings(name, ETH_SS_FEATURES);
    if (count < 0) return count;
    int const number = find_feature(name, feature, (uint32_t)count);
    if (number < 0) return number;
    uint32_t const blocks = ((uint32_t)count + 31) / 32;
    struct ethtool_gfeatures *state = calloc(1, sizeof *state + blocks * sizeof(struct ethtool_get_features_block));
    if (!state) return -ENOMEM;
    *state = (struct ethtool_gfeatures){.cmd = ETHTOOL_GFEATURES, .size = blocks};
    int result = cxdp_ethtool(name, state);
    if (!result) result = (int)(state->features[number / 32].active >> (number % 32) & 1);
    free(state);
    return result;
}

int cxdp_interface_versions(const char *name, char *version, char *firmware) {
    struct ethtool_drvinfo information = {.cmd = ETHTOOL_GDRVINFO};
    int error = cxdp_ethtool(name, &information);
    if (error) return error;
    memcpy(version, information.version, 32);
    memcpy(firmware, information.fw_version, 32);
    version[31] = firmware[31] = 0;
    return 0;
}

int cxdp_interface_channel_limits(const char *name, struct cxdp_channels *out) {
    struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
    int error = cxdp_ethtool(name, &channels);
    if (error) return error;
    *out = (struct cxdp_channels){
        .receive = channels.rx_count, .transmit = channels.tx_count, .combined = channels.combined_count,
        .max_receive = channels.max_rx, .max_transmit = channels.max_tx, .max_combined = channels.max_combined};
    return 0;
}

int cxdp_interface_rings(const char *name, uint32_t *receive, uint32_t *transmit) {
    struct ethtool_ringparam rings = {.cmd = ETHTOOL_GRINGPARAM};
    int error = cxdp_ethtool(name, &rings);
    if (error) return error;
    *receive = rings.rx_pending;
    *transmit = rings.tx_pending;
    return 0;
}

/// FNV-1a: enough to tell one table from another.
static uint64_t fingerprint(const void *bytes, size_t length) {
    uint64_t hash = 0xcbf29ce484222325ull;
    for (size_t i = 0; i < length; i++) hash = (hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3ull;
    return hash;
}

int cxdp_interface_spreading(const char *name, struct cxdp_spreading *out) {
    struct ethtool_rxfh sizes = {.cmd = ETHTOOL_GRSSH};
    int error = cxdp_ethtool(name, &sizes);
    if (error) return error;
    size_t const room = (size_t)sizes.indir_size * sizeof(uint32_t) + sizes.key_size;
    struct ethtool_rxfh *state = calloc(1, sizeof *state + room);
    if (!state) return -ENOMEM;
    *state = (struct ethtool_rxfh){.cmd = ETHTOOL_GRSSH, .indir_size = sizes.indir_size, .key_size = sizes.key_size};
    error = cxdp_ethtool(name, state);
    if (!error) {
        *out = (struct cxdp_spreading){
            .table_size = sizes.indir_size, .key_size = sizes.key_size < sizeof out->key ? sizes.key_size : sizeof out->key,
            .table_print = fingerprint(state->rss_config, (size_t)sizes.indir_size * sizeof(uint32_t)),
            // `input_xfrm` of Linux 6.8, reserved in the headers before.
            .function = state->hfunc, .transform = ((const uint8_t *)&state->hfunc)[1]};
        memcpy(out->key, state->rss_config + sizes.indir_size, out->key_size);
    }
    free(state);
    return error;
}

int cxdp_interface_addresses(const char *name, struct cxdp_addresses *out) {
    struct ifaddrs *all;
    if (getifaddrs(&all) < 0) return -errno;
    memset(out, 0, sizeof *out);
    bool has_global = false;
    for (const struct ifaddrs *one = all; one; one = one->ifa_next) {
        if (!one->ifa_addr || strcmp(one->ifa_name, name) != 0) continue;
        int const family = one->ifa_addr->sa_family;
        if (family != AF_INET && family != AF_INET6) continue;
        const struct in6_addr *six = &((const struct sockaddr_in6 *)(const void *)one->ifa_addr)->sin6_addr;
        const struct in_addr *four = &((const struct sockaddr_in *)(const void *)one->ifa_addr)->sin_addr;
        bool const is_local = family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(six);
        if (family == AF_INET) out->ipv4++;
        else if (is_local) out->link_local++;
        else out->ipv6++;
        if (out->first[0] && (has_global || is_local)) continue;
        has_global = !is_local;
        inet_ntop(family, family == AF_INET ? (const void *)four : (const void *)six, out->first, sizeof out->first);
    }
    freeifaddrs(all);
    return 0;
}

int cxdp_interface_set_offload(const char *name, int offload, bool on) {
    static const uint32_t commands[] = {
        [CXDP_OFFLOAD_RX_CHECKSUM] = ETHTOOL_SRXCSUM, [CXDP_OFFLOAD_TX_CHECKSUM] = ETHTOOL_STXCSUM,
        [CXDP_OFFLOAD_TSO] = ETHTOOL_STSO,            [CXDP_OFFLOAD_GSO] = ETHTOOL_SGSO,
        [CXDP_OFFLOAD_GRO] = ETHTOOL_SGRO,
    };
    if (offload < 0 || offload >= (int)(sizeof commands / sizeof commands[0])) return -EINVAL;
    struct ethtool_value value = {.cmd = commands[offload], .data = on};
    return cxdp_ethtool(name, &value);
}

int cxdp_interface_set_ipv4(const char *name, uint32_t address) {
    struct ifreq ask;
    uint32_t const values[2] = {address, htonl(0xffffff00)};
    unsigned long const requests[2] = {SIOCSIFADDR, SIOCSIFNETMASK};
    for (int i = 0; i < 2; i++) {
        memset(&ask, 0, sizeof ask);
        struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = values[i]};
        memcpy(&ask.ifr_addr, &place, sizeof place);
        int error = cxdp_control(name, requests[i], &ask);
        if (error) return error;
    }
    return 0;
}

int cxdp_bpf_works(void) {
    int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, NULL, 4, 4, 1, NULL);
    if (map < 0) return map;
    close(map);
    return 0;
}
