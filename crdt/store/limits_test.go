package store

import (
	"context"
	"fmt"
	"maps"
	mrand "math/rand/v2"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
)

// rules is a reader whose limits and erased entries a test sets.
type rules struct {
	plainReader
	limits map[log.LogID]log.Height
	erased map[log.Hash]Ref
	once   map[log.Hash]bool // erased where it was not known yet that it does not count
}

func newRules() rules {
	return rules{
		plainReader: plainReader{locked: map[log.LogID]bool{}, unknown: map[log.DeviceID]bool{}},
		limits:      map[log.LogID]log.Height{}, erased: map[log.Hash]Ref{}, once: map[log.Hash]bool{},
	}
}

func (r rules) Limit(c log.Card) (log.Height, bool) {
	at, ok := r.limits[c.ID()]
	return at, ok
}

func (r rules) Erased(_ log.Card, _ uint64, h log.Hash) bool {
	_, ok := r.erased[h]
	return ok
}

func (r rules) Stripped(c log.Card, seq uint64, h log.Hash) bool {
	return r.Erased(c, seq, h) || r.once[h]
}

func (r rules) ErasedRefs() []Ref { return slices.Collect(maps.Values(r.erased)) }

func (r rules) erase(a *author, seqs ...uint64) {
	for _, seq := range seqs {
		h := a.all[seq-1].Hash()
		r.erased[h] = Ref{Card: a.card, Seq: seq, Hash: h}
	}
}

// end sets a log's limit to one of its entries.
func (r rules) end(a *author, seq uint64) {
	at := log.Height{Seq: seq}
	if seq > 0 {
		at.Hash = a.all[seq-1].Hash()
	}
	r.limits[a.card.ID()] = at
}

func (r rules) beyond(id log.LogID, seq uint64) bool {
	at, ok := r.limits[id]
	return ok && seq > at.Seq
}

// counts says by the specification whether an entry counts, given what is held
// of its log.
func (r rules) counts(a *author, e *log.Entry) bool {
	if r.Erased(a.card, e.Seq, e.Hash()) || r.unknown[a.card.Device] || r.locked[a.card.ID()] {
		return false
	}
	at, cut := r.limits[a.card.ID()]
	held := at.Seq == 0 || at.Seq <= uint64(len(a.all)) && a.all[at.Seq-1].Hash() == at.Hash
	return !cut || held && e.Seq <= at.Seq
}

// compareViews compares all that people see with the fold of what counts of the
// first held entries of each log.
func compareViews(t interface {
	Fatal(...any)
	Fatalf(string, ...any)
}, s *Store, authors []*author, held []int, r rules, page int) {
	have := make([]*author, len(authors))
	for i, a := range authors {
		c := *a
		c.all = a.all[:held[i]]
		have[i] = &c
	}
	for _, sp := range []log.SpaceID{space, {5}} {
		want, got := showState(oracleOf(t, have, sp, r)), showStore(t, s, sp, page)
		if !slices.Equal(want, got) {
			t.Fatalf("differs:\n%s", diff(want, got))
		}
	}
	checkIndex(t, s)
}

// draw changes what counts of an author's log.
func (r rules) draw(t *rapid.T, a *author, held int) {
	switch rapid.IntRange(0, 5).Draw(t, "rule") {
	case 0:
		delete(r.limits, a.card.ID())
	case 1:
		if len(a.all) > 0 {
			r.erase(a, uint64(rapid.IntRange(1, len(a.all)).Draw(t, "erased")))
		}
	case 2:
		r.end(a, uint64(held))
	default:
		r.end(a, uint64(rapid.IntRange(0, len(a.all)).Draw(t, "end")))
	}
}

