package document

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"inselnetz/crdt/automerge"
)

func TestTableOf(t *testing.T) {
	got, ok := TableOf(map[string]any{
		"t": "table", "head": true,
		"cols":  map[string]any{"b": int64(2), "a": int64(2), "z": 0.5, "wrong": "x"},
		"rows":  map[string]any{"r2": 1.5, "r1": int64(1)},
		"cells": map[string]any{"r1:z": "1", "r1:a": "2", "r2:b": "6", "gone:a": "no", "r2:a": int64(5)},
	})
	if want := (Table{Head: true, Rows: [][]string{{"1", "2", ""}, {"", "", "6"}}}); !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("%v %v", got, ok)
	}
	if _, ok := TableOf(map[string]any{"t": "image"}); ok {
		t.Error("an image is a table")
	}
	for _, odd := range []map[string]any{{"t": "table"}, {"t": "table", "rows": "x", "cols": int64(3), "cells": []any{}}} {
		if got, ok := TableOf(odd); !ok || len(got.Rows) > 0 {
			t.Errorf("%v: %v", odd, got)
		}
	}
	huge := map[string]any{}
	for i := range 5000 {
		huge[fmt.Sprint(i)] = int64(i)
	}
	if got, _ := TableOf(map[string]any{"t": "table", "rows": huge, "cols": huge}); len(got.Rows)*len(got.Rows[0]) > maxCells {
		t.Errorf("%d × %d cells", len(got.Rows), len(got.Rows[0]))
	}
}

// Tables of any size can be written into a document, and lose no text.
func TestTableBlocks(t *testing.T) {
	for _, seed := range seeds(t, 60) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		table := Table{Head: rnd.IntN(2) == 0}
		cols, long := 1+rnd.IntN(30), 1+rnd.IntN(200)
		if rnd.IntN(8) == 0 {
			cols = 300
		}
		var want []string
		for r := range rnd.IntN(80) {
			var row []string
			for c := range cols {
				cell := strings.Repeat("ü", rnd.IntN(long)) + fmt.Sprintf("<%d,%d>", r, c)
				if rnd.IntN(500) == 0 {
					cell = strings.Repeat("x", maxString+1) + cell
				}
				row = append(row, cell)
				want = append(want, cell)
			}
			table.Rows = append(table.Rows, row)
		}
		blocks := table.Blocks()
		d := newDoc("\x01")
		if err := Create(d, Meta{}, blocks, func() error { d.Commit(automerge.CommitOptions{}); return nil }); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		var got []string
		for i, b := range mustBlocks(t, d.Reader) {
			part, ok := Table{}, false
			if len(b.Spans) == 1 && b.Spans[0].Embed != nil {
				part, ok = TableOf(b.Spans[0].Embed)
			}
			if !ok {
				if s := b.Text(); s != "" {
					got = append(got, s)
				}
				continue
			}
			if part.Head && i > 0 {
				part.Rows = part.Rows[1:]
			}
			for _, row := range part.Rows {
				got = append(got, row...)
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: %d of %d cells in %d blocks", seed, len(got), len(want), len(blocks))
		}
		if len(blocks) == 1 && len(table.Rows) > 0 {
			if same, _ := TableOf(blocks[0].Spans[0].Embed); !reflect.DeepEqual(same, table) {
				t.Fatalf("seed %d: %v", seed, same)
			}
		}
	}
}

func embedded(t Table) Block {
	b := t.Blocks()
	if len(b) != 1 {
		panic("a table of several parts")
	}
	return b[0]
}

