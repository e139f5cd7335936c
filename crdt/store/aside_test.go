package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
)

// branches are two continuations of one log, as a device and its clone write
// them, and somebody who built on one of them.
type branches struct{ a, b, carol *author }

func fork(t testing.TB, common, la, lb int) branches {
	t.Helper()
	f := branches{newAuthor(1), newAuthor(1), newAuthor(2)}
	for i := range common {
		f.a.write(t, baseMs+int64(i), nil, chat.Post{Text: fmt.Sprint("gemeinsam ", i)})
		f.b.write(t, baseMs+int64(i), nil, chat.Post{Text: fmt.Sprint("gemeinsam ", i)})
	}
	for i := range la {
		f.a.write(t, baseMs+1000+int64(i), nil, chat.Post{Text: fmt.Sprint("Urschrift ", i)})
	}
	for i := range lb { // hours later: who built on it stands elsewhere
		f.b.write(t, baseMs+9_000_000+int64(i), nil, chat.Post{Text: fmt.Sprint("Abschrift ", i)})
	}
	for i := range la {
		f.carol.write(t, baseMs+2000+int64(i), []log.Dep{{Log: f.a.card.ID(), Seq: uint64(common + i + 1)}}, chat.Post{Text: fmt.Sprint("Antwort ", i)})
	}
	return f
}

// bring syncs one log from a store to another as the mesh does it, by heights,
// and returns whether they got alike.
func bring(t interface{ Fatal(...any) }, from, to *Store, card log.Card, batch int) bool {
	id := card.ID()
	for range 200 {
		theirs, ours := from.Heights(card.Space)[id], to.Heights(card.Space)[id]
		if theirs.Seq <= ours.Seq {
			return theirs == ours
		}
		raw, err := from.Entries(bg, id, ours.Seq+1, min(theirs.Seq, ours.Seq+uint64(batch)), log.MaxBatch)
		if err != nil {
			t.Fatal(err)
		}
		var run []*log.Entry
		for _, b := range raw {
			e, err := log.Decode(b)
			if err != nil {
				t.Fatal(err)
			}
			run = append(run, e)
		}
		if _, err := to.Import(bg, card, run, false); err != nil && !errors.Is(err, ErrFork) && !errors.Is(err, ErrBehind) {
			t.Fatal(err)
		}
	}
	return false
}

// TestAnotherBranchCounts draws two branches and what is held of them when the
// limit names one; whatever was held, sync brings the named one, all see the
// same, and nothing is lost.
func TestAnotherBranchCounts(t *testing.T) {
	dirs, n := t.TempDir(), 0
	rapid.Check(t, func(rt *rapid.T) {
		common, la, lb := rapid.IntRange(0, 4).Draw(rt, "common"), rapid.IntRange(1, 30).Draw(rt, "a"), rapid.IntRange(1, 30).Draw(rt, "b")
		f := fork(t, common, la, lb)
		n++
		r := newRules()
		open := func(name string) *Store {
			s, rep, err := Open(fmt.Sprintf("%s/%d%s", dirs, n, name), Options{Unsafe: true})
			if err == nil && rep.Damaged == "" {
				err = s.Use(bg, r)
			}
			if err != nil || rep.Damaged != "" {
				rt.Fatal(rep, err)
			}
			return s
		}
		x, y := open("x"), open("y")
		defer func() { x.Close(); y.Close() }()
		mustImport(t, x, f.carol.card, f.carol.all...)
		mustImport(t, y, f.carol.card, f.carol.all...)
		ownedA := rapid.IntRange(1, common+la).Draw(rt, "held")
		mustImport(t, x, f.a.card, f.a.all[:ownedA]...)
		mustImport(t, y, f.b.card, f.b.all...)
		if ownedA > common && rapid.Bool().Draw(rt, "proof") {
			if _, err := x.Import(bg, f.b.card, f.b.all[:common+1], false); !errors.Is(err, ErrFork) {
				rt.Fatal(err)
			}
		}
		end := rapid.IntRange(common+1, common+lb).Draw(rt, "end")
		r.end(f.b, uint64(end))
		for _, s := range []*Store{x, y} {
			if err := s.Use(bg, r); err != nil {
				rt.Fatal(err)
			}
		}
		if rapid.Bool().Draw(rt, "restart") {
			x.Close()
			x = open("x")
		}
		if !bring(rt, y, x, f.b.card, rapid.IntRange(1, 40).Draw(rt, "batch")) {
			rt.Fatal("the named branch did not come")
		}
		held := []int{len(f.b.all), len(f.carol.all)}
		compareViews(rt, x, []*author{f.b, f.carol}, held, r, 9)
		compareViews(rt, y, []*author{f.b, f.carol}, held, r, 9)
		if aside := max(0, ownedA-common); asideOf(t, x) < aside {
			rt.Fatalf("%d of %d entries are aside", asideOf(t, x), aside)
		}
		if ownedA <= common {
			return
		}
		r.end(f.a, uint64(ownedA)) // the other one after all: it is here
		if err := x.Use(bg, r); err != nil {
			rt.Fatal(err)
		}
		have := *f.a
		have.all = f.a.all[:ownedA]
		if got := x.Heights(space)[f.a.card.ID()]; got.Seq != uint64(ownedA) || got.Hash != have.all[ownedA-1].Hash() {
			rt.Fatalf("log ends at %d", got.Seq)
		}
		if fell := x.Used().Fell; !slices.Contains(fell, f.a.card) {
			rt.Fatalf("fell: %v", fell)
		}
		compareViews(rt, x, []*author{&have, f.carol}, []int{ownedA, len(f.carol.all)}, r, 9)
	})
}

