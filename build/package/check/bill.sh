# The bill of materials, against the programs and the lock file. Read by check.sh.
sbom=$(one '*.cdx.json')
mkdir -p "$work/bill"
7z e -y -o"$work/bill" "$(one '*-setup.exe')" inselnetz.exe inselnetz-cli.exe >/dev/null
dpkg-deb --fsys-tarfile "$(one '*_amd64.deb')" | tar -x -C "$work/bill"
tar -xzf "$(one '*-linux-arm64.tar.gz')" -C "$work/bill" && tar -xzf "$(one '*-darwin-arm64.tar.gz')" -C "$work/bill" --one-top-level=darwin
find "$work/bill" -type f \( -name inselnetz -o -name '*.exe' \) >"$work/programs"
try "there are six programs" test "$(wc -l <"$work/programs")" -eq 6
jq -r '.components[].purl' "$sbom" | sort >"$work/purls"
xargs -n 1 go version -m <"$work/programs" | awk '$1 == "dep" {print "pkg:golang/" $2 "@" $3}' | sort -u >"$work/modules"
try "bill of materials has all $(wc -l <"$work/modules") Go modules" sh -c "test -s '$work/modules' && test -z \"\$(comm -23 '$work/modules' '$work/purls')\""
try "  and no other" sh -c "test \"\$(grep -c ^pkg:golang/ '$work/purls')\" -eq \$((\$(wc -l <'$work/modules') + 1))" # stdlib
version=$(jq -r .metadata.component.version "$sbom")
commit=$(git rev-parse -q --verify "v$version^{commit}" || git rev-parse "${version##*-g}") # what the packages are of
git show "$commit:frontend/package-lock.json" | jq -r '.packages | to_entries[] | select(.key != "") | "pkg:npm/" + (.key | sub(".*node_modules/"; "") | sub("^@"; "%40")) + "@" + .value.version' | sort -u >"$work/npm"
try "bill of materials has all $(wc -l <"$work/npm") npm packages" sh -c "test -s '$work/npm' && test \"\$(grep ^pkg:npm/ '$work/purls')\" = \"\$(cat '$work/npm')\""
