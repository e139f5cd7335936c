package app

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzKeepsake reads any bytes as the file of the membership.
func FuzzKeepsake(f *testing.F) {
	f.Add([]byte(`{"version":1,"workspace":"00","entries":[]}`))
	f.Add([]byte(`{"version":1,"workspace":"` + "0000000000000000000000000000000000000000000000000000000000000000" + `","entries":[{"device":"a","entry":"AA=="}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, keepsakeFile), raw, 0o600); err != nil {
			t.Fatal(err)
		}
		_, entries, err := readKeepsake(dir)
		if err != nil && len(entries) > 0 {
			t.Errorf("entries of a damaged file: %v", err)
		}
	})
}

func TestNoKeepsake(t *testing.T) {
	if _, entries, err := readKeepsake(t.TempDir()); err != nil || entries != nil {
		t.Errorf("%v, %v", entries, err)
	}
}
