#!/bin/bash
# What guests may say on the network: nftables tables `bridge cloudsim` and `ip cloudsim`.
#
# Chains belong to a guest's network card and are named after its MAC address (from-02..., to-02...); maps lead
# from its tap, or from its bridge and address, to them. So one card's rules change, in one transaction, without
# a look at the others, and a frame passes one lookup however many guests there are.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=running.sh
source "$(dirname "${BASH_SOURCE[0]}")/running.sh"

usage() {
    cat <<TEXT
security.sh guard --tap DEVICE --mac MAC [--address IP]... [--untagged]
        [--bridge NAME --zone NUMBER [--gateway IP]... [--ingress RULE]... [--egress RULE]...] [--dry-run]
    The guest behind DEVICE speaks only as MAC and as one of the addresses (without any: as MAC). With --bridge it
    is in a security group: nothing reaches it but answers, what a gateway sends and what an ingress RULE allows;
    with egress RULEs nothing leaves it but answers and what these allow. --untagged: it may send no VLAN tags.
    RULE: PROTOCOL,FIRST,LAST,CIDR - PROTOCOL tcp, udp, icmp, all or a number; ports, or ICMP type and code;
    -1 is any.
    NUMBER: the bridge's connection tracking zone (1 to 65535), for addresses of networks may be the same.
security.sh forget --mac MAC [--dry-run]
    Take the card's rules away.
security.sh uplink --port DEVICE [--service MAC,GATEWAY,dhcp|none]... [--dry-run]
    What the host itself serves to its guests (from MAC, on GATEWAY and 169.254.169.254, perhaps DHCP) stays on
    this side of DEVICE, and the same of other hosts on theirs. Without services: nothing is held back.
security.sh list
    The MAC addresses that have rules.
TEXT
}

# elements FAMILY MAP: fills `found` with the map's elements, each `KEY : jump CHAIN`.
elements() {
    local text each
    found=()
    text=$(nft list map "$1" cloudsim "$2" 2>/dev/null) || return 0
    [[ $text == *"elements = {"* ]] || return 0
    text=${text#*elements = \{}
    text=${text%%\}*}
    while read -r -d , each; do
        found+=("$each")
    done <<<"${text//$'\n'/ },"
}

# replace FAMILY MAP CHAIN [KEY]... [-- KEY...]: the keys lead to CHAIN and nothing else does; those after -- lead nowhere.
replace() {
    local family=$1 map=$2 chain=$3 each key wanted old
    shift 3
    elements "$family" "$map"
    for each in "${found[@]}"; do
        key=${each% : *} old=
        if [[ $each == *" : jump $chain" ]]; then old=yes; fi
        for wanted in "$@"; do
            if [[ $key == "$wanted" ]]; then old=yes; fi
        done
        if [[ $old ]]; then echo "delete element $family cloudsim $map { $key }"; fi
    done
    for wanted in "$@"; do
        if [[ $wanted == -- ]]; then break; fi
        echo "add element $family cloudsim $map { $wanted : jump $chain }"
    done
}

# empty_chain FAMILY CHAIN: it is there, without rules.
empty_chain() {
    echo "add chain $1 cloudsim $2"
    echo "flush chain $1 cloudsim $2"
}

# The parts that all cards share. They are written anew each time: that changes nothing.
bridge_table() {
    cat <<TEXT
add table bridge cloudsim
add map bridge cloudsim from_guest { type ifname : verdict; }
add map bridge cloudsim to_guest { type ifname : verdict; }
add map bridge cloudsim uplinks { type ifname : verdict; }
add chain bridge cloudsim sent { type filter hook prerouting priority -350; policy accept; }
add chain bridge cloudsim received { type filter hook postrouting priority 0; policy accept; }
add chain bridge cloudsim passing { type filter hook forward priority -350; policy accept; }
flush chain bridge cloudsim sent
flush chain bridge cloudsim received
flush chain bridge cloudsim passing
add rule bridge cloudsim sent iifname vmap @from_guest
add rule bridge cloudsim received oifname vmap @to_guest
add rule bridge cloudsim passing iifname vmap @uplinks
add rule bridge cloudsim passing oifname vmap @uplinks
TEXT
}

