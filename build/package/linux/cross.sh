# Sourced with an architecture (and $work, a folder for what is made): sets the C
# compiler that builds the window for Linux. The other architecture needs no
# system of its own: its headers are this one's, and a library is linked against
# by its name and its symbols alone, which the library here has too.
export CGO_ENABLED=1 CGO_CFLAGS="-O2" CGO_LDFLAGS="-O2"
if [ "$1" != "$(dpkg --print-architecture)" ]; then
	case $1 in
	amd64) triple=x86_64-linux-gnu ;;
	arm64) triple=aarch64-linux-gnu ;;
	esac
	export CC=$triple-gcc PKG_CONFIG=$work/stubs/pkg-config
	mkdir -p "$work/stubs"
	printf '#!/bin/sh\npkg-config "$@" | sed "s, -I/usr/include/%s, ,g"\n' "$(gcc -dumpmachine)" >"$PKG_CONFIG"
	chmod +x "$PKG_CONFIG"
	# A library with the same soname and the same C symbols, and nothing in them.
	for flag in $(pkg-config --libs-only-l gtk+-3.0 webkit2gtk-4.1); do
		stub=$work/stubs/lib${flag#-l}.so
		[ ! -e "$stub" ] || continue
		real=$(gcc -print-file-name="lib${flag#-l}.so")
		soname=$(objdump -p "$real" | awk '$1 == "SONAME" {print $2}')
		nm -D --defined-only --without-symbol-versions "$real" | awk '
			$2 ~ /^[TW]$/ && $3 ~ /^[A-Za-z_][A-Za-z0-9_]*$/ && $3 !~ /^_Z/ {print ".globl " $3 "\n.type " $3 ", %function\n" $3 ":"}
			$2 ~ /^[BDRV]$/ && $3 ~ /^[A-Za-z_][A-Za-z0-9_]*$/ && $3 !~ /^_Z/ {print ".globl " $3 "\n.type " $3 ", %object\n.size " $3 ", 8\n" $3 ":"}
			END {print ".quad 0"}' >"$work/stubs/stub.s"
		"$CC" -shared -nostdlib -Wl,-soname,"$soname" -o "$stub" "$work/stubs/stub.s"
	done
	CGO_LDFLAGS="$CGO_LDFLAGS -L$work/stubs"
fi