func asideOf(t testing.TB, s *Store) int {
	t.Helper()
	q, err := s.Quarantined(bg)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, q := range q {
		n += q.Aside
	}
	return n
}

// TestTheOtherBranchIsRefused once a limit names one.
func TestTheOtherBranchIsRefused(t *testing.T) {
	f := fork(t, 2, 3, 3)
	r := newRules()
	r.end(f.b, 4)
	s := openStore(t, t.TempDir(), r)
	if _, err := s.Import(bg, f.a.card, f.a.all, false); !errors.Is(err, ErrFork) {
		t.Errorf("the branch that does not count: %v", err)
	}
	mustImport(t, s, f.b.card, f.b.all...)
	if _, err := s.Import(bg, f.a.card, f.a.all, false); !errors.Is(err, ErrFork) {
		t.Errorf("the branch that does not count: %v", err)
	}
	if h := s.Heights(space)[f.b.card.ID()]; h != f.b.last {
		t.Errorf("log ends at %d", h.Seq)
	}
	if got := texts(t, s); !slices.Equal(got, []string{"gemeinsam 0", "gemeinsam 1", "Abschrift 0", "Abschrift 1"}) {
		t.Errorf("shown: %q", got)
	}
	if forks, err := s.Forks(bg); err != nil || len(forks) != 1 || forks[0].Seq != 3 {
		t.Errorf("forks = %v, %v", forks, err)
	}
}

// TestEndlessBranches: who has the key of a device that exists twice signs one
// branch after the other. The log gives way some times, the named branch always
// comes through.
func TestEndlessBranches(t *testing.T) {
	f := fork(t, 3, 10, 10)
	r := newRules()
	r.end(f.b, 12)
	s := openStore(t, t.TempDir(), r)
	mustImport(t, s, f.a.card, f.a.all[:8]...)
	given := 0
	for i := range 3 * maxGiven {
		forged := newAuthor(1)
		for n := range 9 {
			forged.write(t, baseMs+int64(n), nil, chat.Post{Text: fmt.Sprint("Fälschung ", i)})
		}
		h := s.Heights(space)[f.a.card.ID()]
		if _, err := s.Import(bg, forged.card, forged.all[h.Seq:], false); err != nil && !errors.Is(err, ErrFork) && !errors.Is(err, ErrBehind) {
			t.Fatal(err)
		}
		given += len(s.Used().Fell)
	}
	if given == 0 || given > maxGiven {
		t.Errorf("gave way %d times", given)
	}
	if _, err := s.Import(bg, f.b.card, f.b.all, false); err != nil || s.Heights(space)[f.b.card.ID()] != f.b.last {
		t.Errorf("the named branch: %v", err)
	}
	compareViews(t, s, []*author{f.b, f.carol}, []int{13, 0}, r, 9)
}

// TestSalvageKeepsWhatIsAside, and which logs were dropped.
func TestSalvageKeepsWhatIsAside(t *testing.T) {
	dir := t.TempDir()
	f := fork(t, 2, 3, 3)
	r := newRules()
	s := openStore(t, dir, r)
	mustImport(t, s, f.a.card, f.a.all...)
	gone := newAuthor(3).in(log.SpaceID{5})
	mustImport(t, s, gone.card, gone.write(t, baseMs, nil, chat.Post{Text: "weg"}))
	r.end(f.b, 3)
	if err := s.Use(bg, r); err != nil {
		t.Fatal(err)
	}
	if err := s.Drop(bg, gone.card.Space); err != nil {
		t.Fatal(err)
	}
	s.Close()
	db, err := os.OpenFile(filepath.Join(dir, dbName), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.WriteAt(make([]byte, 100), 0); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, dir, r)
	if n := asideOf(t, s); n != 3 {
		t.Errorf("%d entries are aside", n)
	}
	if _, err := s.Append(bg, gone.card, "", func(Next) (*log.Entry, error) { return gone.all[0], nil }); !errors.Is(err, ErrDropped) {
		t.Errorf("own log goes on: %v", err)
	}
	if got := texts(t, s); len(got) != 0 {
		t.Errorf("shown: %q", got)
	}
	r.end(f.a, 5)
	if err := s.Use(bg, r); err != nil {
		t.Fatal(err)
	}
	if got := texts(t, s); len(got) != 5 {
		t.Errorf("shown: %q", got)
	}
}

// TestErasedWhileAside: what is set aside loses its text too.
func TestErasedWhileAside(t *testing.T) {
	dir := t.TempDir()
	f := fork(t, 2, 3, 3)
	r := newRules()
	s := openStore(t, dir, r)
	mustImport(t, s, f.a.card, f.a.all...)
	r.end(f.b, 4)
	if err := s.Use(bg, r); err != nil {
		t.Fatal(err)
	}
	q, err := s.Quarantined(bg)
	if err != nil || len(q) != 1 || q[0].Aside != 2 || q[0].Entries != 0 || len(q[0].Messages) != 2 || q[0].Messages[1].Text != "Urschrift 2" {
		t.Fatalf("quarantine = %+v, %v", q, err)
	}
	refs, err := s.Related(bg, f.a.id(5, 0))
	if err != nil || len(refs) != 1 || refs[0].Hash != f.a.all[4].Hash() {
		t.Fatalf("related = %v, %v", refs, err)
	}
	r.erase(f.a, 5)
	if err := s.Use(bg, r); err != nil {
		t.Fatal(err)
	}
	if n := traces(t, dir, f.a.all[4].Payload, []byte("Urschrift 2")); n > 0 {
		t.Errorf("%d traces", n)
	}
	if q, _ := s.Quarantined(bg); q[0].Aside != 2 || len(q[0].Messages) != 1 {
		t.Errorf("quarantine = %+v", q)
	}
}
