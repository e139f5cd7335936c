# The Windows installer and programs, under wine. Read by check.sh.
setup=$(one '*-setup.exe')
export WINEPREFIX=$work/wine WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml=;netsh.exe=n"
wine() { /usr/lib/wine/wine64 "$@"; }
mkdir "$work/windows"

contents() {
	try "installer unpacks" 7z x -y -o"$work/windows" "$setup"
	for f in inselnetz.exe inselnetz-cli.exe LICENSE.txt THIRD-PARTY-NOTICES.txt; do try "installer holds $f" test -s "$work/windows/$f"; done
	try "  and nothing else but NSIS' own" sh -c "test \"\$(7z l -ba -slt '$setup' | sed -n 's/^Path = //p' | grep -vE '^(\\\$PLUGINSDIR.*|inselnetz(-cli)?[.]exe|(LICENSE|THIRD-PARTY-NOTICES)[.]txt|uninstall[.]exe.*)\$')\" = ''"
	local f
	for f in "$work/windows/inselnetz.exe" "$work/windows/inselnetz-cli.exe" "$setup"; do
		7z l -tPE "$f" >"$work/resources" 2>&1
		try "${f##*/} has an icon, a manifest and a version" sh -c "grep -q ICON '$work/resources' && grep -q MANIFEST '$work/resources' && grep -qi version '$work/resources'"
	done
	try "window has the page" grep -qa 'dist/index.html' "$work/windows/inselnetz.exe"
	if [ -n "${INSELNETZ_CERT:-}" ]; then try "installer is signed" sh -c "osslsigncode verify -in '$setup' | grep -q 'Signature verification'"; fi
}

prefix() {
	# What wine 8 lacks and every Windows from 10 on has.
	try "a stand-in for what wine lacks compiles" x86_64-w64-mingw32-gcc -O1 -Wall -Werror -shared -o "$work/bcryptprimitives.dll" build/package/windows/wine.c -ladvapi32
	try "wine is set up" wine wineboot --init
	cp "$work/bcryptprimitives.dll" "$WINEPREFIX/drive_c/windows/system32/"
	try "a stand-in for the firewall's program compiles" x86_64-w64-mingw32-gcc -O1 -Wall -Werror -o "$WINEPREFIX/drive_c/windows/system32/netsh.exe" build/package/windows/netsh.c
	wine "$setup" /S
	try "installer refuses Windows 7, which wine says it is" test $? -eq 2
	try "wine says it is Windows 10" wine winecfg -v win10
}

# office lets a node on Windows and one on Linux find each other and talk, with the
# master key in Windows' credential manager.
office() {
	local there=$work/windows/inselnetz-cli.exe here=$work/inselnetz
	dpkg-deb --fsys-tarfile "$(one '*_amd64.deb')" | tar -xO ./usr/bin/inselnetz >"$here" && chmod +x "$here"
	try "Windows program says its version" wine "$there" version
	begin pc-linux "$here"
	local first=$node
	SECRETS=auto begin pc-windows "$there" wine
	at() { "$here" "$@" --lang en --data "$work/pc-linux"; }
	on() { wine "$there" "$@" --lang en --data "$work/pc-windows"; }
	try "a node starts on Windows and answers" until_so on status
	try "  a link lets it into an office" eval 'until_so at status && at found --office Office --person Ann --device A && on join --yes --person Ben --link "$(at invite --link | grep -o "inselnetz:join[^ ]*")"'
	try "  both say there are two devices" until_so eval 'at status | grep "2 of 2 devices" && on status | grep "2 of 2 devices"'
	try "  they hear each other" eval 'at send "from Linux" && on send "from Windows" && until_so eval "at read | grep \"from Windows\"" && until_so eval "on read | grep \"from Linux\""'
	try "  its key lies in the credential manager" eval 'on doctor | tee /dev/stderr | grep "key store"'
	kill "$first" "$node"
	wait "$first" "$node"
}

asked() { # KEY [VALUE]: whether the registry has it
	wine reg query "$1" ${2:+/v "$2"}
}
remove() { # FOLDER FLAGS…: run the uninstaller to its end; _? keeps it from going on elsewhere
	local folder=$1
	shift
	cp "$folder/uninstall.exe" "$work/uninstall.exe"
	wine "$work/uninstall.exe" /S "$@" "_?=$(wine winepath -w "$folder" 2>/dev/null | tr -d "\r")"
}

# By hand: what the program itself writes while it is used.
used() {
	mkdir -p "$local_data" && touch "$local_data/kept"
	wine reg add 'HKCU\Software\Microsoft\Windows\CurrentVersion\Run' /v Inselnetz /d x /f
	wine reg add 'HKCU\Software\Classes\AppUserModelId\Inselnetz' /v DisplayName /d x /f
}

