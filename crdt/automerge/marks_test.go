package automerge

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"inselnetz/crdt/automerge/internal/format"
	"inselnetz/crdt/automerge/internal/opid"
)

// vector loads the document of that name and the value that it should have.
func vector(t *testing.T, name string, o Options, want any) *Doc {
	t.Helper()
	b, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []struct {
		Name, Hex string
		Expect    json.RawMessage
	}
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		if v.Name != name {
			continue
		}
		raw, err := hex.DecodeString(v.Hex)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(v.Expect, want); err != nil {
			t.Fatal(err)
		}
		d, err := Load(raw, o)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	t.Fatalf("no vector %s", name)
	return nil
}

func textOf(t *testing.T, d *Doc) ObjID {
	t.Helper()
	v, ok, err := d.Get(Root, Key("t"))
	if err != nil || !ok || v.Kind() != KindText {
		t.Fatal("no text", v, ok, err)
	}
	return v.Obj()
}

type wantMark struct {
	Name       string
	Value      any
	Start, End int
}

// looks are the marks as the vectors write them.
func looks(marks []Mark) []wantMark {
	var out []wantMark
	for _, m := range marks {
		out = append(out, wantMark{m.Name, native(m.Value), m.Start, m.End})
	}
	return out
}

func TestVectorsOfMarks(t *testing.T) {
	for _, name := range []string{"mark_expand_both_doc", "mark_expand_none_doc", "unmark_doc", "concurrent_marks_doc", "block_split_doc"} {
		var want struct {
			Marks []wantMark
			Spans []struct {
				Type  string
				Value any
				Marks map[string]any
			}
		}
		d := vector(t, name, Options{}, &want)
		obj := textOf(t, d)
		for _, r := range []Reader{d.Reader, must(d.At(d.Heads()))} {
			marks, err := r.Marks(obj)
			if err != nil || want.Marks != nil && !reflect.DeepEqual(looks(marks), want.Marks) {
				t.Errorf("%s: marks %v, want %v (%v)", name, looks(marks), want.Marks, err)
			}
			spans, err := r.Spans(obj)
			if err != nil || want.Spans != nil && len(spans) != len(want.Spans) {
				t.Errorf("%s: spans %v (%v)", name, spans, err)
				continue
			}
			for i, w := range want.Spans {
				got := any(spans[i].Text)
				if w.Type == "block" {
					if got, err = r.Materialize(spans[i].Block); err != nil {
						t.Error(err)
					}
				}
				if !reflect.DeepEqual(got, w.Value) {
					t.Errorf("%s: span %d is %v, want %v", name, i, got, w.Value)
				}
				for k, v := range w.Marks {
					if native(spans[i].Marks[k]) != v || len(w.Marks) != len(spans[i].Marks) {
						t.Errorf("%s: marks of span %d: %v", name, i, spans[i].Marks)
					}
				}
			}
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func do(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func newText(t *testing.T, s string, o Options) (*Doc, ObjID) {
	t.Helper()
	if o.Actor == "" {
		o.Actor = "\xaa"
	}
	d := New(o)
	obj := must(d.PutObject(Root, Key("t"), KindText))
	do(t, d.SpliceText(obj, 0, 0, s))
	return d, obj
}

// show writes a text with its marks: [name|text].
func show(t *testing.T, d *Doc, obj ObjID) (s string) {
	t.Helper()
	for _, p := range must(d.Spans(obj)) {
		switch {
		case p.Block != Root:
			s += "¶"
		case p.Marks == nil:
			s += p.Text
		default:
			names := ""
			for _, k := range []string{"b", "i"} {
				if v, ok := p.Marks[k]; ok {
					names += k
					if v != Bool(true) {
						names += v.String()
					}
				}
			}
			s += "[" + names + "|" + p.Text + "]"
		}
	}
	return s
}

// The table of the notes: what is inserted at the edges of a mark.
func TestExpand(t *testing.T) {
	for e, want := range map[Expand]string{
		ExpandNone: "aX[b|bc]Yd", ExpandBefore: "a[b|Xbc]Yd", ExpandAfter: "aX[b|bcY]d", ExpandBoth: "a[b|XbcY]d",
	} {
		d, obj := newText(t, "abcd", Options{})
		do(t, d.Mark(obj, 1, 3, "b", Bool(true), e), d.SpliceText(obj, 1, 0, "X"), d.SpliceText(obj, 4, 0, "Y"))
		if got := show(t, d, obj); got != want {
			t.Errorf("expand %d: %s, want %s", e, got, want)
		}
	}
	// What has lost all its characters gets none back.
	for _, e := range []Expand{ExpandAfter, ExpandBoth} {
		d, obj := newText(t, "abcd", Options{})
		do(t, d.Mark(obj, 1, 3, "b", Bool(true), e), d.SpliceText(obj, 1, 2, ""), d.SpliceText(obj, 1, 0, "X"))
		if got := show(t, d, obj); got != "aXd" {
			t.Errorf("expand %d, emptied: %s", e, got)
		}
	}
}

func TestMarksOverlap(t *testing.T) {
	d, obj := newText(t, "abcdef", Options{})
	do(t,
		d.Mark(obj, 0, 4, "b", Bool(true), ExpandAfter),
		d.Mark(obj, 2, 6, "i", Bool(true), ExpandAfter),
		d.Mark(obj, 1, 3, "b", Int(2), ExpandNone))
	if got := show(t, d, obj); got != "[b|a][b2|b][b2i|c][bi|d][i|ef]" {
		t.Error(got)
	}
	if got := fmt.Sprint(looks(must(d.Marks(obj)))); got != "[{b true 0 1} {b 2 1 3} {b true 3 4} {i true 2 6}]" {
		t.Error(got)
	}
	do(t, d.Mark(obj, 1, 3, "b", Bool(true), ExpandNone)) // as around it: one stretch
	if got := fmt.Sprint(looks(must(d.Marks(obj)))); got != "[{b true 0 4} {i true 2 6}]" {
		t.Error(got)
	}
	heads := func() []Hash { d.Commit(CommitOptions{}); return d.Heads() }
	before := heads()
	do(t, d.Unmark(obj, 0, 6, "b", ExpandBoth), d.Unmark(obj, 0, 6, "i", ExpandBoth))
	if got := show(t, d, obj); got != "abcdef" {
		t.Error(got)
	}
	heads()
	r := must(d.At(before))
	if got := fmt.Sprint(looks(must(r.Marks(obj)))); got != "[{b true 0 4} {i true 2 6}]" {
		t.Error(got)
	}
}

// Marks that begin at one place, values that differ in their type alone, and a
// mark whose begin somebody deleted.
func TestMarksAtTheEdge(t *testing.T) {
	d, obj := newText(t, "abcd", Options{})
	do(t, d.Mark(obj, 0, 4, "b", Bool(true), ExpandNone), d.Mark(obj, 0, 2, "b", Int(2), ExpandNone))
	if got := fmt.Sprint(looks(must(d.Marks(obj)))); got != "[{b 2 0 2} {b true 2 4}]" {
		t.Error(got)
	}
	d, obj = newText(t, "abcd", Options{})
	do(t, d.Mark(obj, 0, 2, "b", Int(1), ExpandNone), d.Mark(obj, 2, 4, "b", Uint(1), ExpandNone))
	if got := must(d.Spans(obj)); len(got) != 2 || got[0].Marks["b"] != Int(1) || got[1].Marks["b"] != Uint(1) {
		t.Error(got)
	}
	if got := must(d.Marks(obj)); len(got) != 2 {
		t.Error(got)
	}
	d.Commit(CommitOptions{})
	before := d.Heads()
	n := must(d.object(obj))
	for e := range d.seqs.Runs(d.objects[n].seq) {
		if e.IsMark {
			do(t, d.begin())
			d.put(n, e.Eid, &format.Op{ID: d.nextID(), Obj: d.idOf(n), Elem: e.ID, Action: format.Delete, Refs: []opid.ID{e.ID}})
			break
		}
	}
	d.Commit(CommitOptions{})
	if got := show(t, d, obj); got != "ab[b1|cd]" {
		t.Error(got)
	}
	r := must(d.At(before))
	if got := must(r.Marks(obj)); len(got) != 2 {
		t.Error(got)
	}
	if ps := must(d.Diff(before, d.Heads())); len(ps) != 1 || ps[0].Mark != (Mark{0, 2, "b", Null()}) {
		t.Errorf("%+v", ps)
	}
}

// Marks that overlap without end are refused where they would cost without end.
func TestMarksWithoutEnd(t *testing.T) {
	const n = 1000
	d, obj := newText(t, strings.Repeat("x", n), Options{})
	for i := range n {
		do(t, d.Mark(obj, i, n, fmt.Sprint(i), Bool(true), Expand(i%4)))
	}
	d.Commit(CommitOptions{})
	if got := must(d.Marks(obj)); len(got) != n {
		t.Errorf("%d marks", len(got))
	}
	if _, err := d.Spans(obj); !errors.Is(err, ErrLimit) {
		t.Errorf("spans: %v", err)
	}
	if _, err := d.Diff(nil, d.Heads()); !errors.Is(err, ErrLimit) {
		t.Errorf("diff: %v", err)
	}
}

// Positions of marks are in the units of the document.
func TestMarksInUnits(t *testing.T) {
	d, obj := newText(t, "a😀b😀c", Options{Unit: UTF16})
	do(t, d.Mark(obj, 1, 4, "b", Bool(true), ExpandNone))
	if got := show(t, d, obj); got != "a[b|😀b]😀c" {
		t.Error(got)
	}
	if got := fmt.Sprint(looks(must(d.Marks(obj)))); got != "[{b true 1 4}]" {
		t.Error(got)
	}
	// Both ends in one element of several units.
	do(t, d.Put(obj, Index(0), Str("long")), d.Mark(obj, 1, 3, "i", Bool(true), ExpandNone))
	d.Commit(CommitOptions{})
	if _, err := Load(d.Save(), Options{}); err != nil {
		t.Error(err)
	}
}

func TestBlocks(t *testing.T) {
	d, obj := newText(t, "onetwo", Options{})
	block := map[string]any{"type": "p", "parents": []any{"li", 1, map[string]any{"x": nil}}, "attrs": map[string]any{"n": 1.5, "s": Str("scalar")}}
	id := must(d.SplitBlock(obj, 3, block))
	if got := show(t, d, obj); got != "one¶two" {
		t.Fatal(got)
	}
	if s := must(d.Text(obj)); s != "one\uFFFCtwo" {
		t.Error(s)
	}
	want := map[string]any{"type": "p", "parents": []any{"li", int64(1), map[string]any{"x": nil}}, "attrs": map[string]any{"n": 1.5, "s": "scalar"}}
	if got := must(d.Materialize(id)); !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
	next := must(d.UpdateBlock(obj, 3, map[string]any{"type": "h1"}))
	if got := must(d.Materialize(next)); next == id || !reflect.DeepEqual(got, map[string]any{"type": "h1"}) {
		t.Errorf("%v", got)
	}
	stamp := time.UnixMilli(1234567).UTC()
	values := map[string]any{"all": []any{true, int64(-2), uint64(3), []byte{4}, stamp, Int(5), []any{"six"}, nil}}
	last := must(d.UpdateBlock(obj, 3, values))
	values["all"].([]any)[5] = int64(5)
	if got := must(d.Materialize(last)); !reflect.DeepEqual(got, values) {
		t.Errorf("%v, want %v", got, values)
	}
	deep := map[string]any{}
	for m, i := deep, 0; i <= deepest; i++ {
		next := map[string]any{}
		m["a"], m = next, next
	}
	do(t, d.JoinBlock(obj, 3))
	if got := show(t, d, obj); got != "onetwo" {
		t.Error(got)
	}
	for what, err := range map[string]error{
		"a letter is joined":     d.JoinBlock(obj, 1),
		"the end is joined":      d.JoinBlock(obj, 6),
		"a block beyond the end": second(d.SplitBlock(obj, 7, nil)),
		"a block of channels":    second(d.SplitBlock(obj, 0, map[string]any{"a": make(chan int)})),
		"a block too deep":       second(d.SplitBlock(obj, 0, deep)),
		"a key of any bytes":     second(d.SplitBlock(obj, 0, map[string]any{"\xff": 1})),
		"a list of channels":     second(d.UpdateBlock(obj, 0, map[string]any{"a": []any{make(chan int)}})),
		"a letter is updated":    second(d.UpdateBlock(obj, 0, nil)),
		"a block of the root":    second(d.SplitBlock(Root, 0, nil)),
		"joining the root":       d.JoinBlock(Root, 0),
		"marks of the root":      second(d.Marks(Root)),
		"spans of nothing":       second(d.Spans(OpID{7, "\xee"})),
		"a mark of the root":     d.Mark(Root, 0, 0, "b", Bool(true), ExpandAfter),
		"a mark backwards":       d.Mark(obj, 3, 2, "b", Bool(true), ExpandAfter),
		"a mark beyond the end":  d.Mark(obj, 3, 7, "b", Bool(true), ExpandAfter),
		"a mark of a map":        d.Mark(obj, 0, 1, "b", Value{kind: KindMap}, ExpandAfter),
		"a name of any bytes":    d.Mark(obj, 0, 1, "\xff", Bool(true), ExpandAfter),
	} {
		if err == nil {
			t.Errorf("%s: taken", what)
		}
	}
	if got := show(t, d, obj); got != "onetwo" || d.seqs.Len(d.objects[must(d.sequence(obj))].seq, CodePoints) != 6 {
		t.Error("what is refused leaves a trace: " + got)
	}
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }
