package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
)

// sealedRules decrypt, as the program does.
type sealedRules struct{ rules }

func (sealedRules) Plain(card log.Card, e *log.Entry) ([]byte, error) {
	return sealedReader{}.Plain(card, e)
}

// seal writes the next entry encrypted.
func (a *author) seal(t testing.TB, ms int64, ops ...chat.Op) *log.Entry {
	t.Helper()
	plain, err := chat.Encode(ops)
	if err != nil {
		t.Fatal(err)
	}
	a.hlc = log.Tick(ms, a.hlc, 0)
	key := someKey.ID(a.card.Space, 1)
	h := log.Header{Log: a.card.ID(), Seq: a.last.Seq + 1, Prev: a.last.Hash, HLC: a.hlc, Key: &key, Kind: log.KindChat}
	payload, err := log.Seal(rand.Reader, someKey, office, &h, plain)
	if err != nil {
		t.Fatal(err)
	}
	e, err := log.New(a.key, h, payload)
	if err != nil {
		t.Fatal(err)
	}
	a.last = log.Height{Seq: e.Seq, Hash: e.Hash()}
	a.all = append(a.all, e)
	return e
}

// traces counts how often a secret is in any file of a directory: as text in
// whatever case, and as payload.
func traces(t testing.TB, dir string, secrets ...[]byte) int {
	t.Helper()
	n := 0
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		b = bytes.ToLower(b)
		for _, s := range secrets {
			n += bytes.Count(b, bytes.ToLower(s))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A gossip is a store with much talk and one secret in it, which went through
// edits.
type gossip struct {
	ann, phone, bob *author // phone is ann's other log
	id              chat.MsgID
	secrets         [][]byte
	refs            []Ref
}

// secret words: each is indexed by itself.
const (
	secret1 = "Zyxgeheimnis"
	secret2 = "Qvwkontonummer"
	secret3 = "Xqjkuendigung"
)

// fillGossip imports the talk. Sizes are such that rows move between pages and
// the secret has pages of its own.
func fillGossip(t testing.TB, s *Store) *gossip {
	t.Helper()
	g := &gossip{ann: newAuthor(1), phone: newAuthor(1), bob: newAuthor(2)}
	g.phone.card.Incarnation = log.Incarnation{9}
	put := func(a *author, i int, ops ...chat.Op) *log.Entry {
		e := a.seal(t, baseMs+int64(i)*1000, ops...)
		mustImport(t, s, a.card, e)
		return e
	}
	hide := func(e *log.Entry, a *author, word string) {
		g.secrets = append(g.secrets, []byte(word), e.Payload[:24], e.Payload[len(e.Payload)-24:])
		g.refs = append(g.refs, Ref{Card: a.card, Seq: e.Seq, Hash: e.Hash()})
	}
	talk := func(from, to int) {
		for i := from; i < to; i++ {
			put([]*author{g.ann, g.bob}[i%2], i, chat.Post{Text: fmt.Sprint("Gerede ", i, strings.Repeat(" viel davon", i%40))})
		}
	}
	talk(0, 100)
	e := put(g.ann, 100, chat.Post{Text: secret1 + " alt " + strings.Repeat("lang "+secret1+" ", 300)})
	g.id = g.ann.id(e.Seq, 0)
	hide(e, g.ann, secret1)
	talk(100, 160)
	// The phone's clock is early: this edit loses, or comes before the other.
	hide(put(g.phone, 90, chat.Edit{Message: g.id, Text: secret2 + " von früher"}), g.phone, secret2)
	hide(put(g.ann, 161, chat.Edit{Message: g.id, Text: secret3 + " neu"}), g.ann, secret3)
	put(g.bob, 162, chat.React{Message: g.id, Word: "agree", On: true})
	put(g.bob, 163, chat.Post{Text: "Antwort darauf", Reply: &g.id})
	put(g.bob, 164, chat.Read{Message: g.id})
	talk(165, 200)
	return g
}

func (g *gossip) erased() sealedRules {
	r := sealedRules{newRules()}
	for _, ref := range g.refs {
		r.rules.erased[ref.Hash] = ref
	}
	return r
}

// befores are what happens to the secret before it is erased.
var befores = map[string]func(t *testing.T, dir string, s *Store, g *gossip) *Store{
	"at once": func(t *testing.T, dir string, s *Store, g *gossip) *Store { return s },
	"after a restart": func(t *testing.T, dir string, s *Store, g *gossip) *Store {
		s.Close()
		return openStore(t, dir, sealedRules{newRules()})
	},
	"before Use after a restart": func(t *testing.T, dir string, s *Store, g *gossip) *Store {
		s.Close()
		return openStore(t, dir, nil)
	},
	"after a rebuild": func(t *testing.T, dir string, s *Store, g *gossip) *Store {
		for range 2 {
			if err := s.Rebuild(bg, nil); err != nil {
				t.Fatal(err)
			}
		}
		return s
	},
	"in quarantine": func(t *testing.T, dir string, s *Store, g *gossip) *Store {
		r := sealedRules{newRules()}
		r.end(g.ann, 20)
		r.end(g.phone, 0)
		if err := s.Use(bg, r); err != nil {
			t.Fatal(err)
		}
		return s
	},
	"after another message moved in and out": func(t *testing.T, dir string, s *Store, g *gossip) *Store {
		r := sealedRules{newRules()}
		r.end(g.bob, 20)
		for range 2 {
			if err := s.Use(bg, r); err != nil {
				t.Fatal(err)
			}
			delete(r.limits, g.bob.card.ID())
		}
		return s
	},
	"after salvage": func(t *testing.T, dir string, s *Store, g *gossip) *Store {
		s.Close()
		f, err := os.OpenFile(filepath.Join(dir, dbName), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt(make([]byte, 100), 0); err != nil {
			t.Fatal(err)
		}
		f.Close()
		s = openStore(t, dir, sealedRules{newRules()})
		copies, err := s.DamagedCopies()
		if err != nil || len(copies) != 1 || traces(t, dir, g.secrets...) == 0 {
			t.Fatalf("copies %q, %v", copies, err)
		}
		for _, end := range []string{"", "-wal", "-shm"} { // as the program advises
			os.Remove(copies[0] + end)
		}
		return s
	},
}

// TestErasedTextIsNowhere searches the bytes of all files for a message that was
// edited, searched for, rebuilt, in quarantine and set aside, while others read.
func TestErasedTextIsNowhere(t *testing.T) {
	for name, before := range befores {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := openStore(t, dir, sealedRules{newRules()})
			g := fillGossip(t, s)
			if _, _, err := s.Search(bg, []log.SpaceID{space}, secret3, nil, 0, 9); err != nil {
				t.Fatal(err)
			}
			if traces(t, dir, g.secrets...) < 5 {
				t.Fatal("there is nothing to erase")
			}
			s = before(t, dir, s, g)
			ctx, stop := context.WithCancel(bg)
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					for ctx.Err() == nil {
						if _, _, err := s.Search(bg, []log.SpaceID{space}, "gerede", nil, 0, 50); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			err := s.Use(bg, g.erased())
			stop()
			wg.Wait()
			if err != nil || !s.Wiped() {
				t.Fatalf("use: %v, wiped %v", err, s.Wiped())
			}
			if n := traces(t, dir, g.secrets...); n > 0 {
				t.Errorf("%d traces are left", n)
			}
			if u := s.Used(); u.Erased != len(g.refs) {
				t.Errorf("used = %+v", u)
			}
			g.check(t, s)
			s.Close()
			if n := traces(t, dir, g.secrets...); n > 0 {
				t.Errorf("%d traces are left after closing", n)
			}
		})
	}
}

// check looks that the secret is gone and all else is there.
func (g *gossip) check(t testing.TB, s *Store) {
	t.Helper()
	if _, err := s.Message(bg, g.id); !errors.Is(err, ErrNotFound) {
		t.Errorf("erased message: %v", err)
	}
	for _, w := range []string{secret1, secret2, secret3, secret3[:4]} {
		if hits, _, err := s.Search(bg, []log.SpaceID{space}, w, nil, 0, 9); err != nil || len(hits) > 0 {
			t.Errorf("search finds %v, %v", hits, err)
		}
	}
	if hits, _, err := s.Search(bg, []log.SpaceID{space}, "gerede", nil, 0, 500); err != nil || len(hits) != 195 {
		t.Errorf("search finds %d others, %v", len(hits), err)
	}
	if got := texts(t, s); len(got) != 196 || !slices.Contains(got, "Antwort darauf") {
		t.Errorf("%d others", len(got))
	}
	if refs, err := s.Related(bg, g.id); err != nil || len(refs) > 0 {
		t.Errorf("related = %v, %v", refs, err)
	}
	for _, ref := range g.refs {
		raw, err := s.Entries(bg, ref.Card.ID(), ref.Seq, ref.Seq, log.MaxBatch)
		if err != nil {
			t.Fatal(err)
		}
		if e, err := log.Decode(raw[0]); err != nil || e.Payload != nil || e.Hash() != ref.Hash || e.Verify(ref.Card.Device) != nil {
			t.Errorf("entry handed on: %v, %v", e, err)
		}
	}
	checkIndex(t, s)
}

func TestRelated(t *testing.T) {
	s := openStore(t, t.TempDir(), sealedRules{newRules()})
	g := fillGossip(t, s)
	sorted := func(refs []Ref) []Ref {
		slices.SortFunc(refs, func(a, b Ref) int { return bytes.Compare(a.Hash[:], b.Hash[:]) })
		return refs
	}
	mustImport(t, s, g.bob.card, g.bob.seal(t, baseMs+900_000, chat.Edit{Message: g.id, Text: "steht Bob nicht zu"}))
	got, err := s.Related(bg, g.id)
	if err != nil || !slices.Equal(sorted(got), sorted(slices.Clone(g.refs))) {
		t.Errorf("related = %v, %v", got, err)
	}
	r := sealedRules{newRules()} // nothing of ann counts: it is her text all the same
	r.end(g.ann, 0)
	r.end(g.phone, 0)
	if err := s.Use(bg, r); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Related(bg, g.id); err != nil || len(got) != 3 {
		t.Errorf("related in quarantine = %v, %v", got, err)
	}
	if err := s.Use(bg, g.erased()); err != nil {
		t.Fatal(err)
	}
	// An edit that comes later is shown nowhere, but found.
	e := g.phone.seal(t, baseMs+999_000, chat.Edit{Message: g.id, Text: secret1 + " spät"})
	mustImport(t, s, g.phone.card, e)
	if got, err := s.Related(bg, g.id); err != nil || len(got) != 1 || got[0].Hash != e.Hash() {
		t.Errorf("related = %v, %v", got, err)
	}
	if hits, _, err := s.Search(bg, []log.SpaceID{space}, secret1, nil, 0, 9); err != nil || len(hits) > 0 {
		t.Errorf("search finds %v, %v", hits, err)
	}
	if got, err := s.Related(bg, chat.MsgID{Log: log.LogID{1}, Seq: 1}); err != nil || len(got) != 0 {
		t.Errorf("of nothing: %v, %v", got, err)
	}
}

// TestNobodyStripsMessages: an entry without payload is taken only if it is
// erased here, and one that is erased is stored without.
func TestNobodyStripsMessages(t *testing.T) {
	dir := t.TempDir()
	r := newRules()
	s := openStore(t, dir, r)
	a := newAuthor(1)
	for i := range 4 {
		a.write(t, baseMs+int64(i), nil, chat.Post{Text: fmt.Sprint(secret1, i)})
	}
	run := []*log.Entry{a.all[0], a.all[1].Erased(), a.all[2]}
	for _, live := range []bool{false, true} {
		if _, err := s.Import(bg, a.card, run, live); !errors.Is(err, ErrStripped) {
			t.Errorf("stripped: %v", err)
		}
	}
	if h := s.Heights(space); len(h) > 0 {
		t.Errorf("stored: %v", h)
	}
	r.erase(a, 2, 4)
	if err := s.Use(bg, r); err != nil {
		t.Fatal(err)
	}
	mustImport(t, s, a.card, run...)
	mustImport(t, s, a.card, a.all[3])
	if got := texts(t, s); !slices.Equal(got, []string{secret1 + "0", secret1 + "2"}) {
		t.Errorf("shown: %q", got)
	}
	if n := traces(t, dir, a.all[3].Payload); n > 0 {
		t.Errorf("%d traces of what was erased before it came", n)
	}
	// One's own is not stripped for being offered again by somebody who is behind.
	mustImport(t, s, a.card, a.all...)
	if n := traces(t, dir, a.all[1].Payload); n > 0 {
		t.Errorf("%d traces of what was offered again", n)
	}
}

// TestErasureThatStoppedToCount: who had carried it out hands the entry on
// without payload, and who never did keeps it.
func TestErasureThatStoppedToCount(t *testing.T) {
	r := newRules()
	a := newAuthor(1)
	for i := range 3 {
		a.write(t, baseMs+int64(i), nil, chat.Post{Text: fmt.Sprint("Wort ", i)})
	}
	r.erase(a, 2)
	hasty := openStore(t, t.TempDir(), r)
	mustImport(t, hasty, a.card, a.all...)
	delete(r.erased, a.all[1].Hash())
	r.once[a.all[1].Hash()] = true
	if err := hasty.Use(bg, r); err != nil {
		t.Fatal(err)
	}
	fresh, calm := openStore(t, t.TempDir(), r), openStore(t, t.TempDir(), r)
	if !bring(t, hasty, fresh, a.card, 9) {
		t.Error("the log does not go on")
	}
	mustImport(t, calm, a.card, a.all...)
	for s, want := range map[*Store]int{hasty: 2, fresh: 2, calm: 3} {
		if got := texts(t, s); len(got) != want {
			t.Errorf("shown: %q, want %d", got, want)
		}
	}
	mustImport(t, fresh, a.card, a.all...) // it may stay without
	if err := fresh.Check(bg); err != nil {
		t.Error(err)
	}
}

// TestWipeIsOwed: while the files cannot be freed, Wiped says so, also after a
// restart, and Wipe makes up for it.
func TestWipeIsOwed(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, sealedRules{newRules()})
	g := fillGossip(t, s)
	reading, done, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		s.read(bg, func(c *conn) error {
			close(reading)
			<-done
			return nil
		})
	}()
	<-reading
	ctx, cancel := context.WithCancel(bg)
	s.opts.hook = func(point string) {
		if point == "checkpoint" {
			cancel()
		}
	}
	if err := s.Use(ctx, g.erased()); err != nil {
		t.Fatal(err)
	}
	if s.Wiped() {
		t.Error("wiped while a reader sees the old state")
	}
	if hits, _, err := s.Search(bg, []log.SpaceID{space}, secret1, nil, 0, 9); err != nil || len(hits) > 0 {
		t.Errorf("still shown: %v, %v", hits, err)
	}
	close(done)
	<-ended
	if err := s.Wipe(bg); err != nil || !s.Wiped() {
		t.Errorf("wipe: %v", err)
	}
	if n := traces(t, dir, g.secrets...); n > 0 {
		t.Errorf("%d traces", n)
	}
}
