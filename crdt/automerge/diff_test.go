package automerge

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"unicode/utf16"
)

// A mirror is a document that knows nothing but patches.
type mirror struct {
	unit Unit
	objs map[ObjID]any // map[string]Value, *[]Value or *[]mirrored
}

// A mirrored is one unit of a text.
type mirrored struct {
	char  string // "" behind the first unit of a character
	block ObjID
	marks map[string]Value
}

func newMirror(u Unit) *mirror {
	return &mirror{u, map[ObjID]any{Root: map[string]Value{}}}
}

func (m *mirror) make(vs ...Value) {
	for _, v := range vs {
		switch v.Kind() {
		case KindMap, KindTable:
			m.objs[v.Obj()] = map[string]Value{}
		case KindList:
			m.objs[v.Obj()] = &[]Value{}
		case KindText:
			m.objs[v.Obj()] = &[]mirrored{}
		}
	}
}

// at follows the path of a patch and tells where it leads.
func (m *mirror) at(p Patch) (ObjID, error) {
	obj := Root
	for _, s := range p.Path() {
		if s.Obj != obj {
			return obj, fmt.Errorf("path %v is at %s", p.Path(), obj)
		}
		switch o := m.objs[obj].(type) {
		case map[string]Value:
			k, _ := s.Prop.Key()
			obj = o[k].Obj()
		case *[]Value:
			i, _ := s.Prop.Index()
			obj = (*o)[i].Obj()
		case *[]mirrored:
			i, _ := s.Prop.Index()
			obj = (*o)[i].block
		}
	}
	return obj, nil
}

func (m *mirror) apply(p Patch) error {
	if obj, err := m.at(p); err != nil || obj != p.Obj {
		return fmt.Errorf("path %v leads to %s, not %s (%v)", p.Path(), obj, p.Obj, err)
	}
	switch o := m.objs[p.Obj].(type) {
	case map[string]Value:
		k, ok := p.Prop.Key()
		if !ok {
			return fmt.Errorf("an index of a map")
		}
		switch p.Kind {
		case PatchPut:
			m.make(p.Values...)
			o[k] = p.Values[0]
		case PatchDelete:
			if _, ok := o[k]; !ok {
				return fmt.Errorf("%q is deleted and was not there", k)
			}
			delete(o, k)
		case PatchIncrement:
			o[k] = Counter(o[k].Int() + p.By)
		}
	case *[]Value:
		i, _ := p.Prop.Index()
		switch p.Kind {
		case PatchPut:
			m.make(p.Values...)
			(*o)[i] = p.Values[0]
		case PatchInsert:
			m.make(p.Values...)
			*o = slices.Insert(*o, i, p.Values...)
		case PatchDelete:
			*o = slices.Delete(*o, i, i+p.Len)
		case PatchIncrement:
			(*o)[i] = Counter((*o)[i].Int() + p.By)
		}
	case *[]mirrored:
		m.applyText(o, p)
	default:
		return fmt.Errorf("patch of an object that is not there")
	}
	return nil
}

func (m *mirror) applyText(o *[]mirrored, p Patch) {
	i, _ := p.Prop.Index()
	switch p.Kind {
	case PatchSplice:
		var in []mirrored
		for _, c := range p.Text {
			in = append(in, mirrored{char: string(c), marks: maps.Clone(p.Marks)})
			if m.unit == UTF16 && len(utf16.Encode([]rune{c})) == 2 {
				in = append(in, mirrored{marks: maps.Clone(p.Marks)})
			}
		}
		*o = slices.Insert(*o, i, in...)
	case PatchInsert:
		m.make(p.Values...)
		*o = slices.Insert(*o, i, mirrored{block: p.Values[0].Obj()})
	case PatchDelete:
		*o = slices.Delete(*o, i, i+p.Len)
	case PatchMark:
		for k := p.Mark.Start; k < p.Mark.End; k++ {
			c := &(*o)[k]
			if p.Mark.Value.Kind() == KindNull {
				delete(c.marks, p.Mark.Name)
				continue
			}
			if c.marks == nil {
				c.marks = map[string]Value{}
			}
			c.marks[p.Mark.Name] = p.Mark.Value
		}
	}
}

