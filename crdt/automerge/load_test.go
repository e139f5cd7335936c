package automerge

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"inselnetz/crdt/automerge/internal/format"
	"inselnetz/crdt/automerge/internal/opid"
)

// A draft is a document of actors 1, 2 and 3, each with one change up to its
// counter in max; 0 for none.
type draft struct {
	max [3]uint32
	ops []format.Op
}

// body writes it as it is, right or wrong.
func (f draft) body() []byte {
	var w format.DocumentWriter
	var table []uint32
	var actors [][]byte
	for a, m := range f.max {
		table = append(table, uint32(len(actors)))
		if m > 0 {
			actors = append(actors, []byte{byte(a + 1)})
		}
	}
	w.Reset(table)
	heads := 0
	for a, m := range f.max {
		if m > 0 {
			w.Change(&format.ChangeRow{Actor: uint32(a), Seq: 1, MaxOp: m})
			heads++
		}
	}
	for i := range f.ops {
		w.Add(&f.ops[i])
	}
	hs := make([]Hash, heads)
	for i := range hs {
		hs[i][0] = byte(i)
	}
	return format.AppendChunk(nil, format.DocumentChunk, w.AppendBody(nil, actors, hs, nil))
}

func at(ctr, actor uint32) opid.ID { return opid.ID{Ctr: ctr, Actor: actor} }

var (
	one = format.Value{Type: typeInt, Raw: []byte{1}}
	ch  = format.Value{Type: typeStr, Raw: []byte("x")}
)

// put sets a key of the root.
func put(key string, id opid.ID, succ ...opid.ID) format.Op {
	return format.Op{ID: id, Map: true, Key: []byte(key), Action: format.Set, Value: one, Refs: succ}
}

// text makes a text under a key of the root.
func text(key string, id opid.ID) format.Op {
	return format.Op{ID: id, Map: true, Key: []byte(key), Action: format.MakeText}
}

// char inserts a character.
func char(obj, id, ref opid.ID, succ ...opid.ID) format.Op {
	return format.Op{ID: id, Obj: obj, Elem: ref, Insert: true, Action: format.Set, Value: ch, Refs: succ}
}

// with is an operation changed.
func with(op format.Op, f func(*format.Op)) format.Op {
	f(&op)
	return op
}

func TestLoadRefuses(t *testing.T) {
	t1 := at(1, 0)
	for name, tt := range map[string]struct {
		max  [3]uint32
		ops  []format.Op
		says string
	}{
		"nothing wrong": {[3]uint32{4, 4}, []format.Op{
			text("a", t1), put("k", at(2, 0), at(4, 1)), put("k", at(2, 1)), char(t1, at(3, 1), at(0, 0)), char(t1, at(3, 0), at(0, 0), at(4, 0)),
		}, ""},
		"keys out of order":     {[3]uint32{2}, []format.Op{put("b", at(1, 0)), put("a", at(2, 0))}, "keys out of order"},
		"a key twice":           {[3]uint32{3}, []format.Op{put("a", at(1, 0)), put("b", at(2, 0)), put("a", at(3, 0))}, "keys out of order"},
		"a key out of order":    {[3]uint32{2}, []format.Op{put("a", at(2, 0)), put("a", at(1, 0))}, "out of order"},
		"a row twice":           {[3]uint32{1}, []format.Op{put("a", at(1, 0)), put("a", at(1, 0))}, "out of order"},
		"an operation twice":    {[3]uint32{1}, []format.Op{put("a", at(1, 0)), put("b", at(1, 0))}, "twice"},
		"an object twice":       {[3]uint32{1}, []format.Op{text("a", t1), text("b", t1)}, "twice"},
		"objects out of order":  {[3]uint32{4}, []format.Op{text("a", t1), text("b", at(2, 0)), char(at(2, 0), at(3, 0), at(0, 0)), char(t1, at(4, 0), at(0, 0))}, "objects out of order"},
		"no such object":        {[3]uint32{2}, []format.Op{put("a", t1), char(t1, at(2, 0), at(0, 0))}, "object that is not there"},
		"no such element":       {[3]uint32{3}, []format.Op{text("a", t1), char(t1, at(3, 0), at(2, 0))}, ""},
		"insert before its ref": {[3]uint32{3}, []format.Op{text("a", t1), char(t1, at(3, 0), at(2, 0)), char(t1, at(2, 0), at(0, 0))}, "seq"},
		"siblings out of order": {[3]uint32{3}, []format.Op{text("a", t1), char(t1, at(2, 0), at(0, 0)), char(t1, at(3, 0), at(0, 0))}, "seq"},
		"set of no element": {[3]uint32{3}, []format.Op{
			text("a", t1), char(t1, at(2, 0), at(0, 0)), with(char(t1, at(3, 0), at(9, 0)), func(op *format.Op) { op.Insert, op.Elem.Ctr = false, 1 }),
		}, "behind its element"},
		"element of a map": {[3]uint32{2}, []format.Op{
			with(text("a", t1), func(op *format.Op) { op.Action = format.MakeMap }), char(t1, at(2, 0), at(0, 0)),
		}, "no sense"},
		"key of a text":     {[3]uint32{2}, []format.Op{text("a", t1), with(put("k", at(2, 0)), func(op *format.Op) { op.Obj = t1 })}, "no sense"},
		"insert in a map":   {[3]uint32{1}, []format.Op{with(put("a", t1), func(op *format.Op) { op.Insert = true })}, "no sense"},
		"mark in a map":     {[3]uint32{1}, []format.Op{with(put("a", t1), func(op *format.Op) { op.Action = format.Mark })}, "no sense"},
		"change too short":  {[3]uint32{1}, []format.Op{put("a", t1), put("b", at(2, 0))}, "no change"},
		"change too long":   {[3]uint32{3}, []format.Op{put("a", t1), put("b", at(2, 0))}, "lacks"},
		"change with a gap": {[3]uint32{3}, []format.Op{put("a", t1), put("b", at(3, 0))}, "lacks"},
		"delete of nobody":  {[3]uint32{1}, []format.Op{put("a", t1, at(2, 0))}, "no change"},
		"character deleted by nobody": {[3]uint32{2}, []format.Op{
			text("a", t1), char(t1, at(2, 0), at(0, 0), at(3, 0)),
		}, "no change"},
		"delete at two places":       {[3]uint32{3}, []format.Op{put("a", t1, at(3, 0)), put("b", at(2, 0), at(3, 0))}, "two places"},
		"delete that is another row": {[3]uint32{2}, []format.Op{put("a", t1, at(2, 0)), put("b", at(2, 0))}, ""},
		"two characters, one delete": {[3]uint32{4}, []format.Op{
			text("a", t1), char(t1, at(2, 0), at(0, 0), at(4, 0)), char(t1, at(3, 0), at(2, 0), at(4, 0)),
		}, ""},
		"a mark that replaces": {[3]uint32{4}, []format.Op{
			text("a", t1), char(t1, at(2, 0), at(0, 0), at(3, 0)),
			with(char(t1, at(3, 0), at(2, 0)), func(op *format.Op) { op.Action, op.Insert = format.Mark, false }),
		}, "no sense"},
	} {
		d, err := Load(draft{tt.max, tt.ops}.body(), Options{Unverified: true})
		if name == "nothing wrong" {
			if err != nil {
				t.Error(err)
			} else if s, err := d.Text(ObjID{Ctr: 1, Actor: "\x01"}); s != "x" || err != nil {
				t.Errorf("%q, %v", s, err)
			}
			continue
		}
		if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := Load(draft{tt.max, tt.ops}.body(), Options{}); err == nil {
			t.Errorf("%s: loaded", name)
		}
	}
}

