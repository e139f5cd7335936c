package store

import (
	"crypto/rand"
	"fmt"
	mrand "math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
)

// talk returns n encrypted posts by several authors who know each other's
// messages, over about a year of working hours.
func talk(tb testing.TB, n, people int) []*author {
	tb.Helper()
	r := mrand.New(mrand.NewPCG(1, 2))
	authors := make([]*author, people)
	for i := range authors {
		authors[i] = newAuthor(i)
	}
	ms := baseMs
	key := someKey.ID(space, 1)
	chans := []chat.ChannelID{chat.Main, {1}, {2}, {3}}
	for range n {
		ms += 1 + r.Int64N(2*300_000_000_00/int64(n)/10)
		a := authors[r.IntN(people)]
		var deps []log.Dep
		if o := authors[r.IntN(people)]; o != a && o.last.Seq > 0 {
			deps = []log.Dep{{Log: o.card.ID(), Seq: o.last.Seq}}
		}
		plain, err := chat.Encode([]chat.Op{chat.Post{Channel: chans[r.IntN(len(chans))], Text: words(r, 4+r.IntN(16))}})
		if err != nil {
			tb.Fatal(err)
		}
		a.hlc = log.Tick(ms, a.hlc, 0)
		h := log.Header{Log: a.card.ID(), Seq: a.last.Seq + 1, Prev: a.last.Hash, HLC: a.hlc, Deps: deps, Key: &key, Kind: log.KindChat}
		payload, err := log.Seal(rand.Reader, someKey, office, &h, plain)
		if err != nil {
			tb.Fatal(err)
		}
		e, err := log.New(a.key, h, payload)
		if err != nil {
			tb.Fatal(err)
		}
		a.last = log.Height{Seq: e.Seq, Hash: e.Hash()}
		a.all = append(a.all, e)
	}
	return authors
}

var bigTalk = sync.OnceValue(func() []*author { return talk(new(testing.B), 100_000, 10) })

// decoded gives entries as they come from the network: to be decoded.
func decoded(tb testing.TB, raw [][]byte) []*log.Entry {
	out := make([]*log.Entry, len(raw))
	for i, b := range raw {
		e, err := log.Decode(b)
		if err != nil {
			tb.Fatal(err)
		}
		out[i] = e
	}
	return out
}

// importAll imports everything in pieces of a batch's size, log after log.
func importAll(tb testing.TB, s *Store, authors []*author, live bool) int {
	n := 0
	for _, a := range authors {
		var raw [][]byte
		size := 0
		flush := func() {
			if _, err := s.Import(bg, a.card, decoded(tb, raw), live); err != nil {
				tb.Fatal(err)
			}
			n += len(raw)
			raw, size = nil, 0
		}
		for _, e := range a.all {
			b := e.Bytes()
			if size += len(b); size > log.MaxBatch {
				flush()
				size = len(b)
			}
			raw = append(raw, b)
		}
		flush()
	}
	return n
}