// value is what Materialize gives, texts as their spans.
func (m *mirror) value(v Value) any {
	if !v.Kind().IsObject() {
		return native(v)
	}
	switch o := m.objs[v.Obj()].(type) {
	case map[string]Value:
		out := map[string]any{}
		for k, v := range o {
			out[k] = m.value(v)
		}
		return out
	case *[]Value:
		out := []any{}
		for _, v := range *o {
			out = append(out, m.value(v))
		}
		return out
	case *[]mirrored:
		out := []any{}
		for _, c := range *o {
			if c.block != Root {
				out = append(out, m.value(Value{kind: KindMap, obj: c.block}))
				continue
			}
			for range []rune(c.char) {
				out = append(out, fmt.Sprint(c.char, c.marks))
			}
		}
		return out
	}
	return "missing"
}

// whole is the same of a reader.
func whole(r Reader, v Value) any {
	switch v.Kind() {
	case KindMap, KindTable:
		out := map[string]any{}
		for _, k := range must(r.Keys(v.Obj())) {
			x, _, err := r.Get(v.Obj(), Key(k))
			if err != nil {
				return err
			}
			out[k] = whole(r, x)
		}
		return out
	case KindList:
		out := []any{}
		for i := range must(r.Len(v.Obj())) {
			x, _, err := r.Get(v.Obj(), Index(i))
			if err != nil {
				return err
			}
			out = append(out, whole(r, x))
		}
		return out
	case KindText:
		out := []any{}
		for _, s := range must(r.Spans(v.Obj())) {
			if s.Block != Root {
				out = append(out, whole(r, Value{kind: KindMap, obj: s.Block}))
				continue
			}
			for _, c := range s.Text {
				out = append(out, fmt.Sprint(string(c), s.Marks))
			}
		}
		return out
	}
	return native(v)
}

var rootValue = Value{kind: KindMap}

// scribble makes an edit of any kind somewhere.
func scribble(d *Doc, rnd *rand.Rand) error {
	objs := []ObjID{Root}
	kinds := map[ObjID]Kind{Root: KindMap}
	for n := range d.objects {
		if id := d.outer(d.idOf(uint32(n))); n > 0 {
			objs = append(objs, id)
			kinds[id] = kindOf(d.objects[n].kind)
		}
	}
	obj := objs[rnd.IntN(len(objs))]
	values := []Value{Int(1), Str("s"), Counter(5), Bool(true), Null()}
	v := values[rnd.IntN(len(values))]
	sorts := []Kind{KindMap, KindList, KindText, KindText}
	k := sorts[rnd.IntN(len(sorts))]
	if kinds[obj] == KindMap {
		p := Key(string(rune('a' + rnd.IntN(4))))
		switch rnd.IntN(5) {
		case 0:
			return d.Put(obj, p, v)
		case 1, 2:
			if len(objs) < 40 {
				_, err := d.PutObject(obj, p, k)
				return err
			}
		case 3:
			return d.Delete(obj, p)
		}
		if c, ok, _ := d.Get(obj, p); ok && c.Kind() == KindCounter {
			return d.Increment(obj, p, int64(rnd.IntN(9)-4))
		}
		return nil
	}
	n := must(d.Len(obj))
	i := rnd.IntN(n + 1)
	if kinds[obj] == KindList {
		switch x := rnd.IntN(6); {
		case x < 2:
			return d.Insert(obj, i, v)
		case x == 2 && len(objs) < 40:
			_, err := d.InsertObject(obj, i, k)
			return err
		case x == 3 && i < n:
			return d.Put(obj, Index(i), v)
		case x == 4 && i < n:
			return d.Delete(obj, Index(i))
		case i < n:
			if c, _, _ := d.Get(obj, Index(i)); c.Kind() == KindCounter {
				return d.Increment(obj, Index(i), 3)
			}
		}
		return nil
	}
	switch x := rnd.IntN(12); {
	case x < 5:
		return d.SpliceText(obj, i, 0, []string{"hello", "é", "😀", "x"}[rnd.IntN(4)])
	case x < 7:
		return d.SpliceText(obj, i, min(n-i, rnd.IntN(5)), "")
	case x < 10:
		j := i + rnd.IntN(n-i+1)
		mark := []Value{Bool(true), Null(), Int(2)}[rnd.IntN(3)]
		return d.Mark(obj, i, j, []string{"b", "i"}[rnd.IntN(2)], mark, Expand(rnd.IntN(4)))
	case x == 10:
		_, err := d.SplitBlock(obj, i, map[string]any{"type": "p"})
		return err
	case i < n:
		return d.Put(obj, Index(i), []Value{Str("y"), Str(""), Str("two"), Int(1)}[rnd.IntN(4)])
	}
	return nil
}

