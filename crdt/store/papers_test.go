package store

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
)

// keptOf is what is kept, as "upto of a: doc=body …".
func keptOf(t *testing.T, s *Store, a *author) string {
	t.Helper()
	k, err := s.KeptDocuments(bg, space)
	if err != nil {
		t.Fatal(err)
	}
	if k.Upto == nil {
		return "nothing"
	}
	var docs []string
	for _, d := range k.Documents {
		docs = append(docs, fmt.Sprintf("%d=%s", d.ID[0], d.Body))
	}
	slices.Sort(docs)
	return fmt.Sprintf("%d: %v", k.Upto[a.card.ID()], docs)
}

func paper(id byte, body string, upto map[log.LogID]uint64) KeptDocument {
	return KeptDocument{ID: [16]byte{id}, Upto: upto, Body: []byte(body)}
}

func upto(a *author, seq uint64) map[log.LogID]uint64 { return map[log.LogID]uint64{a.card.ID(): seq} }

func TestKeptDocuments(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, newRules())
	a := newAuthor(1)
	for i := range int64(4) {
		mustImport(t, s, a.card, a.listed(t, log.KindDocument, baseMs+i, nil, fmt.Sprint("d", i)))
	}
	keep := func(turn int, upto map[log.LogID]uint64, docs ...KeptDocument) {
		t.Helper()
		if err := s.KeepDocuments(space, turn, upto, docs); err != nil {
			t.Fatal(err)
		}
	}
	want := func(want string) {
		t.Helper()
		if got := keptOf(t, s, a); got != want {
			t.Errorf("kept is %s, want %s", got, want)
		}
	}
	want("nothing")
	keep(0, nil, paper(1, "one", upto(a, 2)))
	want("nothing") // not all yet
	keep(0, upto(a, 2), paper(2, "two", upto(a, 1)))
	want("2: [1=one 2=two]")
	keep(0, upto(a, 3), paper(1, "one!", upto(a, 3)))
	want("3: [1=one! 2=two]")
	keep(1, nil, paper(3, "of another turn", nil))
	want("3: [1=one! 2=two]")
	s.Close()
	s = openStore(t, dir, newRules())
	want("3: [1=one! 2=two]")
	keep(0, nil, paper(3, "ahead", upto(a, 5)))
	want("nothing") // of a log that does not reach so far
	mustImport(t, s, a.card, a.listed(t, log.KindDocument, baseMs+9, nil, "d4"))
	want("3: [1=one! 2=two 3=ahead]")
	keep(0, map[log.LogID]uint64{{9}: 1})
	want("nothing") // of a log that is not here
	s.Close()
	c, err := dial(filepath.Join(dir, dbName), "UPDATE papers SET body=x'00' WHERE length(doc)=16")
	if err != nil {
		t.Fatal(err)
	}
	c.close()
	s = openStore(t, dir, newRules())
	keep(0, upto(a, 3))
	want("nothing") // damaged
}

// What is kept goes when it may hold what counts no more, and who has folded it
// meanwhile keeps nothing.
func TestKeptDocumentsGo(t *testing.T) {
	for name, tt := range map[string]struct {
		do    func(s *Store, r rules, a, b *author) error
		stays bool
	}{
		"a document's entry erased": {func(s *Store, r rules, a, b *author) error { r.erase(a, 2); return s.Use(bg, r) }, false},
		"a message erased":          {func(s *Store, r rules, a, b *author) error { r.erase(a, 1); return s.Use(bg, r) }, true},
		"a log ended": {func(s *Store, r rules, a, b *author) error {
			r.limits[a.card.ID()] = log.Height{Seq: 2, Hash: a.all[1].Hash()}
			return s.Use(bg, r)
		}, false},
		"a log ended at another branch": {func(s *Store, r rules, a, b *author) error {
			r.limits[a.card.ID()] = log.Height{Seq: 2, Hash: log.Hash{1}}
			return s.Use(bg, r)
		}, false},
		"another log ended where it was": {func(s *Store, r rules, a, b *author) error {
			r.limits[b.card.ID()] = log.Height{Seq: 1, Hash: b.all[0].Hash()}
			return s.Use(bg, r)
		}, false},
		"another space dropped": {func(s *Store, r rules, a, b *author) error { return s.Drop(bg, log.SpaceID{5}) }, true},
		"the space dropped":     {func(s *Store, r rules, a, b *author) error { return s.Drop(bg, space) }, false},
		"an entry more": {func(s *Store, r rules, a, b *author) error {
			_, err := s.Import(bg, b.card, []*log.Entry{b.listed(t, log.KindDocument, baseMs+50, nil, "more")}, false)
			return err
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRules()
			dir := t.TempDir()
			s := openStore(t, dir, r)
			a, b := newAuthor(1), newAuthor(2)
			mustImport(t, s, a.card, a.write(t, baseMs, nil, chat.Post{Text: "Hallo"}), a.listed(t, log.KindDocument, baseMs+1, nil, "d1"), a.listed(t, log.KindDocument, baseMs+2, nil, "d2"))
			mustImport(t, s, b.card, b.listed(t, log.KindDocument, baseMs+3, nil, "d3"))
			turn := s.DocumentsTurn(space)
			if err := s.KeepDocuments(space, turn, upto(a, 3), []KeptDocument{paper(1, "secret", upto(a, 3))}); err != nil {
				t.Fatal(err)
			}
			if err := tt.do(s, r, a, b); err != nil {
				t.Fatal(err)
			}
			want := "nothing"
			if tt.stays {
				want = "3: [1=secret]"
			}
			if got := keptOf(t, s, a); got != want || (s.DocumentsTurn(space) == turn) != tt.stays {
				t.Errorf("kept is %s, want %s; turn %d after %d", got, want, s.DocumentsTurn(space), turn)
			}
			if err := s.KeepDocuments(space, turn, upto(a, 3), []KeptDocument{paper(1, "secret", upto(a, 3))}); err != nil {
				t.Fatal(err)
			}
			if got := keptOf(t, s, a); got != want {
				t.Errorf("kept again is %s", got)
			}
			if !tt.stays {
				r, err := s.w.c.get(bg, "SELECT count(*) FROM papers")
				if err != nil || r.int(0) != 0 {
					t.Errorf("%d rows are left, %v", r.int(0), err)
				}
			}
		})
	}
	t.Run("views made anew", func(t *testing.T) {
		s := openStore(t, t.TempDir(), newRules())
		a := newAuthor(1)
		mustImport(t, s, a.card, a.listed(t, log.KindDocument, baseMs, nil, "d"))
		if err := s.KeepDocuments(space, 0, upto(a, 1), nil); err != nil {
			t.Fatal(err)
		}
		if err := s.Rebuild(bg, nil); err != nil {
			t.Fatal(err)
		}
		if got := keptOf(t, s, a); got != "nothing" {
			t.Error(got)
		}
	})
}

func FuzzDecodeHeights(f *testing.F) {
	f.Add(encodeHeights(map[log.LogID]uint64{{1}: 2, {3}: 1 << 63}))
	f.Fuzz(func(t *testing.T, b []byte) {
		upto, ok := decodeHeights(b)
		if !ok {
			return
		}
		if again, ok := decodeHeights(encodeHeights(upto)); !ok || !reflect.DeepEqual(again, upto) {
			t.Errorf("%v became %v", upto, again)
		}
	})
}
