package document

import (
	"reflect"
	"testing"

	"inselnetz/crdt/automerge"
)

func TestHistory(t *testing.T) {
	a := newDoc("\x01")
	if err := Create(a, Meta{}, text("x"), nil); err != nil {
		t.Fatal(err)
	}
	a.Commit(automerge.CommitOptions{Time: 1000})
	b, err := a.Fork("\x02")
	if err != nil {
		t.Fatal(err)
	}
	edit := func(d *automerge.Doc, at int64, s string) []automerge.Hash {
		t.Helper()
		if err := Apply(d, []Edit{{Kind: Splice, At: 2, Text: s}}, nil); err != nil {
			t.Fatal(err)
		}
		d.Commit(automerge.CommitOptions{Time: at})
		return d.Heads()
	}
	edit(a, 1100, "a")
	edit(b, 1101, "bb")
	h1 := edit(a, 1102, "a")
	edit(b, 1200, "bb")
	edit(a, 5000, "a")
	if err := errorsOf(a.Merge(b), b.Merge(a)); err != nil {
		t.Fatal(err)
	}
	edit(a, 5299, "a")
	edit(a, 5600, "a")
	if err := b.Merge(a); err != nil {
		t.Fatal(err)
	}
	got, err := History(a)
	if err != nil {
		t.Fatal(err)
	}
	type line struct {
		actor    automerge.ActorID
		from, to int64
		changes  int
	}
	var lines []line
	for _, s := range got {
		lines = append(lines, line{s.Actor, s.From.Unix(), s.To.Unix(), s.Changes})
	}
	if want := []line{{"\x01", 1000, 1102, 3}, {"\x02", 1101, 1200, 2}, {"\x01", 5000, 5299, 2}, {"\x01", 5600, 5600, 1}}; !reflect.DeepEqual(lines, want) {
		t.Errorf("got  %v\nwant %v", lines, want)
	}
	if !reflect.DeepEqual(got[0].Heads, h1) || !reflect.DeepEqual(got[3].Heads, a.Heads()) || got[1].Ops != 4 {
		t.Errorf("heads or operations: %+v", got)
	}
	for _, s := range got {
		if r, err := a.At(s.Heads); err != nil || len(mustBlocks(t, r)) != 1 {
			t.Errorf("state after %v: %v", s.From, err)
		}
	}
	if other, err := History(b); err != nil || !reflect.DeepEqual(other, got) {
		t.Errorf("another device: %+v, %v", other, err)
	}
}
