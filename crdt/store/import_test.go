package store

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
)

func TestImportRefuses(t *testing.T) {
	hello := chat.Post{Text: "hallo"}
	for name, tt := range map[string]struct {
		make func(t *testing.T, a *author) []*log.Entry // after three good entries
		live bool
		want error
	}{
		"gap": {func(t *testing.T, a *author) []*log.Entry {
			a.write(t, baseMs, nil, hello)
			return []*log.Entry{a.write(t, baseMs, nil, hello)}
		}, false, ErrBehind},
		"another log": {func(t *testing.T, a *author) []*log.Entry {
			return []*log.Entry{newAuthor(5).write(t, baseMs, nil, hello)}
		}, false, log.ErrChain},
		"last signature wrong": {func(t *testing.T, a *author) []*log.Entry {
			e := *a.write(t, baseMs, nil, hello)
			e.Sig[5]++
			return []*log.Entry{&e}
		}, false, log.ErrSignature},
		"signature in the middle wrong": {func(t *testing.T, a *author) []*log.Entry {
			e := *a.write(t, baseMs, nil, hello)
			e.Sig[5]++
			return []*log.Entry{&e, a.write(t, baseMs, nil, hello)}
		}, true, log.ErrSignature},
		"signature in the middle wrong, in bulk": {func(t *testing.T, a *author) []*log.Entry {
			e := *a.write(t, baseMs, nil, hello)
			e.Sig[5]++
			return []*log.Entry{&e, a.write(t, baseMs, nil, hello)}
		}, false, nil},
		"signed by another": {func(t *testing.T, a *author) []*log.Entry {
			a.key = newAuthor(6).key
			return []*log.Entry{a.write(t, baseMs, nil, hello)}
		}, false, log.ErrSignature},
		"other branch": {func(t *testing.T, a *author) []*log.Entry {
			a.last.Hash[0]++
			return []*log.Entry{a.write(t, baseMs, nil, hello)}
		}, false, ErrFork},
		"other branch, not signed": {func(t *testing.T, a *author) []*log.Entry {
			a.last.Hash[0]++
			e := *a.write(t, baseMs, nil, hello)
			e.Sig[0]++
			return []*log.Entry{&e}
		}, false, log.ErrSignature},
		"held already": {func(t *testing.T, a *author) []*log.Entry { return slices.Clone(a.all) }, true, nil},
		"some held already": {func(t *testing.T, a *author) []*log.Entry {
			a.write(t, baseMs, nil, hello)
			return slices.Clone(a.all[1:])
		}, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t, t.TempDir(), plainReader{})
			a := newAuthor(1)
			card := a.card
			for range 3 {
				mustImport(t, s, card, a.write(t, baseMs, nil, hello))
			}
			before := s.Heights(space)[card.ID()]
			es := tt.make(t, a)
			got, err := s.Import(bg, card, es, tt.live)
			if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Fatalf("import: %v, want %v", err, tt.want)
			}
			h := s.Heights(space)[card.ID()]
			if got.Height != h {
				t.Errorf("applied says %d, height is %d", got.Height.Seq, h.Seq)
			}
			if err != nil && h != before {
				t.Errorf("stored up to %d all the same", h.Seq)
			}
			if err == nil && h != a.last {
				t.Errorf("height %d, want %d", h.Seq, a.last.Seq)
			}
			if p, err := s.Messages(bg, Query{Space: space}); err != nil || p.Total != int(h.Seq) {
				t.Errorf("%d messages, %v", p.Total, err)
			}
		})
	}
}

func TestWeakKeyIsRefused(t *testing.T) {
	s := openStore(t, t.TempDir(), plainReader{})
	a := newAuthor(1)
	card := log.Card{Workspace: office, Space: space, Device: log.DeviceID{1}}
	a.card = card
	e := *a.write(t, baseMs, nil, chat.Post{Text: "x"})
	if _, err := s.Import(bg, card, []*log.Entry{&e}, true); err == nil {
		t.Error("accepted")
	}
	if len(s.Spaces()) != 0 {
		t.Error("log was stored")
	}
}

