# SPDX-License-Identifier: Apache-2.0
# What scripts share: messages, the toolchain, and cleaning up after themselves by the names that they made. Meant to be sourced.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bpffs=/sys/fs/bpf
made_bpffs=no

# Bold only where somebody looks: not in a file, not in a pipe.
say() { if [ -t 1 ]; then printf '\033[1m==> %s\033[0m\n' "$*"; else printf '==> %s\n' "$*"; fi; }
die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

need_root() {
    [ "$(id -u)" = 0 ] || die "network namespaces and BPF need root: run it as sudo $0"
}

# sudo's PATH often lacks the toolchain of whoever called it.
find_swift() {
    command -v swift >/dev/null && return
    local found=""
    [ -z "${SUDO_USER:-}" ] || found=$(runuser -l "$SUDO_USER" -c 'command -v swift' 2>/dev/null || true)
    [ -n "$found" ] || found=$(ls /opt/swift*/usr/bin/swift /usr/libexec/swift/bin/swift 2>/dev/null | head -n 1 || true)
    [ -n "$found" ] || die "Swift is missing: install Swift 6.3 for Debian 12 from https://www.swift.org/install/linux/"
    PATH=$(dirname "$found"):$PATH
    export PATH
}

# Runs a command in a namespace. Not `ip netns exec`, which hides the BPF file system behind a fresh /sys.
inside() {
    local namespace=$1
    shift
    nsenter --net="/run/netns/$namespace" "$@"
}

# Ends every process in a namespace that this script made, then the namespace; what was pinned for its ports goes with it.
remove_namespace() {
    local path=/run/netns/$1 inode pid
    [ -e "$path" ] || return 0
    inode=$(stat -Lc %i "$path")
    for _ in 1 2 3 4 5; do
        # One after the other: the keeper first, or it would start the others again.
        for pid in $(ip netns pids "$1" 2>/dev/null | sort -n); do kill -9 "$pid" 2>/dev/null || true; done
        [ -n "$(ip netns pids "$1" 2>/dev/null)" ] || break
        sleep 0.1
    done
    ip netns del "$1" 2>/dev/null || true
    rm -rf "${bpffs:?}/bulkhead/$inode"
}

# Removes the namespaces whose names begin with a prefix.
remove_namespaces() {
    local path
    for path in /run/netns/"$1"*; do
        [ ! -e "$path" ] || remove_namespace "$(basename "$path")"
    done
}

# Notes whether there is a BPF file system now, so that one that appears from here on is taken away at the end.
note_bpffs() {
    mountpoint -q "$bpffs" || made_bpffs=yes
}

restore_bpffs() {
    [ "$made_bpffs" = yes ] && mountpoint -q "$bpffs" || return 0
    rmdir "$bpffs/bulkhead" 2>/dev/null || true
    # Somebody else may have pinned something meanwhile; then it stays. The kernel itself puts two iterators into each new one.
    [ -n "$(ls -A -I maps.debug -I progs.debug "$bpffs")" ] || umount "$bpffs"
}
