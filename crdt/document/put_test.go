package document

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"inselnetz/crdt/automerge"
)

// table is a document with a table at 1: rows by id, cells by column.
func table(t testing.TB) *automerge.Doc {
	t.Helper()
	return created(t, Block{Kind: Paragraph, Spans: []Span{{Embed: map[string]any{"embed": true, "t": "table", "rows": map[string]any{
		"r1": map[string]any{"at": int64(1), "cells": map[string]any{"a": "one", "b": "two"}},
	}}}}})
}

func put(path string, value any) Edit {
	return Edit{Kind: Put, At: 1, Path: strings.Split(path, "/"), Value: value}
}

// tableOf is what the table holds.
func tableOf(t testing.TB, d *automerge.Doc) map[string]any {
	t.Helper()
	return mustBlocks(t, d.Reader)[0].Spans[0].Embed
}

func cells(a, b string) map[string]any {
	return map[string]any{"at": int64(1), "cells": map[string]any{"a": a, "b": b}}
}

func TestPut(t *testing.T) {
	row := map[string]any{"at": 2.0, "cells": map[string]any{"a": "x"}}
	for name, tt := range map[string]struct {
		one, two []Edit // at the same time
		key      string
		want     any
	}{
		"different cells":       {[]Edit{put("rows/r1/cells/a", "ONE")}, []Edit{put("rows/r1/cells/b", "TWO")}, "rows", map[string]any{"r1": cells("ONE", "TWO")}},
		"the same cell":         {[]Edit{put("rows/r1/cells/a", "one!")}, []Edit{put("rows/r1/cells/a", "(one")}, "rows", map[string]any{"r1": cells("(one!", "two")}},
		"a row of each":         {[]Edit{put("rows/r2", row)}, []Edit{put("rows/r3", row)}, "rows", map[string]any{"r1": cells("one", "two"), "r2": map[string]any{"at": int64(2), "cells": map[string]any{"a": "x"}}, "r3": map[string]any{"at": int64(2), "cells": map[string]any{"a": "x"}}}},
		"a row goes":            {[]Edit{put("rows/r1", nil)}, nil, "rows", map[string]any{}},
		"nothing goes":          {[]Edit{put("rows/r9/cells/a", nil)}, nil, "rows", map[string]any{"r1": cells("one", "two")}},
		"what is on the way":    {[]Edit{put("style/cells/a/wide", true)}, nil, "style", map[string]any{"cells": map[string]any{"a": map[string]any{"wide": true}}}},
		"a map becomes another": {[]Edit{put("rows/r1", cells("one?", "two"))}, []Edit{put("rows/r1/cells/a", "(one")}, "rows", map[string]any{"r1": cells("(one?", "two")}},
		"keys go":               {[]Edit{put("rows/r1/cells", map[string]any{"b": "two"})}, nil, "rows", map[string]any{"r1": map[string]any{"at": int64(1), "cells": map[string]any{"b": "two"}}}},
		"a string of the block": {[]Edit{put("t", "other")}, nil, "t", "other"},
		"a list":                {[]Edit{put("cols", []any{"a", 1.0}), put("cols", []any{"a", 1.0, nil})}, nil, "cols", []any{"a", int64(1), nil}},
		"a text, not a value":   {[]Edit{put("rows/r1/at", "last"), put("rows/r1/at", 1)}, nil, "rows", map[string]any{"r1": cells("one", "two")}},
	} {
		t.Run(name, func(t *testing.T) {
			a := table(t)
			b, err := a.Fork("\x02")
			if err != nil {
				t.Fatal(err)
			}
			if err := errorsOf(Apply(a, tt.one, nil), Apply(b, tt.two, nil)); err != nil {
				t.Fatal(err)
			}
			a.Commit(automerge.CommitOptions{})
			b.Commit(automerge.CommitOptions{})
			if err := errorsOf(a.Merge(b), b.Merge(a)); err != nil {
				t.Fatal(err)
			}
			if got := tableOf(t, a)[tt.key]; !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %v\nwant %v", got, tt.want)
			}
			if x, y := tableOf(t, a), tableOf(t, b); !reflect.DeepEqual(x, y) {
				t.Errorf("%v on the other device, %v here", y, x)
			}
		})
	}
}

// What is there already is not written again.
func TestPutNothingNew(t *testing.T) {
	d := table(t)
	if err := Apply(d, []Edit{put("cols", []any{"a", 1.0})}, nil); err != nil {
		t.Fatal(err)
	}
	d.Commit(automerge.CommitOptions{})
	for _, e := range []Edit{put("rows/r1/cells/a", "one"), put("rows/r1", cells("one", "two")), put("rows/r1/at", 1.0), put("t", "table"), put("cols", []any{"a", 1}), put("x/y", nil)} {
		if err := Apply(d, []Edit{e}, nil); err != nil || d.Pending() > 0 {
			t.Errorf("%v: %d operations, %v", e.Path, d.Pending(), err)
		}
	}
}

