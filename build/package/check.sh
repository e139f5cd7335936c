#!/usr/bin/env bash
# Tries the packages in bin/packages (or $1), a line for each thing: ok or FAIL.
# $2, a second build of the same commit: the bytes must be equal.
set -uo pipefail
cd "$(dirname "$0")/../.."
build/package/setup.sh check
out=$(realpath "${1:-bin/packages}")
work=$(mktemp -d)
nodes=()
finish() {
	for p in "${nodes[@]}"; do kill "$p" 2>/dev/null; done
	wait 2>/dev/null
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
has() { grep -qF -- "$2" "$1"; }
one() { set -- "$out"/$1; [ -e "$1" ] && echo "$1"; }

# answers starts a node with a program and asks it: PROGRAM [WRAPPER…]
answers() {
	local program=$1 data=$work/data.$RANDOM
	shift
	mkdir -p "$data"
	"$@" "$program" serve --loopback --secrets file --files - --data "$data" --state "$data.state" --page 127.0.0.1:0 --syncthing-port -1 >"$data.log" 2>&1 &
	local node=$!
	nodes+=("$node")
	for _ in $(seq 120); do
		if "$@" "$program" status --lang en --data "$data" >"$data.said" 2>&1; then break; fi
		kill -0 "$node" || break
		sleep 0.5
	done
	cat "$data.log" "$data.said"
	kill "$node"
	wait "$node"
	grep -q 'belongs to no office yet' "$data.said"
}

try "checksums are right" sh -c "cd '$out' && sha256sum -c --quiet SHA256SUMS"
[ -z "${2:-}" ] || try "two builds have the same bytes ($(wc -l <"$out/SHA256SUMS") files)" diff "$out/SHA256SUMS" "$2/SHA256SUMS"

# Windows
setup=$(one '*-setup.exe')
mkdir "$work/windows"
try "installer unpacks" 7z x -y -o"$work/windows" "$setup"
for f in inselnetz.exe inselnetz-cli.exe LICENSE.txt THIRD-PARTY-NOTICES.txt; do try "installer holds $f" test -s "$work/windows/$f"; done
7z l "$work/windows/inselnetz.exe" >"$work/resources" 2>&1
try "window has an icon, a manifest and a version" sh -c "grep -q ICON '$work/resources' && grep -q MANIFEST '$work/resources' && grep -qi version '$work/resources'"
try "window has the page" grep -qa 'dist/index.html' "$work/windows/inselnetz.exe"
if [ -n "${INSELNETZ_CERT:-}" ]; then try "installer is signed" sh -c "osslsigncode verify -in '$setup' | grep -q 'Signature verification'"; fi
export WINEPREFIX=$work/wine WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml="
cat >"$work/p.c" <<'C'
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE p, SIZE_T n) { return SystemFunction036(p, (ULONG)n); }
C
# Wine 8 lacks a library that every Windows from 10 on has.
try "a stand-in for wine's missing library compiles" x86_64-w64-mingw32-gcc -shared -o "$work/bcryptprimitives.dll" "$work/p.c" -ladvapi32
try "wine is set up" /usr/lib/wine/wine64 wineboot --init
cp "$work/bcryptprimitives.dll" "$WINEPREFIX/drive_c/windows/system32/"
/usr/lib/wine/wine64 "$setup" /S
try "installer refuses Windows 7, which wine says it is" test $? -eq 2
try "wine says it is Windows 10" /usr/lib/wine/wine64 winecfg -v win10
try "Windows program says its version under wine" /usr/lib/wine/wine64 "$work/windows/inselnetz-cli.exe" version
try "Windows program starts under wine and answers" answers "$work/windows/inselnetz-cli.exe" /usr/lib/wine/wine64
try "installer installs under wine" /usr/lib/wine/wine64 "$setup" /S /CurrentUser
local=$(find "$WINEPREFIX/drive_c/users" -type d -path '*AppData/Local' | grep -v Public | head -1)
place=$local/Programs/Inselnetz
try "  programs and uninstaller are there" test -s "$place/inselnetz.exe" -a -s "$place/inselnetz-cli.exe" -a -s "$place/uninstall.exe"
try "  start menu has it" sh -c "find '$WINEPREFIX/drive_c' -name Inselnetz.lnk | grep -q ."
/usr/lib/wine/wine64 reg query 'HKCU\Software\Classes\inselnetz\shell\open\command' >"$work/link" 2>/dev/null
try "  links are opened by it" has "$work/link" 'inselnetz.exe'
local_data=$local/Inselnetz/Daten
remove() { # FLAGS…: run the uninstaller to its end; _? keeps it from going on elsewhere
	cp "$place/uninstall.exe" "$work/uninstall.exe"
	/usr/lib/wine/wine64 "$work/uninstall.exe" /S /CurrentUser "$@" "_?=$(/usr/lib/wine/wine64 winepath -w "$place" 2>/dev/null | tr -d "\r")"
}
mkdir -p "$local_data" && touch "$local_data/kept"
try "uninstalls" remove
try "  the program is gone" test ! -e "$place/inselnetz.exe"
try "  the data stay" test -e "$local_data/kept"
try "installs again" /usr/lib/wine/wine64 "$setup" /S /CurrentUser
try "uninstalls with its data" remove /RemoveData
try "  the data are gone" test ! -e "$local_data"
/usr/lib/wine/wineserver64 -k 2>/dev/null

