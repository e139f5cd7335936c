#!/usr/bin/env bash
# The figures of app/BENCHMARKS.md, each beside its rival in the same run. Needs a
# quiet machine; quote medians and ratios.
set -euo pipefail
cd "$(dirname "$0")/.."
export CGO_ENABLED=0
run() { go test -run '^$' -timeout 20m "$@" | grep -E '^Benchmark|^---|FAIL|panic' ; }
echo "== message from API call to event, beside a TCP echo; start; backlog"
run -bench 'Message' -benchtime 200x ./app/inselnetz
run -bench 'Start' -benchtime 10x ./app/inselnetz
run -bench 'Backlog' -benchtime 3x ./app/inselnetz
echo "== import with search index, by run heads and fully verified; append; open; search"
run -bench 'Import|Append|Open|SearchMillion' -benchtime 3x ./crdt/store
echo "== access: resolving 10,000 operations; new keys for 200 devices"
run -bench 'Resolve10000|Rotate200' -benchtime 10x ./crdt/access
echo "== transport: echo and bulk beside raw TCP; pieces of files"
run -bench . -benchtime 1s ./mesh/lan
echo "== files, beside cp, rsync and Syncthing; nothing is deleted before the end"
INSELNETZ_BENCH=$(mktemp -d "${INSELNETZ_BENCH_ON:-/var/tmp}/inselnetz-bench.XXXXXX")
export INSELNETZ_BENCH
trap 'rm -rf "$INSELNETZ_BENCH"' EXIT
run -bench 'FilesSmall|FilesLarge' -benchtime 3x -timeout 60m ./app/inselnetz
run -bench 'FilesByte|FilesFour' -benchtime 3x -timeout 60m ./app/inselnetz
run -bench 'FilesSave|FilesIdle' -benchtime 1x -timeout 60m ./app/inselnetz
if [ "$(id -u)" -eq 0 ] && command -v ip >/dev/null; then
	echo "== idle node with 10 peers"
	go test -run TestLabIdle -v ./app/inselnetz | grep -E 'lab_idle|^---'
fi
