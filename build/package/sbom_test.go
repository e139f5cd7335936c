package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestBill checks the bill of a real program and the page's lock file against the
// facts of the CycloneDX 1.6 schema, and against what Go and the lock file say.
func TestBill(t *testing.T) {
	program := filepath.Join(t.TempDir(), "notices")
	if raw, err := exec.Command("go", "build", "-o", program, "../notices").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	lock := filepath.Join("..", "..", "frontend", "package-lock.json")
	raw := build(t, "sbom", "-version", "1.2.3", "-lock", lock, program)
	var b bom
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&b); err != nil {
		t.Fatal(err)
	}
	if b.Format != "CycloneDX" || b.SpecVersion != "1.6" || b.Version != 1 || b.Metadata.Timestamp != "2023-11-14T22:13:20Z" {
		t.Errorf("head %+v", b)
	}
	if !regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(b.Serial) {
		t.Errorf("serial number %q", b.Serial)
	}
	purls := map[string]bool{}
	for _, c := range b.Components {
		if purls[c.PURL] {
			t.Errorf("%s twice", c.PURL)
		}
		purls[c.PURL] = true
		checkComponent(t, c)
	}
	for _, want := range append(lockPURLs(t, lock), "pkg:golang/stdlib@"+strings.TrimPrefix(goVersion(t, program), "go")) {
		if !purls[want] {
			t.Errorf("%s is missing", want)
		}
		delete(purls, want)
	}
	if len(purls) != 0 {
		t.Errorf("nobody uses %v", purls)
	}
}

// checkComponent knows the enumerations and patterns of the schema.
func checkComponent(t *testing.T, c component) {
	t.Helper()
	if c.Type != "library" || c.Ref == "" || c.Name == "" || c.Version == "" || c.Scope != "" && c.Scope != "required" && c.Scope != "optional" && c.Scope != "excluded" {
		t.Errorf("component %+v", c)
	}
	if !regexp.MustCompile(`^pkg:(golang|npm)/[A-Za-z0-9%._~/+-]+@[A-Za-z0-9._+-]+$`).MatchString(c.PURL) {
		t.Errorf("package URL %q", c.PURL)
	}
	for _, h := range c.Hashes {
		want := map[string]int{"SHA-1": 20, "SHA-256": 32, "SHA-384": 48, "SHA-512": 64}[h.Algorithm]
		if sum, err := hex.DecodeString(h.Content); err != nil || len(sum) != want {
			t.Errorf("%s: hash %+v", c.Name, h)
		}
	}
	if len(c.Licenses) > 1 {
		t.Errorf("%s: only one expression may be there: %v", c.Name, c.Licenses)
	}
}

func lockPURLs(t *testing.T, lock string) []string {
	t.Helper()
	raw, err := os.ReadFile(lock)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Packages map[string]struct{ Version string }
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	var out []string
	seen := map[string]bool{}
	for path, p := range file.Packages {
		if i := strings.LastIndex(path, "node_modules/"); i >= 0 {
			purl := "pkg:npm/" + strings.Replace(path[i+len("node_modules/"):], "@", "%40", 1) + "@" + p.Version
			if !seen[purl] {
				out = append(out, purl)
			}
			seen[purl] = true
		}
	}
	return out
}

func goVersion(t *testing.T, program string) string {
	t.Helper()
	raw, err := exec.Command("go", "version", program).Output()
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(strings.TrimPrefix(string(raw), program))
	return fields[len(fields)-1]
}