func benchImport(b *testing.B, live bool) {
	authors := bigTalk()
	entries := 0
	b.ResetTimer()
	for b.Loop() {
		b.StopTimer()
		s, _, err := Open(b.TempDir(), Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Use(bg, sealedReader{}); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		entries += importAll(b, s, authors, live)
		b.StopTimer()
		if n := s.chans[chanKey{space, chat.Main}].total; n == 0 {
			b.Fatal("nothing was shown")
		}
		s.Close()
		b.StartTimer()
	}
	b.ReportMetric(float64(entries)/b.Elapsed().Seconds(), "entries/s")
}

// BenchmarkImport takes 100,000 messages of ten people over with views and
// search index, one signature a run.
func BenchmarkImport(b *testing.B) { benchImport(b, false) }

// BenchmarkImportVerified does the same and checks every signature.
func BenchmarkImportVerified(b *testing.B) { benchImport(b, true) }

// BenchmarkAppend adds own messages, each safe on disk before the next.
func BenchmarkAppend(b *testing.B) {
	s, _, err := Open(b.TempDir(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	if err := s.Use(bg, plainReader{}); err != nil {
		b.Fatal(err)
	}
	a := newAuthor(1)
	ms := baseMs
	for b.Loop() {
		ms += 1000
		if _, err := s.Append(bg, a.card, "", func(n Next) (*log.Entry, error) {
			return a.write(b, ms, n.Deps, chat.Post{Text: "noch eine Nachricht für alle"}), nil
		}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSync is what the disk itself takes for BenchmarkAppend's promise.
func BenchmarkSync(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "f"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	page := make([]byte, 5*4096)
	for b.Loop() {
		if _, err := f.Write(page); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpen opens a store with 100,000 messages and reads the first page.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	s, _, err := Open(dir, Options{Unsafe: true})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Use(bg, sealedReader{}); err != nil {
		b.Fatal(err)
	}
	importAll(b, s, bigTalk(), false)
	s.Close()
	for b.Loop() {
		s, _, err := Open(dir, Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Use(bg, sealedReader{}); err != nil {
			b.Fatal(err)
		}
		if _, err := s.Channels(bg, space, chat.PersonID{1}); err != nil {
			b.Fatal(err)
		}
		p, err := s.Messages(bg, Query{Space: space, Limit: 50})
		if err != nil || len(p.Rows) != 50 {
			b.Fatal(len(p.Rows), err)
		}
		b.StopTimer()
		s.Close()
		b.StartTimer()
	}
}

// BenchmarkSearchMillion searches 1,000,000 messages for words of all kinds.
// INSELNETZ_BENCH_DIR keeps the store for the next run.
func BenchmarkSearchMillion(b *testing.B) {
	s := million(b)
	ch := chat.ChannelID{3}
	for _, q := range []struct {
		name, text string
		ch         *chat.ChannelID
	}{
		{"common", "wort0", nil}, {"rare", "wort19999", nil}, {"none", "gibtesnicht", nil},
		{"two", "wort1 wort7", nil}, {"two-rare", "wort17777 wort18888", nil}, {"prefix", "wort123", nil},
		{"short-prefix", "wo", nil}, {"letter", "w", nil}, {"channel", "wort1 wort2", &ch},
	} {
		b.Run(q.name, func(b *testing.B) {
			var worst time.Duration
			n := 0
			for b.Loop() {
				start := time.Now()
				hits, _, err := s.Search(bg, []log.SpaceID{space}, q.text, q.ch, 0, 30)
				if err != nil {
					b.Fatal(err)
				}
				worst, n = max(worst, time.Since(start)), len(hits)
			}
			b.ReportMetric(float64(worst.Microseconds())/1000, "worst-ms")
			b.ReportMetric(float64(n), "hits")
		})
	}
	b.Run("page", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Messages(bg, Query{Space: space}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("channels", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Channels(bg, space, chat.PersonID{1}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func million(b *testing.B) *Store {
	dir := os.Getenv("INSELNETZ_BENCH_DIR")
	if dir == "" {
		dir = b.TempDir()
	}
	s, _, err := Open(dir, Options{Unsafe: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	if err := s.Use(bg, plainReader{}); err != nil {
		b.Fatal(err)
	}
	r := mrand.New(mrand.NewPCG(3, 4))
	chans := []chat.ChannelID{chat.Main, {1}, {2}, {3}}
	a := newAuthor(77)
	if lg := s.logs[a.card.ID()]; lg != nil && lg.last.Seq >= 4000 {
		return s
	}
	for i := range 4000 { // 250 posts an entry, to be quick
		var ops []chat.Op
		for range 250 {
			ops = append(ops, chat.Post{Channel: chans[r.IntN(len(chans))], Text: words(r, 4+r.IntN(16))})
		}
		e := a.write(b, baseMs+int64(i)*60_000, nil, ops...)
		if _, err := s.Import(bg, a.card, []*log.Entry{e}, false); err != nil {
			b.Fatal(fmt.Errorf("entry %d: %w", i, err))
		}
	}
	return s
}