// Patches between any two states, in both directions, turn a mirror of the one
// into one of the other.
func TestDiffAtRandom(t *testing.T) {
	for seed := range uint64(120) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		u := Unit(seed % 2)
		docs, states := scribbled(t, rnd, u)
		d := docs[0]
		for range 12 {
			from, to := states[rnd.IntN(len(states))], states[rnd.IntN(len(states))]
			if rnd.IntN(3) == 0 {
				to = d.Heads()
			}
			m := newMirror(u)
			for _, heads := range [][2][]Hash{{nil, from}, {from, to}} {
				ps := must(d.Diff(heads[0], heads[1]))
				for i, p := range ps {
					if err := m.apply(p); err != nil {
						t.Fatalf("seed %d: patch %d of %d: %v", seed, i, len(ps), err)
					}
				}
				got, want := m.value(rootValue), whole(must(d.At(heads[1])), rootValue)
				if !reflect.DeepEqual(got, want) {
					t.Fatalf("seed %d:\n%v, want\n%v\nafter %+v", seed, got, want, ps)
				}
			}
		}
	}
}

func TestDiffSays(t *testing.T) {
	d, obj := newText(t, "hello world", Options{})
	do(t, d.Put(Root, Key("n"), Counter(1)))
	d.Commit(CommitOptions{})
	first := d.Heads()
	f := must(d.Fork("\xbb"))
	do(t, d.SpliceText(obj, 0, 5, "goodbye"), d.SpliceText(obj, 9, 0, "!"), d.Mark(obj, 0, 4, "b", Bool(true), ExpandNone),
		d.Increment(Root, Key("n"), 4), d.Put(Root, Key("x"), Int(1)))
	d.Commit(CommitOptions{})
	say := func(before, after []Hash) (s string) {
		for _, p := range must(d.Diff(before, after)) {
			s += fmt.Sprintf("%d %v", p.Kind, p.Prop)
			for _, v := range p.Values {
				s += " " + v.String()
			}
			s += fmt.Sprintf(" %q %v %d %d %v %v; ", p.Text, p.Marks, p.Len, p.By, p.Conflict, p.Mark)
		}
		return s
	}
	want := `4 "n" "" map[] 0 4 false {0 0  null}; 0 "x" 1 "" map[] 0 0 false {0 0  null}; ` +
		`2 0 "good" map[b:true] 0 0 false {0 0  null}; 2 4 "bye" map[] 0 0 false {0 0  null}; 3 7 "" map[] 5 0 false {0 0  null}; 2 9 "!" map[] 0 0 false {0 0  null}; `
	if got := say(first, d.Heads()); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	second := d.Heads()
	do(t, f.Put(Root, Key("x"), Int(0)))
	f.Commit(CommitOptions{})
	do(t, d.Merge(f))
	if got := say(second, d.Heads()); got != `5 "x" "" map[] 0 0 false {0 0  null}; ` && got != `0 "x" 0 "" map[] 0 0 true {0 0  null}; ` {
		t.Error(got)
	}
	third := d.Heads()
	do(t, d.Unmark(obj, 0, 11, "b", ExpandNone))
	d.Commit(CommitOptions{})
	if got := say(third, d.Heads()); got != `6 0 "" map[] 0 0 false {0 4 b null}; ` {
		t.Error(got)
	}
	if got := say(d.Heads(), third); got != `6 0 "" map[] 0 0 false {0 4 b true}; ` {
		t.Error(got)
	}
	do(t, d.Put(Root, Key("pending"), Int(1)))
	if got := say(d.Heads(), d.Heads()); got != "" {
		t.Error(got)
	}
	if _, err := d.Diff(nil, []Hash{{1}}); err == nil {
		t.Error("unknown heads are taken")
	}
}
