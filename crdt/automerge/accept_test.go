package automerge

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"inselnetz/crdt/automerge/internal/format"
	"inselnetz/crdt/automerge/internal/opid"
)

// Numbers of the actors of changes that tests write.
const (
	actor1 = iota // made the base
	actor2        // made a change beside the last of the base
	actor3        // makes the change in question
	actor4        // has made nothing
)

var actorNames = [][]byte{{1}, {2}, {3}, {4}}

// written is a change of those operations as a stranger could send it; h says the
// rest: Seq and StartOp are 1 and 20 where h has none.
func written(author uint32, h format.Change, ops ...format.Op) []byte {
	var w format.ChangeWriter
	w.Reset(author, []uint32{0, 1, 2, 3})
	for i := range ops {
		w.Add(&ops[i])
	}
	if h.Seq == 0 {
		h.Seq = 1
	}
	if h.StartOp == 0 {
		h.StartOp = 20
	}
	return format.AppendChunk(nil, format.ChangeChunk, w.AppendBody(nil, &h, actorNames))
}

func by(actor, ctr uint32) opid.ID { return opid.ID{Ctr: ctr, Actor: actor} }

// foundation is a document of two changes of actor 1 and one of actor 2:
// 1@01 is the text "t" of 2@01 to 4@01, 5@01 the list "l" of 6@01, 7@01 the
// counter "k"; 8@01 is beside 8@02 the value of "x".
func foundation(t *testing.T) (d *Doc, first, second, beside Hash) {
	t.Helper()
	d = New(Options{Actor: "\x01"})
	text := must(d.PutObject(Root, Key("t"), KindText))
	do(t, d.SpliceText(text, 0, 0, "abc"))
	list := must(d.PutObject(Root, Key("l"), KindList))
	do(t, d.Insert(list, 0, Int(1)), d.Put(Root, Key("k"), Counter(1)))
	d.Commit(CommitOptions{})
	first = d.Heads()[0]
	other := must(d.Fork("\x02"))
	do(t, d.Put(Root, Key("x"), Int(1)), other.Put(Root, Key("x"), Int(2)))
	d.Commit(CommitOptions{})
	second = d.Heads()[0]
	other.Commit(CommitOptions{})
	beside = other.Heads()[0]
	do(t, d.Merge(other))
	return d, first, second, beside
}

