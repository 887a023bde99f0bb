#!/bin/bash
# The switches of a lab, in a network namespace of their own, and the machine's own cables: LINK to the management
# network, PUBLIC to the public one, where it stands for the rest of the world.
# Usage: fabric-up.sh NAMESPACE LINK ADDRESS/PREFIX PUBLIC ADDRESS/PREFIX
set -euo pipefail
namespace=$1 link=$2 address=$3 public=$4 public_address=$5
mtu=9000 # so that guests on VXLANs keep 1500

ip netns add "$namespace"
ip -n "$namespace" link set lo up
for switch in mgmt pub; do
    # Nobody queries for multicast listeners here, and VXLANs need multicast: flood it.
    ip -n "$namespace" link add "$switch" mtu "$mtu" type bridge mcast_snooping 0
    ip -n "$namespace" link set "$switch" up
done
ip link add "$link" mtu "$mtu" type veth peer name machine mtu "$mtu" netns "$namespace"
ip -n "$namespace" link set machine master mgmt up
ip address add "$address" dev "$link"
ip link set "$link" up
ip link add "$public" type veth peer name outside netns "$namespace"
ip -n "$namespace" link set outside master pub up
ip address add "$public_address" dev "$public"
ip link set "$public" up
