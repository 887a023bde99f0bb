#!/bin/bash
# The switches of a lab, in a network namespace of their own, and the machine's own cable to the management network.
# Usage: fabric-up.sh NAMESPACE LINK ADDRESS/PREFIX
set -euo pipefail
namespace=$1 link=$2 address=$3
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
