#!/usr/bin/env bash
# What a reviewer need not look at: formatting, vet, generated files, the page.
set -euo pipefail
cd "$(dirname "$0")/.."
bad=$(gofmt -l $(git ls-files '*.go'))
[ -z "$bad" ] || { echo "not formatted:" "$bad" >&2; exit 1; }
CGO_ENABLED=0 go vet ./...
for os in windows darwin; do CGO_ENABLED=0 GOOS=$os go vet ./app/... ./mesh/lan ./crdt/store; done
CGO_ENABLED=0 GOOS=windows go vet -tags desktop,production ./app/inselnetz
CGO_ENABLED=0 GOARCH=s390x go vet ./crdt/automerge/...
go mod verify >/dev/null
build/generate.sh --check
npm --prefix frontend run --silent check
echo "check: all well"
