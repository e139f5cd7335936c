package store

import (
	"errors"
	"testing"

	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
)

func TestAppendAndRead(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, plainReader{})
	ann := newAuthor(1)
	for i, text := range []string{"Guten Morgen", "Müller GmbH ruft an", "erledigt"} {
		a, err := s.Append(bg, ann.card, "", func(n Next) (*log.Entry, error) {
			if n.Height != ann.last {
				t.Errorf("next follows %v, log ends at %v", n.Height, ann.last)
			}
			return ann.write(t, baseMs+int64(i), n.Deps, chat.Post{Text: text}), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if a.Height != ann.last || len(a.Messages) != 1 || a.Messages[0] != ann.id(uint64(i+1), 0) {
			t.Errorf("applied = %+v", a)
		}
	}
	check := func() {
		t.Helper()
		p, err := s.Messages(bg, Query{Space: space})
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Rows) != 3 || p.Rows[1].Text != "Müller GmbH ruft an" || p.Total != 3 || p.Earlier || p.Later || p.Rows[0].At != baseMs {
			t.Errorf("page = %+v", p)
		}
		hits, more, err := s.Search(bg, []log.SpaceID{space}, "muller gm", nil, 0, 10)
		if err != nil || more || len(hits) != 1 || hits[0].ID != ann.id(2, 0) {
			t.Errorf("search = %+v, %v, %v", hits, more, err)
		}
		if err := s.Check(bg); err != nil {
			t.Error(err)
		}
	}
	check()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, dir, plainReader{})
	check()
	if _, err := s.Messages(bg, Query{Space: space, Channel: chat.ChannelID{9}}); err != nil {
		t.Errorf("unknown channel: %v", err)
	}
	if _, err := s.Message(bg, ann.id(9, 0)); !errors.Is(err, ErrNotFound) {
		t.Errorf("unknown message: %v", err)
	}
}
