// SPDX-License-Identifier: Apache-2.0
// libpcap, for reading captures.
#include <pcap/pcap.h>
