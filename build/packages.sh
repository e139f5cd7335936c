#!/usr/bin/env bash
# Builds every package of the last commit into bin/packages (or $1), on Linux:
# Windows installer, .deb, tarballs, OCI images, Synology packages, bill of
# materials, checksums. Two runs of one commit give the same bytes.
# INSELNETZ_CERT (PKCS#12) and INSELNETZ_CERT_PASSWORD (a file) sign the Windows
# programs; INSELNETZ_TIMESTAMP is then the address of a time stamp service.
set -euo pipefail
cd "$(dirname "$0")/.."
build/package/setup.sh
out=$(realpath -m "${1:-bin/packages}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ -z "$(git status --porcelain --untracked-files=no)" ] || echo "packages: what is not committed is not in them" >&2

# What the commit decides: version, number of the build, time.
commit=$(git rev-parse HEAD) # one and the same, also if somebody commits meanwhile
hash=${commit:0:10}
count=$(git rev-list --count "$commit")
if tag=$(git describe --tags --exact-match --match 'v[0-9]*.[0-9]*.[0-9]*' "$commit" 2>/dev/null); then
	number=${tag#v} version=${tag#v} debian=${tag#v}
else
	tag=$(git describe --tags --abbrev=0 --match 'v[0-9]*.[0-9]*.[0-9]*' "$commit" 2>/dev/null || echo v0.0.0)
	number=${tag#v} version=${tag#v}-$count-g$hash debian=${tag#v}+$count.g$hash
fi
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct "$commit")
export SOURCE_DATE_EPOCH TZ=UTC LC_ALL=C.UTF-8
umask 022

# The compiler is pinned too. Settings of the machine do not count.
export GOTOOLCHAIN=go1.26.8 CGO_ENABLED=0 GOAMD64=v1 GOARM64=v8.0 GOEXPERIMENT= GOWORK=off
export GOFLAGS="${GOFLAGS:-} -buildvcs=false -trimpath -mod=readonly"

src=$work/src bin=$work/bin
mkdir -p "$src" "$bin" "$out"
git archive "$commit" | tar -x -C "$src"
cd "$src"
build/setup.sh page
GOBIN=$work/tools go -C build/package/tools install tool
go build -o "$work/package" ./build/package

ldflags="-s -w -buildid= -X main.version=$version"
compile() { # OS ARCH NAME FLAGS…: one program
	local os=$1 arch=$2 name=$3
	shift 3
	GOOS=$os GOARCH=$arch go build -o "$bin/$name" -ldflags "$ldflags ${LINK:-}" "$@" ./app/inselnetz
	echo "built $name"
}
compile linux amd64 inselnetz-linux-amd64
compile linux arm64 inselnetz-linux-arm64
compile darwin arm64 inselnetz-darwin-arm64
# The window needs the C compiler and the libraries of its own processor.
CGO_ENABLED=1 CGO_CFLAGS=-O2 CGO_LDFLAGS=-O2 compile linux amd64 inselnetz-window-linux-amd64 -tags desktop,production,webkit2_41

# Windows finds icon, manifest and version in a file the linker takes along.
numbers=$number.$((count % 65536))
"$work/tools/go-winres" make --in build/package/windows/winres.json --arch amd64 --out app/inselnetz/rsrc \
	--file-version "$numbers" --product-version "$numbers"
compile windows amd64 inselnetz-windows-amd64.exe
# Without the webview the window says so; Wails would go to the internet for it.
LINK='-H windowsgui' compile windows amd64 inselnetz-window-windows-amd64.exe -tags desktop,production,wv2runtime.error
sign() { build/package/windows/sign.sh "$@"; }
sign "$bin/inselnetz-windows-amd64.exe"
sign "$bin/inselnetz-window-windows-amd64.exe"

rm -f "$out"/inselnetz[-_]* "$out/SHA256SUMS"
setup=$out/inselnetz-$version-windows-x64-setup.exe
makensis -V2 -WX -INPUTCHARSET UTF8 "-DVERSION=$version" "-DNUMBERS=$numbers" "-DBIN=$bin" "-DROOT=$src" "-DOUT=$setup" \
	${INSELNETZ_CERT:+"-DSIGN=$src/build/package/windows/sign.sh"} build/package/windows/installer.nsi
sign "$setup"

pack() { "$work/package" "$1" -version "$version" -build "$count" "${@:2}"; }
texts=(LICENSE build/THIRD-PARTY-NOTICES.txt)
sed 's,/usr/bin/,/usr/local/bin/,' build/package/linux/inselnetz.service >"$work/inselnetz.service"
printf 'inselnetz (%s) unstable; urgency=medium\n\n  * What is new: CHANGELOG.md of the source.\n\n -- Inselnetz <inselnetz@localhost>  %s\n' \
	"$debian" "$(date -uRd "@$SOURCE_DATE_EPOCH")" | gzip -9n >"$work/changelog.gz"
for arch in amd64 arm64; do
	if [ $arch = amd64 ]; then cat build/package/linux/nfpm.yaml; else grep -v '# window' build/package/linux/nfpm.yaml; fi >"$work/nfpm.yaml"
	ARCH=$arch BIN=$bin CHANGELOG=$work/changelog.gz DEB_VERSION=$debian "$work/tools/nfpm" package -f "$work/nfpm.yaml" -p deb -t "$out/inselnetz_${debian}_$arch.deb" >/dev/null
	pack tarball -o "$out/inselnetz-$version-linux-$arch.tar.gz" -dir "inselnetz-$version" \
		"inselnetz=$bin/inselnetz-linux-$arch" "$work/inselnetz.service" build/package/linux/INSTALL.txt "${texts[@]}"
	pack oci -o "$out/inselnetz-$version-oci-$arch.tar" -arch "$arch" "$bin/inselnetz-linux-$arch" "${texts[@]}"
	pack spk -o "$out/inselnetz-$version-synology-$arch.spk" -arch "$arch" -dir build/package/synology \
		"$bin/inselnetz-linux-$arch" "inselnetz.sc=build/package/linux/synology.sc" "${texts[@]}"
done
pack tarball -o "$out/inselnetz-$version-darwin-arm64.tar.gz" -dir "inselnetz-$version" \
	"inselnetz=$bin/inselnetz-darwin-arm64" build/package/linux/INSTALL.txt "${texts[@]}"
pack sbom -o "$out/inselnetz-$version.cdx.json" -lock frontend/package-lock.json "$bin"/*
cd "$out"
sha256sum inselnetz[-_]* >SHA256SUMS
ls -lh
