#!/bin/bash
# How fast an instance's network card may be, both ways.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=running.sh
source "$(dirname "${BASH_SOURCE[0]}")/running.sh"

usage() {
    cat <<TEXT
shaping.sh set --mac MAC --tap DEVICE --rate MBIT [--dry-run]
    Limit what the guest behind DEVICE receives, and what it sends, to MBIT megabits per second each.
shaping.sh clear --mac MAC [--tap DEVICE] [--dry-run]
    Take the limits away.
TEXT
}

# Towards the guest a token bucket on its tap does it. A device cannot hold back what it receives, so what the
# guest sends goes through a device of its own (ifb) with such a bucket.
set_rate() {
    local burst=$((rate * 1250)) bucket
    ((burst > 32768)) || burst=32768 # a bucket of 10 ms: the kernel's timer fills it no faster than every 4 ms
    bucket=(rate "${rate}mbit" burst "$burst" latency 100ms)
    exists "$tap" || fail "$tap is not on this host"
    if ! exists "$ifb"; then
        run ip link add name "$ifb" type ifb
    fi
    without_ipv6 "$ifb"
    run ip link set dev "$ifb" up
    run tc qdisc replace dev "$ifb" root tbf "${bucket[@]}"
    run tc qdisc replace dev "$tap" root tbf "${bucket[@]}"
    if [[ $(tc qdisc show dev "$tap" ingress) != *ingress* ]]; then
        run tc qdisc add dev "$tap" ingress
    fi
    if [[ $(tc filter show dev "$tap" parent ffff:) != *"$ifb"* ]]; then
        run tc filter add dev "$tap" parent ffff: pref 1 protocol all u32 match u32 0 0 \
            action mirred egress redirect dev "$ifb"
    fi
}

clear_rate() {
    if [[ $tap ]] && exists "$tap"; then
        if [[ $(tc qdisc show dev "$tap" ingress) == *ingress* ]]; then run tc qdisc delete dev "$tap" ingress; fi
        if [[ $(tc qdisc show dev "$tap" root) == *tbf* ]]; then run tc qdisc delete dev "$tap" root; fi
    fi
    if exists "$ifb"; then run ip link delete "$ifb"; fi
}

(($#)) || wrong "no operation"
operation=$1
shift
mac='' tap='' rate=''
while (($#)); do
    case $1 in
    --dry-run)
        dry_run=yes
        shift
        continue
        ;;
    --mac | --tap | --rate) (($# > 1)) || wrong "$1 needs a value" ;;
    *) wrong "unknown option '$1'" ;;
    esac
    case $1 in
    --mac) matches "$1" "${2,,}" "$mac_address" && mac=${2,,} ;;
    --tap) matches "$1" "$2" "$device" && tap=$2 ;;
    --rate) matches "$1" "$2" '[1-9][0-9]{0,6}' && rate=$2 ;;
    esac
    shift 2
done
needs mac
ifb=ifb${mac//:/}
case $operation in
set)
    needs tap rate
    set_rate
    ;;
clear) clear_rate ;;
*) wrong "unknown operation '$operation'" ;;
esac
