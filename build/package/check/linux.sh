# Debian packages and the tarball. Read by check.sh.
for arch in amd64 arm64; do
	deb=$(one "*_$arch.deb")
	root=$work/deb-$arch
	mkdir -p "$root"
	try "$arch .deb unpacks" dpkg-deb -x "$deb" "$root"
	mkdir -p "$root.i/var/lib/dpkg/updates" "$root.i/var/lib/dpkg/info" && touch "$root.i/var/lib/dpkg/status"
	debian() { dpkg --root="$root.i" --force-architecture --force-depends --force-not-root --log=/dev/null "$@"; }
	try "$arch .deb installs into an empty tree" debian -i "$deb"
	try "  once more changes nothing" debian -i "$deb"
	try "  its files are root's and as they should be" sh -c "dpkg-deb -c '$deb' | awk '\$2 != \"root/root\" || \$1 ~ /^.......w.|^........w/ {print; bad=1} END {exit bad}'"
	try "  systemd takes its unit" sh -c "sed 's,/usr/bin/inselnetz,/bin/true,' '$root/usr/lib/systemd/system/inselnetz.service' >'$work/inselnetz.service' && systemd-analyze verify '$work/inselnetz.service'"
	try "  lintian finds nothing but what is stated" lintian --allow-root --tag-display-limit 0 --fail-on error,warning --suppress-tags-from-file build/package/linux/lintian "$deb"
done
try "amd64 program starts in the tree alone and answers version" chroot "$work/deb-amd64.i" /usr/bin/inselnetz version
try "amd64 program runs and answers status" answers "$work/deb-amd64/usr/bin/inselnetz" env
try "arm64 program answers version (qemu)" qemu-aarch64-static "$work/deb-arm64/usr/bin/inselnetz" version
try "window finds its libraries and answers version" "$work/deb-amd64/usr/lib/inselnetz/inselnetz" version
try "menu entry is valid" desktop-file-validate "$work/deb-amd64/usr/share/applications/inselnetz.desktop"
try "  and opens links" has "$work/deb-amd64/usr/share/applications/inselnetz.desktop" 'MimeType=x-scheme-handler/inselnetz;'
for arch in amd64 arm64; do
	root=$work/deb-$arch.i deb=$(one "*_$arch.deb")
	try "$arch .deb is removed, nothing stays" sh -c "dpkg --root='$root' --force-not-root --log=/dev/null -P inselnetz && test -z \"\$(find '$root' -path '$root/var' -prune -o -type f -print)\""
done

mkdir "$work/tarball" && tar -xzf "$(one '*-linux-amd64.tar.gz')" -C "$work/tarball" --strip-components 1
try "tarball: program answers version" "$work/tarball/inselnetz" version
try "  systemd takes its unit" sh -c "sed 's,/usr/local/bin/inselnetz,/bin/true,' '$work/tarball/inselnetz.service' >'$work/inselnetz.service' && systemd-analyze verify '$work/inselnetz.service'"
flags=$(sed -n 's,^ExecStart=[^ ]* serve ,,p' "$work/tarball/inselnetz.service")
try "  the program takes the unit's flags" sh -c "'$work/tarball/inselnetz' serve $flags -h 2>&1 | grep -q '^Usage of serve'"