# A bridge tracks no connections, but lets the ip tables see its packets, as coming from and going to the bridge.
# The zone has to be known before fragments are put together.
ip_table() {
    cat <<TEXT
add table ip cloudsim
add map ip cloudsim zones { type ifname : verdict; }
add map ip cloudsim from_guest { type ifname . ipv4_addr : verdict; }
add map ip cloudsim to_guest { type ifname . ipv4_addr : verdict; }
add chain ip cloudsim entering { type filter hook prerouting priority -450; policy accept; }
add chain ip cloudsim passing { type filter hook forward priority 0; policy accept; }
add chain ip cloudsim arriving { type filter hook input priority 0; policy accept; }
flush chain ip cloudsim entering
flush chain ip cloudsim passing
flush chain ip cloudsim arriving
add rule ip cloudsim entering iifname vmap @zones
add rule ip cloudsim passing iifname . ip saddr vmap @from_guest
add rule ip cloudsim passing oifname . ip daddr vmap @to_guest
add rule ip cloudsim arriving iifname . ip saddr vmap @from_guest
TEXT
}

joined() {
    local IFS=,
    echo "$*"
}

# What the guest sends. 0x8035 is RARP: QEMU announces with it that a guest has moved here.
from_chain() {
    local rule="add rule bridge cloudsim from-$name"
    empty_chain bridge "from-$name"
    echo "$rule ether saddr != $mac drop"
    if [[ $untagged ]]; then echo "$rule ether type { 8021q, 8021ad } drop"; fi
    ((${#addresses[@]})) || return 0
    cat <<TEXT
$rule ether type arp arp saddr ether != $mac drop
$rule ether type arp arp saddr ip { 0.0.0.0, $(joined "${addresses[@]}") } return
$rule ether type ip udp sport 67 drop
$rule ether type ip ip saddr { $(joined "${addresses[@]}") } return
$rule ether type ip ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67 return
$rule ether type ip6 icmpv6 type { 134, 137 } drop
$rule ether type ip6 udp sport 547 drop
TEXT
    if [[ $secured ]] && ((${#egress[@]})); then
        echo "$rule ether type 0x8035 return"
    else
        echo "$rule ether type { ip6, 0x8035 } return"
    fi
    echo "$rule drop"
}

# What reaches a guest of a security group. The ip table looks closer at what is for its addresses; what is for all
# (broadcasts, multicasts, IPv6) never gets there.
to_chain() {
    local rule="add rule bridge cloudsim to-$name"
    empty_chain bridge "to-$name"
    cat <<TEXT
$rule ether type { arp, 0x8035 } return
$rule ether type ip ip daddr { $(joined "${addresses[@]}") } return
$rule ether type ip udp sport 67 udp dport 68 return
$rule drop
TEXT
}

# permission CHAIN saddr|daddr RULE: the RULE as nft has it.
permission() {
    local protocol first last cidr what=''
    IFS=, read -r protocol first last cidr <<<"$3"
    [[ $first =~ ^(-1|[0-9]{1,5})$ && $last =~ ^(-1|[0-9]{1,5})$ ]] || wrong "'$3' is no rule"
    [[ $cidr != *:* ]] || return 0 # guests have no IPv6 addresses of the cloud's
    [[ $cidr =~ ^$ipv4(/[0-9]{1,2})?$ ]] || wrong "'$3' is no rule"
    if [[ $cidr != */0 ]]; then what="ip $2 $cidr "; fi
    case $protocol in
    tcp | udp)
        ((first >= 0)) || first=0
        ((last >= 0)) || last=65535
        what+="$protocol dport $first-$last "
        ;;
    icmp)
        what+="ip protocol icmp "
        ((first < 0)) || what+="icmp type $first "
        ((last < 0)) || what+="icmp code $last "
        ;;
    all) ;;
    [0-9] | [0-9][0-9] | [0-9][0-9][0-9])
        ((10#$protocol <= 255)) || wrong "'$3' is no rule"
        what+="ip protocol $((10#$protocol)) "
        ;;
    *) wrong "'$3' is no rule" ;;
    esac
    echo "add rule ip cloudsim $1 ${what}return"
}

group_rules() {
    local each
    empty_chain ip "to-$name"
    echo "add rule ip cloudsim to-$name ct state established,related return"
    echo "add rule ip cloudsim to-$name udp sport 67 udp dport 68 return" # which no guest may send
    for each in "${gateways[@]}"; do echo "add rule ip cloudsim to-$name ip saddr $each return"; done
    for each in "${ingress[@]}"; do permission "to-$name" saddr "$each"; done
    echo "add rule ip cloudsim to-$name drop"
    empty_chain ip "from-$name"
    ((${#egress[@]})) || return 0
    echo "add rule ip cloudsim from-$name ct state established,related return"
    for each in "${gateways[@]}"; do echo "add rule ip cloudsim from-$name ip daddr $each return"; done
    echo "add rule ip cloudsim from-$name udp sport 68 udp dport 67 return"
    for each in "${egress[@]}"; do permission "from-$name" daddr "$each"; done
    echo "add rule ip cloudsim from-$name drop"
}

group_keys() {
    local each
    for each in "${addresses[@]}"; do echo "\"$bridge\" . $each"; done
}

# no_chain FAMILY CHAIN: it is not there, whether it was or not.
no_chain() {
    empty_chain "$1" "$2"
    echo "delete chain $1 cloudsim $2"
}

leave_group() {
    if ! nft list table ip cloudsim >/dev/null 2>&1; then return; fi
    ip_table
    replace ip from_guest "from-$name"
    replace ip to_guest "to-$name"
    no_chain ip "from-$name"
    no_chain ip "to-$name"
}

guard_rules() {
    local keys=()
    bridge_table
    from_chain
    replace bridge from_guest "from-$name" "\"$tap\""
    if [[ ! $secured ]]; then
        replace bridge to_guest "to-$name" -- "\"$tap\"" # which another guest may have had before
        no_chain bridge "to-$name"
        leave_group
        return
    fi
    to_chain
    replace bridge to_guest "to-$name" "\"$tap\""
    mapfile -t keys < <(group_keys)
    ip_table
    empty_chain ip "zone-$bridge"
    echo "add rule ip cloudsim zone-$bridge ct zone set $zone"
    replace ip zones "zone-$bridge" "\"$bridge\""
    group_rules
    replace ip from_guest "from-$name" "${keys[@]}"
    replace ip to_guest "to-$name" "${keys[@]}"
}

see_bridged_packets() {
    local file=/proc/sys/net/bridge/bridge-nf-call-iptables
    if [[ ! -e $file ]]; then
        run modprobe br_netfilter || fail "security groups need the kernel module br_netfilter"
    fi
    if [[ ! -e $file || $(<"$file") != 1 ]]; then run kernel_value "$file" 1; fi
}

guard() {
    needs tap mac
    if [[ $secured ]]; then
        needs zone
        ((${#addresses[@]})) || wrong "a security group needs --address"
        see_bridged_packets
    fi
    transaction guard_rules
    if [[ ! $secured ]]; then tidy; fi
}

forget_rules() {
    bridge_table
    replace bridge from_guest "from-$name"
    replace bridge to_guest "to-$name"
    no_chain bridge "from-$name"
    no_chain bridge "to-$name"
    leave_group
}

forget() {
    needs mac
    transaction forget_rules
    tidy
}

uplink_rules() {
    local each service_mac gateway dhcp rule="add rule bridge cloudsim uplink-$port" own
    bridge_table
    if ! ((${#services[@]})); then
        replace bridge uplinks "uplink-$port"
        no_chain bridge "uplink-$port"
        return
    fi
    empty_chain bridge "uplink-$port"
    for each in "${services[@]}"; do
        IFS=, read -r service_mac gateway dhcp <<<"$each"
        [[ $service_mac =~ ^$mac_address$ && $gateway =~ ^$ipv4$ ]] || wrong "'$each' is no service"
        own="{ $gateway, 169.254.169.254 }"
        cat <<TEXT
$rule ether saddr $service_mac drop
$rule ether daddr $service_mac drop
$rule ether type arp arp saddr ip $own drop
$rule ether type arp arp daddr ip $own drop
$rule ether type ip ip saddr $own drop
TEXT
        if [[ $dhcp == dhcp ]]; then
            echo "$rule ether type ip udp sport { 67, 68 } udp dport { 67, 68 } drop"
        fi
    done
    replace bridge uplinks "uplink-$port" "\"$port\""
}

uplink() {
    needs port
    transaction uplink_rules
    tidy
}

# Tables without guests go, and the zones of bridges that have none in a security group.
tidy_rules() {
    local each used='' zones=()
    if none_in bridge from_guest to_guest uplinks; then
        printf 'add table bridge cloudsim\ndelete table bridge cloudsim\n'
    fi
    elements ip to_guest
    if ! ((${#found[@]})); then
        printf 'add table ip cloudsim\ndelete table ip cloudsim\n'
        return
    fi
    for each in "${found[@]}"; do used+=" ${each%% *} "; done
    elements ip zones
    zones=("${found[@]}")
    for each in "${zones[@]}"; do
        if [[ $used != *" ${each%% *} "* ]]; then
            replace ip zones "${each##* }"
            no_chain ip "${each##* }"
        fi
    done
}

none_in() {
    local map
    for map in "${@:2}"; do
        elements "$1" "$map"
        if ((${#found[@]})); then return 1; fi
    done
}

tidy() {
    if [[ ! $dry_run ]]; then transaction tidy_rules; fi
}

# transaction FUNCTION: all the rules that it prints take effect together, or none does.
transaction() {
    local rules
    rules=$("$1")
    if [[ $dry_run ]]; then
        printf 'nft -f - <<RULES\n%s\nRULES\n' "$rules"
    elif [[ $rules ]]; then
        nft -f - <<<"$rules"
    fi
}

(($#)) || wrong "no operation"
operation=$1
shift
tap='' mac='' bridge='' zone='' port='' untagged='' secured=''
addresses=() gateways=() ingress=() egress=() services=() found=()
while (($#)); do
    case $1 in
    --dry-run | --untagged)
        if [[ $1 == --dry-run ]]; then dry_run=yes; else untagged=yes; fi
        shift
        continue
        ;;
    --tap | --mac | --address | --bridge | --zone | --gateway | --ingress | --egress | --port | --service)
        (($# > 1)) || wrong "$1 needs a value"
        ;;
    *) wrong "unknown option '$1'" ;;
    esac
    case $1 in
    --tap) matches "$1" "$2" "$device" && tap=$2 ;;
    --mac) matches "$1" "${2,,}" "$mac_address" && mac=${2,,} ;;
    --address) matches "$1" "$2" "$ipv4" && addresses+=("$2") ;;
    --bridge) matches "$1" "$2" "$device" && bridge=$2 && secured=yes ;;
    --zone) matches "$1" "$2" '[1-9][0-9]{0,4}' && zone=$2 ;;
    --gateway) matches "$1" "$2" "$ipv4" && gateways+=("$2") ;;
    --ingress) ingress+=("$2") ;;
    --egress) egress+=("$2") ;;
    --port) matches "$1" "$2" "$device" && port=$2 ;;
    --service) services+=("$2") ;;
    esac
    shift 2
done
name=${mac//:/}
exec 9<"${BASH_SOURCE[0]}"
flock 9 # between looking and changing nobody else changes
case $operation in
guard) guard ;;
forget) forget ;;
uplink) uplink ;;
list)
    elements bridge from_guest
    for each in "${found[@]}"; do
        each=${each##*-}
        echo "${each:0:2}:${each:2:2}:${each:4:2}:${each:6:2}:${each:8:2}:${each:10:2}"
    done
    ;;
*) wrong "unknown operation '$operation'" ;;
esac
