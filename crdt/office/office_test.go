package office

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math/rand/v2"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"inselnetz/crdt/document"
)

// seeds are that of SEED, else 0 to n.
func seeds(t *testing.T, n uint64) (out []uint64) {
	if s := os.Getenv("SEED"); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return []uint64{seed}
	}
	for i := range n {
		out = append(out, i)
	}
	return out
}

// formats are both ways of both formats.
var formats = map[string]struct {
	write func(string, []document.Block, Files) ([]byte, error)
	read  func([]byte) (Imported, error)
	from  func([]byte) (string, []document.Block, error)
	depth int
}{
	"docx": {DOCX, ReadDOCX, FromDOCX, 9},
	"odt":  {ODT, ReadODT, FromODT, odtDepth},
}

func picturePNG(w, h int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range w {
		img.Set(i, h/2, color.RGBA{255, 0, 0, 255})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func sampleFiles(path string) []byte {
	switch path {
	case "Dokumente/Plan.png":
		return picturePNG(300, 100)
	case "Dokumente/evil.png":
		return []byte("<svg/>")
	}
	return nil
}

func marks(kv ...any) map[string]any {
	m := map[string]any{}
	for i := 0; i < len(kv); i += 2 {
		m[kv[i].(string)] = kv[i+1]
	}
	return m
}

func para1(kind string, level int, spans ...document.Span) document.Block {
	return document.Block{Kind: kind, Level: level, Spans: spans}
}

func text(s string) document.Span { return document.Span{Text: s} }

func tableBlock(head bool, rows ...[]string) document.Block {
	b := document.Table{Head: head, Rows: rows}.Blocks()
	if len(b) != 1 {
		panic("a table in parts")
	}
	return b[0]
}

// sample has one of everything that both formats carry.
var sample = []document.Block{
	para1(document.Heading, 1, text("Grüße & <b> 😀")),
	para1(document.Paragraph, 0,
		text("one "), document.Span{Text: "bold", Marks: marks("strong", true)}, document.Span{Text: " both ", Marks: marks("strong", true, "em", true)},
		document.Span{Text: "under", Marks: marks("underline", true)}, document.Span{Text: "struck", Marks: marks("strike", true)},
		document.Span{Text: "x := 1", Marks: marks("code", true)}, document.Span{Text: "red", Marks: marks("color", "#c00000")},
		document.Span{Text: "mark", Marks: marks("marker", true)},
		document.Span{Text: "link", Marks: marks("link", document.Link("https://a.example/?a=1&b=2", ""))}, text("\ttab  two\nbreak ")),
	para1(document.Bullet, 0, text("a")), para1(document.Bullet, 1, text("b")), para1(document.Ordered, 2, text("c")), para1(document.Ordered, 2, text("d")),
	para1(document.Bullet, 0, text("e")),
	para1(document.Ordered, 0, text("one")), para1(document.Ordered, 0, text("two")),
	{Kind: document.Ordered, Other: map[string]any{"start": int64(7)}, Spans: []document.Span{text("seven")}}, para1(document.Ordered, 0, text("eight")),
	para1(document.Paragraph, 0, text("between")),
	para1(document.Ordered, 0, text("again one")),
	{Kind: document.Task, Checked: true, Spans: []document.Span{text("done")}}, {Kind: document.Task, Level: 1, Spans: []document.Span{{Text: "open", Marks: marks("strong", true)}}},
	para1(document.Paragraph, 0),
	para1(document.Quote, 0, text("quoted")), para1(document.Quote, 1, text("deeper")),
	para1(document.Code, 0, text("if a {\n\tb  = <c>\n}")), para1(document.Code, 0, text("another")),
	tableBlock(true, []string{"Wer", "Was"}, []string{"Änne", "two\nlines"}, []string{"", " x "}),
	tableBlock(false, []string{"only one row", "b"}),
	para1(document.Heading, 6, text("six")),
}

func TestBothWays(t *testing.T) {
	for name, f := range formats {
		t.Run(name, func(t *testing.T) {
			b, err := f.write("Titel & <x>", sample, nil)
			if err != nil {
				t.Fatal(err)
			}
			title, got, err := f.from(b)
			if err != nil || title != "Titel & <x>" {
				t.Fatalf("%q, %v", title, err)
			}
			compare(t, got, sample)
			again, err := f.write("Titel & <x>", sample, nil)
			if err != nil || !bytes.Equal(b, again) {
				t.Error("other bytes the second time")
			}
			wellFormed(t, b)
			if title, got, err = f.from(must(f.write("", nil, nil))); err != nil || title != "" || len(got) > 1 || len(got) == 1 && len(got[0].Spans) > 0 {
				t.Errorf("nothing: %q %v %v", title, got, err)
			}
		})
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func compare(t *testing.T, got, want []document.Block) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		var g, w any
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if !reflect.DeepEqual(g, w) {
			t.Fatalf("block %d of %d and %d\ngot  %+v\nwant %+v", i, len(got), len(want), g, w)
		}
	}
}

// wellFormed checks that all parts can be read by the strict parser, and that times
// and flags are those that every run gives.
func wellFormed(t *testing.T, b []byte) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(f.Name, "xml") && !strings.HasSuffix(f.Name, ".rels") {
			continue
		}
		for d := xml.NewDecoder(r); ; {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", f.Name, err)
			}
		}
	}
}

