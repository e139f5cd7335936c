package document

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"inselnetz/crdt/automerge"
	"inselnetz/crdt/log"
)

func newDoc(actor string) *automerge.Doc {
	return automerge.New(automerge.Options{Actor: automerge.ActorID(actor), Unit: automerge.UTF16})
}

func created(t testing.TB, blocks ...Block) *automerge.Doc {
	t.Helper()
	d := newDoc("\x01")
	if err := Create(d, Meta{Title: "T"}, blocks, nil); err != nil {
		t.Fatal(err)
	}
	d.Commit(automerge.CommitOptions{})
	return d
}

func mustBlocks(t testing.TB, r automerge.Reader) []Block {
	t.Helper()
	b, err := Blocks(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// seeds are those of SEED, else 0 to n.
func seeds(t *testing.T, n uint64) []uint64 {
	if s := os.Getenv("SEED"); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return []uint64{seed}
	}
	var out []uint64
	for i := range n {
		out = append(out, i)
	}
	return out
}

var sample = []Block{
	{Kind: Heading, Level: 1, Spans: []Span{{Text: "Grüße 😀"}}},
	{Kind: Paragraph, Spans: []Span{
		{Text: "one "}, {Text: "two", Marks: map[string]any{"strong": true}},
		{Text: " three", Marks: map[string]any{"strong": true, "em": true, "comment:x": true}},
		{Embed: map[string]any{"embed": true, "src": "f1", "width": int64(20)}},
		{Text: "link", Marks: map[string]any{"link": Link("https://a.example/?a=1&b=<2>", "t")}},
	}},
	{Kind: Paragraph},
	{Kind: Task, Level: 2, Checked: true, Other: map[string]any{"due": "2026-11-22", "tags": []any{"a", int64(1), map[string]any{"x": nil}}}, Spans: []Span{{Text: "do"}}},
	{Kind: "new kind", Spans: []Span{{Text: "?", Marks: map[string]any{"size": 1.5}}}},
	{Kind: Code, Other: map[string]any{"lang": "go"}, Spans: []Span{{Text: "a\nb"}}},
}

func TestBlocksRoundTrip(t *testing.T) {
	d := created(t, sample...)
	if got := mustBlocks(t, d.Reader); !reflect.DeepEqual(got, sample) {
		t.Errorf("got  %+v\nwant %+v", got, sample)
	}
	loaded, err := automerge.Load(d.Save(), automerge.Options{Unit: automerge.UTF16})
	if err != nil {
		t.Fatal(err)
	}
	if got := mustBlocks(t, loaded.Reader); !reflect.DeepEqual(got, sample) {
		t.Errorf("loaded: got %+v", got)
	}
	if got, want := Text(d.Reader), "Grüße 😀\none two threelink\n\ndo\n?\na\nb"; got != want {
		t.Errorf("Text = %q, want %q", got, want)
	}
}

// What other programs may have put there is shown somehow.
func TestBlocksOfStrangers(t *testing.T) {
	d := created(t)
	body, err := Body(d.Reader)
	if err != nil {
		t.Fatal(err)
	}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := mustBlocks(t, d.Reader); !reflect.DeepEqual(got, []Block{{Kind: Paragraph}}) {
		t.Errorf("empty: %+v", got)
	}
	do(d.SpliceText(body, 0, 0, "abc"))
	do(d.Insert(body, 1, automerge.Int(5)))
	_, err = d.SplitBlock(body, 0, map[string]any{"embed": automerge.Str("yes"), "b": []byte{1}})
	do(err)
	_, err = d.SplitBlock(body, 5, map[string]any{"t": "heading", "level": automerge.Str("x"), "checked": 1, "n": math.Inf(1)})
	do(err)
	do(d.Put(automerge.Root, automerge.Key("title"), automerge.Int(1)))
	do(d.Put(automerge.Root, automerge.Key("archived"), automerge.Str("no")))
	got := mustBlocks(t, d.Reader)
	want := []Block{
		{Kind: Paragraph, Spans: []Span{{Embed: map[string]any{"embed": "yes", "b": "AQ=="}}, {Text: "a\ufffcbc"}}},
		{Kind: Heading, Other: map[string]any{"level": "x", "checked": int64(1)}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if m := ReadMeta(d.Reader); m != (Meta{}) {
		t.Errorf("meta: %+v", m)
	}
	if _, err := Blocks(newDoc("\x02").Reader); err == nil {
		t.Error("a document without text has blocks")
	}
}

func TestMeta(t *testing.T) {
	d := created(t)
	err := SetMeta(d, func(m *Meta) { m.Title, m.Folder, m.Archived, m.Template = "Ü", "a/b", true, "letter" })
	if want := (Meta{"Ü", "a/b", "letter", true}); err != nil || ReadMeta(d.Reader) != want {
		t.Errorf("%v, %+v", err, ReadMeta(d.Reader))
	}
	d.Commit(automerge.CommitOptions{})
	if err := SetMeta(d, func(*Meta) {}); err != nil || d.Pending() != 0 {
		t.Errorf("nothing changed: %v, %d operations", err, d.Pending())
	}
	for _, bad := range []string{"a\nb", "\xff", strings.Repeat("x", MaxTitle+1)} {
		if SetMeta(d, func(m *Meta) { m.Title = bad }) == nil {
			t.Errorf("title %.10q is taken", bad)
		}
	}
}

func TestIDs(t *testing.T) {
	id := NewID()
	if got, err := ParseID(id.String()); err != nil || got != id || len(id.String()) != 26 {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"", "a", strings.Repeat("b", 26), strings.ToUpper(ID{1}.String()), id.String() + "aa"} {
		if _, err := ParseID(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	a := ActorOf(log.LogID{1}, ID{2}, 3)
	if a.String() != "d3cecde271b5193b0fe60a231e0cc6b6" || a == ActorOf(log.LogID{1}, ID{2}, 4) || a == ActorOf(log.LogID{2}, ID{2}, 3) {
		t.Error(a)
	}
}

// A page holds text as tokens and knows nothing but edits.
type page []token

type token struct {
	Unit  string // of a character; "" in its second unit
	Marks map[string]any
	Block map[string]any
}

func (p *page) apply(e Edit) {
	switch e.Kind {
	case Splice:
		var in []token
		for _, c := range e.Text {
			for u := range units(string(c)) {
				k := token{Marks: map[string]any{}}
				for n, v := range e.Marks {
					k.Marks[n] = v
				}
				if u == 0 {
					k.Unit = string(c)
				}
				in = append(in, k)
			}
		}
		*p = slices.Replace(*p, e.At, e.At+e.Del, in...)
	case Split:
		*p = slices.Insert(*p, e.At, token{Block: e.Block})
	case Update:
		for k, v := range e.Block {
			if v == nil {
				delete((*p)[e.At].Block, k)
			} else {
				(*p)[e.At].Block[k] = v
			}
		}
	case Mark, Unmark:
		for i := e.At; i < e.End; i++ {
			if k := &(*p)[i]; k.Block == nil {
				if delete(k.Marks, e.Name); e.Kind == Mark {
					k.Marks[e.Name] = e.Value
				}
			}
		}
	default:
		panic(e.Kind)
	}
}

// blocks is what Blocks gives of the same text.
func (p page) blocks() []Block {
	var out []Block
	for _, k := range p {
		if k.Block != nil && !isEmbed(k.Block) {
			out = append(out, blockOf(k.Block))
			continue
		}
		if len(out) == 0 {
			out = append(out, Block{Kind: Paragraph})
		}
		spans := &out[len(out)-1].Spans
		if k.Block != nil {
			*spans = append(*spans, Span{Embed: k.Block})
			continue
		}
		marks := k.Marks
		if len(marks) == 0 {
			marks = nil
		}
		if n := len(*spans); n > 0 && (*spans)[n-1].Embed == nil && reflect.DeepEqual((*spans)[n-1].Marks, marks) {
			(*spans)[n-1].Text += k.Unit
			continue
		}
		*spans = append(*spans, Span{Text: k.Unit, Marks: marks})
	}
	if len(out) == 0 {
		out = []Block{{Kind: Paragraph}}
	}
	return out
}

// joined is blocks with spans of equal marks joined, which an empty mark may part.
func joined(blocks []Block) []Block {
	var p page
	for _, e := range EditsOf(0, blocks) {
		p.apply(e)
	}
	return p.blocks()
}

// overJSON is what arrives at the other end.
func overJSON(t testing.TB, edits []Edit) []Edit {
	b, err := json.Marshal(edits)
	if err != nil {
		t.Fatal(err)
	}
	var out []Edit
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	for i := range out {
		out[i].Value = whole(out[i].Value)
		for _, m := range []map[string]any{out[i].Marks, out[i].Block} {
			for k := range m {
				m[k] = whole(m[k])
			}
		}
	}
	return out
}

func whole(v any) any {
	switch x := v.(type) {
	case float64:
		if x == float64(int64(x)) {
			return int64(x)
		}
	case []any:
		for i := range x {
			x[i] = whole(x[i])
		}
	case map[string]any:
		for k := range x {
			x[k] = whole(x[k])
		}
	}
	return v
}

// scribble is edits such as an editor makes, none of which parts a surrogate pair.
func scribble(rnd *rand.Rand, d *automerge.Doc, n int) (out []Edit) {
	body, _ := Body(d.Reader)
	size, _ := d.Len(body)
	var whole page
	ps, _, _ := Patches(d, nil, d.Heads())
	for _, e := range ps {
		whole.apply(e)
	}
	pos := func(from int) int {
		i := from + rnd.IntN(size-from+1)
		for i > from && i < size && whole[i].Unit == "" && whole[i].Block == nil {
			i--
		}
		return i
	}
	at := pos(0)
	end := pos(at)
	switch x := rnd.IntN(11); {
	case x < 4:
		e := Edit{Kind: Splice, At: at, Text: []string{"a", "hello ", "é😀", "word"}[rnd.IntN(4)]}
		if rnd.IntN(4) == 0 {
			e.Del = min(end-at, 3)
			for e.Del > 0 && pos(at+e.Del) != at+e.Del && at+e.Del < size && whole[at+e.Del].Unit == "" && whole[at+e.Del].Block == nil {
				e.Del--
			}
		}
		if rnd.IntN(3) == 0 {
			e.Marks = []map[string]any{{}, {"strong": true}, {"em": true, "link": Link("x:y", "")}}[rnd.IntN(3)]
		}
		return []Edit{e}
	case x == 4:
		return []Edit{{Kind: Splice, At: at, Del: end - at}}
	case x < 7:
		name := []string{"strong", "em", "link", fmt.Sprintf("comment:%d", n)}[rnd.IntN(4)]
		if rnd.IntN(3) == 0 {
			return []Edit{{Kind: Unmark, At: at, End: end, Name: name}}
		}
		return []Edit{{Kind: Mark, At: at, End: end, Name: name, Value: true}}
	case x < 9:
		block := []map[string]any{{"t": "paragraph"}, {"t": "task", "level": 1}, {"t": "heading", "level": 2}, {"embed": true, "src": "f"}}[rnd.IntN(4)]
		return []Edit{{Kind: Split, At: at, Block: block}}
	case x == 9:
		return EditsOf(at, sample[1:4])
	case at < size && whole[at].Block != nil:
		if rnd.IntN(3) == 0 {
			return []Edit{{Kind: Join, At: at}}
		}
		return []Edit{{Kind: Update, At: at, Block: []map[string]any{{"checked": true}, {"t": "bullet", "level": nil}, {"level": 3.0, "x": map[string]any{"y": "z"}}}[rnd.IntN(3)]}}
	}
	return nil
}

// Two write at once and now and then hear of each other; a page follows one of
// them by patches alone, a second one goes back and forth in time.
func TestTwoAtOnce(t *testing.T) {
	for _, seed := range seeds(t, 60) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		a := created(t, sample...)
		b, err := a.Fork("\x02")
		if err != nil {
			t.Fatal(err)
		}
		var p page
		var at []automerge.Hash
		states := [][]automerge.Hash{nil, a.Heads()}
		follow := func(p *page, from, to []automerge.Hash) {
			t.Helper()
			edits, _, err := Patches(a, from, to)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			for _, e := range overJSON(t, edits) {
				p.apply(e)
			}
			r, err := a.At(to)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := p.blocks(), joined(mustBlocks(t, r)); !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d:\n%+v, want\n%+v\nby %+v", seed, got, want, edits)
			}
		}
		for i := range 40 {
			d := []*automerge.Doc{a, b}[rnd.IntN(2)]
			edits := scribble(rnd, d, i)
			if err := Apply(d, overJSON(t, edits), nil); err != nil {
				t.Fatalf("seed %d: %v of %+v", seed, err, edits)
			}
			d.Commit(automerge.CommitOptions{})
			if rnd.IntN(6) == 0 {
				if err := errorsOf(a.Merge(b), b.Merge(a)); err != nil {
					t.Fatal(err)
				}
			}
			if rnd.IntN(3) == 0 {
				follow(&p, at, a.Heads())
				at = a.Heads()
				states = append(states, at)
			}
		}
		if err := errorsOf(a.Merge(b), b.Merge(a)); err != nil {
			t.Fatal(err)
		}
		follow(&p, at, a.Heads())
		if x, y := mustBlocks(t, a.Reader), mustBlocks(t, b.Reader); !reflect.DeepEqual(x, y) {
			t.Fatalf("seed %d:\n%+v\n%+v", seed, x, y)
		}
		for range 5 {
			var q page
			mid := states[1+rnd.IntN(len(states)-1)]
			follow(&q, nil, mid)
			follow(&q, mid, states[1+rnd.IntN(len(states)-1)])
		}
	}
}

func errorsOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Blocks of one document written into another read the same.
func TestWriteAtRandom(t *testing.T) {
	for _, seed := range seeds(t, 30) {
		rnd := rand.New(rand.NewPCG(seed, 8))
		a := created(t, sample...)
		for i := range 30 {
			if err := Apply(a, scribble(rnd, a, i), nil); err != nil {
				t.Fatal(err)
			}
			a.Commit(automerge.CommitOptions{})
		}
		want := mustBlocks(t, a.Reader)
		if got := mustBlocks(t, created(t, want...).Reader); !reflect.DeepEqual(got, joined(want)) {
			t.Fatalf("seed %d:\n%+v, want\n%+v", seed, got, joined(want))
		}
	}
}
