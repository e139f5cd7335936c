#!/usr/bin/env bash
# Sets up what the named parts need: page (npm packages and the built page),
# window (the system's webview, to link against), test (browser and network
# tools, stock Syncthing, LibreOffice, the JavaScript Automerge), flow (to use the window
# as a person does), bench (the rivals). Does nothing twice.
set -euo pipefail
cd "$(dirname "$0")/.."

apt_install() {
	local missing=()
	for p in "$@"; do
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
	done
	[ ${#missing[@]} -eq 0 ] && return
	local sudo=""
	[ "$(id -u)" -eq 0 ] || sudo=sudo
	if ! command -v apt-get >/dev/null; then
		echo "Please install: ${missing[*]} (this script knows Debian's apt only)" >&2
		return 1
	fi
	echo "installing ${missing[*]}"
	$sudo apt-get update -qq
	DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

page() {
	command -v npm >/dev/null || { echo "Node 20 or newer with npm is needed: https://nodejs.org" >&2; exit 1; }
	cd frontend
	if [ ! -f node_modules/.stamp ] || [ package-lock.json -nt node_modules/.stamp ]; then
		npm ci --no-audit --no-fund --loglevel=error
		touch node_modules/.stamp
	fi
	if [ ! -f dist/index.html ] || [ -n "$(find src build handbook public index.html vite.config.* package-lock.json -newer dist/index.html -print -quit)" ]; then
		npm run --silent build
	fi
	cd ..
}

# oracle: other programs that know the Automerge format, for tests and benchmarks.
oracle() {
	command -v npm >/dev/null || { echo "no npm: tests beside the JavaScript Automerge are skipped" >&2; return; }
	(
		cd crdt/automerge/oracle
		if [ ! -f node_modules/.stamp ] || [ package-lock.json -nt node_modules/.stamp ]; then
			npm ci --no-audit --no-fund --loglevel=error
			touch node_modules/.stamp
		fi
		cd automergego && go mod download
	)
}

command -v go >/dev/null || { echo "Go 1.26 or newer is needed: https://go.dev/dl" >&2; exit 1; }
for part in "$@"; do
	case $part in
	page) page ;;
	window) apt_install gcc pkg-config libgtk-3-dev libwebkit2gtk-4.1-dev ;;
	test) oracle
		if [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null; then
		apt_install gcc pkg-config libgtk-3-dev libwebkit2gtk-4.1-dev chromium iproute2 nftables avahi-daemon avahi-utils xvfb xauth dbus openssl strace tcpdump syncthing libreoffice-writer-nogui
	else
		echo "not root and no sudo: tests that need a browser or network namespaces are skipped" >&2
	fi ;;
	flow) apt_install xvfb dbus xdotool imagemagick at-spi2-core python3-gi gir1.2-atspi-2.0 gir1.2-gtk-3.0 ;;
	bench) oracle; apt_install gcc syncthing rsync openssh-server ;;
	*) echo "setup.sh: no part $part" >&2; exit 2 ;;
	esac
done