// TestForkProof offers another entry at a place that is taken.
func TestForkProof(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, plainReader{})
	a, b := newAuthor(1), newAuthor(1)
	for i := range 4 {
		text := "gleich"
		if i == 2 {
			text = "anders"
		}
		a.write(t, baseMs, nil, chat.Post{Text: "gleich"})
		b.write(t, baseMs, nil, chat.Post{Text: text})
	}
	mustImport(t, s, a.card, a.all...)
	for range 2 {
		if _, err := s.Import(bg, a.card, b.all, false); !errors.Is(err, ErrFork) {
			t.Fatalf("import of the other branch: %v", err)
		}
	}
	s.Close()
	s = openStore(t, dir, plainReader{})
	forks, err := s.Forks(bg)
	if err != nil || len(forks) != 1 || forks[0].Seq != 3 || forks[0].Card != a.card || forks[0].Proof.Check(a.card.Device) != nil {
		t.Errorf("forks = %+v, %v", forks, err)
	}
	if h := s.Heights(space)[a.card.ID()]; h != a.last {
		t.Errorf("the branch held first gave way")
	}
}

// TestSpoiledSignature is a relay's mischief: hash links hold, but an entry in
// the middle of a run has a wrong signature. What is passed on must end with a
// right one.
func TestSpoiledSignature(t *testing.T) {
	s := openStore(t, t.TempDir(), plainReader{})
	a := newAuthor(1)
	var es []*log.Entry
	for i := range 10 {
		e := *a.write(t, baseMs, nil, chat.Post{Text: "hallo"})
		if i == 4 || i == 5 {
			e.Sig[0]++
		}
		es = append(es, &e)
	}
	mustImport(t, s, a.card, es...)
	for _, tt := range []struct{ from, to, want uint64 }{{1, 10, 10}, {1, 6, 4}, {1, 5, 4}, {3, 6, 2}, {7, 99, 4}} {
		got, err := s.Entries(bg, a.card.ID(), tt.from, tt.to, log.MaxBatch)
		if err != nil || uint64(len(got)) != tt.want {
			t.Errorf("entries %d to %d: %d, %v", tt.from, tt.to, len(got), err)
		}
	}
	if _, err := s.Entries(bg, a.card.ID(), 5, 6, log.MaxBatch); !errors.Is(err, log.ErrSignature) {
		t.Errorf("only wrong ones: %v", err)
	}
	if got, err := s.Entries(bg, a.card.ID(), 1, 10, 1); err != nil || len(got) != 1 || !bytes.Equal(got[0], a.all[0].Bytes()) {
		t.Errorf("at least one: %d, %v", len(got), err)
	}
	for _, r := range [][2]uint64{{0, 1}, {11, 12}, {3, 2}} {
		if _, err := s.Entries(bg, a.card.ID(), r[0], r[1], log.MaxBatch); !errors.Is(err, ErrNotFound) {
			t.Errorf("entries %v: %v", r, err)
		}
	}
}

