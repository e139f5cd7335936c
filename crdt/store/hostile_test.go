package store

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"

	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
)

// Inputs of the list of hostile ones that only a store meets; the table is in
// crdt/access/HOSTILE.md.

func shown(t *testing.T, s *Store) []string {
	t.Helper()
	p, err := s.Messages(bg, Query{Space: space, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range p.Rows {
		out = append(out, m.Text)
	}
	return out
}

// Entries sealed with a key that nobody announced are kept and forwarded, shown
// nowhere, and keep nothing else back. What waits lies on the disk alone.
func TestHostile09KeyNeverAnnounced(t *testing.T) {
	bad, good := newAuthor(1), newAuthor(2)
	r := plainReader{locked: map[log.LogID]bool{bad.card.ID(): true}}
	s := openStore(t, t.TempDir(), r)
	var es []*log.Entry
	for i := range 2000 {
		es = append(es, bad.write(t, baseMs+int64(i), nil, chat.Post{Text: "verschlossen"}))
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	mustImport(t, s, bad.card, es...)
	mustImport(t, s, good.card, good.write(t, baseMs, nil, chat.Post{Text: "offen"}))
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 1<<20 {
		t.Errorf("2000 entries that wait take %d bytes of memory", grown)
	}
	if got := shown(t, s); !slices.Equal(got, []string{"offen"}) {
		t.Errorf("shown: %q", got)
	}
	if got, err := s.Entries(bg, bad.card.ID(), 1, 10, log.MaxBatch); err != nil || len(got) != 10 {
		t.Errorf("forwarded: %d, %v", len(got), err)
	}
	if err := s.Use(bg, plainReader{}); err != nil { // the key came after all
		t.Fatal(err)
	}
	if got := shown(t, s); len(got) != 100 || !slices.Contains(got, "verschlossen") {
		t.Errorf("%d shown after the key came", len(got))
	}
}

// A clock in the year 9999, or of 1970, moves its own message and no other, and
// what answers stands after it.
func TestHostile17Clock(t *testing.T) {
	s := openStore(t, t.TempDir(), plainReader{})
	far, near, old := newAuthor(1), newAuthor(2), newAuthor(3)
	const year9999 = log.HLC(253402300799999) << 16
	mustImport(t, s, near.card, near.write(t, baseMs, nil, chat.Post{Text: "eins"}), near.write(t, baseMs+1, nil, chat.Post{Text: "zwei"}))
	mustImport(t, s, far.card, far.writeAt(t, year9999, nil, chat.Post{Text: "fern"}))
	mustImport(t, s, old.card, old.writeAt(t, 0, nil, chat.Post{Text: "alt"}))
	highest := newAuthor(4)
	mustImport(t, s, highest.card, highest.writeAt(t, ^log.HLC(0), nil, chat.Post{Text: "ganz fern"}))
	answer := newAuthor(5)
	mustImport(t, s, answer.card, answer.write(t, baseMs+2, []log.Dep{{Log: highest.card.ID(), Seq: 1}}, chat.Post{Text: "antwort"}))
	// Beyond the year 4199 clocks are all one; the log ids decide.
	got := shown(t, s)
	slices.Sort(got[3:5])
	if !slices.Equal(got, []string{"alt", "eins", "zwei", "fern", "ganz fern", "antwort"}) {
		t.Errorf("order: %q", got)
	}
	// Our own clock is not pulled along.
	me := newAuthor(0)
	if _, err := s.Append(bg, me.card, "", func(n Next) (*log.Entry, error) {
		now := log.Tick(baseMs, n.Last, n.Seen)
		if now.Millis() > baseMs+3600_000 {
			t.Errorf("the next own entry is of %d", now.Millis())
		}
		return me.writeAt(t, now, n.Deps, chat.Post{Text: "ich"}), nil
	}); err != nil {
		t.Fatal(err)
	}
}

// Entries that name what nobody has are kept and wait, on the disk and not in
// memory, and keep nothing else back.
func TestHostile18UnknownDependencies(t *testing.T) {
	s := openStore(t, t.TempDir(), plainReader{})
	bad, good := newAuthor(1), newAuthor(2)
	var es []*log.Entry
	for i := range 2000 {
		var deps []log.Dep
		for j := range log.MaxRefs {
			deps = append(deps, log.Dep{Log: log.LogID{byte(j + 1), byte(i), byte(i >> 8), 9}, Seq: log.MaxSeq})
		}
		es = append(es, bad.write(t, baseMs+int64(i), deps, chat.Post{Text: "wartet"}))
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	mustImport(t, s, bad.card, es...)
	mustImport(t, s, good.card, good.write(t, baseMs, nil, chat.Post{Text: "da"}))
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 2<<20 {
		t.Errorf("2000 entries that wait for 32,000 others take %d bytes of memory", grown)
	}
	if got := shown(t, s); !slices.Equal(got, []string{"da"}) {
		t.Errorf("shown: %q", got)
	}
	if h := s.Heights(space)[bad.card.ID()]; h.Seq != 2000 {
		t.Errorf("height %d: they are not kept", h.Seq)
	}
}

// A long run of tiny entries with one bad link in its middle is refused from
// there on at the latest, and what was stored before is a chain.
func TestHostile19LinkInTheMiddle(t *testing.T) {
	for name, spoil := range map[string]func(a *author, run []*log.Entry){
		"link": func(a *author, run []*log.Entry) {
			h := run[1500].Header
			h.Prev = log.Hash{1}
			run[1500] = mustEntry(t, a, h)
		},
		"another entry in its place": func(a *author, run []*log.Entry) {
			h := run[1500].Header
			h.HLC++
			run[1500] = mustEntry(t, a, h)
		},
		"number": func(a *author, run []*log.Entry) {
			h := run[1500].Header
			h.Seq++
			run[1500] = mustEntry(t, a, h)
		},
		"one left out": func(a *author, run []*log.Entry) { copy(run[1500:], run[1501:]) },
	} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t, t.TempDir(), plainReader{})
			a := newAuthor(1)
			for i := range 3000 {
				a.raw(t, log.HLC(i), nil, []byte{0x80})
			}
			run := slices.Clone(a.all)
			spoil(a, run)
			if _, err := s.Import(bg, a.card, run, false); err == nil {
				t.Error("accepted")
			}
			h := s.Heights(space)[a.card.ID()]
			if h.Seq > 1500 || h.Seq > 0 && h.Hash != a.all[h.Seq-1].Hash() {
				t.Errorf("stored up to %d", h.Seq)
			}
			// The honest run goes in, from another peer.
			mustImport(t, s, a.card, a.all...)
			if h := s.Heights(space)[a.card.ID()]; h.Seq != 3000 {
				t.Errorf("height %d afterwards", h.Seq)
			}
		})
	}
}

func mustEntry(t *testing.T, a *author, h log.Header) *log.Entry {
	t.Helper()
	e, err := log.New(a.key, h, []byte{0x80})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// One device writes two entries at one place: the first held stays, the proof is
// kept, and the log goes on.
func TestHostile05TwoEntriesAtOnePlace(t *testing.T) {
	s := openStore(t, t.TempDir(), plainReader{})
	a, b := newAuthor(1), newAuthor(1)
	mustImport(t, s, a.card, a.write(t, baseMs, nil, chat.Post{Text: "so"}))
	if _, err := s.Import(bg, b.card, []*log.Entry{b.write(t, baseMs, nil, chat.Post{Text: "anders"})}, true); !errors.Is(err, ErrFork) {
		t.Errorf("the other one: %v", err)
	}
	mustImport(t, s, a.card, a.write(t, baseMs+1, nil, chat.Post{Text: "weiter"}))
	if got := shown(t, s); fmt.Sprint(got) != "[so weiter]" {
		t.Errorf("shown: %q", got)
	}
	forks, err := s.Forks(bg)
	if err != nil || len(forks) != 1 || forks[0].Proof.Check(a.card.Device) != nil {
		t.Errorf("forks %+v, %v", forks, err)
	}
}
