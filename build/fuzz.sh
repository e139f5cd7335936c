#!/usr/bin/env bash
# Runs every fuzz target for a while. $1: how long each, such as 20s.
set -euo pipefail
cd "$(dirname "$0")/.."
n=0
for dir in $(git ls-files '*_test.go' | xargs grep -l '^func Fuzz' | xargs -n1 dirname | sort -u); do
	for target in $(grep -hoE '^func Fuzz\w+' "$dir"/*_test.go | sed 's/func //' | sort); do
		echo "fuzz $dir $target"
		CGO_ENABLED=0 go test "./$dir" -run '^$' -fuzz "^$target\$" -fuzztime "$1" | grep -vE '^fuzz: elapsed' || { echo "found something" >&2; exit 1; }
		n=$((n + 1))
	done
done
echo "fuzz: $n passed, 0 failed"
