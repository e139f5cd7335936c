package store

import (
	"fmt"
	"testing"

	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
)

// file makes an author's next entry of kind log.KindFile.
func (a *author) file(t testing.TB, ms int64, deps []log.Dep, payload string) *log.Entry {
	t.Helper()
	return a.listed(t, log.KindFile, ms, deps, payload)
}

func (a *author) listed(t testing.TB, kind log.Kind, ms int64, deps []log.Dep, payload string) *log.Entry {
	t.Helper()
	a.hlc = log.Tick(ms, a.hlc, 0)
	e, err := log.New(a.key, log.Header{Log: a.card.ID(), Seq: a.last.Seq + 1, Prev: a.last.Hash, HLC: a.hlc, Deps: deps, Kind: kind}, []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	a.last = log.Height{Seq: e.Seq, Hash: e.Hash()}
	a.all = append(a.all, e)
	return e
}

func filesOf(t testing.TB, s *Store, after map[log.LogID]uint64) (list []string, upto map[log.LogID]uint64) {
	t.Helper()
	upto, err := s.Files(bg, space, after, func(_ log.Card, e *log.Entry) error {
		list = append(list, string(e.Payload))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list, upto
}

// File entries are found among others, also after views are made anew, and only
// as far as their log counts.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, plainReader{})
	a, b := newAuthor(1), newAuthor(2)
	mustImport(t, s, a.card, a.write(t, baseMs, nil, chat.Post{Text: "Rede"}), a.file(t, baseMs+1, nil, "a1"), a.write(t, baseMs+2, nil, chat.Post{Text: "Rede"}), a.file(t, baseMs+3, nil, "a2"))
	list, upto := filesOf(t, s, nil)
	if fmt.Sprint(list) != "[a1 a2]" || upto[a.card.ID()] != 4 {
		t.Fatalf("files %v up to %v", list, upto)
	}
	// What builds on an entry that is not here waits for it.
	first := a.file(t, baseMs+4, nil, "a3")
	mustImport(t, s, b.card, b.file(t, baseMs+5, []log.Dep{{Log: a.card.ID(), Seq: 5}}, "b1"))
	if list, upto = filesOf(t, s, upto); len(list) != 0 {
		t.Fatalf("files %v before what they build on", list)
	}
	mustImport(t, s, a.card, first)
	if list, _ = filesOf(t, s, upto); len(list) != 2 {
		t.Fatalf("files %v, want a3 and b1", list)
	}
	mustImport(t, s, a.card, a.listed(t, log.KindDocument, baseMs+6, nil, "d1"))
	if err := s.Rebuild(bg, nil); err != nil {
		t.Fatal(err)
	}
	list = nil
	if _, err := s.Documents(bg, space, nil, func(_ log.Card, e *log.Entry) error {
		list = append(list, string(e.Payload))
		return nil
	}); err != nil || fmt.Sprint(list) != "[d1]" {
		t.Fatalf("documents %v, %v", list, err)
	}
	if list, _ = filesOf(t, s, nil); len(list) != 4 {
		t.Fatalf("files %v after a rebuild", list)
	}
	r := newRules()
	r.limits[a.card.ID()] = log.Height{Seq: 2, Hash: a.all[1].Hash()}
	if err := s.Use(bg, r); err != nil {
		t.Fatal(err)
	}
	list, upto = filesOf(t, s, nil)
	if upto[a.card.ID()] != 2 || s.FilesUpto(space)[a.card.ID()] != 2 {
		t.Errorf("files %v up to %v although the log ends at 2", list, upto)
	}
	if err := s.Drop(bg, space); err != nil {
		t.Fatal(err)
	}
	if list, upto = filesOf(t, s, nil); len(list) != 0 || len(upto) != 0 {
		t.Errorf("files %v up to %v of a dropped space", list, upto)
	}
}
