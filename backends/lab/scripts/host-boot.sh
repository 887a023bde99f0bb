#!/bin/bash
# Power on: enter the host's cgroups and namespaces, and become (the parent of) its first process.
# The process that leaves a group does so before it has a view of cgroups in which its own is the root.
# Usage: host-boot.sh NAMESPACE FOLDER NAME SHARED_LOGS [DOOR...]    DOOR: a cgroup.procs file to enter by
set -euo pipefail
namespace=$1 folder=$2 name=$3 logs=$4
shift 4
for door in "$@"; do
    echo $$ >"$door"
done
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# Under nohup SIGHUP is ignored, and no shell below could make it heard again.
exec nsenter "--net=/run/netns/$namespace" \
    unshare --mount --propagation slave --pid --uts --ipc --cgroup --fork --kill-child \
    env --default-signal bash "$here/host-init.sh" "$namespace" "$folder" "$name" "$logs"