func TestMarkdownTables(t *testing.T) {
	words := []string{"a", "wort", " ", "|", "\\", "\n", "*", "`", "-", ":", "&", "<b>", "é", "😀", "\\|", "#", "[x](y)", "\t", "---"}
	for _, seed := range seeds(t, 2000) {
		rnd := rand.New(rand.NewPCG(seed, 4))
		table := Table{Head: rnd.IntN(2) == 0}
		cols := 1 + rnd.IntN(4)
		for range 1 + rnd.IntN(4) {
			row := make([]string, cols)
			for i := range row {
				for range rnd.IntN(5) {
					row[i] += words[rnd.IntN(len(words))]
				}
			}
			if table.Head && len(table.Rows) == 0 {
				row[0] = "h" + row[0] // headings that are all empty are none
			}
			table.Rows = append(table.Rows, row)
		}
		p := Block{Kind: Paragraph, Spans: []Span{{Text: "p"}}}
		li := Block{Kind: Bullet, Spans: []Span{{Text: "i"}}}
		blocks := []Block{p, embedded(table), embedded(table), li, embedded(table), p}
		md := Markdown("T", blocks)
		if _, back, err := FromMarkdown(md); err != nil || !reflect.DeepEqual(back, blocks) {
			t.Fatalf("seed %d: %v\n%s\ngot  %+v\nwant %+v", seed, err, md, back, blocks)
		}
	}
	in := "> | a | b |\n> |:--|--:|\n> | *x* | [l](https://a.example) `\\|` |\n> | 1 |\n\nno\n| table |"
	_, got, err := FromMarkdown([]byte(in))
	want := []Block{
		embedded(Table{Head: true, Rows: [][]string{{"a", "b"}, {"x", "l |"}, {"1", ""}}}),
		{Kind: Paragraph, Spans: []Span{{Text: "no | table |"}}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\ngot  %+v\nwant %+v", err, got, want)
	}
}

// Text that looks like a table is none, in whatever way its lines are parted.
func TestMarkdownNoTable(t *testing.T) {
	for _, s := range []string{"a\n|-|", "|a|\n|-|", "a|b\n-|-", "a\n:-", "a\n :-:", "a|b\n\u00a0-|-", "|a|\n\t|-|"} {
		blocks := []Block{{Kind: Paragraph, Spans: []Span{{Text: s}}}}
		md := Markdown("", blocks)
		if _, back, err := FromMarkdown(md); err != nil || !reflect.DeepEqual(back, blocks) {
			t.Errorf("%q: %q: %v %+v", s, md, err, back)
		}
	}
}

func TestEmbeds(t *testing.T) {
	png := "\x89PNG\r\n\x1a\n"
	files := func(path string) []byte {
		switch path {
		case "D/a b.png":
			return []byte(png)
		case "D/evil.png":
			return []byte("<svg onload=alert(1)>")
		}
		return nil
	}
	embed := func(kv ...any) Span {
		m := map[string]any{"embed": true}
		for i := 0; i < len(kv); i += 2 {
			m[kv[i].(string)] = kv[i+1]
		}
		return Span{Embed: m}
	}
	blocks := []Block{{Kind: Ordered, Spans: []Span{
		{Text: "x"}, embed("t", "image", "path", "D/a b.png", "alt", `A "b"`, "width", "small"),
		embed("t", "image", "path", "D/evil.png"), embed("t", "file", "path", "D/c.pdf", "name", "c.pdf"),
		embed("t", "chart", "name", "new"), tableSpan(Table{Head: true, Rows: [][]string{{"<h>"}, {"a\nb"}}}), {Text: "behind", Marks: map[string]any{"marker": true}},
	}}, {Kind: Ordered, Spans: []Span{{Text: "two"}}}}
	got := string(HTMLWithFiles("", "de", blocks, files))
	_, body, _ := strings.Cut(got, "<body>\n")
	want := `<ol>
<li>x<img src="data:image/png;base64,iVBORw0KGgo=" alt="A &#34;b&#34;" class="small"><span class="embed">[evil.png]</span><span class="embed">[c.pdf]</span><span class="embed">[new]</span><table>
<tr><th>&lt;h&gt;</th></tr>
<tr><td>a<br>b</td></tr>
</table>
<mark>behind</mark></li>
<li>two</li>
</ol>
</body>
</html>
`
	if body != want {
		t.Errorf("got:\n%s\nwant:\n%s", body, want)
	}
	wellFormed(t, strings.ReplaceAll(got, "<img", "<br"))
	if md := string(Markdown("", blocks)); md != "1. x![A \"b\"](<D/a b.png>)![](D/evil.png)[c.pdf](D/c.pdf)new\n\n| \\<h> |\n| --- |\n| a<br>b |\n\nbehind\n\n1. two\n" {
		t.Errorf("%s", md)
	}
	_, back, err := FromMarkdown([]byte("![](a/b.png) ![x](../c) ![y](https://e.example/i.png) ![z](data:" + strings.Repeat("A", 9000) + ")"))
	wantBack := []Block{{Kind: Paragraph, Spans: []Span{
		embed("t", "image", "path", "a/b.png"), {Text: " "}, embed("t", "image", "src", "../c", "alt", "x"), {Text: " "},
		embed("t", "image", "src", "https://e.example/i.png", "alt", "y"), {Text: " z"},
	}}}
	if err != nil || !reflect.DeepEqual(back, wantBack) {
		t.Errorf("%v %+v", err, back)
	}
}

func tableSpan(t Table) Span { return embedded(t).Spans[0] }

// Links to what only the program has are none on a page without it.
func TestHTMLLinks(t *testing.T) {
	for href, want := range map[string]bool{"https://a.example": true, "mailto:a@b.example": true, "tel:+49": true, "HTTP://a.example": true, "document/x": false, "/etc": false, "#a": false, "javascript:x": false, "file:///c": false, "data:x": false} {
		page := string(HTML("", "de", []Block{{Kind: Paragraph, Spans: []Span{{Text: "x", Marks: map[string]any{"link": Link(href, "")}}}}}))
		if got := strings.Contains(page, "<a "); got != want {
			t.Errorf("%s: %v", href, got)
		}
	}
}

func TestMarkdownTableBombs(t *testing.T) {
	for name, s := range map[string]string{
		"wide and long": strings.Repeat("|a", 5000) + "\n" + strings.Repeat("|-", 5000) + "\n" + strings.Repeat("x\n", 5000),
		"in quotes":     "> " + strings.Repeat("a|", 5000) + "\n> " + strings.Repeat("-|", 5000) + "\n" + strings.Repeat("> x\n", 5000),
		"wide":          strings.Repeat("a|", 7000) + "\n" + strings.Repeat("-|", 7000),
		"many":          strings.Repeat("|a|\n|-|\n|b|\n\n", 1000),
		"delimiters":    strings.Repeat("|-|\n", 3000),
	} {
		start := time.Now()
		_, blocks, err := FromMarkdown([]byte(s))
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%s: %v", name, took)
		} else {
			t.Logf("%s: %v, %d blocks, %v", name, took, len(blocks), err)
		}
	}
}
