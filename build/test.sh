#!/usr/bin/env bash
# All tests: Go, then the window in a browser. Prints what was skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(mktemp)
again=$(mktemp)
trap 'rm -f "$out" "$again"' EXIT
CGO_ENABLED=0 go test -count=1 -timeout 25m -v ./... >"$out" 2>&1 && ok=0 || ok=$?
grep -E '^(ok|FAIL|panic:|--- FAIL)|^\s+.*_test\.go:[0-9]+:' "$out" | grep -vE 'no test files|\[rapid\] OK' | tail -n 200 || true
if [ $ok -ne 0 ]; then
	# A package's lines end with its own line of "ok" or "FAIL". A runtime that
	# gives up ("fatal error", a kill) prints no test's name: then the first lines
	# from there say why.
	echo "---- what failed ----"
	awk '
		{ line[n++] = $0 }
		/^ok  \t/ { n = 0 }
		/^FAIL\t/ {
			first = -1; shown = 0
			for (i = 0; i < n; i++) if (line[i] ~ /^ *--- FAIL|^panic:|^fatal error:|signal: /) {
				from = i - 60 > first ? i - 60 : first + 1
				for (j = from; j < i + 30 && j < n && shown < 400; j++) if (j > first) { print line[j]; shown++; first = j }
			}
			if (first < 0) for (j = n > 60 ? n - 60 : 0; j < n; j++) print line[j]
			print $0; n = 0
		}' "$out"
	# Many tests here are about time, and packages are tested side by side: what
	# failed is told once more, alone. It is said, and twice is a failure.
	mapfile -t failed < <(sed -nE 's/^FAIL\t([^ \t]+)\t.*/\1/p' "$out")
	if [ ${#failed[@]} -eq 0 ] || grep -qE '^FAIL.*\[(build|setup) failed\]' "$out"; then exit $ok; fi
	for package in "${failed[@]}"; do
		echo "go tests: $package FAILED ONCE (see above), once more, alone"
		CGO_ENABLED=0 go test -count=1 -timeout 25m "$package" >"$again" 2>&1 || {
			tail -n 400 "$again"
			exit 1
		}
		tail -n 1 "$again"
	done
fi
# A library of its own: also where numbers are small.
GOARCH=386 CGO_ENABLED=0 go test -count=1 -short -timeout 5m ./crdt/automerge ./crdt/automerge/internal/...
# automerge-go needs a C compiler, in a child process of its own.
if command -v gcc >/dev/null; then
	CGO_ENABLED=0 go test -count=1 -timeout 5m -tags automergego -run 'AutomergeGo|Binding' ./crdt/automerge/oracle
else
	echo "tests beside automerge-go: skipped, there is no C compiler" >&2
	[ "${INSELNETZ_CI:-}" != 1 ]
fi
skipped=$(grep -cE '^\s*--- SKIP' "$out" || true)
passed=$(grep -cE '^\s*--- PASS' "$out" || true)
grep -E '^\s*--- SKIP' "$out" || true
echo "go: $passed passed, $skipped skipped"
if [ "${INSELNETZ_CI:-}" = 1 ] && [ "$skipped" -ne 0 ]; then
	echo "in CI nothing may be skipped" >&2
	exit 1
fi
if command -v chromium >/dev/null; then
	export INSELNETZ_BIN="$PWD/bin/inselnetz"
	# A browser is a large thing to rely on: a story that fails is told once more,
	# with its pictures of the failure kept in frontend/test-results.
	cd frontend
	for story in tests/*.spec.mjs; do
		node --test "$story" || {
			echo "window tests: $story failed, once more"
			node --test "$story"
		}
	done
else
	echo "window tests: skipped, there is no chromium" >&2
	[ "${INSELNETZ_CI:-}" != 1 ]
fi