# Debian
for arch in amd64 arm64; do
	deb=$(one "*_$arch.deb")
	root=$work/deb-$arch
	mkdir -p "$root"
	try "$arch .deb unpacks" dpkg-deb -x "$deb" "$root"
	try "$arch .deb installs into an empty tree" sh -c "mkdir -p '$root.i/var/lib/dpkg/updates' '$root.i/var/lib/dpkg/info' && touch '$root.i/var/lib/dpkg/status' && dpkg --root='$root.i' --force-architecture --force-depends --force-not-root --log=/dev/null -i '$deb'"
	try "  its files are root's and as they should be" sh -c "dpkg-deb -c '$deb' | awk '\$2 != \"root/root\" || \$1 ~ /^.......w.|^........w/ {print; bad=1} END {exit bad}'"
	try "  systemd takes its unit" sh -c "sed 's,/usr/bin/inselnetz,/bin/true,' '$root/usr/lib/systemd/system/inselnetz.service' >'$work/inselnetz.service' && systemd-analyze verify '$work/inselnetz.service'"
done
try "amd64 program starts in the tree alone and answers version" chroot "$work/deb-amd64.i" /usr/bin/inselnetz version
try "amd64 program runs and answers status" answers "$work/deb-amd64/usr/bin/inselnetz" env
try "arm64 program answers version (qemu)" qemu-aarch64-static "$work/deb-arm64/usr/bin/inselnetz" version
try "window finds its libraries and answers version" "$work/deb-amd64/usr/lib/inselnetz/inselnetz" version
try "menu entry is valid" desktop-file-validate "$work/deb-amd64/usr/share/applications/inselnetz.desktop"

# Containers
for arch in amd64 arm64; do
	oci=$(one "*-oci-$arch.tar")
	try "$arch image: skopeo reads its config" sh -c "skopeo inspect --config 'oci-archive:$oci' | jq -e '.os == \"linux\" and .architecture == \"$arch\" and .config.User == \"10001:10001\"'"
	try "$arch image: every digest is right" sh -c "skopeo copy -q --insecure-policy 'oci-archive:$oci' 'dir:$work/oci-$arch'"
	try "$arch image: loads as docker's own kind" sh -c "skopeo copy -q --insecure-policy 'docker-archive:$oci' 'dir:$work/docker-$arch'"
done
mkdir "$work/image" && tar -xOf "$(one '*-oci-amd64.tar')" manifest.json | jq -r '.[0].Layers[0]' >"$work/layer"
tar -xOf "$(one '*-oci-amd64.tar')" "$(cat "$work/layer")" | tar -xz -C "$work/image"
try "image: its program starts in it alone" chroot --userspec=10001:10001 "$work/image" /inselnetz version

# Synology
for arch in amd64 arm64; do
	spk=$(one "*-synology-$arch.spk")
	mkdir -p "$work/spk-$arch/target"
	try "$arch SPK unpacks" sh -c "tar -xpf '$spk' -C '$work/spk-$arch' && tar -xpzf '$work/spk-$arch/package.tgz' -C '$work/spk-$arch/target'"
	try "  its checksum is right" sh -c "grep -q \"checksum=\\\"\$(md5sum <'$work/spk-$arch/package.tgz' | cut -c-32)\\\"\" '$work/spk-$arch/INFO'"
	try "  version is of numbers only" grep -Eq '^version="[0-9.]+-[0-9]+"$' "$work/spk-$arch/INFO"
	try "  scripts and program may run, nothing else" sh -c "cd '$work/spk-$arch' && test \"\$(find . -type f -perm /111 | grep -vE '^./scripts/|^./target/bin/inselnetz$')\" = '' && test -x scripts/start-stop-status -a -x target/bin/inselnetz"
	try "  it runs as its own user" jq -e '.defaults."run-as" == "package"' "$work/spk-$arch/conf/privilege"
done
export SYNOPKG_PKGDEST=$work/spk-amd64/target SYNOPKG_PKGVAR=$work/spk-var SYNOPKG_PKGNAME=inselnetz INSELNETZ_ARGS="--loopback --page 127.0.0.1:0 --syncthing-port -1"
mkdir -p "$SYNOPKG_PKGVAR"
dsm() { sh "$work/spk-amd64/scripts/start-stop-status" "$1"; }
try "  DSM starts it" dsm start
try "  it is running" dsm status
try "  DSM stops it" dsm stop
try "  it is stopped" sh -c "sh '$work/spk-amd64/scripts/start-stop-status' status; test \$? -eq 3"

# Bill of materials
sbom=$(one '*.cdx.json')
jq -r '.components[].purl' "$sbom" | sort >"$work/purls"
for f in "$work/windows/inselnetz.exe" "$work/windows/inselnetz-cli.exe" "$work"/deb-*/usr/bin/inselnetz "$work/deb-amd64/usr/lib/inselnetz/inselnetz"; do go version -m "$f"; done |
	awk '$1 == "dep" {print "pkg:golang/" $2 "@" $3}' | sort -u >"$work/modules"
try "bill of materials has all $(wc -l <"$work/modules") Go modules" sh -c "test -s '$work/modules' && test -z \"\$(comm -23 '$work/modules' '$work/purls')\""
git show HEAD:frontend/package-lock.json | jq -r '.packages | to_entries[] | select(.key != "") | "pkg:npm/" + (.key | sub(".*node_modules/"; "") | sub("^@"; "%40")) + "@" + .value.version' | sort -u >"$work/npm"
try "bill of materials has all $(wc -l <"$work/npm") npm packages" sh -c "test -s '$work/npm' && test -z \"\$(comm -23 '$work/npm' '$work/purls')\""
exit $failed
