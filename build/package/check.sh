#!/usr/bin/env bash
# Tries the packages in bin/packages (or $1), a line for each thing: ok or FAIL.
# $2, a second build of the same commit: the bytes must be equal. PARTS="windows
# linux nas bill" (all, if it is not set) says what is tried. Takes some minutes.
set -uo pipefail
cd "$(dirname "$0")/../.."
build/package/setup.sh check
out=$(realpath "${1:-bin/packages}")
work=$(mktemp -d)
nodes=()
finish() {
	for p in "${nodes[@]}"; do kill "$p" 2>/dev/null; done
	wait 2>/dev/null
	[ ! -d "$work/wine" ] || WINEPREFIX=$work/wine /usr/lib/wine/wineserver64 -k 2>/dev/null
	rm -rf "$work"
}
trap finish EXIT
failed=0
try() { # WHAT COMMAND…
	local what=$1
	shift
	if "$@" >"$work/said" 2>&1; then
		echo "ok    $what"
	else
		echo "FAIL  $what"
		sed 's/^/      /' "$work/said" | tail -n 15
		failed=1
	fi
}
not() { ! "$@"; }
has() { grep -qF -- "$2" "$1"; }
one() { set -- "$out"/$1; [ -e "$1" ] && echo "$1"; }
until_so() { # COMMAND…: within a minute
	local end=$((SECONDS + 60))
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.5
	done
}

# begin starts a node on this computer alone: NAME PROGRAM [WRAPPER…]. Its process
# is $node afterwards; its data lie in $work/NAME.
begin() {
	local data=$work/$1 program=$2
	shift 2
	"$@" "$program" serve --loopback --beacon-port 29961 --secrets "${SECRETS:-file}" --files - --data "$data" --state "$data.state" \
		--page 127.0.0.1:0 --syncthing-port -1 >"$data.log" 2>&1 &
	node=$!
	nodes+=("$node")
}

# answers starts a node and asks it: PROGRAM [WRAPPER…]
answers() {
	local program=$1 name=node.$RANDOM
	begin "$name" "$@"
	shift
	until_so sh -c '"$@" >"$0" 2>&1' "$work/$name.said" "$@" "$program" status --lang en --data "$work/$name"
	cat "$work/$name.log" "$work/$name.said"
	kill "$node"
	wait "$node"
	grep -q 'belongs to no office yet' "$work/$name.said"
}

try "checksums are right" sh -c "cd '$out' && sha256sum -c --quiet SHA256SUMS"
[ -z "${2:-}" ] || try "two builds have the same bytes ($(wc -l <"$out/SHA256SUMS") files)" diff "$out/SHA256SUMS" "$2/SHA256SUMS"
for part in ${PARTS:-windows linux nas bill}; do . "build/package/check/$part.sh"; done
echo "tried in $SECONDS s"
exit $failed
