package store

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
)

// filled makes a store with two logs of n messages each and a value, some of
// them long, and returns what is in it.
func filled(t testing.TB, dir string, n int) []*author {
	t.Helper()
	s := openStore(t, dir, plainReader{})
	if err := s.Put("identity", []byte("a secret")); err != nil {
		t.Fatal(err)
	}
	if err := s.Put("identity", []byte("the secret")); err != nil {
		t.Fatal(err)
	}
	authors := []*author{newAuthor(1), newAuthor(2)}
	for i := range n {
		for _, a := range authors {
			text := fmt.Sprintf("Nachricht %d", i)
			if i%10 == 9 {
				text += string(bytes.Repeat([]byte(" lang"), 100*(i%7))) // some do not fit on a page
			}
			mustImport(t, s, a.card, a.write(t, baseMs+int64(i)*1000, nil, chat.Post{Text: text}))
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return authors
}

// reopen opens a store that may be damaged and checks that it is usable, that
// all it shows is true, and how much of it is there.
func reopen(t *testing.T, dir string, authors []*author) (Report, int) {
	t.Helper()
	s, rep, err := Open(dir, Options{Unsafe: true})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	defer s.Close()
	if err := s.Use(bg, plainReader{}); err != nil {
		if !errors.Is(err, ErrDamaged) || s.Err() == nil {
			t.Fatalf("use: %v", err)
		}
		// Found out only now: the next opening has to put it right.
		s.Close()
		return reopen(t, dir, authors)
	}
	held := 0
	for _, a := range authors {
		h := s.Heights(space)[a.card.ID()]
		held += int(h.Seq)
		if h.Seq > 0 && h.Hash != a.all[h.Seq-1].Hash() {
			t.Fatal("a log that nobody wrote")
		}
	}
	err = s.Check(bg)
	var p Page
	if err == nil {
		p, err = s.Messages(bg, Query{Space: space, Limit: 10_000})
	}
	if err == nil {
		for _, a := range authors {
			h := s.Heights(space)[a.card.ID()]
			for from := uint64(1); from <= h.Seq && err == nil; {
				var got [][]byte
				if got, err = s.Entries(bg, a.card.ID(), from, h.Seq, log.MaxBatch); err == nil {
					for i, b := range got {
						e, err := log.Decode(b)
						if want := a.all[from-1+uint64(i)]; err != nil || e.Hash() != want.Hash() || !bytes.Equal(e.Payload, want.Payload) {
							t.Fatal("an entry that nobody wrote")
						}
						if i == len(got)-1 && e.Verify(a.card.Device) != nil {
							t.Fatal("the last signature is wrong")
						}
					}
					from += uint64(len(got))
				}
			}
		}
	}
	if errors.Is(err, ErrDamaged) {
		if s.Err() == nil {
			t.Fatalf("damage is not remembered: %v", err)
		}
		s.Close()
		return reopen(t, dir, authors)
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Rows) != held {
		t.Fatalf("%d messages shown of %d entries", len(p.Rows), held)
	}
	for _, a := range authors { // the peers bring what is missing
		h := s.Heights(space)[a.card.ID()]
		if int(h.Seq) < len(a.all) {
			mustImport(t, s, a.card, a.all[h.Seq:]...)
		}
	}
	if p, err := s.Messages(bg, Query{Space: space, Limit: 10_000}); err != nil || len(p.Rows) != len(authors)*len(authors[0].all) {
		t.Fatalf("%d messages after sync: %v", len(p.Rows), err)
	}
	return rep, held
}

func copyDir(t testing.TB, from string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

func TestDamagedFile(t *testing.T) {
	dir := t.TempDir()
	authors := filled(t, dir, 100)
	db := filepath.Join(dir, dbName)
	sound, err := os.ReadFile(db)
	if err != nil {
		t.Fatal(err)
	}
	pages := len(sound) / pageSize
	for name, tt := range map[string]struct {
		spoil func([]byte) []byte
		least int // entries that must be left
	}{
		"no database at all":   {func(b []byte) []byte { return bytes.Repeat([]byte("x"), 5000) }, 0},
		"zeroes":               {func(b []byte) []byte { return make([]byte, len(b)) }, 0},
		"header is gone":       {func(b []byte) []byte { clear(b[:100]); return b }, 200},
		"first page is gone":   {func(b []byte) []byte { clear(b[:pageSize]); return b }, 200},
		"first four pages":     {func(b []byte) []byte { clear(b[:4*pageSize]); return b }, 1},
		"second half is gone":  {func(b []byte) []byte { return b[:pages/2*pageSize] }, 10},
		"cut within a page":    {func(b []byte) []byte { return b[:len(b)-100] }, 190},
		"one byte":             {func(b []byte) []byte { return b[:1] }, 0},
		"page in the middle":   {func(b []byte) []byte { clear(b[pages/2*pageSize:][:pageSize]); return b }, 10},
		"another program's":    {func(b []byte) []byte { copy(b[68:], "ABCD"); return b }, 200},
		"text of a page wrong": {func(b []byte) []byte { b[pages/2*pageSize+2000] ^= 0xff; return b }, 10},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, dbName), tt.spoil(bytes.Clone(sound)), 0o600); err != nil {
				t.Fatal(err)
			}
			rep, held := reopen(t, dir, authors)
			if held < tt.least {
				t.Errorf("%d entries are left, expected %d or more: %+v", held, tt.least, rep)
			}
			if rep.Damaged != "" {
				if _, err := os.Stat(rep.Damaged); err != nil {
					t.Errorf("damaged file was not kept: %v", err)
				}
			}
		})
	}
}