// TestAcceptance is the rule by which changes of others are judged: each of these
// would make a document that other programs do not load, or that is not the same
// everywhere.
func TestAcceptance(t *testing.T) {
	d, first, second, beside := foundation(t)
	before := d.Save()
	heads := d.Heads()
	text, list := by(actor1, 1), by(actor1, 5)
	null, num, str := format.Value{}, format.Value{Type: typeInt, Raw: []byte{1}}, format.Value{Type: typeStr, Raw: []byte("z")}
	key := func(k string, a format.Action, v format.Value, refs ...opid.ID) format.Op {
		return format.Op{Map: true, Key: []byte(k), Action: a, Value: v, Refs: refs}
	}
	elem := func(obj, at opid.ID, a format.Action, v format.Value, refs ...opid.ID) format.Op {
		return format.Op{Obj: obj, Elem: at, Action: a, Value: v, Refs: refs}
	}
	insert := func(obj, after opid.ID, a format.Action, v format.Value) format.Op {
		return format.Op{Obj: obj, Elem: after, Insert: true, Action: a, Value: v}
	}
	marked := func(op format.Op, name string) format.Op {
		op.Mark = []byte(name)
		return op
	}
	all := format.Change{Deps: heads}
	with := func(f func(h *format.Change)) format.Change {
		h := all
		f(&h)
		return h
	}
	set := key("new", format.Set, num)
	for name, tt := range map[string]struct {
		change []byte
		want   string // "" accepts
	}{
		"a put":                    {written(actor3, all, set), ""},
		"a gap in the counters":    {written(actor3, with(func(h *format.Change) { h.StartOp = 1000 }), set), ""},
		"an empty change":          {written(actor3, all), ""},
		"a mark":                   {written(actor3, all, marked(insert(text, by(actor1, 2), format.Mark, num), "b"), insert(text, by(actor1, 3), format.Mark, null)), ""},
		"a delete of two":          {written(actor3, all, key("x", format.Delete, null, by(actor1, 8), by(actor2, 8))), ""},
		"a set beside a delete":    {written(actor3, all, elem(text, by(actor1, 2), format.Delete, null, by(actor1, 2)), elem(text, by(actor1, 2), format.Set, str, by(actor1, 2))), ""},
		"in an object of its own":  {written(actor3, all, key("m", format.MakeMap, null), format.Op{Obj: by(actor3, 20), Map: true, Key: []byte("a"), Action: format.Set, Value: num}), ""},
		"starts too low":           {written(actor3, with(func(h *format.Change) { h.StartOp = 8 }), set), "starts at operation 8"},
		"seq skipped":              {written(actor3, with(func(h *format.Change) { h.Seq = 2 }), set), "change 2 of its actor"},
		"seq taken":                {written(actor2, all, set), "another change 1"},
		"not behind its own":       {written(actor1, format.Change{Seq: 3, Deps: []Hash{beside}}, set), "does not follow its actor's change 2"},
		"actor who made nothing":   {written(actor3, all, elem(by(actor4, 3), by(actor4, 4), format.Set, num)), "unknown"},
		"object that is not there": {written(actor3, all, elem(by(actor1, 19), by(actor1, 2), format.Set, num)), "no such object"},
		"object that is no object": {written(actor3, all, elem(by(actor1, 6), by(actor1, 2), format.Set, num)), "no such object"},
		"object of a deletion":     {written(actor3, all, elem(by(actor1, 2), by(actor1, 2), format.Set, num)), "no such object"},
		"a key in a list":          {written(actor3, all, format.Op{Obj: list, Map: true, Key: []byte("a"), Action: format.Set, Value: num}), "wrong kind"},
		"an element in a map":      {written(actor3, all, key("m", format.MakeMap, null), elem(by(actor3, 20), by(actor1, 6), format.Set, num)), "wrong kind"},
		"element not there":        {written(actor3, all, elem(list, by(actor1, 9), format.Set, num)), "element that is not there"},
		"element of another":       {written(actor3, all, elem(list, by(actor1, 2), format.Set, num)), "element that is not there"},
		"after what is not there":  {written(actor3, all, insert(list, by(actor1, 9), format.Set, num)), "element that is not there"},
		"after one of another":     {written(actor3, all, insert(list, by(actor1, 2), format.Set, num)), "element that is not there"},
		"after one not known yet":  {written(actor3, format.Change{Deps: []Hash{first}}, key("x", format.Set, num, by(actor1, 8))), "not there"},
		"pred not there":           {written(actor3, all, key("new", format.Set, num, by(actor1, 9))), "replaces an operation that is not there"},
		"pred of another key":      {written(actor3, all, key("new", format.Set, num, by(actor1, 7))), "replaces an operation that is not there"},
		"pred of another element":  {written(actor3, all, elem(text, by(actor1, 2), format.Set, str, by(actor1, 3))), "replaces an operation that is not there"},
		"pred is a deletion":       {written(actor3, all, elem(text, by(actor1, 2), format.Delete, null, by(actor1, 2)), elem(text, by(actor1, 2), format.Set, str, by(actor3, 20))), "replaces an operation that is not there"},
		"preds out of order":       {written(actor3, all, key("x", format.Set, num, by(actor2, 8), by(actor1, 8))), "ascend"},
		"a pred twice":             {written(actor3, all, key("x", format.Set, num, by(actor1, 8), by(actor1, 8))), "ascend"},
		"delete of nothing":        {written(actor3, all, key("k", format.Delete, null)), "delete"},
		"delete with a value":      {written(actor3, all, key("k", format.Delete, num, by(actor1, 7))), "delete"},
		"increment by a string":    {written(actor3, all, key("k", format.Increment, str, by(actor1, 7))), "increment"},
		"insert of an increment":   {written(actor3, all, insert(list, by(actor1, 6), format.Increment, num)), "insert"},
		"a mark in a list":         {written(actor3, all, marked(insert(list, by(actor1, 6), format.Mark, num), "b")), "mark outside of a text"},
		"a mark on a key":          {written(actor3, all, marked(key("m", format.Mark, num), "b")), "mark"},
		"a mark on an element":     {written(actor3, all, marked(elem(text, by(actor1, 2), format.Mark, num), "b")), "mark"},
		"an end of no mark":        {written(actor3, all, insert(text, by(actor1, 2), format.Mark, null)), "ends without a beginning"},
		"an end before the begin":  {written(actor3, all, marked(insert(text, by(actor1, 3), format.Mark, num), "b"), insert(text, by(actor1, 2), format.Mark, null)), "ends before it begins"},
		"an unknown dep":           {written(actor3, format.Change{Deps: []Hash{{1}}}, set), "held"},
	} {
		t.Run(name, func(t *testing.T) { judge(t, before, tt.change, tt.want, []Hash{second, {2}}) })
	}
}

