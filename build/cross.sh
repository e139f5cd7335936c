#!/usr/bin/env bash
# Builds the headless program for every platform, and the window for Windows,
# without cgo. $1: linker flags.
set -euo pipefail
cd "$(dirname "$0")/.."
export CGO_ENABLED=0
for target in linux/amd64 linux/arm64 windows/amd64 darwin/arm64; do
	GOOS=${target%/*} GOARCH=${target#*/} go build -trimpath -ldflags "${1:-}" -o "bin/cross/inselnetz-${target/\//-}" ./app/inselnetz
	echo "built $target"
done
GOOS=windows GOARCH=amd64 go build -trimpath -tags desktop,production -ldflags "${1:-} -H windowsgui" -o bin/cross/inselnetz-window.exe ./app/inselnetz
echo "built windows/amd64 with its window"
