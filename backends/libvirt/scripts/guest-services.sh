#!/bin/bash
# What a host itself serves to its guests on one network: DHCP, names, user data. It lives in a network namespace that
# is joined to the network's bridge and holds the gateway's address and 169.254.169.254.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=running.sh
source "$(dirname "${BASH_SOURCE[0]}")/running.sh"

usage() {
    cat <<TEXT
guest-services.sh start --network ID --folder DIR --bridge NAME --port NAME --mac MAC --address IP/LENGTH
        [--dnsmasq] [--python FILE --server FILE] [--dry-run]
    Make the namespace net-ID, and run in it what is asked for, and only that: dnsmasq with DIR/dnsmasq.conf (which
    finds DIR/dns as /mnt), and the metadata server with DIR/metadata. What runs already goes on; it reads
    its files anew, or is started again where it was started with others.
guest-services.sh stop --network ID --folder DIR --port NAME [--dry-run]
    End the processes, remove the namespace. DIR stays.
TEXT
}

inside() {
    ip netns exec "$space" "$@"
}

make_namespace() {
    if [[ -e /run/netns/$space ]] && ! ip -n "$space" link show dev lo >/dev/null 2>&1; then
        run ip netns delete "$space" # a file without a namespace
    fi
    if [[ ! -e /run/netns/$space ]]; then run ip netns add "$space"; fi
    run ip -n "$space" link set dev lo up
    # With nowhere to go to, a guest is told so instead of waiting.
    run inside sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6'
    run ip -n "$space" route replace unreachable default metric 4278198272
}

# The same MAC address on every host: a guest that has moved finds its gateway where its ARP table says.
join_bridge() {
    local mtu=1500 there
    if exists "$bridge"; then mtu=$(<"/sys/class/net/$bridge/mtu"); fi
    there=$(ip -n "$space" -o link show dev eth0 2>/dev/null || true)
    if exists "$port" && [[ $there != *" link/ether $mac "* ]]; then run ip link delete "$port"; fi
    if ! exists "$port" || [[ $dry_run ]]; then
        run ip link add name "$port" mtu "$mtu" type veth peer name eth0 address "$mac" mtu "$mtu" netns "$space"
    fi
    without_ipv6 "$port"
    # Some DHCP clients read frames past the kernel, and want to see checksums.
    if command -v ethtool >/dev/null; then run inside ethtool -K eth0 tx off >/dev/null || true; fi
    there=$(ip -n "$space" -o -4 address show dev eth0 2>/dev/null || true)
    if [[ $there != *" inet $address "* ]]; then
        run ip -n "$space" address flush dev eth0
        run ip -n "$space" address add "$address" dev eth0
        run ip -n "$space" address add 169.254.169.254/32 dev eth0
    fi
    run ip -n "$space" link set dev eth0 mtu "$mtu" up
    run ip link set dev "$port" mtu "$mtu" master "$bridge" up
    run bridge fdb replace "$mac" dev "$port" master static
}

