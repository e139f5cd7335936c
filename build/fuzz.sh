#!/usr/bin/env bash
# Runs every fuzz target for a while. $1: how long each, such as 20s.
set -euo pipefail
cd "$(dirname "$0")/.."
export CGO_ENABLED=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# Go's fuzzer sometimes ends at its time limit with this error and nothing found;
# only a second one in a row counts.
fuzz() {
	for _ in 1 2; do
		go test "./$1" -run '^$' -fuzz "^$2\$" -fuzztime "$3" -timeout 10m >"$out" 2>&1 && return
		grep -q 'context deadline exceeded' "$out" && ! grep -q 'Failing input' "$out" || return 1
	done
	return 1
}

n=0
for dir in $(git ls-files '*_test.go' | xargs grep -l '^func Fuzz' | xargs -n1 dirname | sort -u); do
	for target in $(grep -hoE '^func Fuzz\w+' "$dir"/*_test.go | sed 's/func //' | sort -u); do
		time=$1
		# Whole documents are the largest thing that strangers send.
		case $dir/$target in
		crdt/automerge/FuzzLoad | crdt/automerge/FuzzLoadIncremental | crdt/automerge/FuzzApplyChange | crdt/automerge/FuzzSyncMessage)
			[[ $time =~ ^[1-5]?[0-9]s$ ]] && time=60s ;;
		esac
		fuzz "$dir" "$target" "$time" || { cat "$out"; echo "$dir $target found something" >&2; exit 1; }
		n=$((n + 1))
		echo "$dir $target: $(grep -oE 'execs: [0-9]+' "$out" | tail -n1)"
	done
done
echo "fuzz: $n passed, 0 failed"
