#!/bin/bash
# Run a command inside a host, in its cgroups too, so that it counts as the host's.
# Usage: host-enter.sh PID [DOOR...] -- COMMAND...
set -euo pipefail
pid=$1
shift
while [[ $1 != -- ]]; do
    echo $$ >"$1"
    shift
done
shift
exec nsenter --target "$pid" --all -- "$@"
