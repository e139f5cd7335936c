#!/usr/bin/env bash
# Installs what packages are built with, on Debian for amd64; with "check" also what they
# are tried with. Does nothing twice.
set -euo pipefail
want=(nsis osslsigncode gcc libc6-dev pkg-config libgtk-3-dev libwebkit2gtk-4.1-dev)
[ "${1:-}" != check ] || want+=(p7zip-full wine64 gcc-mingw-w64-x86-64 skopeo umoci lintian jq curl qemu-user-static desktop-file-utils openssl)
missing=()
for p in "${want[@]}"; do
	dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
done
[ ${#missing[@]} -ne 0 ] || exit 0
sudo=
[ "$(id -u)" -eq 0 ] || sudo=sudo
echo "installing ${missing[*]}"
$sudo apt-get update -qq
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
