#!/bin/bash
# The network namespace of one host: two cables into the fabric, each in a bridge of the host.
# cloudbr0 is for management, storage and guests, cloudbr1 for the public network.
# Usage: host-network.sh NAMESPACE FABRIC NAME MAC ADDRESS/PREFIX
set -euo pipefail
namespace=$1 fabric=$2 name=$3 mac=$4 address=$5
mtu=9000

ip netns add "$namespace"
ip -n "$namespace" link set lo up
number=0
for switch in mgmt pub; do
    bridge=cloudbr$number
    ip link add "$switch-$name" mtu "$mtu" netns "$fabric" type veth peer name "eth$number" mtu "$mtu" netns "$namespace"
    ip -n "$fabric" link set "$switch-$name" master "$switch" up
    ip -n "$namespace" link add "$bridge" mtu "$mtu" type bridge mcast_snooping 0
    ip -n "$namespace" link set "eth$number" master "$bridge" up
    number=$((number + 1))
done
# The same address after each power cycle: others would ask a stale one for up to a minute.
ip -n "$namespace" link set cloudbr0 address "$mac" up
ip -n "$namespace" link set cloudbr1 up
ip -n "$namespace" address add "$address" dev cloudbr0
