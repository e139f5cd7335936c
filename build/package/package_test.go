package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// build runs one command over a small program and returns what it wrote.
func build(t *testing.T, args ...string) []byte {
	t.Helper()
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	out := filepath.Join(t.TempDir(), "out")
	if err := run(append([]string{args[0], "-o", out}, args[1:]...)); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func entries(t *testing.T, raw []byte) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for r := tar.NewReader(bytes.NewReader(raw)); ; {
		h, err := r.Next()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Uname != "" || h.ModTime.Unix() != 1700000000 {
			t.Errorf("%s: owner %q, time %v", h.Name, h.Uname, h.ModTime)
		}
		if out[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSameBytes(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, []byte("a program"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"tarball", "-dir", "inselnetz-1.2.3", "inselnetz=" + program},
		{"oci", "-version", "1.2.3", program},
		{"spk", "-version", "1.2.3", "-dir", "synology", program},
	} {
		one := build(t, args...)
		if err := os.Chtimes(program, time.Unix(1, 0), time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
		if two := build(t, args...); !bytes.Equal(one, two) {
			t.Errorf("%s: two builds differ", args[0])
		}
	}
}

func TestImage(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, []byte("a program"), 0o755); err != nil {
		t.Fatal(err)
	}
	files := entries(t, build(t, "oci", "-version", "1.2.3", "-arch", "arm64", program))
	var index manifest
	if err := json.Unmarshal(files["index.json"], &index); err != nil || len(index.Manifests) != 1 {
		t.Fatalf("index %s: %v", files["index.json"], err)
	}
	blob := func(d descriptor) []byte {
		b := files["blobs/sha256/"+strings.TrimPrefix(d.Digest, "sha256:")]
		if len(b) == 0 || len(b) != d.Size {
			t.Errorf("%s has %d bytes, want %d", d.Digest, len(b), d.Size)
		}
		return b
	}
	var m manifest
	if err := json.Unmarshal(blob(index.Manifests[0]), &m); err != nil || m.Config == nil || len(m.Layers) != 1 {
		t.Fatalf("manifest: %v", err)
	}
	blob(m.Layers[0])
	var config imageConfig
	if err := json.Unmarshal(blob(*m.Config), &config); err != nil {
		t.Fatal(err)
	}
	if config.OS != "linux" || config.Architecture != "arm64" || config.Config.User != "10001:10001" {
		t.Errorf("config %+v", config)
	}
}

func TestSynology(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, []byte("a program"), 0o755); err != nil {
		t.Fatal(err)
	}
	files := entries(t, build(t, "spk", "-version", "1.2.3-7-gabc", "-build", "7", "-dir", "synology", program))
	if info := string(files["INFO"]); !strings.Contains(info, `version="1.2.3-7"`) || strings.Contains(info, "{") {
		t.Errorf("INFO:\n%s", info)
	}
}

func TestNPM(t *testing.T) {
	lock := filepath.Join(t.TempDir(), "lock.json")
	text := `{"packages": {"": {"name": "page"}, "node_modules/@a/b": {"version": "1.0.0", "integrity": "sha512-AQI=", "dev": true}, "node_modules/c/node_modules/d": {"version": "2.0.0"}}}`
	if err := os.WriteFile(lock, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := npm(lock)
	if err != nil || len(got) != 2 {
		t.Fatalf("%v, %v", got, err)
	}
	if got[0].PURL != "pkg:npm/%40a/b@1.0.0" || got[0].Hashes[0] != (hash{"SHA-512", "0102"}) || got[1].PURL != "pkg:npm/d@2.0.0" {
		t.Errorf("%+v", got)
	}
}
