# SPDX-License-Identifier: Apache-2.0
# What `scripts/package --test` does with the package. Meant to be sourced by it.
#
# The root in which the package is installed is this machine's own, with everything that is written kept apart (overlayfs): so dpkg, its
# database, adduser and the libraries are real, and nothing of it stays.

scratch=$(mktemp -d)
test_root=$scratch/root
prefix=bh-package-
connections=${BULKHEAD_CONNECTIONS:-10000}
helpers=()

tidy() {
    local pid place
    for pid in "${helpers[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
    remove_namespaces "$prefix"
    for place in root/sys/fs/bpf root/sys root/proc root/dev root layers; do umount -l "$scratch/$place" 2>/dev/null || true; done
    # Only when nothing of the machine is mounted in it any more.
    if ! grep -q " $scratch/" /proc/mounts; then rm -rf "$scratch"; fi
}
trap tidy EXIT

expect() {
    local what=$1
    shift
    if "$@" >"$scratch/said" 2>&1; then say "in order: $what"; else
        cat "$scratch/said" >&2
        [ ! -f "$scratch/run" ] || tail -n 20 "$scratch/run" >&2
        die "not so: $what"
    fi
}

there() { chroot "$test_root" "$@"; }
install_package() { there env DEBIAN_FRONTEND=noninteractive "BULKHEAD_KEEPER=${2:-}" dpkg --install --force-depends "/tmp/$1"; }
is_owned() { [ "$(there stat -c "%U:%G %a" "$1")" = "$2" ]; }
fails() { ! "$@"; }

again=$scratch/again.deb
pack "$version" "$again"
expect "the same sources make the same bytes" cmp "$package" "$again"
if [ "$(id -u)" != 0 ]; then
    say "left out: installing needs root"
    exit 0
fi

mkdir "$scratch/layers" "$test_root"
mount -t tmpfs none "$scratch/layers"
mkdir "$scratch/layers/upper" "$scratch/layers/work"
mount -t overlay none -o "lowerdir=/,upperdir=$scratch/layers/upper,workdir=$scratch/layers/work" "$test_root"
for place in proc sys dev; do mount --rbind "/$place" "$test_root/$place"; done
mount --make-rslave "$test_root/sys" "$test_root/dev" 2>/dev/null || true
mkdir -p "$test_root/tmp"
cp "$package" "$test_root/tmp/first.deb"
pack "$version+next" "$test_root/tmp/next.deb"

expect "it installs" install_package first.deb
expect "it makes both users" there sh -c 'id bulkhead && id bulkhead-data'
expect "only control may read the configuration" is_owned /etc/bulkhead/bulkhead.yaml "root:bulkhead 640"
expect "its binary runs" there /usr/bin/bulkhead --version
expect "its completion is bash" there bash -n /usr/share/bash-completion/completions/bulkhead
expect "its configuration is understood" there setpriv --reuid bulkhead --regid bulkhead --clear-groups \
    /usr/bin/bulkhead check --config /etc/bulkhead/bulkhead.yaml

# What runs beside this is started by nsenter itself, and not by `inside`: its number must be the process's own.
# Two workloads and the appliance between them; the daemon runs in the test root, as the package's users.
for name in web db fw; do ip netns add "$prefix$name"; done
number=11
for pair in "eth1 web" "eth2 db"; do
    set -- $pair
    ip -n "${prefix}fw" link add "$1" numrxqueues 1 numtxqueues 1 type veth peer name eth0 netns "$prefix$2" numrxqueues 1 numtxqueues 1
    ip -n "${prefix}fw" link set "$1" promisc on up
    ip -n "$prefix$2" link set eth0 up
    inside "$prefix$2" ethtool -K eth0 gro on tx off tso off >/dev/null 2>&1
    ip -n "$prefix$2" address add "10.9.0.$number/24" dev eth0
    number=21
