# shellcheck shell=bash
# How the scripts of a host run commands: sourced by each of them, after it has defined usage().
#
# With --dry-run every command that would change something is printed instead. What only looks is always done.
# Exit codes: 0 done (or nothing to do), 1 it could not be done, 2 the script was called wrongly,
# 3 left as it is because somebody else uses it.

dry_run=

run() {
    if [[ $dry_run ]]; then
        printf '%q ' "$@"
        echo
    else
        "$@"
    fi
}

fail() {
    echo "$*" >&2
    exit 1
}

wrong() {
    echo "${0##*/}: $*" >&2
    usage >&2
    exit 2
}

# needs NAME...: these options must have been given.
needs() {
    local name
    for name in "$@"; do
        [[ ${!name} ]] || wrong "--$name is missing"
    done
}

# matches OPTION VALUE PATTERN: what goes into a rule or a command may be nothing else.
matches() {
    [[ $2 =~ ^($3)$ ]] || wrong "$1 cannot be '$2'"
}

device='[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}'
mac_address='([0-9a-f]{2}:){5}[0-9a-f]{2}'
ipv4='[0-9]{1,3}(\.[0-9]{1,3}){3}'
export device mac_address ipv4 # for the scripts that source this

exists() {
    [[ -e /sys/class/net/$1 ]]
}

# sysctl is not on every host.
kernel_value() {
    echo "$2" >"$1"
}

# Bridges and their ports carry guests' frames, and are no way to talk to the host itself.
without_ipv6() {
    local file=/proc/sys/net/ipv6/conf/$1/disable_ipv6
    if [[ $dry_run || -e $file ]]; then
        run kernel_value "$file" 1
    fi
}
