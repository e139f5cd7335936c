package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"inselnetz/crdt/automerge"
	"inselnetz/crdt/log"
)

func TestApply(t *testing.T) {
	for name, tt := range map[string]struct {
		edits string
		want  []Block // of "abcdef", of which cd is bold
	}{
		"typing at the end of bold":  {`[{"kind":"splice","at":5,"text":"X"}]`, text("ab", "*cdX", "ef")},
		"typing not bold":            {`[{"kind":"splice","at":5,"text":"X","marks":{}}]`, text("ab", "*cd", "Xef")},
		"plain within bold, more":    {`[{"kind":"splice","at":4,"text":"X","marks":{}},{"kind":"splice","at":5,"text":"Y"}]`, text("ab", "*c", "XY", "*d", "ef")},
		"pasted in pieces":           {`[{"kind":"splice","at":1,"text":"X","marks":{"strong":true}},{"kind":"splice","at":2,"text":"Y","marks":{}},{"kind":"splice","at":3,"text":"Z","marks":{"em":true}}]`, append([]Block{}, Block{Kind: Paragraph, Spans: []Span{{Text: "X", Marks: map[string]any{"strong": true}}, {Text: "Y"}, {Text: "Z", Marks: map[string]any{"em": true}}, {Text: "ab"}, {Text: "cd", Marks: map[string]any{"strong": true}}, {Text: "ef"}}})},
		"pasted out of order":        {`[{"kind":"splice","at":1,"text":"X","marks":{"strong":true}},{"kind":"splice","at":1,"text":"YY","marks":{}}]`, text("YY", "*X", "ab", "*cd", "ef")},
		"replaced":                   {`[{"kind":"splice","at":2,"del":4,"text":"X"}]`, text("aXf")},
		"a block goes with the text": {`[{"kind":"splice","at":0,"del":2}]`, text("b", "*cd", "ef")},
		"unmarked":                   {`[{"kind":"unmark","at":3,"end":4,"name":"strong"}]`, text("abc", "*d", "ef")},
		"ticked":                     {`[{"kind":"update","at":0,"block":{"t":"task","checked":true}},{"kind":"update","at":0,"block":{"checked":null,"level":1}}]`, []Block{{Kind: Task, Level: 1, Spans: text("ab", "*cd", "ef")[0].Spans}}},
		"split and joined":           {`[{"kind":"split","at":3,"block":{"t":"quote"}},{"kind":"join","at":3}]`, text("ab", "*cd", "ef")},
	} {
		t.Run(name, func(t *testing.T) {
			d := created(t, text("ab", "*cd", "ef")...)
			var edits []Edit
			if err := json.Unmarshal([]byte(tt.edits), &edits); err != nil {
				t.Fatal(err)
			}
			if err := Apply(d, edits, nil); err != nil {
				t.Fatal(err)
			}
			if got := joined(mustBlocks(t, d.Reader)); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

// text is a paragraph of spans, bold ones begin with a star.
func text(spans ...string) []Block {
	b := Block{Kind: Paragraph}
	for _, s := range spans {
		bold, ok := strings.CutPrefix(s, "*")
		span := Span{Text: bold}
		if ok {
			span.Marks = map[string]any{"strong": true}
		}
		b.Spans = append(b.Spans, span)
	}
	return []Block{b}
}

func TestApplyRefuses(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 12) + "1" + strings.Repeat("}", 12)
	for name, edit := range map[string]string{
		"unknown kind":          `{"kind":"explode","at":0}`,
		"behind the end":        `{"kind":"splice","at":8,"text":"x"}`,
		"before the start":      `{"kind":"splice","at":-1,"text":"x"}`,
		"deletes too much":      `{"kind":"splice","at":6,"del":9}`,
		"deletes less than 0":   `{"kind":"splice","at":6,"del":-1}`,
		"a mark to beyond":      `{"kind":"mark","at":2,"end":9,"name":"strong","value":true}`,
		"a mark backwards":      `{"kind":"mark","at":3,"end":2,"name":"strong","value":true}`,
		"a mark without a name": `{"kind":"mark","at":1,"end":2,"value":true}`,
		"a mark of a list":      `{"kind":"mark","at":1,"end":2,"name":"x","value":[1]}`,
		"an unknown growth":     `{"kind":"mark","at":1,"end":2,"name":"x","value":1,"expand":"up"}`,
		"no block there":        `{"kind":"update","at":1,"block":{"t":"task"}}`,
		"nothing to join":       `{"kind":"join","at":1}`,
		"a join at the end":     `{"kind":"join","at":7}`,
		"deep attributes":       `{"kind":"split","at":0,"block":` + deep + `}`,
		"large attributes":      `{"kind":"split","at":0,"block":{"a":["` + strings.Repeat("x", 8000) + `","` + strings.Repeat("x", 8000) + `"]}}`,
		"a long value":          `{"kind":"mark","at":1,"end":2,"name":"x","value":"` + strings.Repeat("x", maxString+1) + `"}`,
		"a long name":           `{"kind":"splice","at":1,"text":"x","marks":{"` + strings.Repeat("x", maxName+1) + `":1}}`,
	} {
		t.Run(name, func(t *testing.T) {
			d := created(t, text("abcdef")...)
			var e Edit
			if err := json.Unmarshal([]byte(edit), &e); err != nil {
				t.Fatal(err)
			}
			if err := Apply(d, []Edit{e}, nil); !errors.Is(err, ErrEdit) {
				t.Errorf("error %v", err)
			}
			if d.Pending() > 0 {
				t.Errorf("%d operations are pending", d.Pending())
			}
		})
	}
}

// Two who tick the same task, and one who indents it, have one task.
func TestTickedByTwo(t *testing.T) {
	a := created(t, Block{Kind: Task, Spans: []Span{{Text: "x"}}})
	b, err := a.Fork("\x02")
	if err != nil {
		t.Fatal(err)
	}
	if err := errorsOf(Apply(a, []Edit{{Kind: Update, Block: map[string]any{"checked": true}}}, nil),
		Apply(b, []Edit{{Kind: Update, Block: map[string]any{"checked": true, "level": 1}}}, nil)); err != nil {
		t.Fatal(err)
	}
	a.Commit(automerge.CommitOptions{})
	b.Commit(automerge.CommitOptions{})
	if err := a.Merge(b); err != nil {
		t.Fatal(err)
	}
	if got, want := mustBlocks(t, a.Reader), []Block{{Kind: Task, Level: 1, Checked: true, Spans: []Span{{Text: "x"}}}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}

func TestPatchesTellWhatElseChanged(t *testing.T) {
	d := created(t, text("abc")...)
	first := d.Heads()
	if err := SetMeta(d, func(m *Meta) { m.Title = "other" }); err != nil {
		t.Fatal(err)
	}
	d.Commit(automerge.CommitOptions{})
	second := d.Heads()
	if err := Apply(d, []Edit{{Kind: Splice, At: 2, Del: 1, Text: "XY"}}, nil); err != nil {
		t.Fatal(err)
	}
	d.Commit(automerge.CommitOptions{})
	if edits, meta, err := Patches(d, first, second); err != nil || !meta || len(edits) != 0 {
		t.Errorf("title: %+v, %v, %v", edits, meta, err)
	}
	edits, meta, err := Patches(d, second, d.Heads())
	if b, _ := json.Marshal(edits); err != nil || meta || string(b) != `[{"kind":"splice","at":2,"del":1,"text":"XY","marks":{}}]` {
		t.Errorf("text: %s, %v, %v", b, meta, err)
	}
	if _, _, err := Patches(d, []automerge.Hash{{1}}, d.Heads()); err == nil {
		t.Error("unknown heads are taken")
	}
}

// A long text with many marks, and deleting it, goes in changes that fit an entry.
func TestPieces(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	var blocks []Block
	for range 300 {
		b := Block{Kind: Paragraph}
		for i := range 20 {
			s := Span{Text: strings.Repeat("wört😀 ", 1+rnd.IntN(4))}
			if i%2 == 0 {
				s.Marks = map[string]any{"strong": true, "link": Link(strings.Repeat("x", rnd.IntN(90)), "")}
			}
			b.Spans = append(b.Spans, s)
		}
		blocks = append(blocks, b)
	}
	blocks = append(blocks, Block{Kind: Code, Spans: []Span{{Text: strings.Repeat("日本語😀", 9000)}}})
	d := newDoc("\x01")
	largest, count := 0, 0
	commit := func() error {
		before := d.Heads()
		if !d.Commit(automerge.CommitOptions{}) {
			return nil
		}
		changes, err := d.Changes(before)
		for _, c := range changes {
			count++
			largest = max(largest, len(c.Bytes()))
		}
		return err
	}
	step := func(err error) {
		t.Helper()
		if err := errorsOf(err, commit()); err != nil {
			t.Fatal(err)
		}
	}
	step(Create(d, Meta{}, blocks, commit))
	if got := mustBlocks(t, d.Reader); !reflect.DeepEqual(got, blocks) {
		t.Error("the blocks are others")
	}
	body, _ := Body(d.Reader)
	for range 3000 { // by two who take turns all over, so that deletions have no order
		n, _ := d.Len(body)
		step(Apply(d, []Edit{{Kind: Splice, At: rnd.IntN(n), Text: "y"}}, commit))
	}
	n, _ := d.Len(body)
	step(Apply(d, []Edit{{Kind: Splice, Del: n, Text: "ü"}}, commit))
	if got := Text(d.Reader); got != "ü" {
		t.Errorf("%d bytes are left", len(got))
	}
	if t.Logf("%d changes of at most %d bytes", count, largest); largest > MaxChange {
		t.Errorf("a change of %d bytes, at most %d", largest, MaxChange)
	}
}

func TestPayload(t *testing.T) {
	l, id := log.LogID{7}, NewID()
	d := automerge.New(automerge.Options{Actor: ActorOf(l, id, 300), Unit: automerge.UTF16})
	if err := Create(d, Meta{Title: "x"}, text("one"), nil); err != nil {
		t.Fatal(err)
	}
	d.Commit(automerge.CommitOptions{})
	if err := Write(d, text("two"), nil); err != nil {
		t.Fatal(err)
	}
	d.Commit(automerge.CommitOptions{})
	p := Payload{Doc: id, N: 300, Chunks: d.SaveIncremental()}
	got, err := DecodePayload(p.Encode())
	if err != nil || !reflect.DeepEqual(got, p) {
		t.Fatalf("%+v, %v", got, err)
	}
	changes, err := got.Changes(l, nil)
	if err != nil || len(changes) != 2 {
		t.Fatalf("%d changes, %v", len(changes), err)
	}
	e := newDoc("\x05")
	if err := e.Apply(changes...); err != nil || Text(e.Reader) != "one\ntwo" {
		t.Errorf("%q, %v", Text(e.Reader), err)
	}
	if _, err := got.Changes(log.LogID{8}, nil); !errors.Is(err, ErrActor) {
		t.Errorf("another log: %v", err)
	}
	other := p
	other.N++
	if _, err := other.Changes(l, nil); !errors.Is(err, ErrActor) {
		t.Errorf("another n: %v", err)
	}
	other = p
	for _, n := range []int{1, 5, 12, len(p.Chunks) - 1} {
		other.Chunks = p.Chunks[:n]
		if _, err := other.Changes(l, nil); !errors.Is(err, ErrMalformed) {
			t.Errorf("cut at %d: %v", n, err)
		}
	}
	if _, err := DecodePayload([]byte{0x85, 2, 0xf6}); !errors.Is(err, ErrVersion) {
		t.Errorf("a later version: %v", err)
	}
	b := p.Encode()
	for name, bad := range map[string][]byte{
		"empty": nil, "version 0": append([]byte{0x84, 0}, b[2:]...), "more": append(bytes.Clone(b), 0),
		"less": b[:len(b)-1], "long form": append([]byte{0x98, 4}, b[1:]...), "no changes": Payload{Doc: id}.Encode(),
		"too many": Payload{Doc: id, Chunks: make([]byte, MaxChunks+1)}.Encode(), "short id": append([]byte{0x84, 1, 0x41, 0}, b[19:]...),
	} {
		if _, err := DecodePayload(bad); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzDecodePayload(f *testing.F) {
	f.Add(Payload{Doc: ID{1}, N: 1 << 40, Chunks: []byte("\x85\x6f\x4a\x83....\x01\x01x")}.Encode())
	f.Add([]byte{0x84, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := DecodePayload(b)
		if err != nil {
			return
		}
		if !bytes.Equal(p.Encode(), b) {
			t.Errorf("%x encodes to %x", b, p.Encode())
		}
		_, _ = p.Changes(log.LogID{}, nil)
	})
}

// Whatever a page sends, the document stays one, and patches lead to it.
func FuzzApply(f *testing.F) {
	f.Add([]byte(`[{"kind":"splice","at":2,"del":1,"text":"x😀","marks":{"strong":true}},{"kind":"split","at":1,"block":{"t":"task","x":[1,{"y":"z"}]}}]`))
	f.Add([]byte(`[{"kind":"mark","at":0,"end":5,"name":"comment:1","value":true},{"kind":"update","at":0,"block":{"t":null}},{"kind":"join","at":0},{"kind":"unmark","at":0,"end":1,"name":"em","expand":"both"}]`))
	f.Add([]byte(`[{"kind":"splice","at":2,"del":3,"text":"a"},{"kind":"splice","at":1,"text":"\u0000","marks":{"a":1.5}}]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var edits []Edit
		if json.Unmarshal(b, &edits) != nil || len(edits) > 50 {
			return
		}
		d := created(t, text("a😀b", "*cd", "ef")...)
		first := d.Heads()
		err := Apply(d, edits, nil)
		if err != nil && !errors.Is(err, ErrEdit) && !errors.Is(err, automerge.ErrRange) {
			t.Fatalf("%T %v", err, err)
		}
		blocks := mustBlocks(t, d.Reader)
		if _, err := json.Marshal(blocks); err != nil {
			t.Fatal(err)
		}
		d.Commit(automerge.CommitOptions{})
		back, _, err := Patches(d, d.Heads(), first)
		if err != nil {
			t.Fatal(err)
		}
		all, _, err := Patches(d, nil, d.Heads())
		if err != nil {
			t.Fatal(err)
		}
		var p page
		for _, e := range all {
			p.apply(e)
		}
		for _, e := range back {
			p.apply(e)
		}
		if want := text("a😀b", "*cd", "ef"); !reflect.DeepEqual(p.blocks(), want) {
			t.Errorf("back: %+v", p.blocks())
		}
	})
}
