package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
)

// twoSpaces fills a store with the same talk in two spaces; texts of the second
// say so.
func twoSpaces(t testing.TB, s *Store) (a, b *author, other log.SpaceID) {
	t.Helper()
	other = log.SpaceID{5}
	a, b = newAuthor(1), newAuthor(1).in(other)
	for i := range 120 {
		ops := []chat.Op{chat.Post{Text: fmt.Sprint("Rede ", i)}, chat.Create{Name: fmt.Sprint("Akten ", i/60)}}
		mustImport(t, s, a.card, a.write(t, baseMs+int64(i), nil, ops[:1+(i+1)%60/59]...))
		ops[0] = chat.Post{Text: fmt.Sprint("Rede Klausurwort ", i)}
		mustImport(t, s, b.card, b.write(t, baseMs+int64(i), nil, ops[:1+(i+1)%60/59]...))
	}
	return a, b, other
}

func TestSeveralSpaces(t *testing.T) {
	s := openStore(t, t.TempDir(), plainReader{})
	a, b, other := twoSpaces(t, s)
	for name, tt := range map[string]struct {
		spaces []log.SpaceID
		want   int
	}{"one": {[]log.SpaceID{space}, 120}, "both": {[]log.SpaceID{other, space}, 240}, "none": {nil, 0}, "unknown": {[]log.SpaceID{{8}}, 0}} {
		n := 0
		for before := int64(0); ; {
			hits, more, err := s.Search(bg, tt.spaces, "rede", nil, before, 50)
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range hits {
				if !slices.Contains(tt.spaces, h.Space) {
					t.Errorf("%s: hit in %s", name, h.Space)
				}
				before, n = h.Pos, n+1
			}
			if !more {
				break
			}
		}
		if n != tt.want {
			t.Errorf("%s: %d hits, want %d", name, n, tt.want)
		}
	}
	rows, err := allChannels(s, chat.PersonID{1})
	if err != nil || len(rows) != 6 {
		t.Fatalf("channels = %+v, %v", rows, err)
	}
	for _, r := range rows {
		if want := map[bool]int{true: 120, false: 0}[r.ID == chat.Main]; r.Total != want || r.Unread != want || r.Space != space && r.Space != other {
			t.Errorf("channel %+v", r)
		}
	}
	// Nobody speaks into another space.
	e := b.write(t, baseMs+999, nil, chat.Edit{Message: a.id(1, 0), Text: "von nebenan"}, chat.Retract{Message: a.id(2, 0)},
		chat.React{Message: a.id(1, 0), Word: "agree", On: true}, chat.Read{Message: a.id(9, 0)})
	if got := mustImport(t, s, b.card, e); len(got.Channels) > 0 {
		t.Errorf("changed: %v", got.Channels)
	}
	if m, err := s.Message(bg, a.id(1, 0)); err != nil || m.Text != "Rede 0" || len(m.Reactions) > 0 {
		t.Errorf("message %+v, %v", m, err)
	}
}

func TestDrop(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, plainReader{})
	a, b, other := twoSpaces(t, s)
	ctx, stop := context.WithCancel(bg)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for ctx.Err() == nil {
				_, _, err := s.Search(bg, []log.SpaceID{space, other}, "rede", nil, 0, 100)
				if err == nil {
					_, err = allChannels(s, chat.PersonID{1})
				}
				if err == nil {
					_, err = s.Messages(bg, Query{Space: other})
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	err := s.Drop(bg, other)
	stop()
	wg.Wait()
	if err != nil || !s.Wiped() || s.Err() != nil {
		t.Fatalf("drop: %v, wiped %v, %v", err, s.Wiped(), s.Err())
	}
	check := func() {
		t.Helper()
		if n := traces(t, dir, []byte("Klausurwort")); n > 0 {
			t.Errorf("%d traces", n)
		}
		if got := s.Spaces(); !slices.Equal(got, []log.SpaceID{space}) {
			t.Errorf("spaces = %v", got)
		}
		if rows, err := allChannels(s, chat.PersonID{1}); err != nil || len(rows) != 3 {
			t.Errorf("channels = %+v, %v", rows, err)
		}
		if got := texts(t, s); len(got) != 120 {
			t.Errorf("%d messages", len(got))
		}
		if _, ok := s.Card(b.card.ID()); ok {
			t.Error("the log is known")
		}
		if _, err := s.Append(bg, b.card, "", func(Next) (*log.Entry, error) {
			return newAuthor(1).in(other).write(t, baseMs, nil, chat.Post{Text: "noch einmal von vorn"}), nil
		}); !errors.Is(err, ErrDropped) {
			t.Errorf("own log goes on: %v", err)
		}
		checkIndex(t, s)
	}
	check()
	s.Close()
	s = openStore(t, dir, plainReader{})
	check()
	mustImport(t, s, a.card, a.write(t, baseMs+999, nil, chat.Post{Text: "weiter"}))
	mustImport(t, s, b.card, b.all...) // let in again
	if got, err := s.Messages(bg, Query{Space: other}); err != nil || got.Total != 120 {
		t.Errorf("%d messages, %v", got.Total, err)
	}
	fresh := newAuthor(1).in(other)
	fresh.card.Incarnation = log.Incarnation{3}
	if _, err := s.Append(bg, fresh.card, "", func(n Next) (*log.Entry, error) {
		return fresh.write(t, baseMs+9999, n.Deps, chat.Post{Text: "neu"}), nil
	}); err != nil {
		t.Errorf("a new log: %v", err)
	}
	checkIndex(t, s)
}

// TestTakingOutGoesOn: a limit that cuts off thousands of entries is carried out
// in steps; interrupted, the next Use goes on, also when the limit moved.
func TestTakingOutGoesOn(t *testing.T) {
	a, r := newAuthor(1), newRules()
	for i := range 3 * maxStep {
		a.write(t, baseMs+int64(i), nil, chat.Post{Text: fmt.Sprint("Wort ", i)})
	}
	for _, end := range []uint64{10, 2000, 3000, noEnd} {
		dir := t.TempDir()
		s := openStore(t, dir, newRules())
		mustImport(t, s, a.card, a.all...)
		ctx, cancel := context.WithCancel(bg)
		commits := 0
		s.opts.hook = func(point string) {
			if point == "committed" {
				if commits++; commits == 2 {
					cancel()
				}
			}
		}
		r.end(a, 10)
		if err := s.Use(ctx, r); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if got := countShown(t, s); got <= 10 || got >= len(a.all) {
			t.Fatalf("%d are shown", got)
		}
		s.Close()
		want := len(a.all)
		if delete(r.limits, a.card.ID()); end != noEnd {
			r.end(a, end)
			want = int(end)
		}
		s = openStore(t, dir, r)
		if got := countShown(t, s); got != want {
			t.Errorf("%d are shown, want %d", got, want)
		}
		compareViews(t, s, []*author{a}, []int{len(a.all)}, r, 500)
		s.Close()
	}
}

// countShown counts the messages of the first channel.
func countShown(t testing.TB, s *Store) int {
	t.Helper()
	p, err := s.Messages(bg, Query{Space: space, Limit: 10_000})
	if err != nil || p.Total != len(p.Rows) {
		t.Fatal(p.Total, len(p.Rows), err)
	}
	return p.Total
}
