package app

import (
	"os"
	"path/filepath"
	"testing"

	"inselnetz/crdt/log"
)

func TestJudge(t *testing.T) {
	here := where{Place: "p", Cards: []string{"aa"}}
	three := mark{count: 3, digest: [16]byte{3}}
	for name, tt := range map[string]struct {
		before, now where
		db, outside mark
		found       bool
		want        suspicion
	}{
		"never opened":            {now: here, db: mark{}, want: first},
		"nothing happened":        {here, here, three, three, true, certain},
		"other folder or machine": {here, where{Place: "q", Cards: []string{"aa"}}, three, three, true, moved},
		"cloned disk":             {here, where{Place: "p", Cards: []string{"bb"}}, three, three, true, moved},
		"a dongle came":           {here, where{Place: "p", Cards: []string{"aa", "bb"}}, three, three, true, certain},
		"no cards to compare":     {here, where{Place: "p"}, three, three, true, certain},
		"crash before the count":  {here, here, three, mark{count: 2, digest: [16]byte{2}}, true, crashed},
		"count was removed":       {here, here, three, mark{}, false, crashed},
		"old backup restored":     {here, here, three, mark{count: 9, digest: [16]byte{9}}, true, restored},
		"same count, other logs":  {here, here, three, mark{count: 3, digest: [16]byte{4}}, true, restored},
	} {
		t.Run(name, func(t *testing.T) {
			if got := judge(tt.before, tt.now, tt.db, tt.outside, tt.found); got != tt.want {
				t.Errorf("judge = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestGuardFileKeepsTheLastMark(t *testing.T) {
	dir := t.TempDir()
	g, _, found, err := openGuard(dir, log.DeviceID{1}, "here")
	if err != nil || found {
		t.Fatalf("new guard: found %v, %v", found, err)
	}
	want := mark{count: 12, digest: [16]byte{1, 2, 3}}
	for _, m := range []mark{{count: 1e18}, {count: 5}, want} {
		if err := g.set(m); err != nil {
			t.Fatal(err)
		}
	}
	g.close()
	g, got, found, err := openGuard(dir, log.DeviceID{1}, "here")
	if err != nil || !found || got != want {
		t.Errorf("guard holds %v (%v, %v), want %v", got, found, err, want)
	}
	g.close()
	g, _, found, err = openGuard(dir, log.DeviceID{1}, "elsewhere")
	if err != nil || found {
		t.Errorf("a copy elsewhere found the original's count (%v)", err)
	}
	g.close()
}

func TestGuardFileDamaged(t *testing.T) {
	dir := t.TempDir()
	g, _, _, err := openGuard(dir, log.DeviceID{1}, "here")
	if err != nil {
		t.Fatal(err)
	}
	g.close()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(names) != 1 {
		t.Fatalf("guard files: %v, %v", names, err)
	}
	for _, junk := range []string{"", "12", "12 zz", "x 00000000000000000000000000000000", "5 00", "\x00\x00"} {
		if err := os.WriteFile(names[0], []byte(junk), 0o600); err != nil {
			t.Fatal(err)
		}
		g, _, found, err := openGuard(dir, log.DeviceID{1}, "here")
		if err != nil || found {
			t.Errorf("%q counts as a mark (%v)", junk, err)
		}
		g.close()
	}
}

func TestCopiesLieElsewhere(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	for _, dir := range []string{a, b} {
		if _, err := openIdentity(dir, nil); err != nil {
			t.Fatal(err)
		}
	}
	at := func(dir string) string {
		p, err := place(dir)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	first := at(a)
	if first != at(a) {
		t.Error("the same directory is in two places")
	}
	if first == at(b) {
		t.Error("two directories are in one place")
	}
	// a restored file is another file, even under the same name
	raw, err := os.ReadFile(filepath.Join(a, identityFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := writeFile(filepath.Join(a, identityFile), raw); err != nil {
		t.Fatal(err)
	}
	if first == at(a) {
		t.Error("a restored identity passes for the original")
	}
}
