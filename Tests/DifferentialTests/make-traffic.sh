#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make-traffic.sh FILE: captures what two kernels say to each other, into FILE: ARP, neighbour discovery, listener reports, pings whole
# and in fragments, TCP, UDP, ICMP errors, and the same in a VXLAN tunnel. Both live in network namespaces without a name, which end
# with this script, like every process in them. Needs root.
set -euo pipefail
file=$1

if [ "${BULKHEAD_TRAFFIC:-}" != inside ]; then
    export BULKHEAD_TRAFFIC=inside
    exec unshare --net --pid --fork --kill-child --mount-proc "$0" "$file"
fi

unshare --net sleep infinity &
peer=$!
far() { nsenter --net="/proc/$peer/ns/net" "$@"; }
# Waits for a condition, twenty seconds at most.
await() {
    for _ in $(seq 400); do
        if "$@"; then return; fi
        sleep 0.05
    done
    echo "make-traffic.sh: in vain: $*" >&2
    exit 1
}
is_elsewhere() { [ "$(readlink /proc/self/ns/net)" != "$(readlink "/proc/$peer/ns/net")" ]; }
await is_elsewhere

ip link add near type veth peer name far netns "$peer"
ethtool -K near tso off gso off tx off >/dev/null
far ethtool -K far tso off gso off tx off >/dev/null
# As root, because the folder may be closed to the user that it would become.
tcpdump -Z root -q -i near -s 0 -U -w "$file" 2>/dev/null &
tap=$!
# The tap must be there before the first frame: the file has its header then.
ip link set near up promisc on
await [ -s "$file" ]
far ip link set far up
far ip link set lo up
ip address add 10.9.0.1/24 dev near
far ip address add 10.9.0.2/24 dev far
ip address add fd09::1/64 dev near nodad
far ip address add fd09::2/64 dev far nodad

# A tunnel over the same wire.
ip link add tunnel type vxlan id 77 dstport 4789 local 10.9.0.1 remote 10.9.0.2 dev near
far ip link add tunnel type vxlan id 77 dstport 4789 local 10.9.0.2 remote 10.9.0.1 dev far
ip link set tunnel up
far ip link set tunnel up
ip address add 192.168.9.1/24 dev tunnel
far ip address add 192.168.9.2/24 dev tunnel

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
head -c 60000 /dev/urandom >"$folder/file"
far /usr/bin/python3 -m http.server 8080 --bind :: --directory "$folder" >/dev/null 2>&1 &
await curl -s -o /dev/null --max-time 1 http://10.9.0.2:8080/

quietly() { "$@" >/dev/null 2>&1 || true; }
for address in 10.9.0.2 fd09::2 192.168.9.2; do
    quietly ping -c 2 -i 0.1 -W 1 "$address"
    quietly ping -c 1 -s 4000 -W 1 "$address"
done
for url in 'http://10.9.0.2:8080/file' 'http://[fd09::2]:8080/file' 'http://192.168.9.2:8080/file'; do
    quietly curl -s -g -o /dev/null --max-time 5 "$url"
done
# Closed ports answer with resets and with errors; a group is joined by a report.
/usr/bin/python3 - <<'END'
import socket
import struct
import time
members = []
for family, address, group in ((socket.AF_INET, "10.9.0.2", "239.9.9.9"), (socket.AF_INET6, "fd09::2", "ff15::99")):
    with socket.socket(family, socket.SOCK_STREAM) as stream:
        stream.connect_ex((address, 9))
    datagram = socket.socket(family, socket.SOCK_DGRAM)
    for size in (1, 100, 1200):
        datagram.sendto(bytes(size), (address, 9))
    index = socket.if_nametoindex("near")
    if family == socket.AF_INET:
        datagram.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + socket.inet_aton("10.9.0.1"))
    else:
        datagram.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(family, group) + struct.pack("@I", index))
    members.append(datagram)
# A host reports within a second (RFC 3376, 8.11).
time.sleep(1.2)
END
# Nothing is lost: each frame was written when it came (-U). A milder signal could be blocked, as in what a test's thread starts.
kill -KILL "$tap"
wait "$tap" 2>/dev/null || true