done
cat >"$test_root/etc/bulkhead/policies/open.yaml" <<'POLICY'
apiVersion: bulkhead/v1
kind: Workload
metadata: {name: web-1, namespace: shop, labels: {app: web}}
spec: {addresses: [10.9.0.11]}
---
apiVersion: bulkhead/v1
kind: Workload
metadata: {name: db-1, namespace: shop, labels: {app: db}}
spec: {addresses: [10.9.0.21]}
---
apiVersion: bulkhead/v1
kind: Policy
metadata: {name: db, namespace: shop}
spec:
  subject: {selector: 'app == "db"'}
  isolates: {ingress: all}
  rules: [{action: allow, from: {selector: 'app == "web"'}, services: [tcp/5432]}]
---
apiVersion: bulkhead/v1
kind: Policy
metadata: {name: web, namespace: shop}
spec:
  subject: {selector: 'app == "web"'}
  rules: [{action: allow, to: {selector: 'app == "db"'}, services: [any]}]
POLICY
chgrp bulkhead "$test_root/etc/bulkhead/policies/open.yaml" 2>/dev/null || there chgrp bulkhead /etc/bulkhead/policies/open.yaml
nsenter --net="/run/netns/${prefix}fw" chroot "$test_root" /usr/bin/bulkhead run --config /etc/bulkhead/bulkhead.yaml >"$scratch/run" 2>&1 &
keeper=$!
helpers+=("$keeper")
await() {
    local try
    for try in $(seq 300); do
        if "$@"; then return 0; fi
        sleep 0.1
    done
    return 1
}
has() { [ "$(grep -c "$2" "$1")" -ge "$3" ]; }
expect "the daemon runs by it" await has "$scratch/run" ready 1
uid_of() { awk '/^Uid/ {print $2}' "/proc/$(pgrep -P "$keeper" -f "^bulkhead $1")/status"; }
expect "data runs as its user" [ "$(uid_of data)" = "$(there id -u bulkhead-data)" ]
expect "control runs as its user" [ "$(uid_of control)" = "$(there id -u bulkhead)" ]

ulimit -n "$(ulimit -Hn)"
nsenter --net="/run/netns/${prefix}db" python3 "$root/Tests/Traffic/connections.py" serve 10.9.0.21 5432 >"$scratch/server" 2>&1 &
helpers+=("$!")
await has "$scratch/server" listening 1
nsenter --net="/run/netns/${prefix}web" python3 "$root/Tests/Traffic/connections.py" hold 10.9.0.21 "$connections" 5432 >"$scratch/client" 2>&1 &
client=$!
helpers+=("$client")
expect "$connections connections are open" await has "$scratch/client" open 1
data=$(pgrep -P "$keeper" -f "^bulkhead data")
expect "it is upgraded" install_package next.deb "$keeper"
expect "the daemon becomes the new binary, as the same process" await has "$scratch/run" ready 2
expect "the old data process has gone" fails kill -0 "$data"
before=$(grep -c counted "$scratch/client" || true)
kill -USR1 "$client"
expect "all are counted" await has "$scratch/client" counted $((before + 1))
census=$(grep '^{' "$scratch/client" | tail -n 1)
say "$census"
all_live() { [ "$(python3 -c 'import json, sys; c = json.loads(sys.argv[1]); print(c["answered"], c["broken"])' "$census")" = "$connections 0" ]; }
expect "none was lost" all_live
expect "its configuration is kept" there sh -c 'test -f /etc/bulkhead/bulkhead.yaml'

expect "it is removed, and its daemon ends" there env "BULKHEAD_KEEPER=$keeper" dpkg --remove bulkhead
expect "the daemon has ended" await fails kill -0 "$keeper"
expect "its configuration stays" test -f "$test_root/etc/bulkhead/bulkhead.yaml"
expect "it is purged" there dpkg --purge bulkhead
expect "nothing stays of it" fails ls "$test_root/etc/bulkhead/bulkhead.yaml" "$test_root/var/lib/bulkhead" "$test_root/usr/bin/bulkhead"
expect "the users have gone" fails there id bulkhead
say "the package is in order"
