#!/bin/bash
# A router that is no machine: a network namespace on this host with the software of a system VM in it.
#
# The software's first process is the namespace's own in every respect (processes, mounts, host name): when it is
# killed, all of the router's processes go with it, and the host does not notice.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=running.sh
source "$(dirname "${BASH_SOURCE[0]}")/running.sh"

usage() {
    cat <<TEXT
systemvm-namespace.sh start --name NAME --folder DIR --python FILE --code DIR --version TEXT [--dry-run]
    Make the namespace NAME, and run the software of CODE in it, which listens at DIR/agent.sock. DIR/process tells its
    process and when that was started. What runs already goes on.
systemvm-namespace.sh plug --name NAME --bridge NAME --port NAME --card NAME --mac MAC [--dry-run]
    Have a network card with that MAC address and name in the namespace, and its other end, PORT, in the bridge.
systemvm-namespace.sh unplug --port NAME [--dry-run]
    Take a card away. Succeeds if there is none.
systemvm-namespace.sh stop --name NAME --folder DIR [--dry-run]
    End the processes, remove the namespace and its cards. Succeeds if there is none.
TEXT
}

# birth PID: when the process was started, in ticks since the machine was; nothing if it has ended.
birth() {
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
    stat=${stat##*) }
    # shellcheck disable=SC2086
    set -- $stat
    [[ $1 == Z ]] || echo "${20}"
}

# running: the pid of the namespace's process, if it is alive and no other's by now.
running() {
    local pid='' born=''
    if [[ -e $folder/process ]]; then read -r pid born <"$folder/process" || true; fi
    if [[ $pid && $born && $(birth "$pid") == "$born" ]]; then echo "$pid"; fi
}

start() {
    local pid
    needs name folder python code version
    if [[ $(running) ]]; then return; fi
    if [[ -e /run/netns/$name ]] && ! ip -n "$name" link show dev lo >/dev/null 2>&1; then
        run ip netns delete "$name" # a file without a namespace
    fi
    if [[ ! -e /run/netns/$name ]]; then run ip netns add "$name"; fi
    run ip -n "$name" link set dev lo up
    run mkdir -p /run/systemvm
    run rm -f "$folder/agent.sock"
    [[ ! $dry_run ]] || return 0
    cd "$code"
    # The memory that plans are kept in is the router's own, and goes with it. 9>&-: no lock of the caller's lives on.
    # shellcheck disable=SC2016 # the inner shell expands these
    setsid nsenter "--net=/run/netns/$name" \
        unshare --mount --propagation private --uts --ipc --pid --fork --kill-child --mount-proc \
        sh -c 'mount -t tmpfs -o mode=755 systemvm /run/systemvm && exec "$@"' sh \
        "$python" -E -s -m backends.systemvm.guest --first --socket "$folder/agent.sock" --version "$version" \
        >"$folder/log" 2>&1 </dev/null 9>&- &
    pid=$!
    echo "$pid $(birth "$pid")" >"$folder/process.new"
    mv "$folder/process.new" "$folder/process"
}

plug() {
    local mtu=1500 there
    needs name bridge port card mac
    if exists "$bridge"; then mtu=$(<"/sys/class/net/$bridge/mtu"); fi
    there=$(ip -n "$name" -o link show dev "$card" 2>/dev/null || true)
    if exists "$port" && [[ $there != *" link/ether $mac "* ]]; then run ip link delete "$port"; fi
    if ! exists "$port" || [[ $dry_run ]]; then
        run ip link add name "$port" mtu "$mtu" type veth peer name "$card" address "$mac" mtu "$mtu" netns "$name"
    fi
    without_ipv6 "$port"
    # Some DHCP clients read frames past the kernel, and want to see checksums.
    if command -v ethtool >/dev/null; then run ip netns exec "$name" ethtool -K "$card" tx off >/dev/null || true; fi
    run ip link set dev "$port" mtu "$mtu" master "$bridge" up
}

unplug() {
    needs port
    if exists "$port"; then run ip link delete "$port"; fi
}

stop() {
    local pid turn
    needs name folder
    pid=$(running)
    if [[ $pid ]]; then
        run kill -KILL "$pid" # its children are told by the kernel
        for turn in {1..200}; do
            [[ ! $dry_run && $(birth "$pid") && $turn != 200 ]] || break
            sleep 0.02
        done
    fi
    if [[ -e /run/netns/$name ]]; then
        # Something may still hold the namespace: its cards go now.
        ip -n "$name" -o link show type veth 2>/dev/null | sed -n 's/^[0-9]*: \([^@:]*\)[@:].*/\1/p' | while read -r card; do
            run ip -n "$name" link delete dev "$card" || true
        done
        run ip netns delete "$name"
    fi
    run rm -f "$folder/process" "$folder/agent.sock"
}

(($#)) || wrong "no operation"
operation=$1
shift
name='' folder='' python='' code='' version='' bridge='' port='' card='' mac=''
while (($#)); do
    case $1 in
    --dry-run)
        dry_run=yes
        shift
        continue
        ;;
    --name | --folder | --python | --code | --version | --bridge | --port | --card | --mac)
        (($# > 1)) || wrong "$1 needs a value"
        ;;
    *) wrong "unknown option '$1'" ;;
    esac
    case $1 in
    --name) matches "$1" "$2" '[A-Za-z0-9][A-Za-z0-9._-]{0,63}' && name=$2 ;;
    --folder) matches "$1" "$2" '/.*' && folder=$2 ;;
    --python) matches "$1" "$2" '/.*' && python=$2 ;;
    --code) matches "$1" "$2" '/.*' && code=$2 ;;
    --version) matches "$1" "$2" '[A-Za-z0-9._+-]*' && version=$2 ;;
    --bridge) matches "$1" "$2" "$device" && bridge=$2 ;;
    --port) matches "$1" "$2" "$device" && port=$2 ;;
    --card) matches "$1" "$2" "$device" && card=$2 ;;
    --mac) matches "$1" "${2,,}" "$mac_address" && mac=${2,,} ;;
    esac
    shift 2
done
case $operation in
start) start ;;
plug) plug ;;
unplug) unplug ;;
stop) stop ;;
*) wrong "unknown operation '$operation'" ;;
esac