func TestNonce(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, plainReader{})
	a := newAuthor(1)
	post := func(nonce string) Applied {
		t.Helper()
		got, err := s.Append(bg, a.card, nonce, func(n Next) (*log.Entry, error) {
			return a.write(t, baseMs, n.Deps, chat.React{Message: a.id(1, 0), Word: "agree", On: true}, chat.Post{Text: "einmal"}), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	first := post("a")
	post("b")
	s.Close()
	s = openStore(t, dir, plainReader{})
	again := post("a")
	if !again.Again || again.Seq != 1 || !slices.Equal(again.Messages, first.Messages) || first.Messages[0] != a.id(1, 1) {
		t.Errorf("first %+v, again %+v", first, again)
	}
	post("")
	post("")
	if p, _ := s.Messages(bg, Query{Space: space}); p.Total != 4 {
		t.Errorf("%d messages", p.Total)
	}
}

func TestAppendRefuses(t *testing.T) {
	s := openStore(t, t.TempDir(), plainReader{})
	a := newAuthor(1)
	var bad = errors.New("no")
	for name, build := range map[string]func(Next) (*log.Entry, error){
		"error": func(Next) (*log.Entry, error) { return nil, bad },
		"wrong place": func(Next) (*log.Entry, error) {
			b := newAuthor(1)
			b.write(t, 1, nil, chat.Post{Text: "x"})
			return b.write(t, 1, nil, chat.Post{Text: "x"}), nil
		},
		"wrong log": func(Next) (*log.Entry, error) { return newAuthor(2).write(t, 1, nil, chat.Post{Text: "x"}), nil },
		"wrong key": func(n Next) (*log.Entry, error) {
			b := newAuthor(1)
			b.key = ed25519.NewKeyFromSeed(make([]byte, 32))
			return b.write(t, 1, nil, chat.Post{Text: "x"}), nil
		},
	} {
		if _, err := s.Append(bg, a.card, "n", build); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if len(s.Heights(space)) != 0 {
		t.Error("something was stored")
	}
}

func TestNext(t *testing.T) {
	s := openStore(t, t.TempDir(), plainReader{})
	me := newAuthor(0)
	var got Next
	post := func() {
		t.Helper()
		if _, err := s.Append(bg, me.card, "", func(n Next) (*log.Entry, error) {
			got = n
			return me.write(t, baseMs, n.Deps, chat.Post{Text: "x"}), nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	var others []*author
	for i := range 20 {
		o := newAuthor(i + 1)
		mustImport(t, s, o.card, o.write(t, baseMs+int64(i), nil, chat.Post{Text: "x"}))
		others = append(others, o)
	}
	mustImport(t, s, log.Card{Workspace: office, Device: others[3].card.Device}, newAuthor(4).in(log.Control).write(t, baseMs+1000, nil, chat.Post{Text: "elsewhere"}))
	post()
	if len(got.Deps) != log.MaxRefs || got.Seen != others[19].hlc {
		t.Errorf("%d dependencies, seen %d", len(got.Deps), got.Seen)
	}
	for _, o := range others[4:] { // the newest sixteen
		if !slices.Contains(got.Deps, log.Dep{Log: o.card.ID(), Seq: 1}) {
			t.Errorf("log %s is missing", o.card.ID())
		}
	}
	post()
	if len(got.Deps) != 0 || got.Last != me.all[0].HLC {
		t.Errorf("nothing new, but %+v", got)
	}
	// What waits for something else is not known yet.
	w := others[0]
	mustImport(t, s, w.card, w.write(t, baseMs+5, []log.Dep{{Log: log.LogID{9}, Seq: 1}}, chat.Post{Text: "waits"}))
	mustImport(t, s, others[1].card, others[1].write(t, baseMs+5, nil, chat.Post{Text: "x"}))
	post()
	if !slices.Equal(got.Deps, []log.Dep{{Log: others[1].card.ID(), Seq: 2}}) {
		t.Errorf("dependencies = %+v", got.Deps)
	}
}

func TestHeld(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, plainReader{})
	a := newAuthor(1)
	mustImport(t, s, a.card, a.write(t, baseMs, nil, chat.Post{Text: "x"}), a.write(t, baseMs, nil, chat.Post{Text: "y"}))
	id := a.card.ID()
	s.SetHeld(log.DeviceID{1}, log.Heights{id: {Seq: 2}, {9}: {Seq: 1}})
	s.SetHeld(log.DeviceID{2}, log.Heights{id: {Seq: 1}})
	check := func() {
		t.Helper()
		if got := s.Held(id, 1); !slices.Equal(got, []log.DeviceID{{1}, {2}}) {
			t.Errorf("first: %v", got)
		}
		if got := s.Held(id, 2); !slices.Equal(got, []log.DeviceID{{1}}) {
			t.Errorf("second: %v", got)
		}
		if got := s.Held(log.LogID{9}, 1); len(got) != 0 {
			t.Errorf("unknown log: %v", got)
		}
		if got := s.HeldBy(log.DeviceID{2}, id); got != 1 {
			t.Errorf("by the second device: %d", got)
		}
	}
	check()
	s.Close()
	s = openStore(t, dir, plainReader{})
	check()
}

// TestHeldBeforeItCame: what is said of a log before its first entry is here counts
// from then on, and a liar fills no memory with it.
func TestHeldBeforeItCame(t *testing.T) {
	s := openStore(t, t.TempDir(), plainReader{})
	a := newAuthor(1)
	id := a.card.ID()
	s.SetHeld(log.DeviceID{1}, log.Heights{id: {Seq: 1}})
	s.SetHeld(log.DeviceID{1}, log.Heights{id: {Seq: 2}})
	for i := range 2 * maxEarly {
		s.SetHeld(log.DeviceID{2}, log.Heights{{9, byte(i), byte(i >> 8)}: {Seq: 1}})
	}
	s.SetHeld(log.DeviceID{3}, log.Heights{id: {Seq: 1}}) // too late to be remembered
	mustImport(t, s, a.card, a.write(t, baseMs, nil, chat.Post{Text: "x"}), a.write(t, baseMs, nil, chat.Post{Text: "y"}))
	if got := s.Held(id, 2); !slices.Equal(got, []log.DeviceID{{1}}) {
		t.Errorf("after it came: %v", got)
	}
	if n := s.held.ahead; n != maxEarly-1 {
		t.Errorf("%d numbers are remembered, want %d", n, maxEarly-1)
	}
	s.SetHeld(log.DeviceID{3}, log.Heights{id: {Seq: 2}})
	if got := s.HeldBy(log.DeviceID{3}, id); got != 2 {
		t.Errorf("said again: %d", got)
	}
}

// TestSearchNeverFails types everything that means something to the index.
func TestSearchNeverFails(t *testing.T) {
	s := openStore(t, t.TempDir(), plainReader{})
	a := newAuthor(1)
	mustImport(t, s, a.card, a.write(t, baseMs, nil, chat.Post{Text: "Größe: 5 × 7, \"Straße\" café NEAR AND or-not_x"}))
	for text, want := range map[string]int{
		"": 0, " ": 0, `"`: 0, `""`: 0, "*": 0, "grosse": 0, "große": 1, "größe": 1, "GROSSE": 0, "grö": 1, "cafe": 1, "CAFÉ": 1, "café ": 1, "caf ": 0,
		"AND": 1, "OR": 1, "NOT x": 1, "near(": 1, "NEAR(a b, 3)": 0, "text:": 0, "chan:1": 0, "^größe": 1, "5 7": 1, "{a b}": 0, "a\x00b": 0, "\xff": 0, "-": 0,
		"e\u0301": 0, "cafe\u0301": 1, "\u0301": 0, "🏝️": 0, "größe OR (": 1, "or_not": 1, "or-not_x": 1, "'; DROP TABLE messages": 0, "straße 5 zzz": 0,
	} {
		hits, _, err := s.Search(bg, []log.SpaceID{space}, text, nil, 0, 10)
		if err != nil || len(hits) != want {
			t.Errorf("%q finds %d, want %d: %v", text, len(hits), want, err)
		}
	}
	hits, _, err := s.Search(bg, []log.SpaceID{space}, "stra", nil, 0, 10)
	if err != nil || len(hits) != 1 {
		t.Fatal(hits, err)
	}
	var whole string
	var marked []string
	for _, p := range hits[0].Snippet {
		whole += p.Text
		if p.Hit {
			marked = append(marked, p.Text)
		}
	}
	if whole != hits[0].Text || !slices.Equal(marked, []string{"Straße"}) {
		t.Errorf("snippet %+v", hits[0].Snippet)
	}
}

func FuzzSearch(f *testing.F) {
	for _, s := range []string{"a", `"`, "NEAR(a b)", "e\u0301", "x*", "ﬁ ª ٣"} {
		f.Add(s)
	}
	dir := f.TempDir()
	s, _, err := Open(dir, Options{Unsafe: true})
	if err != nil {
		f.Fatal(err)
	}
	defer s.Close()
	if err := s.Use(bg, plainReader{}); err != nil {
		f.Fatal(err)
	}
	a := newAuthor(1)
	mustImport(f, s, a.card, a.write(f, baseMs, nil, chat.Post{Text: "hallo welt"}))
	f.Fuzz(func(t *testing.T, text string) {
		if _, _, err := s.Search(bg, []log.SpaceID{space}, text, nil, 0, 10); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if n := parseNeedle(text); len(n.words) > 0 { // and not only because the error is looked away from
			err := s.read(bg, func(c *conn) error {
				_, err := c.get(bg, "SELECT rowid FROM words WHERE words MATCH ?", n.query)
				return err
			})
			if err != nil && !errors.Is(err, ErrNotFound) {
				t.Errorf("%q becomes %q: %v", text, n.query, err)
			}
		}
	})
}

// TestSearchKeepsToItsChannel and space, newest first, page by page.
func TestSearchKeepsToItsChannel(t *testing.T) {
	s := openStore(t, t.TempDir(), plainReader{})
	a, b := newAuthor(1), newAuthor(2).in(log.SpaceID{5})
	for i := range 10 {
		mustImport(t, s, a.card, a.write(t, baseMs+int64(i), nil, chat.Post{Text: fmt.Sprint("wort ", i)}, chat.Post{Channel: chat.ChannelID{1}, Text: fmt.Sprint("wort ", i)}))
		mustImport(t, s, b.card, b.write(t, baseMs+int64(i), nil, chat.Post{Text: fmt.Sprint("wort ", i)}))
	}
	ch := chat.ChannelID{1}
	for name, tt := range map[string]struct {
		space   log.SpaceID
		channel *chat.ChannelID
		want    int
	}{"space": {space, nil, 20}, "channel": {space, &ch, 10}, "other space": {log.SpaceID{5}, nil, 10}, "no space": {log.SpaceID{6}, nil, 0}, "channel of another space": {log.SpaceID{5}, &ch, 0}} {
		t.Run(name, func(t *testing.T) {
			n, before, last := 0, int64(0), int64(1<<62)
			for {
				hits, more, err := s.Search(bg, []log.SpaceID{tt.space}, "wort", tt.channel, before, 3)
				if err != nil {
					t.Fatal(err)
				}
				for _, h := range hits {
					if h.Space != tt.space || tt.channel != nil && h.Channel != *tt.channel || h.Pos >= last {
						t.Errorf("hit %+v", h)
					}
					last, n = h.Pos, n+1
				}
				if !more {
					break
				}
				before = last
			}
			if n != tt.want {
				t.Errorf("%d hits, want %d", n, tt.want)
			}
		})
	}
}

// TestOwnEntriesGoFirst appends while a big import runs in small batches.
func TestOwnEntriesGoFirst(t *testing.T) {
	s := openStore(t, t.TempDir(), plainReader{})
	other, me := newAuthor(1), newAuthor(2)
	for i := range 6000 {
		other.write(t, baseMs+int64(i), nil, chat.Post{Text: "aus der Vergangenheit"})
	}
	var wg sync.WaitGroup
	started := make(chan struct{})
	wg.Go(func() {
		mustImport(t, s, other.card, other.all[0])
		close(started)
		mustImport(t, s, other.card, other.all[1:]...)
	})
	<-started
	for i := range 3 {
		if _, err := s.Append(bg, me.card, "", func(n Next) (*log.Entry, error) {
			return me.write(t, baseMs+int64(i), n.Deps, chat.Post{Text: "jetzt"}), nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if h := s.Heights(space)[other.card.ID()]; h == other.last {
		t.Error("the import came first")
	}
	wg.Wait()
	if h := s.Heights(space)[other.card.ID()]; h != other.last {
		t.Errorf("import ended at %d", h.Seq)
	}
}

// TestManyAtOnce reads, searches, imports and appends from many goroutines.
func TestManyAtOnce(t *testing.T) {
	s := openStore(t, t.TempDir(), plainReader{})
	var wg sync.WaitGroup
	ctx, cancel := context.WithTimeout(bg, time.Minute)
	defer cancel()
	for i := range 4 {
		a, own := newAuthor(i), newAuthor(10+i)
		for n := range 100 {
			a.write(t, baseMs+int64(n), nil, chat.Post{Text: "hallo"})
		}
		wg.Go(func() {
			for n := range a.all {
				if _, err := s.Import(ctx, a.card, a.all[max(0, n-2):n+1], true); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range 20 {
				if _, err := s.Append(ctx, own.card, "", func(n Next) (*log.Entry, error) {
					return own.write(t, baseMs, n.Deps, chat.Post{Text: "hallo"}), nil
				}); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range 50 {
				p, err := s.Messages(ctx, Query{Space: space, Limit: 20})
				if err == nil {
					_, err = s.Channels(ctx, space, chat.PersonID{1})
				}
				if err == nil {
					_, _, err = s.Search(ctx, []log.SpaceID{space}, "hal", nil, 0, 5)
				}
				if err != nil {
					t.Error(err)
				}
				if !slices.IsSortedFunc(p.Rows, func(a, b Row) int { return int(a.Pos - b.Pos) }) {
					t.Error("page out of order")
				}
			}
		})
	}
	wg.Wait()
	if p, err := s.Messages(ctx, Query{Space: space}); err != nil || p.Total != 4*100+4*20 {
		t.Errorf("%d messages, %v", p.Total, err)
	}
	checkIndex(t, s)
}

// TestDensePlaces gives many messages the same clock in the worst order, so
// that positions run out and messages have to move.
func TestDensePlaces(t *testing.T) {
	s := openStore(t, t.TempDir(), plainReader{})
	var authors []*author
	for i := range 3 {
		a := newAuthor(i)
		for n := range 700 {
			a.writeAt(t, log.HLC(uint64(baseMs)<<16)+log.HLC(n), nil, chat.Post{Text: fmt.Sprint(n)})
		}
		authors = append(authors, a)
	}
	for _, a := range authors {
		mustImport(t, s, a.card, a.all...)
	}
	want, got := showState(oracle(t, authors, space)), showStore(t, s, space, 500)
	if !slices.Equal(want, got) {
		t.Errorf("differs:\n%.2000s", diff(want, got))
	}
	checkIndex(t, s)
}

// TestGlanceEqualsIndex looks for beginnings of words in both ways.
func TestGlanceEqualsIndex(t *testing.T) {
	s := openStore(t, t.TempDir(), plainReader{})
	a := newAuthor(1)
	parts := []string{"Größe", "grosse", "Café", "cafe\u0301s", "ÅNGSTRÖM", "łódź", "naïve", "x_y", "3.50€", "ÿ", "Ǆ", "ﬁne", "日本語", "İstanbul", "don't", "a\u0301\u0302b", "ß", "Σίσυφος", "ё", "й"}
	for i := range parts {
		mustImport(t, s, a.card, a.write(t, baseMs+int64(i), nil, chat.Post{Text: parts[i] + " " + parts[(i+7)%len(parts)] + "-" + parts[(i+3)%len(parts)]}))
	}
	in, where := s.where([]log.SpaceID{space}, nil)
	for _, p := range parts {
		for cut := range p + " " {
			n := parseNeedle(p[:cut])
			if len(n.words) == 0 {
				continue
			}
			err := s.read(bg, func(c *conn) error {
				if _, err := c.get(bg, "SELECT 1"); err != nil {
					return err
				}
				seen, err := n.find(bg, c, in, where, 1<<62, 1000)
				if err != nil {
					return err
				}
				var glanced []int64
				err = c.query(bg, "SELECT pos, text FROM messages ORDER BY pos DESC", nil, func(r row) error {
					if n.in(r.str(1)) {
						glanced = append(glanced, r.int(0))
					}
					return nil
				})
				if !slices.Equal(seen, glanced) {
					t.Errorf("%q: the index finds %d, looking finds %d", p[:cut], len(seen), len(glanced))
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestSnippet(t *testing.T) {
	long := strings.Repeat("anfang ", 30) + "Größe " + strings.Repeat("ende ", 60)
	for _, tt := range []struct{ text, find, want string }{
		{"Guten Morgen", "mor", "Guten [Morgen]"},
		{"a b a", "a ", "[a] b [a]"},
		{"nichts", "anderes", "nichts"},
		{long, "groesse grö", "… anfang anfang anfang anfang anfang [Größe] " + strings.Repeat("ende ", 23) + " …"},
	} {
		var got string
		for _, p := range parseNeedle(tt.find).pieces(tt.text) {
			if p.Hit {
				got += "[" + p.Text + "]"
			} else {
				got += p.Text
			}
		}
		if got != tt.want {
			t.Errorf("%q in %.30q:\n got %q\nwant %q", tt.find, tt.text, got, tt.want)
		}
	}
}
