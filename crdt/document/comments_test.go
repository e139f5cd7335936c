package document

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"inselnetz/crdt/automerge"
)

// name is the name of a thread or remark.
func name(n byte) string { return ID{n}.String() }

// family are actors with the same first byte: one person.
func family(a, b automerge.ActorID) bool { return a[0] == b[0] }

func as(t testing.TB, d *automerge.Doc, actor string) {
	t.Helper()
	if err := d.SetActor(automerge.ActorID(actor)); err != nil {
		t.Fatal(err)
	}
}

// did fails the test for an error, and commits.
func did(t testing.TB, d *automerge.Doc, at int64, errs ...error) {
	t.Helper()
	if err := errorsOf(errs...); err != nil {
		t.Fatal(err)
	}
	d.Commit(automerge.CommitOptions{Time: at})
}

// said are threads as "thread!(by) at quote: remark by at text* mentions; …".
func said(r automerge.Reader) (out []string) {
	names := map[string]string{}
	for n := range byte(20) {
		names[name(n)] = fmt.Sprint(n)
	}
	for _, t := range Threads(r, family) {
		s := names[t.ID]
		if t.Resolved {
			s += fmt.Sprintf("!(%s %d)", string(t.By), t.At)
		}
		s += fmt.Sprintf(" %d %q:", t.Anchor, t.Quote)
		for _, m := range t.Remarks {
			id, more, _ := strings.Cut(m.ID, ".")
			id = names[id]
			if more != "" {
				id += "."
			}
			s += fmt.Sprintf(" %s %s %d %s", id, string(m.By), m.At, m.Text)
			if m.Edited {
				s += "*"
			}
			if len(m.Mentions) > 0 {
				s += fmt.Sprint(m.Mentions)
			}
			s += ";"
		}
		out = append(out, s)
	}
	return out
}

