#!/bin/bash
# Run a program on the machine itself, in cgroups of the lab, by which it is found when the lab is taken down.
# Usage: machine-start.sh [DOOR...] -- COMMAND...    DOOR: a cgroup.procs file to enter by
set -euo pipefail
while [[ $1 != -- ]]; do
    echo $$ >"$1"
    shift
done
shift
exec "$@"