# processes ARGUMENT: the pids of this network's processes that were started with that argument. A pid in a file alone
# proves nothing: it may be another's by now.
processes() {
    local pid
    { cat "$folder/dns/run/dnsmasq.pid" "$folder/metadata.pid" 2>/dev/null || true
      ip netns pids "$space" 2>/dev/null || true; } | sort -un | while read -r pid; do
        if { tr '\0' '\n' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -qxF -- "$1"; then echo "$pid"; fi
    done
}

# end PID...: and wait until they are gone.
end() {
    local pid turn
    (($#)) || return 0
    run kill "$@" 2>/dev/null || true
    [[ ! $dry_run ]] || return 0
    for pid in "$@"; do
        for turn in {1..200}; do
            kill -0 "$pid" 2>/dev/null || continue 2
            ((turn < 200)) || kill -KILL "$pid" 2>/dev/null || true
            sleep 0.01
        done
    done
}

# The lease of a guest that is no longer here would keep its address from the next one.
stale_leases() {
    [[ -s $folder/dns/run/leases ]] || return 1
    awk -F'[ ,]' 'NR == FNR { known[$1 " " $(NF - 2)] = 1; next } !($2 " " $3 in known) { stale = 1 } END { exit !stale }' \
        "$folder/dns/hosts" "$folder/dns/run/leases"
}

prune_leases() {
    awk -F'[ ,]' 'NR == FNR { known[$1 " " $(NF - 2)] = 1; next } $2 " " $3 in known' \
        "$folder/dns/hosts" "$folder/dns/run/leases" >"$folder/leases.kept"
    install -o "$user" -m 644 "$folder/leases.kept" "$folder/dns/run/leases"
    rm "$folder/leases.kept"
}

# dnsmasq parses what guests send, so it is not left root. The agent's folder is closed to others, hence the mount,
# which only this process sees.
start_dnsmasq() {
    run install -d -o "$user" -m 755 "$folder/dns/run"
    if [[ -s $folder/dns/run/leases ]]; then run prune_leases; fi
    run cp "$folder/dnsmasq.conf" "$folder/dnsmasq.started"
    # shellcheck disable=SC2016 # the inner shell expands these
    run inside sh -c 'mount --bind "$1" /mnt && exec dnsmasq --user="$2" "--conf-file=$3"' sh \
        "$folder/dns" "$user" "$folder/dnsmasq.conf"
}

have_dnsmasq() {
    local pids=()
    mapfile -t pids < <(processes "--conf-file=$folder/dnsmasq.conf")
    if [[ ! $dnsmasq ]]; then
        end "${pids[@]}"
    elif ((${#pids[@]})) && cmp -s "$folder/dnsmasq.conf" "$folder/dnsmasq.started" && ! stale_leases; then
        run kill -HUP "${pids[@]}"
    else
        end "${pids[@]}"
        start_dnsmasq
    fi
}

have_metadata_server() {
    local pids=() fitting
    mapfile -t pids < <(processes "--folder=$folder/metadata")
    fitting=$(processes "--listen=${address%/*}:80")
    if [[ $server && $fitting ]] && ((${#pids[@]})); then return; fi
    end "${pids[@]}"
    if [[ $server ]]; then
        # Neither the script's own folder nor the site's packages: a small process that imports nothing by accident.
        run inside "$python" -I -S "$server" "--folder=$folder/metadata" "--listen=${address%/*}:80" \
            "--listen=169.254.169.254:80" "--passwords=${address%/*}:8080" "--passwords=169.254.169.254:8080" \
            "--pid-file=$folder/metadata.pid" "--log=$folder/metadata.log" --daemon
    fi
}

start() {
    needs network folder bridge port mac address
    if [[ ! $dry_run ]]; then exists "$bridge" || fail "bridge $bridge is not on this host"; fi
    make_namespace
    join_bridge
    have_dnsmasq
    have_metadata_server
}

stop() {
    local pids=()
    needs network folder port
    mapfile -t pids < <(processes "--conf-file=$folder/dnsmasq.conf" && processes "--folder=$folder/metadata")
    end "${pids[@]}"
    if exists "$port"; then run ip link delete "$port"; fi
    if [[ -e /run/netns/$space ]]; then run ip netns delete "$space"; fi
}

(($#)) || wrong "no operation"
operation=$1
shift
network='' folder='' bridge='' port='' mac='' address='' dnsmasq='' python='' server=''
while (($#)); do
    case $1 in
    --dry-run | --dnsmasq)
        if [[ $1 == --dry-run ]]; then dry_run=yes; else dnsmasq=yes; fi
        shift
        continue
        ;;
    --network | --folder | --bridge | --port | --mac | --address | --python | --server)
        (($# > 1)) || wrong "$1 needs a value"
        ;;
    *) wrong "unknown option '$1'" ;;
    esac
    case $1 in
    --network) matches "$1" "$2" '[A-Za-z0-9][A-Za-z0-9-]{0,63}' && network=$2 ;;
    --folder) matches "$1" "$2" '/[^,]*' && folder=$2 ;;
    --bridge) matches "$1" "$2" "$device" && bridge=$2 ;;
    --port) matches "$1" "$2" "$device" && port=$2 ;;
    --mac) matches "$1" "${2,,}" "$mac_address" && mac=${2,,} ;;
    --address) matches "$1" "$2" "$ipv4/[0-9]{1,2}" && address=$2 ;;
    --python) matches "$1" "$2" '/.*' && python=$2 ;;
    --server) matches "$1" "$2" '/.*' && server=$2 ;;
    esac
    shift 2
done
[[ ! $server ]] || needs python
space=net-$network
user=nobody
if id dnsmasq >/dev/null 2>&1; then user=dnsmasq; fi
case $operation in
start) start ;;
stop) stop ;;
*) wrong "unknown operation '$operation'" ;;
esac
