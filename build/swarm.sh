#!/usr/bin/env bash
# Many real programs on one bridge, each in a network namespace of its own, and the
# mDNS of hashicorp and libp2p alone beside them: prints the tables of
# mesh/lan/MEASURED.md. Needs root, 4 GB and a quiet machine for about fifteen
# minutes. swarm.sh [hosts], 50 unless told.
set -euo pipefail
cd "$(dirname "$0")/.."
[ "$(id -u)" -eq 0 ] || { echo "swarm.sh: network namespaces need root" >&2; exit 1; }
export CGO_ENABLED=0 INSELNETZ_SWARM=${1:-50}
echo "$(date -u +%F), $(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg)"
go test -count=1 -timeout 40m -tags swarm -run '^TestSwarm' -v ./app/inselnetz |
	grep --line-buffered -E '^(---|ok|FAIL|panic|\|)|swarm_.*_test.go' |
	grep --line-buffered -vE 'shows its number|is in after'
