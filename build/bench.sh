#!/usr/bin/env bash
# The figures of app/BENCHMARKS.md, each beside its rival in the same run. Needs a
# quiet machine; quote medians and ratios.
#
# bench.sh [part ...] runs only those parts. INSELNETZ_BENCH_ON names the directory
# to work in, with 30 GB free. Each part has its time; one that fails says why, and
# the others go on.
set -uo pipefail
cd "$(dirname "$0")/.."
export CGO_ENABLED=0
dir=$(mktemp -d "${INSELNETZ_BENCH_ON:-/var/tmp}/inselnetz-bench.XXXXXX")
log=$dir/log
failed=()
clean() {
	awk -v dir="$dir/" 'index($2, dir) == 1 { print $2 }' /proc/mounts 2>/dev/null | while read -r at; do umount -l "$at"; done
	rm -rf "$dir/on"
}
trap 'clean; rm -rf "$dir"' EXIT

# judge prints the figures of a run, or what it said last if it failed.
judge() {
	local status=$1 what=$2
	grep -E "$3" "$log"
	((status == 0)) && return
	((status == 124)) && what="$what: out of time"
	echo "FAILED: $what" >&2
	grep -vE '^Benchmark' "$log" | tail -n 30 | sed 's/^/    /' >&2
	failed+=("$what")
}

# run SECONDS ... runs benchmarks. All they started ends with them.
run() {
	local limit=$1
	shift
	timeout -k 10 "$limit" go test -run '^$' -timeout 0 "$@" >"$log" 2>&1
	judge $? "go test $*" '^Benchmark.*[0-9]'
}

# files SECONDS ... runs benchmarks that need room. It is freed after each part, not
# within: after a large deletion a file system without a journal makes files slowly.
files() {
	mkdir -p "$dir/on"
	INSELNETZ_BENCH=$dir/on run "$@" ./app/inselnetz
	clean
	sync -f "$dir"
}

message() { # from API call to event, beside a TCP echo; start; backlog
	run 300 -bench 'Message' -benchtime 200x ./app/inselnetz
	run 300 -bench 'Start' -benchtime 10x ./app/inselnetz
	run 300 -bench 'Backlog' -benchtime 3x ./app/inselnetz
}
fair() { # chat while a third device pulls a million messages and 1 GiB; FAIR_ENTRIES, FAIR_MIB, FAIR_APART, FAIR_KEEP
	files 1800 -bench 'Fair' -benchtime 1x
}
store() { # import with search index, by run heads and fully verified; append; open; search
	run 900 -bench 'Import|Append|Open|SearchMillion' -benchtime 3x ./crdt/store
}
access() { # resolving 10,000 operations; new keys for 200 devices
	run 300 -bench 'Resolve10000|Rotate200' -benchtime 10x ./crdt/access
}
document() { # documents beside automerge-go, the JavaScript release, Yjs and Loro
	run 900 -tags automergego -bench . -benchtime 1x ./crdt/automerge/oracle
}
page() { # what a page with a document asks for: open, keystrokes, history, search
	build/setup.sh page && go build -trimpath -o "$dir/inselnetz" ./app/inselnetz &&
		INSELNETZ_BIN=$dir/inselnetz timeout -k 10 600 node frontend/tests/documents.bench.mjs >"$log" 2>&1
	judge $? documents.bench.mjs ': p50|^a document|^[0-9,]+ documents'
}
start() { # from the address to a usable page, with 100,000 messages and 1,000 documents
	build/setup.sh page && go build -trimpath -o "$dir/inselnetz" ./app/inselnetz &&
		INSELNETZ_BIN=$dir/inselnetz timeout -k 10 600 node frontend/tests/start.bench.mjs >"$log" 2>&1
	judge $? start.bench.mjs ': p50|^[0-9]+ messages|^JavaScript'
}
transport() { # echo and bulk beside raw TCP; pieces of files
	run 300 -bench . -benchtime 1s ./mesh/lan
}
small() { # many small files, beside rsync, cp and Syncthing
	files 900 -bench 'FilesSmall' -benchtime 3x
}
large() { # one large file, the same
	files 900 -bench 'FilesLarge' -benchtime 3x
}
byte() { # one byte of it, on ext4, xfs and btrfs
	files 900 -bench 'FilesByte' -benchtime 3x
}
four() { # one large file to four
	files 600 -bench 'FilesFour' -benchtime 3x
}
slow() { # many small files where a flush takes long
	files 600 -bench 'FilesSlowFlush' -benchtime 1x
}
save() { # from a save to the other's disk, beside Syncthing
	files 300 -bench 'FilesSave' -benchtime 1x
}
rescan() { # 100,000 files in one process: scan, apply, scan again
	mkdir -p "$dir/on"
	FILES=100000 BENCHDIR=$dir/on run 300 -bench 'Folder$' -benchtime 1x ./app/folder
	clean
}
idle() { # with 100,000 files; with ten peers
	files 400 -bench 'FilesIdle' -benchtime 1x
	if [ "$(id -u)" -eq 0 ] && command -v ip >/dev/null; then
		timeout -k 10 300 go test -count=1 -run TestLabIdle -v ./app/inselnetz >"$log" 2>&1
		judge $? TestLabIdle 'lab_idle|^---'
	fi
}

parts=("$@")
((${#parts[@]})) || parts=(message fair store access document page start transport small large byte four slow save rescan idle)
for part in "${parts[@]}"; do
	declare -F "$part" >/dev/null || { echo "there is no part $part" >&2; exit 2; }
	echo "== $part"
	"$part"
done
((${#failed[@]} == 0)) || { printf 'FAILED: %s\n' "${failed[@]}" >&2; exit 1; }