// carried is what a format carries of blocks.
func carried(blocks []document.Block, depth int) (out []document.Block) {
	for _, b := range blocks {
		b.Spans = joined(b.Spans)
		if isItem(b.Kind) {
			b.Level = min(b.Level, depth-1)
		}
		out = append(out, b)
	}
	return out
}

func TestRandomBothWays(t *testing.T) {
	words := []string{"a", "Wort", " ", "  ", "\t", "\n", "<", "&", "]]>", "é", "😀", "\u00a0", "\"", "'", "x y", "\u200b", "­"}
	for name, f := range formats {
		t.Run(name, func(t *testing.T) {
			for _, seed := range seeds(t, 200) {
				rnd := rand.New(rand.NewPCG(seed, 7))
				var blocks []document.Block
				for range 1 + rnd.IntN(12) {
					blocks = append(blocks, randomBlock(rnd, words))
				}
				title := []string{"", "T", "Ä & <b>"}[rnd.IntN(3)]
				b, err := f.write(title, blocks, nil)
				if err != nil {
					t.Fatal(err)
				}
				gotTitle, got, err := f.from(b)
				want := carried(blocks, f.depth)
				if err != nil || gotTitle != title || !reflect.DeepEqual(got, want) {
					t.Logf("seed %d: %v, %q and %q", seed, err, gotTitle, title)
					compare(t, got, want)
					t.FailNow()
				}
			}
		})
	}
}

func randomBlock(rnd *rand.Rand, words []string) document.Block {
	kinds := []string{document.Paragraph, document.Heading, document.Bullet, document.Ordered, document.Task, document.Quote, document.Code, "table"}
	b := document.Block{Kind: kinds[rnd.IntN(len(kinds))]}
	switch b.Kind {
	case "table":
		var rows [][]string
		cols := 2 + rnd.IntN(3) // one of a single cell is a frame
		for range 1 + rnd.IntN(3) {
			row := make([]string, cols)
			for i := range row {
				for range rnd.IntN(4) {
					row[i] += words[rnd.IntN(len(words))]
				}
			}
			rows = append(rows, row)
		}
		return tableBlock(rnd.IntN(2) == 0, rows...)
	case document.Heading:
		b.Level = 1 + rnd.IntN(6)
	case document.Bullet, document.Ordered, document.Task:
		b.Level = rnd.IntN(12)
		if rnd.IntN(2) == 0 {
			b.Level = rnd.IntN(3)
		}
		b.Checked = b.Kind == document.Task && rnd.IntN(2) == 0
	case document.Quote:
		b.Level = rnd.IntN(4)
	}
	for range rnd.IntN(5) {
		s := document.Span{}
		for range 1 + rnd.IntN(3) {
			s.Text += words[rnd.IntN(len(words))]
		}
		if b.Kind != document.Code {
			for _, m := range []string{"strong", "em", "strike", "underline", "code", "marker"} {
				if rnd.IntN(5) == 0 {
					if s.Marks == nil {
						s.Marks = map[string]any{}
					}
					s.Marks[m] = true
				}
			}
			if rnd.IntN(6) == 0 {
				s.Marks = marks("link", document.Link(fmt.Sprintf("https://a.example/%d?x=1&y=%%3C2%%3E", rnd.IntN(3)), []string{"", "t"}[rnd.IntN(2)]))
			}
			if rnd.IntN(6) == 0 {
				s.Marks = marks("color", fmt.Sprintf("#%06x", 1+rnd.IntN(0xfffffe)))
			}
		}
		b.Spans = append(b.Spans, s)
	}
	return b
}