// TestLimitsEqualFold draws histories that come in pieces while limits go up,
// down and away and entries are erased, with restarts and rebuilds, and compares
// all that people see with folding what counts at once.
func TestLimitsEqualFold(t *testing.T) {
	dirs := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		authors := history(t)
		n++
		dir := fmt.Sprintf("%s/%d", dirs, n)
		r := newRules()
		open := func() *Store {
			s, rep, err := Open(dir, Options{Unsafe: true})
			if err != nil || rep.Damaged != "" {
				t.Fatal(rep, err)
			}
			if err := s.Use(bg, r); err != nil {
				t.Fatal(err)
			}
			return s
		}
		for _, a := range authors {
			r.locked[a.card.ID()] = rapid.IntRange(0, 6).Draw(t, "locked") == 0
		}
		s := open()
		defer func() { s.Close() }()
		held := make([]int, len(authors))
		for range rapid.IntRange(1, 25).Draw(t, "events") {
			i := rapid.IntRange(0, len(authors)-1).Draw(t, "from")
			a := authors[i]
			if to := min(len(a.all), held[i]+rapid.IntRange(1, 15).Draw(t, "batch")); held[i] < to {
				run := slices.Clone(a.all[held[i]:to])
				for k, e := range run { // who knows of an erasure has no payload
					if r.Erased(a.card, e.Seq, e.Hash()) && rapid.Bool().Draw(t, "stripped") {
						run[k] = e.Erased()
					}
				}
				if _, err := s.Import(bg, a.card, run, false); err != nil {
					t.Fatal(err)
				}
				held[i] = to
				compareViews(t, s, authors, held, r, 9)
			}
			switch rapid.IntRange(0, 6).Draw(t, "event") {
			case 0:
				s.Close()
				s = open()
			case 1:
				if err := s.Rebuild(bg, nil); err != nil {
					t.Fatal(err)
				}
			case 2:
				clear(r.locked)
				fallthrough
			case 3, 4:
				for range rapid.IntRange(1, 3).Draw(t, "rules") {
					k := rapid.IntRange(0, len(authors)-1).Draw(t, "whose")
					r.draw(t, authors[k], held[k])
				}
				if err := s.Use(bg, r); err != nil {
					t.Fatal(err)
				}
			default:
				continue
			}
			compareViews(t, s, authors, held, r, 7)
		}
	})
}

// late makes a store with an author of five messages, of which the last two are
// beyond the limit.
func late(t *testing.T) (*Store, *author, rules) {
	a, r := newAuthor(1), newRules()
	for i := range 5 {
		a.write(t, baseMs+int64(i), nil, chat.Post{Text: fmt.Sprint("Wort ", i)})
	}
	s := openStore(t, t.TempDir(), r)
	mustImport(t, s, a.card, a.all...)
	r.end(a, 3)
	if err := s.Use(bg, r); err != nil {
		t.Fatal(err)
	}
	return s, a, r
}