func TestPutRefuses(t *testing.T) {
	deep := any("x")
	for range maxDepth {
		deep = map[string]any{"k": deep}
	}
	for name, e := range map[string]Edit{
		"no path":         {Kind: Put, At: 1, Value: 1},
		"a long path":     {Kind: Put, At: 1, Value: 1, Path: strings.Split("a/b/c/d/e/f/g/h/i", "/")},
		"a long key":      put(strings.Repeat("k", maxName+1), 1),
		"a key, no UTF-8": put("\xff", 1),
		"through a text":  put("rows/r1/cells/a/x", 1),
		"through a value": put("embed/x", 1),
		"no block there":  {Kind: Put, At: 2, Value: 1, Path: []string{"x"}},
		"a deep value":    put("x", deep),
		"10 MB":           put("rows/r1/cells/a", strings.Repeat("x", 10<<20)),
		"much":            put("rows", map[string]any{"a": strings.Repeat("x", 8000), "b": strings.Repeat("x", 8000)}),
		"a strange value": put("x", struct{}{}),
	} {
		t.Run(name, func(t *testing.T) {
			d := table(t)
			if err := Apply(d, []Edit{e}, nil); !errors.Is(err, ErrEdit) || d.Pending() > 0 {
				t.Errorf("error %v, %d operations", err, d.Pending())
			}
		})
	}
}

// Also where much was there, a change fits an entry.
func TestPutInPlaceOfMuch(t *testing.T) {
	d := table(t)
	text := automerge.Root
	obj := mustBlock(t, d, 1)
	for _, k := range []string{"rows", "r1", "cells", "a"} {
		v, _, err := d.Get(obj, automerge.Key(k))
		if err != nil {
			t.Fatal(err)
		}
		obj, text = v.Obj(), v.Obj()
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	for i := range 40_000 { // in no order
		if err := d.SpliceText(text, rnd.IntN(i+1), 0, "y"); err != nil {
			t.Fatal(err)
		}
	}
	many := mustBlock(t, d, 1)
	for i := range 3000 {
		if err := d.Put(many, automerge.Key("key"+string(rune('a'+i%26))+strings.Repeat("x", i/26)), automerge.Int(1)); err != nil {
			t.Fatal(err)
		}
	}
	d.Commit(automerge.CommitOptions{})
	before := d.Heads()
	if err := Apply(d, []Edit{put("rows/r1", cells("short", "two"))}, nil); err != nil {
		t.Fatal(err)
	}
	d.Commit(automerge.CommitOptions{})
	changes, err := d.Changes(before)
	if err != nil || len(changes) != 1 || len(changes[0].Bytes()) > 1000 {
		t.Errorf("%d changes of %d bytes, %v", len(changes), len(changes[0].Bytes()), err)
	}
	if got := tableOf(t, d)["rows"]; !reflect.DeepEqual(got, map[string]any{"r1": cells("short", "two")}) {
		t.Errorf("got %v", got)
	}
}

func mustBlock(t testing.TB, d *automerge.Doc, at int) automerge.ObjID {
	t.Helper()
	body, err := Body(d.Reader)
	if err != nil {
		t.Fatal(err)
	}
	v, _, err := d.Get(body, automerge.Index(at))
	if err != nil || v.Kind() != automerge.KindMap {
		t.Fatal("no block", err)
	}
	return v.Obj()
}

// FuzzPut: whatever a page puts there, the document stays one, merges and patches.
func FuzzPut(f *testing.F) {
	f.Add([]byte(`[{"kind":"put","at":1,"path":["rows","r1","cells","a"],"value":"x😀"},{"kind":"put","at":1,"path":["rows"],"value":{"r2":{"cells":["a",{"b":null}]}}}]`))
	f.Add([]byte(`[{"kind":"put","at":0,"path":["t"],"value":"task"},{"kind":"put","at":1,"path":["embed"]},{"kind":"put","at":1,"path":["a","b"],"value":1.5},{"kind":"put","at":1,"path":["a"],"value":"x"}]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var edits []Edit
		if json.Unmarshal(b, &edits) != nil || len(edits) > 50 {
			return
		}
		d := table(t)
		other, err := d.Fork("\x02")
		if err != nil {
			t.Fatal(err)
		}
		first := d.Heads()
		if err := Apply(d, edits, nil); err != nil && !errors.Is(err, ErrEdit) && !errors.Is(err, automerge.ErrRange) {
			t.Fatalf("%T %v", err, err)
		}
		d.Commit(automerge.CommitOptions{})
		if err := Apply(other, []Edit{put("rows/r1/cells/a", "other")}, nil); err != nil {
			t.Fatal(err)
		}
		other.Commit(automerge.CommitOptions{})
		if err := errorsOf(d.Merge(other), other.Merge(d)); err != nil {
			t.Fatal(err)
		}
		if x, y := mustBlocks(t, d.Reader), mustBlocks(t, other.Reader); !reflect.DeepEqual(x, y) {
			t.Errorf("%+v\n%+v", x, y)
		}
		edits, _, err = Patches(d, first, d.Heads())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := json.Marshal(edits); err != nil {
			t.Fatal(err)
		}
	})
}
