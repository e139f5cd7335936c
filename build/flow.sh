#!/usr/bin/env bash
# Two people use the real window, each on a display of its own, with mouse and
# keys: found, join, chat, a document, a dropped file. Prints a stopwatch and
# leaves pictures in bin/flow (or $1). It is no part of `make test`: it takes
# minutes, and a busy machine can make it wait too long.
set -euo pipefail
cd "$(dirname "$0")/.."
pictures=$(realpath -m "${1:-bin/flow}")
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
go build -trimpath -tags desktop,production,webkit2_41 -o "$bin/inselnetz" ./app/inselnetz
rm -rf "$pictures"
mkdir -p "$pictures"
export LANG=C.UTF-8 LC_ALL=C.UTF-8
dbus-run-session -- /usr/bin/python3 build/flow/flow.py "$bin/inselnetz" "$pictures" 2> >(grep -v dbus-daemon >&2)
