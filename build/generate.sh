#!/usr/bin/env bash
# Writes generated files: TypeScript types of the API, third-party notices. With
# --check it only says whether they are current.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${1:-}" = --check ]; then
	CGO_ENABLED=0 go test -run TestTypeScript ./app/api >/dev/null || { echo "the page's types are not current: make generate" >&2; exit 1; }
	go run ./build/notices | cmp -s - build/THIRD-PARTY-NOTICES.txt || { echo "THIRD-PARTY-NOTICES.txt is not current: make generate" >&2; exit 1; }
	exit
fi
CGO_ENABLED=0 go test -run TestTypeScript ./app/api -generate
go run ./build/notices >build/THIRD-PARTY-NOTICES.txt.new
mv build/THIRD-PARTY-NOTICES.txt.new build/THIRD-PARTY-NOTICES.txt
