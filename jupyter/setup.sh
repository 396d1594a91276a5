#!/bin/sh
# Builds the laboratory in .venv: setup.sh PART...
#
#   lab      JupyterLab, the Go kernel, the charts extension, the settings, all Go modules
#   warm     a build of everything that cells import, so that the first cells are fast
#   tools    staticcheck and gopls
#   test     NumPy, for the tests that read our files with it
#   behind   warm and tools, in the background
#   browser  Playwright, for the browser test
#
# Every step is keyed on the content of what it depends on and is skipped when
# nothing of that changed, so a second call takes a fraction of a second.
set -eu
cd "$(dirname "$(readlink -f "$0")")/.."
root=$PWD

die() {
    echo "setup: $*" >&2
    exit 1
}

# step NAME KEY COMMAND...: runs COMMAND unless it succeeded before under the same KEY.
step() {
    name=$1 key=$2
    shift 2
    stamp=.venv/stamps/$name
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$key" ]; then return; fi
    echo "setup: $name"
    log=$(mktemp)
    "$@" >"$log" 2>&1 || { cat "$log" >&2; rm -f "$log"; die "$name failed"; }
    rm -f "$log"
    mkdir -p .venv/stamps
    printf '%s\n' "$key" >"$stamp.$$"
    mv "$stamp.$$" "$stamp"
}

# content FILE...: one word that changes when any of the files does.
content() { cat "$@" | git hash-object --stdin; }

check_needs() {
    command -v git >/dev/null || die "git is missing: install git"
    command -v go >/dev/null || die "Go is missing: install Go 1.26 or newer (https://go.dev/dl)"
    go_version=$(cd / && GOTOOLCHAIN=local go env GOVERSION)
    case $go_version in
    go1.2[6-9]* | go1.[3-9][0-9]* | go[2-9]* | devel*) ;;
    *) die "Go 1.26 or newer is needed, found $go_version: install it (https://go.dev/dl)" ;;
    esac
    python=${PYTHON:-python3}
    command -v "$python" >/dev/null || die "$python is missing: install Python 3.10 or newer"
    python_version=$("$python" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])') || die "$python does not run: install Python 3.10 or newer"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
        die "Python 3.10 or newer is needed, found $python_version: install it, or say which with PYTHON=python3.12"
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        die "Python's venv module is missing: install it (Debian and Ubuntu: apt-get install python3-venv)"
}

make_venv() {
    rm -rf .venv
    "$python" -m venv .venv
}

pip_install() { .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r "$1"; }

# go install ends by moving a finished binary into place, never half a one.
go_tool() { (cd tools && GOBIN="$root/.venv/bin" GOFLAGS=-buildvcs=false go install "$@"); }

# Completion, lint and a warm cell are not needed to start: they are made while
# JupyterLab is already being used, at low priority.
rest_behind() { (nice jupyter/setup.sh warm tools >.venv/behind.log 2>&1 </dev/null &); }

# A build of everything cells may import, for the kernels to replay; anew when the
# library changed since.
warm_cell() {
    stamp=.venv/stamps/warm-cell
    if [ -f "$stamp" ] && [ -z "$(find ebmkit plotting data go.mod go.sum jupyter cmd/cellgo -newer "$stamp" ! -type d 2>/dev/null | head -1)" ]; then return; fi
    echo "setup: warm-cell"
    : >"$stamp.new"
    .venv/bin/python jupyter/warm.py && mv "$stamp.new" "$stamp"
}

# Links into .venv/share/jupyter and .venv/etc/jupyter, so an edit of the
# repository needs no reinstall.
link() {
    mkdir -p "$(dirname "$2")"
    rm -rf "$2"
    ln -s "$1" "$2"
}

install_kernel() {
    link "$root/jupyter/kernel" .venv/share/jupyter/kernels/gonb
    link "$root/jupyter/settings/overrides.json" .venv/share/jupyter/lab/settings/overrides.json
    link "$root/jupyter/settings/page_config.json" .venv/etc/jupyter/labconfig/page_config.json
    if [ -f jupyter/labextension/package.json ]; then
        extension=$(.venv/bin/python -c 'import json; print(json.load(open("jupyter/labextension/package.json"))["name"])')
        link "$root/jupyter/labextension" ".venv/share/jupyter/labextensions/$extension"
    fi
}

build_kernel_bin() {
    CGO_ENABLED=0 GOFLAGS=-buildvcs=false go build -ldflags='-s -w' -o .venv/kernel-bin/go ./cmd/cellgo &&
        ln -sf go .venv/kernel-bin/goimports
}

# The first cell should not wait for a download or for the compiler: fetch every
# module and build what cells import, the way cells are built. Both are always
# asked (0.3 s when nothing is to do), since Go's caches may have been emptied. A
# package that does not compile must not lock its author out of JupyterLab.
library() {
    go mod download || die "the Go modules could not be downloaded"
    set --
    for dir in ebmkit plotting data; do
        [ -d "$dir" ] && set -- "$@" "./$dir/..."
    done
    GOFLAGS=-buildvcs=false CGO_ENABLED=0 go build "$@" ||
        echo "setup: the packages above do not compile; cells that import them will fail" >&2
}

lab() {
    check_needs
    step venv "$root $python_version" make_venv
    step python "$(content jupyter/requirements.txt)" pip_install jupyter/requirements.txt
    step kernel-tools "$go_version $(content tools/go.mod tools/go.sum)" go_tool github.com/janpfeifer/gonb golang.org/x/tools/cmd/goimports
    step links "$root $(content jupyter/setup.sh) $(content jupyter/labextension/package.json 2>/dev/null || true)" install_kernel
    step kernel-go "$go_version $(content cmd/cellgo/*.go)" build_kernel_bin
    library
}

[ $# -gt 0 ] || die "usage: setup.sh lab|warm|tools|behind|test|browser..."
for part in "$@"; do
    case $part in
    lab) lab ;;
    tools)
        check_needs
        step venv "$root $python_version" make_venv
        step all-tools "$go_version $(content tools/go.mod tools/go.sum)" go_tool tool
        ;;
    warm) warm_cell ;;
    behind) rest_behind ;;
    test)
        lab
        step numpy "$(content jupyter/requirements-test.txt)" pip_install jupyter/requirements-test.txt
        ;;
    browser)
        lab
        step playwright "$(content jupyter/requirements-browser.txt)" pip_install jupyter/requirements-browser.txt
        ;;
    *) die "unknown part \"$part\"" ;;
    esac
done