for_one() {
	try "installs for one user" wine "$setup" /S /CurrentUser
	local home place
	home=$(find "$WINEPREFIX/drive_c/users" -type d -path '*AppData/Local' | grep -v Public | head -1)
	place=$home/Programs/Inselnetz
	local_data=$home/Inselnetz/Daten
	try "  programs and uninstaller are there" test -s "$place/inselnetz.exe" -a -s "$place/inselnetz-cli.exe" -a -s "$place/uninstall.exe"
	try "  start menu has it" sh -c "find '$WINEPREFIX/drive_c' -name Inselnetz.lnk | grep -q ."
	wine reg query 'HKCU\Software\Classes\inselnetz\shell\open\command' >"$work/link" 2>/dev/null
	try "  links are opened by it" has "$work/link" 'inselnetz.exe" -- "%1"'
	try "  links are said to be a protocol" asked 'HKCU\Software\Classes\inselnetz' 'URL Protocol'
	try "  Windows' list of programs has it" asked 'HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall\Inselnetz' QuietUninstallString
	try "  the firewall was asked nothing" test ! -e "$WINEPREFIX/drive_c/netsh.log"
	try "  it is used" used
	try "uninstalls" remove "$place" /CurrentUser
	try "  the program is gone" test ! -e "$place/inselnetz.exe"
	try "  the data stay" test -e "$local_data/kept"
	for key in 'HKCU\Software\Classes\inselnetz' 'HKCU\Software\Inselnetz' 'HKCU\Software\Classes\AppUserModelId\Inselnetz' 'HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall\Inselnetz'; do
		try "  registry has no $key" not asked "$key"
	done
	try "  it is not started at login" not asked 'HKCU\Software\Microsoft\Windows\CurrentVersion\Run' Inselnetz
}

for_all() {
	local place=$WINEPREFIX/drive_c/Rooms
	try "installs for all users, into a folder of one's choice" wine "$setup" /S /AllUsers '/D=C:\Rooms'
	try "  programs are there" test -s "$place/inselnetz.exe" -a -s "$place/inselnetz-cli.exe"
	local log=$WINEPREFIX/drive_c/netsh.log f
	for f in inselnetz.exe inselnetz-cli.exe; do
		try "  the firewall lets private networks and domains call $f" grep -aF 'add rule name="Inselnetz ('"$f"')" dir=in action=allow program="C:\Rooms\'"$f"'" profile=private,domain enable=yes' "$log"
	done
	rm -f "$log"
	try "  links are opened by it" asked 'HKLM\Software\Classes\inselnetz\shell\open\command'
	try "uninstalls with its data" remove "$place" /AllUsers /RemoveData
	try "  the program is gone" test ! -e "$place"
	try "  the data are gone" test ! -e "$local_data"
	for f in inselnetz.exe inselnetz-cli.exe; do try "  the firewall forgets $f" grep -aF 'delete rule name="Inselnetz ('"$f"')"' "$log"; done
	try "  registry has no link" not asked 'HKLM\Software\Classes\inselnetz'
}

# signed goes the whole way of a certificate, a self-made one, with small programs in
# the place of the true ones: program, uninstaller, installer.
signed() {
	local s=$work/signed
	mkdir "$s"
	echo 'int main(void) { return 0; }' >"$s/p.c"
	x86_64-w64-mingw32-gcc -o "$s/inselnetz-window-windows-amd64.exe" "$s/p.c" && cp "$s/inselnetz-window-windows-amd64.exe" "$s/inselnetz-windows-amd64.exe"
	openssl req -x509 -newkey rsa:3072 -nodes -days 2 -subj "/CN=Inselnetz test" -addext "extendedKeyUsage=codeSigning" -keyout "$s/key.pem" -out "$s/cert.pem" 2>/dev/null
	echo secret >"$s/password"
	openssl pkcs12 -export -inkey "$s/key.pem" -in "$s/cert.pem" -passout "file:$s/password" -out "$s/cert.p12"
	sign() { INSELNETZ_CERT=$s/cert.p12 INSELNETZ_CERT_PASSWORD=$s/password SOURCE_DATE_EPOCH=$(date +%s) "$@"; }
	genuine() { osslsigncode verify -CAfile "$s/cert.pem" -in "$1" | tee /dev/stderr | grep -q '^Signature verification: ok'; }
	for p in inselnetz-window-windows-amd64.exe inselnetz-windows-amd64.exe; do try "a program is signed" sign build/package/windows/sign.sh "$s/$p"; done
	try "  an installer of them" sign makensis -V2 -WX -INPUTCHARSET UTF8 -DVERSION=1 -DNUMBERS=1.0.0.0 "-DBIN=$s" "-DROOT=$PWD" "-DOUT=$s/inselnetz-setup.exe" "-DSIGN=$PWD/build/package/windows/sign.sh" build/package/windows/installer.nsi
	try "  it is signed" sign build/package/windows/sign.sh "$s/inselnetz-setup.exe"
	try "  it installs" wine "$s/inselnetz-setup.exe" /S /AllUsers '/D=C:\Signed'
	for f in "$s/inselnetz-setup.exe" "$WINEPREFIX/drive_c/Signed/"{inselnetz,inselnetz-cli,uninstall}.exe; do try "  ${f##*/}: the signature is genuine" genuine "$f"; done
	printf 'x' | dd of="$s/inselnetz-setup.exe" bs=1 seek=200 conv=notrunc status=none
	try "  a changed installer is found out" not genuine "$s/inselnetz-setup.exe"
}

contents
prefix
office
for_one
for_all
signed
