#!/bin/sh
# Starts the GoNB kernel for one notebook: launch.sh CONNECTION_FILE
#
# Nothing is baked in. The repository is found by walking up from this file's
# real place, so the folder may be linked, copied, moved, or have a space in its
# name. Every import of the repository and of its dependencies then works in any
# cell, without the network.
set -eu

die() {
    echo "Go kernel: $*" >&2
    exit 1
}

root=$(dirname "$(readlink -f "$0")")
until [ -f "$root/tools/go.mod" ] && [ -d "$root/ebmkit" ]; do
    [ "$root" = / ] && die "no repository above $0"
    root=$(dirname "$root")
done
bin="$root/.venv/bin"
[ -x "$bin/gonb" ] || die "not installed; run \"make lab\" in $root"

# The real go is looked up before ours goes in front of it.
EBMKIT_GO=$(command -v go) || die "go is not on the PATH; install Go 1.26 or newer (https://go.dev/dl)"
export EBMKIT_GO
export EBMKIT_GOIMPORTS="$bin/goimports"
export EBMKIT_RECORDS="$root/.venv/cells"
export PATH="$root/.venv/kernel-bin:$bin:$PATH"

# No network at run time, no toolchain download, pure Go, a small binary.
unset GOWORK
export CGO_ENABLED=0
export GOPROXY=off
export GOTOOLCHAIN=local
export GOFLAGS="-buildvcs=false '-ldflags=-s -w'"

# The notebook's name: given by the notebook runner, or else told by Jupyter.
if [ -z "${EBMKIT_NOTEBOOK:-}" ] && [ -n "${JPY_SESSION_NAME:-}" ]; then
    EBMKIT_NOTEBOOK=$(basename "$JPY_SESSION_NAME" .ipynb)
fi
export EBMKIT_NOTEBOOK="${EBMKIT_NOTEBOOK:-}"

# GoNB logs every cell. That goes to a file, begun anew when it has grown.
log="$root/.venv/kernel.log"
[ -n "$(find "$log" -size +2000k 2>/dev/null)" ] && rm -f "$log"
[ -w "$root/.venv" ] || log=/dev/null
exec "$bin/gonb" -kernel="$1" -go_work="$root" -raw_error="${EBMKIT_RAW_ERROR:-false}" 2>>"$log"