func TestComments(t *testing.T) {
	a := created(t, text("one ", "*two", " three")...)
	as(t, a, "a1")
	did(t, a, 10, AddRemark(a, name(1), name(11), "first", []string{"p1", "p2"}),
		Apply(a, []Edit{{Kind: Mark, At: 3, End: 10, Name: "comment:" + name(1), Value: true}}, nil),
		AddRemark(a, name(2), name(12), "early", nil),
		Apply(a, []Edit{{Kind: Mark, At: 1, End: 4, Name: "comment:" + name(2), Value: true}}, nil),
		AddRemark(a, name(3), name(13), "without a place", nil))
	b, err := a.Fork("b1")
	if err != nil {
		t.Fatal(err)
	}
	first := []string{`2 1 "one": 12 a1 10000 early;`, `1 3 "e two t": 11 a1 10000 first[p1 p2];`, `3 -1 "": 13 a1 10000 without a place;`}
	if got := said(a.Reader); !reflect.DeepEqual(got, first) {
		t.Errorf("got %q", got)
	}
	start := a.Heads()
	did(t, a, 20, AddRemark(a, name(1), name(14), "of a", nil), Resolve(a, name(2), true))
	did(t, b, 21, AddRemark(b, name(1), name(15), "of b", nil), AddRemark(b, name(2), name(16), "but", nil))
	did(t, b, 30, EditRemark(b, name(1), name(15), "of b, again", []string{"p3"}), RemoveRemark(b, name(3), name(13)))
	as(t, a, "a2")
	did(t, a, 31, EditRemark(a, name(1), name(11), "First", nil))
	both(t, a, b)
	want := []string{`2!(a1 20000) 1 "one": 12 a1 10000 early; 16 b1 21000 but;`, `1 3 "e two t": 11 a1 10000 First*; 14 a1 20000 of a; 15 b1 21000 of b, again*[p3];`, `3 -1 "": 13 a1 10000 without a place;`}
	for _, d := range []*automerge.Doc{a, b} {
		if got := said(d.Reader); !reflect.DeepEqual(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
	did(t, b, 40, Resolve(b, name(2), false))
	did(t, a, 41, RemoveRemark(a, name(3), name(13)), RemoveRemark(a, name(1), name(11)), Apply(a, []Edit{{Kind: Splice, At: 0, Del: 6}}, nil))
	both(t, a, b)
	want = []string{`1 0 "wo t": 14 a1 20000 of a; 15 b1 21000 of b, again*[p3];`, `2 -1 "": 12 a1 10000 early; 16 b1 21000 but;`}
	if got := said(b.Reader); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if got := said(mustAt(t, b, start)); !reflect.DeepEqual(got, first) {
		t.Errorf("at the start: %q", got)
	}
}

func TestCommentsRefuse(t *testing.T) {
	d := created(t, text("x")...)
	did(t, d, 1, AddRemark(d, name(1), name(11), "x", nil))
	for what, err := range map[string]error{
		"thread's name":  AddRemark(d, "x", name(12), "x", nil),
		"remark's name":  AddRemark(d, name(1), "resolved", "x", nil),
		"a name taken":   AddRemark(d, name(1), name(11), "x", nil),
		"nothing":        AddRemark(d, name(1), name(12), " \n", nil),
		"long":           AddRemark(d, name(1), name(12), strings.Repeat("x", MaxRemark+1), nil),
		"no UTF-8":       EditRemark(d, name(1), name(11), "\xff", nil),
		"many mentions":  AddRemark(d, name(1), name(12), "x", make([]string, MaxMentions+1)),
		"a long mention": AddRemark(d, name(1), name(12), "x", []string{strings.Repeat("x", maxMention+1)}),
		"two in one":     EditRemark(d, name(1), name(11), "x", []string{"a\nb"}),
		"no remark":      EditRemark(d, name(1), name(12), "x", nil),
		"nothing to go":  RemoveRemark(d, name(2), name(11)),
		"no thread":      Resolve(d, name(2), true),
	} {
		if !errors.Is(err, ErrEdit) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if d.Pending() > 0 {
		t.Errorf("%d operations are pending", d.Pending())
	}
}

// What another person does to a remark is not heard, however it is done.
func TestCommentsOfOthersStay(t *testing.T) {
	a := created(t, text("x")...)
	as(t, a, "a1")
	did(t, a, 10, AddRemark(a, name(1), name(11), "mine", []string{"p1"}))
	want := said(a.Reader)
	key := automerge.Key
	at := func(d *automerge.Doc, keys ...string) (obj automerge.ObjID) {
		for _, k := range keys {
			v, _, err := d.Get(obj, key(k))
			if err != nil || v.Kind() != automerge.KindMap {
				t.Fatal("no map", keys, err)
			}
			obj = v.Obj()
		}
		return obj
	}
	for what, f := range map[string]func(d *automerge.Doc) error{
		"edited":         func(d *automerge.Doc) error { return EditRemark(d, name(1), name(11), "not mine", nil) },
		"removed":        func(d *automerge.Doc) error { return RemoveRemark(d, name(1), name(11)) },
		"text deleted":   func(d *automerge.Doc) error { return d.Delete(at(d, "comments", name(1), name(11)), key("text")) },
		"remark deleted": func(d *automerge.Doc) error { return d.Delete(at(d, "comments", name(1)), key(name(11))) },
		"thread deleted": func(d *automerge.Doc) error { return d.Delete(at(d, "comments"), key(name(1))) },
		"all deleted":    func(d *automerge.Doc) error { return d.Delete(automerge.Root, key("comments")) },
		"all a number":   func(d *automerge.Doc) error { return d.Put(automerge.Root, key("comments"), automerge.Int(1)) },
		"another remark": func(d *automerge.Doc) error {
			_, err := d.PutObject(at(d, "comments", name(1)), key(name(11)), automerge.KindMap)
			return err
		},
		"the thread anew": func(d *automerge.Doc) error {
			_, err := d.PutObject(at(d, "comments"), key(name(1)), automerge.KindMap)
			return err
		},
		"comments anew": func(d *automerge.Doc) error {
			_, err := d.PutObject(automerge.Root, key("comments"), automerge.KindMap)
			return err
		},
		"the text as a text": func(d *automerge.Doc) error {
			_, err := d.PutObject(at(d, "comments", name(1), name(11)), key("text"), automerge.KindText)
			return err
		},
		"too long in the map": func(d *automerge.Doc) error {
			return d.Put(at(d, "comments", name(1), name(11)), key("text"), automerge.Str(strings.Repeat("x", MaxRemark+1)))
		},
	} {
		t.Run(what, func(t *testing.T) {
			b, err := a.Fork("b1")
			if err != nil {
				t.Fatal(err)
			}
			did(t, b, 20, f(b))
			if got := said(b.Reader); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
			// Its author goes on as if nothing were.
			as(t, b, "a2")
			did(t, b, 30, EditRemark(b, name(1), name(11), "not mine", nil), AddRemark(b, name(1), name(12), "more", nil))
			did(t, b, 40, Resolve(b, name(1), true))
			if got := said(b.Reader); !reflect.DeepEqual(got, []string{`1!(a2 40000) -1 "": 11 a1 10000 not mine*; 12 a2 30000 more;`}) {
				t.Errorf("then %q", got)
			}
		})
	}
}

// A name that is taken again makes another remark, which its author may change.
func TestCommentsWithOneName(t *testing.T) {
	a := created(t, text("x")...)
	as(t, a, "a1")
	b, err := a.Fork("b1")
	if err != nil {
		t.Fatal(err)
	}
	did(t, a, 10, AddRemark(a, name(1), name(11), "of a", nil))
	did(t, b, 10, AddRemark(b, name(1), name(11), "of b", nil))
	both(t, a, b)
	remarks := Threads(b.Reader, family)[0].Remarks
	if len(remarks) != 2 || remarks[0].ID == remarks[1].ID {
		t.Fatalf("%+v", remarks)
	}
	for _, m := range remarks {
		as(t, b, string(m.By)+"x")
		did(t, b, 20, EditRemark(b, name(1), m.ID, "still "+m.Text, nil))
	}
	if got, want := said(b.Reader), []string{`1 -1 "": 11 a1 10000 still of a*; 11. b1 10000 still of b*;`}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
	as(t, b, "b2")
	did(t, b, 30, RemoveRemark(b, name(1), remarks[1].ID))
	if got, want := said(b.Reader), []string{`1 -1 "": 11 a1 10000 still of a*;`}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestQuote(t *testing.T) {
	mark := map[string]any{"comment:" + name(1): true}
	bold := map[string]any{"comment:" + name(1): true, "strong": true, "comment:other": true}
	for what, tt := range map[string]struct {
		blocks []Block
		at     int
		quote  string
	}{
		"over a seam":    {[]Block{{Kind: Paragraph, Spans: []Span{{Text: "a"}, {Text: "b", Marks: mark}}}, {Kind: Paragraph}, {Kind: Quote, Spans: []Span{{Text: "c", Marks: mark}, {Text: "d"}}}}, 2, "b c"},
		"and bold":       {[]Block{{Kind: Paragraph, Spans: []Span{{Text: "a😀", Marks: mark}, {Text: "b", Marks: bold}, {Text: "c", Marks: mark}}}}, 1, "a😀bc"},
		"copied":         {[]Block{{Kind: Paragraph, Spans: []Span{{Text: "a", Marks: mark}, {Text: "b"}, {Text: "a", Marks: mark}, {Text: "c", Marks: bold}}}}, 1, "a"},
		"copied beneath": {[]Block{{Kind: Paragraph, Spans: []Span{{Text: "a", Marks: mark}, {Text: "b"}}}, {Kind: Paragraph, Spans: []Span{{Text: "a", Marks: mark}}}}, 1, "a"},
		"long":           {[]Block{{Kind: Paragraph, Spans: []Span{{Text: strings.Repeat("ä", 300), Marks: mark}}}}, 1, strings.Repeat("ä", 199) + "…"},
	} {
		t.Run(what, func(t *testing.T) {
			d := created(t, tt.blocks...)
			did(t, d, 1, AddRemark(d, name(1), name(11), "x", nil))
			if got := Threads(d.Reader, family)[0]; got.Anchor != tt.at || got.Quote != tt.quote {
				t.Errorf("%d %q", got.Anchor, got.Quote)
			}
		})
	}
}

// Many comments are read in bounded time, and what makes no sense is passed over.
func TestCommentsHostile(t *testing.T) {
	d := created(t, text("x")...)
	did(t, d, 1, AddRemark(d, name(1), name(11), "x", nil),
		Apply(d, []Edit{{Kind: Mark, At: 1, End: 2, Name: "comment:" + name(1), Value: true}}, nil))
	rnd := rand.New(rand.NewPCG(1, 1))
	as(t, d, "b")
	v, _, err := d.Get(automerge.Root, automerge.Key("comments"))
	if err != nil {
		t.Fatal(err)
	}
	id := func() string {
		var b ID
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		return b.String()
	}
	values := []automerge.Value{automerge.Int(1), automerge.Str("x"), automerge.Null(), automerge.Bool(true)}
	for i := range 8000 {
		thread, remark := id(), id()
		switch i % 4 {
		case 0:
			thread = "no name"
		case 1:
			if err := d.Put(v.Obj(), automerge.Key(thread), values[i/4%4]); err != nil {
				t.Fatal(err)
			}
			continue
		case 2:
			thread = name(1)
		}
		in, err := d.PutObject(v.Obj(), automerge.Key(thread), automerge.KindMap)
		if err != nil {
			t.Fatal(err)
		}
		m, err := d.PutObject(in, automerge.Key(remark), automerge.KindMap)
		if err := errorsOf(err, d.Put(m, automerge.Key("text"), automerge.Str("y")), d.Put(m, automerge.Key("gone"), values[i%3]),
			d.Put(m, automerge.Key("mentions"), values[i%4]), d.Put(in, automerge.Key("resolved"), values[i%3])); err != nil {
			t.Fatal(err)
		}
	}
	d.Commit(automerge.CommitOptions{})
	from := time.Now()
	list := Threads(d.Reader, family)
	t.Logf("%d threads in %v", len(list), time.Since(from))
	if len(list) < 1500 || len(list) > mostThreads || list[0].ID != name(1) || len(list[0].Remarks) > mostRemarks || list[0].Remarks[0].Text != "x" {
		t.Errorf("%d threads, of which the first is %.200v", len(list), list[0])
	}
	if took := time.Since(from); took > 3*time.Second {
		t.Errorf("took %v", took)
	}
}

// FuzzThreads: whatever somebody puts there, comments are read, alike on all devices,
// and what another person wrote stays.
func FuzzThreads(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Add([]byte("\x00\x00\x01\x01\x05\x02\x02\x02\x03\x10\x11\x12\x43\x44\x45\x86\x87\xc8"))
	f.Fuzz(func(t *testing.T, script []byte) {
		a := created(t, text("x")...)
		as(t, a, "a1")
		did(t, a, 10, AddRemark(a, name(1), name(11), "mine", nil))
		b, err := a.Fork("b1")
		if err != nil {
			t.Fatal(err)
		}
		objs := []automerge.ObjID{automerge.Root}
		for _, d := range []string{"comments", name(1), name(11)} {
			v, _, _ := b.Get(objs[len(objs)-1], automerge.Key(d))
			objs = append(objs, v.Obj())
		}
		keys := []string{"comments", name(1), name(2), name(11), name(12), "text", "mentions", "gone", "resolved", "x"}
		values := []automerge.Value{automerge.Null(), automerge.Str("hi"), automerge.Str(""), automerge.Bool(true), automerge.Counter(1), automerge.Str("p\np")}
		for i := 0; i+2 < len(script) && i < 300; i += 3 {
			obj, key, what := objs[int(script[i])%len(objs)], automerge.Key(keys[int(script[i+1])%len(keys)]), int(script[i+2])
			switch {
			case what < 100:
				_ = b.Put(obj, key, values[what%len(values)]) // an error: no map
			case what < 130:
				_ = b.Delete(obj, key)
			default:
				if made, err := b.PutObject(obj, key, []automerge.Kind{automerge.KindMap, automerge.KindMap, automerge.KindText, automerge.KindList}[what%4]); err == nil {
					objs = append(objs, made)
				}
			}
		}
		b.Commit(automerge.CommitOptions{Time: 20})
		both(t, a, b)
		x, y := Threads(a.Reader, family), Threads(b.Reader, family)
		if !reflect.DeepEqual(x, y) {
			t.Fatalf("%+v\n%+v", x, y)
		}
		i := slices.IndexFunc(x, func(t Thread) bool { return t.ID == name(1) })
		if i < 0 || !slices.ContainsFunc(x[i].Remarks, func(m Remark) bool { return m.By == "a1" && m.Text == "mine" && !m.Edited }) {
			t.Errorf("what a wrote is gone: %+v", x)
		}
		for _, th := range x {
			for _, m := range th.Remarks {
				if m.Text == "" || m.By == "" {
					t.Errorf("%+v", m)
				}
				if _, err := findRemark(a, th.ID, m.ID); err != nil {
					t.Error(err)
				}
			}
		}
	})
}
