#!/bin/bash
# The bridge of a guest broadcast domain on this host, and what joins it to the other hosts.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=running.sh
source "$(dirname "${BASH_SOURCE[0]}")/running.sh"

usage() {
    cat <<TEXT
guest-bridge.sh add vxlan|vlan --bridge NAME --port NAME --id ID --device DEVICE [--dry-run]
    Make the bridge with one port: the VXLAN ID through DEVICE, or the 802.1Q sub-interface ID of DEVICE.
guest-bridge.sh add plain --bridge NAME [--dry-run]
    Check that the bridge is there.
guest-bridge.sh delete --bridge NAME --port NAME [--dry-run]
    Remove both. Exit code 3, and nothing done, if the bridge has other ports.
TEXT
}

made=()

undo() {
    local code=$? each
    if ((code)) && [[ ! $dry_run ]]; then
        for each in "${made[@]}"; do
            ip link delete "$each" 2>/dev/null || true
        done
    fi
    exit "$code"
}

# Forwards at once, keeps out of what guests say (no spanning tree, no snooping), and is no door to the host: no
# answer to ARP for the host's addresses, nothing taken in that has no route back through this bridge.
make_bridge() {
    local mtu=$1 conf=/proc/sys/net/ipv4/conf/$bridge
    if ! exists "$bridge"; then
        made+=("$bridge")
        run ip link add name "$bridge" type bridge stp_state 0 forward_delay 0 mcast_snooping 0
    fi
    without_ipv6 "$bridge"
    run kernel_value "$conf/rp_filter" 1
    run kernel_value "$conf/arp_ignore" 8
    run ip link set dev "$bridge" mtu "$mtu" up
}

join_port() {
    without_ipv6 "$port"
    run ip link set dev "$port" master "$bridge" up
}

mtu_of() {
    cat "/sys/class/net/$1/mtu"
}

add_vxlan() {
    local mtu group what
    ((id >= 1 && id <= 16777215)) || wrong "--id cannot be '$id'"
    mtu=$(($(mtu_of "$device_name") - 50)) # outer Ethernet 14, IPv4 20, UDP 8, VXLAN 8
    ((mtu <= 1500)) || mtu=1500
    group=239.$((id >> 16)).$((id >> 8 & 255)).$((id & 255))
    if exists "$port"; then
        what=$(ip -d link show dev "$port")
        if [[ $what != *"vxlan id $id group $group dev $device_name "* ]]; then
            run ip link delete "$port" # from before the host's guest device was another
        fi
    fi
    if ! exists "$port" || [[ $dry_run ]]; then
        made+=("$port")
        run ip link add name "$port" mtu "$mtu" type vxlan id "$id" dstport 4789 dev "$device_name" \
            group "$group" ttl 10
    fi
    make_bridge "$mtu"
    join_port
}

add_vlan() {
    local mtu
    ((id >= 1 && id <= 4094)) || wrong "--id cannot be '$id'"
    mtu=$(mtu_of "$device_name")
    if ! exists "$port"; then
        made+=("$port")
        run ip link add link "$device_name" name "$port" type vlan id "$id" ||
            fail "VLAN $id on $device_name: the host cannot do 802.1Q here (is its kernel module 8021q missing?)"
    fi
    make_bridge "$mtu"
    join_port
}

add() {
    needs bridge
    if [[ $kind == plain ]]; then
        [[ -d /sys/class/net/$bridge/bridge ]] || fail "device $bridge is not a bridge on this host"
        return
    fi
    [[ $device_name ]] || wrong "--device is missing"
    needs port id
    matches --id "$id" '[0-9]{1,8}'
    id=$((10#$id))
    exists "$device_name" || fail "device $device_name is not on this host"
    case $kind in
    vxlan) add_vxlan ;;
    vlan) add_vlan ;;
    *) wrong "'$kind' is no kind of network" ;;
    esac
}

delete() {
    local each others=()
    needs bridge port
    if [[ -d /sys/class/net/$bridge/brif ]]; then
        for each in "/sys/class/net/$bridge/brif"/*; do
            [[ ! -e $each || ${each##*/} == "$port" ]] || others+=("${each##*/}")
        done
    fi
    if ((${#others[@]})); then
        echo "bridge $bridge stays: ${others[*]} still in it" >&2
        exit 3
    fi
    if exists "$port"; then run ip link delete "$port"; fi
    if exists "$bridge"; then run ip link delete "$bridge"; fi
}

(($#)) || wrong "no operation"
operation=$1
shift
kind='' bridge='' port='' id='' device_name=''
if [[ $operation == add ]]; then
    (($#)) || wrong "no kind of network"
    kind=$1
    shift
fi
while (($#)); do
    case $1 in
    --dry-run)
        dry_run=yes
        shift
        continue
        ;;
    --bridge | --port | --id | --device) (($# > 1)) || wrong "$1 needs a value" ;;
    *) wrong "unknown option '$1'" ;;
    esac
    case $1 in
    --bridge) matches "$1" "$2" "$device" && bridge=$2 ;;
    --port) matches "$1" "$2" "$device" && port=$2 ;;
    --id) id=$2 ;;
    --device) matches "$1" "$2" "$device" && device_name=$2 ;;
    esac
    shift 2
done
trap undo EXIT
case $operation in
add) add ;;
delete) delete ;;
*) wrong "unknown operation '$operation'" ;;
esac
