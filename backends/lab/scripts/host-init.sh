#!/bin/bash
# The first process of a host: makes its own view of the machine, then keeps its services running.
# Services are executable files in FOLDER/services. One that fails is started again after a second, as a service
# manager would, unless the file FOLDER/unsupervised exists. SIGHUP starts services that do not run.
# Usage: host-init.sh MARK FOLDER NAME LOGS    MARK: the source of its mounts, by which they are found
set -eu
mark=$1 folder=$2 name=$3 logs=$4

read -r number _ </proc/self/stat # /proc is still the machine's, and so is this number

own_view() {
    mount -t proc "$mark" /proc
    mount -t sysfs "$mark" /sys # shows the network devices of this namespace
    own_cgroups
    mount -t tmpfs -o mode=755 "$mark" /run
    mkdir -p /run/libvirt /run/lock /run/netns /run/services
    mkdir -p /var/lib/libvirt /var/cache/libvirt /var/log/libvirt
    mount --bind "$folder/etc" /etc/libvirt
    mount --bind "$folder/lib" /var/lib/libvirt
    mount --bind "$folder/cache" /var/cache/libvirt
    mount --bind "$logs" /var/log/libvirt
    mount --bind "$folder/hosts" /etc/hosts
    hostname "$name"
}

# In the cgroup namespace these mounts show the host's own groups only.
own_cgroups() {
    local controllers controller wanted
    if [[ $(wc -l </proc/self/cgroup) == 1 ]] && grep -q '^0::' /proc/self/cgroup; then
        mount -t cgroup2 "$mark" /sys/fs/cgroup
        mkdir -p /sys/fs/cgroup/init
        echo $$ >/sys/fs/cgroup/init/cgroup.procs
        read -ra wanted </sys/fs/cgroup/cgroup.controllers || true
        for controller in "${wanted[@]}"; do # one that is not to be had is missed, but the host lives
            echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control || echo "no cgroup controller $controller here"
        done
        return
    fi
    [[ -d /sys/fs/cgroup ]] || return 0
    mount -t tmpfs -o mode=755 "$mark" /sys/fs/cgroup
    while IFS=: read -r _ controllers _; do
        [[ $controllers == *name=* || -z $controllers ]] && continue
        mkdir "/sys/fs/cgroup/$controllers"
        mount -t cgroup -o "$controllers" "$mark" "/sys/fs/cgroup/$controllers" || rmdir "/sys/fs/cgroup/$controllers"
        if [[ $controllers == *,* ]]; then # mounted together, looked for one by one
            for controller in ${controllers//,/ }; do ln -s "$controllers" "/sys/fs/cgroup/$controller"; done
        fi
    done </proc/self/cgroup
}

supervise() {
    local service=$1 status
    local file=/run/services/$service.pid
    while :; do
        status=0
        setsid "$folder/services/$service" >>"$logs/$service.log" 2>&1 </dev/null &
        echo $! >"$file"
        wait $! || status=$?
        rm -f "$file"
        [[ $status == 0 || -e $folder/unsupervised ]] && break
        echo "$service ended with $status; it is started again" >>"$logs/$service.log"
        sleep 1
    done
}

declare -A supervisors
start_services() {
    local file service
    for file in "$folder"/services/*; do
        service=${file##*/}
        [[ -x $file ]] || continue
        kill -0 "${supervisors[$service]:-none}" 2>/dev/null && continue
        supervise "$service" &
        supervisors[$service]=$!
    done
}

own_view
ulimit -c 0
set +e
trap start_services HUP
start_services
echo "$number" >"$folder/pid.new"
mv "$folder/pid.new" "$folder/pid"
while :; do
    sleep infinity &
    sleeper=$!
    wait "$sleeper" # until a signal comes, or for ever
    kill "$sleeper" 2>/dev/null
done