// judge applies a change to a saved document: want is "" for one that is taken,
// "held" for one that depends on change 1, else what the refusal says. asked are
// heads that are known and not.
func judge(t *testing.T, before, change []byte, want string, asked []Hash) {
	d, err := Load(before, Options{})
	do(t, err)
	c, err := ParseChange(change, nil)
	if err == nil {
		err = d.Apply(c)
	}
	switch {
	case want == "held":
		if err != nil || d.Held() != 1 || !slices.Equal(d.Missing(nil), []Hash{{1}}) || !slices.Equal(d.Missing(asked), []Hash{{1}, {2}}) {
			t.Errorf("%v, %d held, missing %x", err, d.Held(), d.Missing(nil))
		}
		return
	case want == "":
		if err != nil || !d.Has(c.Hash()) {
			t.Fatalf("refused: %v", err)
		}
		lasts(t, d)
		return
	case err == nil:
		t.Error("accepted")
	case !errors.Is(err, ErrRefused) && !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), want):
		t.Errorf("refused with %v, want %q", err, want)
	}
	if !bytes.Equal(d.Save(), before) || d.Held() != 0 {
		t.Error("it left a trace")
	}
}

// What depends on a refused change is refused with it; the rest is applied, and
// the queue is bounded.
func TestBatches(t *testing.T) {
	a := New(Options{Actor: "\x01"})
	for i := range 5 {
		do(t, a.Put(Root, Key("a"), Int(int64(i))))
		a.Commit(CommitOptions{})
	}
	cs := must(a.Changes(nil))
	bad := must(ParseChange(written(actor3, format.Change{StartOp: 1, Seq: 2}, format.Op{Map: true, Key: []byte("b"), Action: format.Set}), nil))
	behind := must(ParseChange(written(actor2, format.Change{StartOp: 9, Deps: []Hash{bad.Hash()}}), nil))
	d := New(Options{})
	err := d.Apply(cs[4], behind, cs[3], bad, cs[2], cs[2], cs[1], cs[0])
	if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "depends on a refused change") {
		t.Error(err)
	}
	same(t, d, a)
	if d.Held() != 0 {
		t.Errorf("%d held", d.Held())
	}
	do(t, d.Apply(cs...), d.Apply(cs[2]))

	d = New(Options{Queue: 2})
	if err := d.Apply(cs[2], cs[3], cs[4]); !errors.Is(err, ErrLimit) || d.Held() != 2 {
		t.Errorf("%v, %d held", err, d.Held())
	}
	if got, ok := a.Change(cs[2].Hash()); !ok || !bytes.Equal(got.Bytes(), cs[2].Bytes()) {
		t.Error("a change is not found by its hash")
	}
	if _, ok := a.Change(Hash{1}); ok {
		t.Error("a change that is not there is found")
	}
	if _, err := a.Changes([]Hash{{1}}); !errors.Is(err, ErrHeads) {
		t.Error(err)
	}
	if _, err := a.SaveSince([]Hash{{1}}); !errors.Is(err, ErrHeads) {
		t.Error(err)
	}
	if _, err := a.ForkAt([]Hash{{1}}, "\x02"); !errors.Is(err, ErrHeads) {
		t.Error(err)
	}
	if _, err := a.At([]Hash{{1}}); !errors.Is(err, ErrHeads) {
		t.Error(err)
	}
}