func texts(t testing.TB, s *Store) []string {
	t.Helper()
	p, err := s.Messages(bg, Query{Space: space, Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, r := range p.Rows {
		out = append(out, r.Text)
	}
	if p.Total != len(out) {
		t.Errorf("total %d, %d rows", p.Total, len(out))
	}
	return out
}

func TestQuarantine(t *testing.T) {
	s, a, r := late(t)
	if got := texts(t, s); !slices.Equal(got, []string{"Wort 0", "Wort 1", "Wort 2"}) {
		t.Errorf("shown: %q", got)
	}
	if u := s.Used(); !slices.Equal(u.Channels, []ChannelKey{{Space: space}}) || len(u.Fell) > 0 {
		t.Errorf("used = %+v", u)
	}
	if hits, _, err := s.Search(bg, []log.SpaceID{space}, "wort 4", nil, 0, 9); err != nil || len(hits) != 0 {
		t.Errorf("found %v, %v", hits, err)
	}
	q, err := s.Quarantined(bg)
	if err != nil || len(q) != 1 || q[0].Card != a.card || q[0].Limit.Seq != 3 || q[0].Last != a.last || q[0].Entries != 2 || q[0].Aside != 0 {
		t.Fatalf("quarantine = %+v, %v", q, err)
	}
	if m := q[0].Messages; len(m) != 2 || m[1].Text != "Wort 4" || m[1].ID != a.id(5, 0) || m[1].At != baseMs+4 {
		t.Errorf("messages = %+v", m)
	}
	// Held and passed on as ever, also what comes now.
	e := a.write(t, baseMs+9, nil, chat.Post{Text: "Wort 5"})
	if applied := mustImport(t, s, a.card, e); applied.Height != a.last || len(applied.Messages) != 0 || len(applied.Channels) != 0 {
		t.Errorf("applied = %+v", applied)
	}
	if got, err := s.Entries(bg, a.card.ID(), 1, 6, log.MaxBatch); err != nil || len(got) != 6 {
		t.Errorf("%d entries, %v", len(got), err)
	}
	if q, _ := s.Quarantined(bg); q[0].Entries != 3 {
		t.Errorf("%d entries", q[0].Entries)
	}
	r.end(a, 5) // adopted
	if err := s.Use(bg, r); err != nil {
		t.Fatal(err)
	}
	if got := texts(t, s); len(got) != 5 || got[4] != "Wort 4" {
		t.Errorf("shown: %q", got)
	}
	delete(r.limits, a.card.ID())
	if err := s.Use(bg, r); err != nil {
		t.Fatal(err)
	}
	if got := texts(t, s); len(got) != 6 {
		t.Errorf("shown: %q", got)
	}
	if q, err := s.Quarantined(bg); err != nil || len(q) != 0 {
		t.Errorf("quarantine = %+v, %v", q, err)
	}
}

// TestNothingCountsBeforeTheNamedEntry comes: the log is shown when it is there.
func TestNothingCountsBeforeTheNamedEntry(t *testing.T) {
	a, r := newAuthor(1), newRules()
	for i := range 6 {
		a.write(t, baseMs+int64(i), nil, chat.Post{Text: fmt.Sprint("Wort ", i)})
	}
	r.end(a, 5)
	s := openStore(t, t.TempDir(), r)
	mustImport(t, s, a.card, a.all[:4]...)
	if got := texts(t, s); len(got) != 0 {
		t.Errorf("shown: %q", got)
	}
	if q, err := s.Quarantined(bg); err != nil || len(q) != 0 {
		t.Errorf("quarantine = %+v, %v", q, err)
	}
	applied := mustImport(t, s, a.card, a.all[4:]...)
	if got := texts(t, s); len(got) != 5 || len(applied.Channels) != 1 || len(applied.Messages) != 5 {
		t.Errorf("shown: %q, applied %+v", got, applied)
	}
}

// TestNobodyWaitsForWhatDoesNotCount: others' entries that build on one beyond
// the limit are shown, though it may never come.
func TestNobodyWaitsForWhatDoesNotCount(t *testing.T) {
	a, b, r := newAuthor(1), newAuthor(2), newRules()
	for i := range 3 {
		a.write(t, baseMs+int64(i), nil, chat.Post{Text: fmt.Sprint("Wort ", i)})
	}
	b.write(t, baseMs+9, []log.Dep{{Log: a.card.ID(), Seq: 3}}, chat.Post{Text: "Antwort"})
	s := openStore(t, t.TempDir(), r)
	mustImport(t, s, b.card, b.all...)
	mustImport(t, s, a.card, a.all[:2]...)
	if got := texts(t, s); len(got) != 2 {
		t.Errorf("shown: %q", got)
	}
	r.end(a, 2)
	if err := s.Use(bg, r); err != nil {
		t.Fatal(err)
	}
	if got := texts(t, s); !slices.Equal(got, []string{"Wort 0", "Wort 1", "Antwort"}) {
		t.Errorf("shown: %q", got)
	}
	delete(r.limits, a.card.ID())
	if err := s.Use(bg, r); err != nil {
		t.Fatal(err)
	}
	if got := texts(t, s); len(got) != 2 {
		t.Errorf("shown: %q", got)
	}
}

// TestNobodyBuildsOnWhatDoesNotCount, nor follows its clock.
func TestNobodyBuildsOnWhatDoesNotCount(t *testing.T) {
	s, a, _ := late(t)
	mustImport(t, s, a.card, a.write(t, baseMs+999_999, nil, chat.Post{Text: "aus der Zukunft"}))
	me := newAuthor(2)
	if _, err := s.Append(bg, me.card, "", func(n Next) (*log.Entry, error) {
		if !slices.Equal(n.Deps, []log.Dep{{Log: a.card.ID(), Seq: 3}}) || n.Seen != 0 {
			t.Errorf("next = %+v", n)
		}
		return me.write(t, baseMs, n.Deps, chat.Post{Text: "Antwort"}), nil
	}); err != nil {
		t.Fatal(err)
	}
	if got := texts(t, s); len(got) != 4 || got[3] != "Antwort" {
		t.Errorf("shown: %q", got)
	}
}

// TestKeyIsGone: what was shown and cannot be read any more is taken out all the
// same when it does not count.
func TestKeyIsGone(t *testing.T) {
	for name, after := range map[string]func(a, b *author, r rules){
		"of the entries":    func(a, b *author, r rules) { r.locked[a.card.ID()] = true; r.end(a, 1) },
		"of what they edit": func(a, b *author, r rules) { r.locked[b.card.ID()] = true; r.end(a, 1) },
		"erased":            func(a, b *author, r rules) { r.locked[a.card.ID()] = true; r.erase(a, 2, 3) },
		"of the person":     func(a, b *author, r rules) { r.unknown[a.card.Device] = true; r.end(a, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			a, b, r := newAuthor(1), newAuthor(1), newRules()
			b.card.Incarnation = log.Incarnation{9}
			b.write(t, baseMs, nil, chat.Post{Text: "das Original"})
			a.write(t, baseMs+1, nil, chat.Post{Text: "vorher"})
			a.write(t, baseMs+2, nil, chat.Edit{Message: b.id(1, 0), Text: "das Geänderte"})
			a.write(t, baseMs+3, nil, chat.Post{Text: "nachher"}, chat.Read{Message: a.id(1, 0)})
			s := openStore(t, t.TempDir(), r)
			mustImport(t, s, b.card, b.all...)
			mustImport(t, s, a.card, a.all...)
			after(a, b, r)
			if err := s.Use(bg, r); err != nil {
				t.Fatal(err)
			}
			compareViews(t, s, []*author{a, b}, []int{3, 1}, r, 9)
			clear(r.locked)
			clear(r.unknown)
			if err := s.Use(bg, r); err != nil {
				t.Fatal(err)
			}
			compareViews(t, s, []*author{a, b}, []int{3, 1}, r, 9)
		})
	}
}

// TestCarriedEntriesRest: a device that carries a space it cannot read does not
// look at all of it whenever the control space changes.
func TestCarriedEntriesRest(t *testing.T) {
	r := &countingReader{sealedRules: sealedRules{newRules()}, locked: true}
	s := openStore(t, t.TempDir(), r)
	a := newAuthor(1)
	for i := range 50 {
		mustImport(t, s, a.card, a.seal(t, baseMs+int64(i), chat.Post{Text: fmt.Sprint("Wort ", i)}))
	}
	r.asked = 0
	if err := s.Use(bg, r); err != nil {
		t.Fatal(err)
	}
	if r.asked > 1 {
		t.Errorf("asked for %d entries", r.asked)
	}
	if err := s.Rebuild(bg, nil); err != nil {
		t.Fatal(err)
	}
	r.locked = false
	if err := s.Use(bg, r); err != nil {
		t.Fatal(err)
	}
	if got := texts(t, s); len(got) != 50 {
		t.Errorf("%d are shown", len(got))
	}
}

// A countingReader counts how often it is asked to read.
type countingReader struct {
	sealedRules
	locked bool
	asked  int
}

func (r *countingReader) Plain(card log.Card, e *log.Entry) ([]byte, error) {
	r.asked++
	if r.locked {
		return nil, ErrNoKey
	}
	return r.sealedRules.Plain(card, e)
}

// TestRulesChangeInUse changes limits and erases while others import, write, read
// and search.
func TestRulesChangeInUse(t *testing.T) {
	var authors []*author
	for i := range 3 {
		a := newAuthor(i)
		for n := range 200 {
			ops := []chat.Op{chat.Post{Text: fmt.Sprint("Wort ", n)}}
			if n > 0 {
				ops = append(ops, chat.Edit{Message: a.id(uint64(n), 0), Text: fmt.Sprint("Wort neu ", n)}, chat.Read{Message: authors0(authors, a).id(uint64(n), 0)})
			}
			a.write(t, baseMs+int64(n), nil, ops...)
		}
		authors = append(authors, a)
	}
	s := openStore(t, t.TempDir(), newRules())
	me := newAuthor(9)
	ctx, stop := context.WithCancel(bg)
	var readers, writers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for ctx.Err() == nil {
				_, _, err := s.Search(bg, []log.SpaceID{space}, "wort", nil, 0, 20)
				if err == nil {
					_, err = s.Messages(bg, Query{Space: space, Limit: 20})
				}
				if err == nil {
					_, err = s.Quarantined(bg)
				}
				if err == nil {
					_, err = s.Related(bg, authors[0].id(3, 0))
				}
				if err == nil {
					_, err = allChannels(s, authors[0].person())
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for _, a := range authors {
		writers.Go(func() {
			for n := 0; n < len(a.all); n += 5 {
				if _, err := s.Import(bg, a.card, a.all[n:n+5], false); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Go(func() {
		for i := range 30 {
			if _, err := s.Append(bg, me.card, "", func(n Next) (*log.Entry, error) {
				return me.write(t, baseMs+int64(i), n.Deps, chat.Post{Text: "Wort von mir"}), nil
			}); err != nil {
				t.Error(err)
			}
		}
	})
	random := mrand.New(mrand.NewPCG(1, 2))
	r := newRules()
	for range 25 { // a reader never changes: each Use has its own
		next := newRules()
		maps.Copy(next.limits, r.limits)
		maps.Copy(next.erased, r.erased)
		a := authors[random.IntN(len(authors))]
		switch random.IntN(4) {
		case 0:
			delete(next.limits, a.card.ID())
		case 1:
			next.erase(a, uint64(1+random.IntN(200)))
		default:
			next.end(a, uint64(random.IntN(201)))
		}
		if err := s.Use(bg, next); err != nil {
			t.Fatal(err)
		}
		r = next
	}
	writers.Wait()
	stop()
	readers.Wait()
	if err := s.Err(); err != nil || !s.Wiped() {
		t.Errorf("%v, wiped %v", err, s.Wiped())
	}
	compareViews(t, s, append(authors, me), []int{200, 200, 200, 30}, r, 500)
}

// authors0 returns the first author, or a if there is none yet.
func authors0(authors []*author, a *author) *author {
	if len(authors) > 0 {
		return authors[0]
	}
	return a
}