func TestLoadHeads(t *testing.T) {
	d := busy(t, rand.New(rand.NewPCG(5, 5)), 20)
	saved := d.Save()
	chunk, err := format.ReadChunk(saved, nil)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := format.ParseDocument(chunk.Body, nil)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(chunk.Body), string(doc.Heads[0][:]))
	body := slices.Clone(chunk.Body)
	body[at+31] ^= 1
	wrong := format.AppendChunk(nil, format.DocumentChunk, body)
	if _, err := Load(wrong, Options{}); !errors.Is(err, ErrCorrupt) {
		t.Errorf("another head: %v", err)
	}
	l, err := Load(wrong, Options{Unverified: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Verify(); !errors.Is(err, ErrCorrupt) {
		t.Errorf("another head, verified later: %v", err)
	}
	l, err = Load(saved, Options{Unverified: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Verify(); err != nil {
		t.Error(err)
	}
	same(t, d, l)
}

// TestLoadParts: what is saved in parts is the document again, in whatever form
// the parts are.
func TestLoadParts(t *testing.T) {
	for seed := range seeds(t, 30) {
		t.Logf("SEED=%d", seed)
		r := rand.New(rand.NewPCG(seed, 6))
		d := busy(t, r, 20)
		all, err := d.Changes(nil)
		if err != nil {
			t.Fatal(err)
		}
		from := []Hash{all[r.IntN(len(all))].Hash()}
		old, err := d.ForkAt(from, "\x07")
		if err != nil {
			t.Fatal(err)
		}
		tail, err := d.SaveSince(from)
		if err != nil {
			t.Fatal(err)
		}
		l, err := Load(append(old.Save(), tail...), Options{Actor: "\x08"})
		if err != nil {
			t.Fatal(err)
		}
		same(t, d, l)
		if more := l.SaveIncremental(); len(more) > 0 {
			t.Errorf("%d bytes to save after loading", len(more))
		}
		if err := l.Put(Root, Key("new"), Int(1)); err != nil {
			t.Fatal(err)
		}
		l.Commit(CommitOptions{})
		part := l.SaveIncremental()
		if len(part) == 0 || len(l.SaveIncremental()) > 0 {
			t.Error("a change is to be saved once")
		}
		again, err := Load(slices.Concat(old.Save(), tail, part), Options{})
		if err != nil {
			t.Fatal(err)
		}
		same(t, l, again)
		both, err := Load(append(old.Save(), d.Save()...), Options{})
		if err != nil {
			t.Fatal(err)
		}
		same(t, d, both)
		if _, err := Load(tail, Options{}); len(tail) > 0 && err == nil {
			t.Error("changes without those that they depend on were loaded")
		}
	}
	if _, err := New(Options{}).SaveSince([]Hash{{1}}); !errors.Is(err, ErrHeads) {
		t.Error(err)
	}
}

// TestForget: a history so long that its hashes are not kept has them when asked.
func TestForget(t *testing.T) {
	d := New(Options{Actor: "\x01"})
	text, err := d.PutObject(Root, Key("t"), KindText)
	if err != nil {
		t.Fatal(err)
	}
	d.Commit(CommitOptions{})
	for range shortHistory {
		if err := d.SpliceText(text, 0, 0, "x"); err != nil {
			t.Fatal(err)
		}
		d.Commit(CommitOptions{})
	}
	l, err := Load(d.Save(), Options{Actor: "\x02"})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(l.graph.pages); n != 0 && l.graph.pages[0] != nil {
		t.Error("hashes are kept")
	}
	if err := l.Put(Root, Key("k"), Int(1)); err != nil {
		t.Fatal(err)
	}
	l.Commit(CommitOptions{})
	if err := d.Merge(l); err != nil {
		t.Fatal(err)
	}
	same(t, d, l)
	x, _ := d.Changes(nil)
	y, _ := l.Changes(nil)
	if !slices.EqualFunc(x, y, func(a, b *Change) bool { return a.Hash() == b.Hash() }) {
		t.Error("other hashes")
	}
	for _, c := range x[:10] {
		if !l.Has(c.Hash()) {
			t.Error("a change is not found")
		}
	}
	if err := l.Verify(); err != nil {
		t.Error(err)
	}
}

func TestLoadMarks(t *testing.T) {
	t1 := at(1, 0)
	begin := func(id, ref opid.ID) format.Op {
		return format.Op{ID: id, Obj: t1, Elem: ref, Insert: true, Action: format.Mark, Mark: []byte("b"), Value: format.Value{Type: format.True}}
	}
	end := func(id, ref opid.ID) format.Op {
		return format.Op{ID: id, Obj: t1, Elem: ref, Insert: true, Action: format.Mark}
	}
	for name, tt := range map[string]struct {
		ops []format.Op
		ok  bool
	}{
		"a mark":            {[]format.Op{text("a", t1), begin(at(2, 0), at(0, 0)), end(at(3, 0), at(2, 0))}, true},
		"the end first":     {[]format.Op{text("a", t1), end(at(3, 0), at(0, 0)), begin(at(2, 0), at(0, 0))}, false},
		"the end alone":     {[]format.Op{text("a", t1), char(t1, at(2, 0), at(0, 0)), end(at(3, 0), at(2, 0))}, false},
		"the end elsewhere": {[]format.Op{text("a", t1), text("b", at(2, 0)), begin(at(3, 0), at(0, 0)), with(end(at(4, 0), at(0, 0)), func(op *format.Op) { op.Obj = at(2, 0) })}, false},
	} {
		_, err := Load(draft{[3]uint32{uint32(len(tt.ops))}, tt.ops}.body(), Options{Unverified: true})
		if tt.ok != (err == nil) || err != nil && !strings.Contains(err.Error(), "mark") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestManyHeads: changes that follow none, and then as many that each follow one
// of them, as a few bytes can claim them, take no time that grows with the square.
func TestManyHeads(t *testing.T) {
	const n = 1 << 18
	var w format.DocumentWriter
	w.Reset([]uint32{0})
	for i := range uint32(2 * n) {
		row := format.ChangeRow{Seq: uint64(i) + 1}
		if i >= n {
			row.Deps = []uint32{i - n}
		}
		w.Change(&row)
	}
	b := format.AppendChunk(nil, format.DocumentChunk, w.AppendBody(nil, [][]byte{{1}}, nil, nil))
	begun := time.Now()
	_, err := Load(b, Options{})
	if took := time.Since(begun); !errors.Is(err, ErrCorrupt) || took > time.Minute || len(b) > 200 {
		t.Errorf("%d bytes took %v: %v", len(b), took, err)
	}
}

// TestHeads: heads found one by one are those found all at once.
func TestHeads(t *testing.T) {
	for seed := range seeds(t, 200) {
		r := rand.New(rand.NewPCG(seed, 8))
		var a, b graph
		a.init()
		b.init()
		n := 1 + r.Uint32N(200)
		b.addMany(int(n))
		for i := range n {
			var deps []uint32
			for range r.IntN(4) {
				if i > 0 {
					deps = append(deps, i-1-min(i-1, r.Uint32N(6)))
				}
			}
			row := changeRow{actor: r.Uint32N(3)}
			a.add(row, deps, 0, "", nil)
			b.add(row, deps, 0, "", nil)
		}
		b.settle()
		if !slices.Equal(a.heads, b.heads) || !slices.Equal(a.lone, b.lone) || !slices.IsSorted(a.heads) {
			t.Fatalf("SEED=%d: heads %v and %v", seed, a.heads, b.heads)
		}
	}
}