// TestRandomDamage flips bytes all over the file: opening always ends with a
// usable store, and entries whose bytes are whole are never lost.
func TestRandomDamage(t *testing.T) {
	dir := t.TempDir()
	authors := filled(t, dir, 60)
	sound, err := os.ReadFile(filepath.Join(dir, dbName))
	if err != nil {
		t.Fatal(err)
	}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	kept := 0
	const rounds = 30
	for range rounds {
		b := bytes.Clone(sound)
		for range 1 + r.IntN(30) {
			b[r.IntN(len(b))] = byte(r.Uint32())
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, dbName), b, 0o600); err != nil {
			t.Fatal(err)
		}
		_, held := reopen(t, dir, authors)
		kept += held
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	t.Logf("%d of %d entries kept without any peer", kept, rounds*120)
}

// TestGapIsFilled loses one entry in the middle: what comes after it waits in
// the new file until a peer brings the one.
func TestGapIsFilled(t *testing.T) {
	dir := t.TempDir()
	authors := filled(t, dir, 50)
	b, err := os.ReadFile(filepath.Join(dir, dbName))
	if err != nil {
		t.Fatal(err)
	}
	a := authors[0]
	at := bytes.Index(b, a.all[20].Payload)
	b[at+3] ^= 1
	clear(b[:100])
	if err := os.WriteFile(filepath.Join(dir, dbName), b, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time from what the first left
		s := openStore(t, dir, plainReader{})
		if h := s.Heights(space)[a.card.ID()]; h.Seq != 20 {
			t.Fatalf("log ends at %d", h.Seq)
		}
		s.Close()
	}
	s := openStore(t, dir, plainReader{})
	applied := mustImport(t, s, a.card, a.all[20])
	if applied.Height != a.last {
		t.Errorf("log ends at %d, not %d", applied.Height.Seq, a.last.Seq)
	}
	if p, err := s.Messages(bg, Query{Space: space}); err != nil || p.Total != 100 {
		t.Errorf("%d messages, %v", p.Total, err)
	}
}

func TestSalvageKeepsValues(t *testing.T) {
	dir := t.TempDir()
	filled(t, dir, 30)
	f, err := os.OpenFile(filepath.Join(dir, dbName), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(make([]byte, 100), 0); err != nil {
		t.Fatal(err)
	}
	f.Close()
	s, rep, err := Open(dir, Options{Unsafe: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if rep.Salvaged != 60 || rep.Lost {
		t.Errorf("report = %+v", rep)
	}
	if v, err := s.Get("identity"); err != nil || string(v) != "the secret" {
		t.Errorf("value = %q, %v", v, err)
	}
}

// TestSalvageFromWriteAheadLog loses the database file alone, before anything
// moved into it.
func TestSalvageFromWriteAheadLog(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, plainReader{})
	a := newAuthor(1)
	for i := range 20 {
		mustImport(t, s, a.card, a.write(t, baseMs+int64(i), nil, chat.Post{Text: "hallo"}))
	}
	crashed := copyDir(t, dir) // as a crash leaves it
	if err := os.Remove(filepath.Join(crashed, dbName)); err != nil {
		t.Fatal(err)
	}
	if rep, held := reopen(t, crashed, []*author{a}); held != 20 || rep.Damaged == "" {
		t.Errorf("%d entries, %+v", held, rep)
	}
}

func TestNewerVersionIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	filled(t, dir, 3)
	c, err := dial(filepath.Join(dir, dbName), "PRAGMA user_version=2000")
	if err != nil {
		t.Fatal(err)
	}
	c.close()
	if _, _, err := Open(dir, Options{}); !errors.Is(err, ErrNewer) {
		t.Errorf("open: %v", err)
	}
	if all, _ := filepath.Glob(filepath.Join(dir, "*damaged*")); len(all) > 0 {
		t.Errorf("moved aside: %v", all)
	}
}

func TestOtherViewsAreRebuilt(t *testing.T) {
	dir := t.TempDir()
	authors := filled(t, dir, 30)
	// As the first version left it.
	c, err := dial(filepath.Join(dir, dbName), "DROP TABLE messages", "CREATE TABLE messages(other)", "DROP TABLE acts",
		"DROP TABLE limits", "DROP TABLE aside", "DROP TABLE dropped", "DROP TABLE todo",
		"DROP TABLE sealed", "CREATE TABLE sealed(at INTEGER PRIMARY KEY)", fmt.Sprintf("PRAGMA user_version=%d", format*1000))
	if err != nil {
		t.Fatal(err)
	}
	c.close()
	rep, held := reopen(t, dir, authors)
	if !rep.Rebuilt || rep.Damaged != "" || held != 60 {
		t.Errorf("%d entries, %+v", held, rep)
	}
}

func TestSecondOpen(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, nil)
	if _, _, err := Open(dir, Options{}); !errors.Is(err, ErrInUse) {
		t.Errorf("second open: %v", err)
	}
	s.Close()
	openStore(t, dir, nil)
}
