# Container images and Synology packages. Read by check.sh.
for arch in amd64 arm64; do
	oci=$(one "*-oci-$arch.tar")
	try "$arch image: skopeo reads its config" sh -c "skopeo inspect --config 'oci-archive:$oci' | jq -e '.os == \"linux\" and .architecture == \"$arch\" and .config.User == \"10001:10001\"'"
	try "$arch image: every digest is right" sh -c "skopeo copy -q --insecure-policy 'oci-archive:$oci' 'dir:$work/oci-$arch'"
	try "$arch image: loads as docker's own kind" sh -c "skopeo copy -q --insecure-policy 'docker-archive:$oci' 'dir:$work/docker-$arch'"
done
oci=$(one '*-oci-amd64.tar')
mkdir "$work/layout" && tar -xf "$oci" -C "$work/layout"
tag=$(jq -r '.manifests[0].annotations["org.opencontainers.image.ref.name"]' "$work/layout/index.json")
try "image: umoci unpacks it" umoci unpack --rootless --image "$work/layout:$tag" "$work/bundle"
try "image: its program starts in it alone" chroot --userspec=10001:10001 "$work/bundle/rootfs" /inselnetz version
try "image: the program takes the image's own command" sh -c "jq -r '.process.args[1:][]' '$work/bundle/config.json' | grep -v ^serve | xargs env -i '$work/bundle/rootfs/inselnetz' serve -h 2>&1 | grep -q '^Usage of serve'"

for arch in amd64 arm64; do
	spk=$(one "*-synology-$arch.spk")
	mkdir -p "$work/spk-$arch/target"
	try "$arch SPK unpacks" sh -c "tar -xpf '$spk' -C '$work/spk-$arch' && tar -xpzf '$work/spk-$arch/package.tgz' -C '$work/spk-$arch/target'"
	try "  its checksum is right" sh -c "grep -q \"checksum=\\\"\$(md5sum <'$work/spk-$arch/package.tgz' | cut -c-32)\\\"\" '$work/spk-$arch/INFO'"
	try "  version is of numbers only" grep -Eq '^version="[0-9.]+-[0-9]+"$' "$work/spk-$arch/INFO"
	try "  scripts and program may run, nothing else" sh -c "cd '$work/spk-$arch' && test \"\$(find . -type f -perm /111 | grep -vE '^./scripts/|^./target/bin/inselnetz$')\" = '' && test -x scripts/start-stop-status -a -x target/bin/inselnetz"
	try "  it runs as its own user" jq -e '.defaults."run-as" == "package"' "$work/spk-$arch/conf/privilege"
	try "  its questions are JSON in both languages" sh -c "cd '$work/spk-$arch/WIZARD_UIFILES' && jq -e . install_uifile install_uifile_ger uninstall_uifile uninstall_uifile_ger"
done
export SYNOPKG_PKGDEST=$work/spk-amd64/target SYNOPKG_PKGVAR=$work/spk-var SYNOPKG_PKGNAME=inselnetz
export INSELNETZ_ARGS="--loopback --beacon-port 29961 --page 127.0.0.1:0 --syncthing-port -1 --https 127.0.0.1:29963 --http off"
mkdir -p "$SYNOPKG_PKGVAR"
dsm() { sh "$work/spk-amd64/scripts/$1" "${@:2}"; }
try "  DSM starts it" dsm start-stop-status start
try "  it is running" dsm start-stop-status status
try "  it begins an office" "$SYNOPKG_PKGDEST/bin/inselnetz" found --data "$SYNOPKG_PKGVAR/data" --office Office --person Ann
try "  its page answers over HTTPS" until_so curl -sk -o /dev/null https://127.0.0.1:29963/
try "  DSM stops it" dsm start-stop-status stop
try "  it is stopped" sh -c "sh '$work/spk-amd64/scripts/start-stop-status' status; test \$? -eq 3"
SYNOPKG_PKG_STATUS=UPGRADE wizard_remove_data=true try "  a new version keeps the data" eval 'dsm postuninst && test -d "$SYNOPKG_PKGVAR/data"'
SYNOPKG_PKG_STATUS=UNINSTALL wizard_remove_data=false try "  removing it keeps the data" eval 'dsm postuninst && test -d "$SYNOPKG_PKGVAR/data"'
SYNOPKG_PKG_STATUS=UNINSTALL wizard_remove_data=true try "  removing it with its data" eval 'dsm postuninst && test ! -e "$SYNOPKG_PKGVAR/data"'
