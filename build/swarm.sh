#!/usr/bin/env bash
# Many real programs on one bridge, each in a network namespace of its own, and
# hashicorp/mdns alone beside them: the figures of mesh/lan/MEASURED.md. Needs root,
# 4 GB and a quiet machine for about ten minutes. swarm.sh [hosts], 50 unless told.
set -euo pipefail
cd "$(dirname "$0")/.."
[ "$(id -u)" -eq 0 ] || { echo "swarm.sh: network namespaces need root" >&2; exit 1; }
export CGO_ENABLED=0 INSELNETZ_SWARM=${1:-50}
go test -count=1 -timeout 30m -tags swarm -run '^TestSwarm' -v ./app/inselnetz | grep -E '^(---|ok|FAIL|panic)|swarm_linux_test.go'
