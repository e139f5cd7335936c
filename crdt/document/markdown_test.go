package document

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
)

func TestMarkdown(t *testing.T) {
	blocks := append([]Block{
		{Kind: Heading, Level: 2, Spans: []Span{{Text: "Agenda #1 #"}}},
	}, []Block{
		{Kind: Paragraph, Spans: []Span{
			{Text: "Say "}, {Text: "yes ", Marks: map[string]any{"strong": true}}, {Text: "or"}, {Text: "\"no\"", Marks: map[string]any{"em": true}},
			{Text: " to "}, {Text: "x*y `z`", Marks: map[string]any{"code": true}}, {Text: ", see "},
			{Text: "here", Marks: map[string]any{"link": Link("https://a.example/?a=1&b=2", "")}}, {Text: ".\nsnake_case & 2 * 3 <b> [x]"},
			{Embed: map[string]any{"embed": true, "t": "image", "path": "Dokumente/a cat.png", "alt": "a cat"}},
		}},
		{Kind: Paragraph},
		{Kind: Paragraph, Spans: []Span{{Text: "- no item"}}},
		{Kind: Paragraph, Spans: []Span{{Text: "1. no item"}}},
		{Kind: Paragraph, Spans: []Span{{Text: "all", Marks: map[string]any{"strong": true, "em": true, "strike": true}}}},
		{Kind: Bullet, Spans: []Span{{Text: "a"}}},
		{Kind: Bullet, Level: 1, Spans: []Span{{Text: "b\nc"}}},
		{Kind: Task, Level: 1, Checked: true, Spans: []Span{{Text: "d"}}},
		{Kind: Task, Spans: []Span{{Text: "e"}}},
		{Kind: Ordered, Spans: []Span{{Text: "one"}}},
		{Kind: Ordered, Spans: []Span{{Text: "two"}}},
		{Kind: Bullet, Level: 1, Spans: []Span{{Text: "below"}}},
		{Kind: Ordered, Spans: []Span{{Text: "three"}}},
		{Kind: Quote, Spans: []Span{{Text: "q1"}}},
		{Kind: Quote, Spans: []Span{{Text: "q2"}}},
		{Kind: Code, Other: map[string]any{"lang": "go"}, Spans: []Span{{Text: "a\n```\n\n  b"}}},
	}...)
	want := "# Minutes\n\n## Agenda \\#1 \\#\n\n" +
		"Say **yes** o&#114;*\"no\"* to `` x*y `z` ``, see [here](https://a.example/?a=1&b=2).\\\nsnake_case & 2 \\* 3 \\<b> \\[x\\]![a cat](<Dokumente/a cat.png>)\n\n" +
		"\\- no item\n\n1\\. no item\n\n***~~all~~***\n\n" +
		"- a\n  - b\\\n    c\n  - [x] d\n- [ ] e\n\n1. one\n2. two\n   - below\n3. three\n\n> q1\n>\n> q2\n\n````go\na\n```\n\n  b\n````\n"
	got := string(Markdown("Minutes", blocks))
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	title, back, err := FromMarkdown([]byte(got))
	if err != nil || title != "Minutes" || !reflect.DeepEqual(readable(back), readable(blocks)) {
		t.Errorf("%v, %q\ngot  %+v\nwant %+v", err, title, readable(back), readable(blocks))
	}
}

// readable is blocks without what Markdown cannot say: empty paragraphs and quotes,
// emphasised spaces.
func readable(blocks []Block) []Block {
	var out []Block
	for _, b := range blocks {
		if b.Spans == nil && (b.Kind == Paragraph || b.Kind == Quote) {
			continue
		}
		var spans []Span
		for _, s := range b.Spans {
			if s.Embed != nil {
				spans = append(spans, s)
				continue
			}
			for _, r := range s.Text {
				c := Span{Text: string(r)}
				for k, v := range s.Marks {
					if !unicode.IsSpace(r) || k == "link" || k == "code" && r != '\n' || k == "code" && s.Marks["code"] == nil {
						c.Marks = with(c.Marks, k, v)
					}
				}
				if s.Marks["code"] != nil && r != '\n' {
					c.Marks = s.Marks
				}
				spans = append(spans, c)
			}
		}
		b.Spans = spans
		out = append(out, joined([]Block{b})...)
	}
	return out
}

func TestMarkdownBothWays(t *testing.T) {
	words := []string{"a", "wort", " ", "  ", "*", "**", "_", "`", "``", "~~", "#", "- ", "1. ", "> ", "\n", "\\", "&amp;", "&", "<b>", "<br>", "[x] ", "](", "!", "\"", "é", "😀", "€", "+", "=", "---", ".", "2)", "\t", "|", "snake_case", "http://x.example", "\u00a0", ":"}
	links := []string{Link("https://a.example/b_c(d)?x=1&copy;=2", ""), Link("https://b.example", "a \"t\" & \\"), Link("mailto:a@b.example", "")}
	for _, seed := range seeds(t, 3000) {
		rnd := rand.New(rand.NewPCG(seed, 9))
		var blocks []Block
		level := -1
		for range 1 + rnd.IntN(6) {
			b := Block{Kind: []string{Paragraph, Heading, Bullet, Ordered, Task, Quote, Code}[rnd.IntN(7)]}
			switch b.Kind {
			case Heading:
				b.Level = 1 + rnd.IntN(6)
				level = -1
			case Bullet, Ordered, Task:
				b.Level = rnd.IntN(level + 2)
				level = b.Level
				b.Checked = b.Kind == Task && rnd.IntN(2) == 0
			default:
				level = -1
			}
			for range rnd.IntN(5) {
				s := Span{}
				for range 1 + rnd.IntN(3) {
					s.Text += words[rnd.IntN(len(words))]
				}
				if b.Kind != Code {
					for _, m := range []string{"strong", "em", "strike", "code"} {
						if rnd.IntN(4) == 0 {
							s.Marks = with(s.Marks, m, true)
						}
					}
					if rnd.IntN(6) == 0 {
						s.Marks = with(s.Marks, "link", links[rnd.IntN(len(links))])
					}
				}
				b.Spans = append(b.Spans, s)
			}
			if b.Spans == nil && (b.Kind == Ordered || b.Kind == Bullet) {
				b.Spans = []Span{{Text: "x"}} // goldmark parts what lies below an empty one from it
			}
			blocks = append(blocks, b)
		}
		md := Markdown("T", blocks)
		title, back, err := FromMarkdown(md)
		if got, want := readable(back), readable(blocks); err != nil || title != "T" || !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: %v %q\n%s\ngot  %+v\nwant %+v", seed, err, title, md, got, want)
		}
	}
}

func TestFromMarkdown(t *testing.T) {
	p := func(s string) Block { return Block{Kind: Paragraph, Spans: []Span{{Text: s}}} }
	for name, tt := range map[string]struct {
		md, title string
		want      []Block
	}{
		"setext, soft breaks":     {"Title\n=====\n\none\ntwo", "Title", []Block{p("one two")}},
		"no title":                {"one\n\n# two", "", []Block{p("one"), {Kind: Heading, Level: 1, Spans: []Span{{Text: "two"}}}}},
		"windows":                 {"\ufeffa\r\n\r\nb\r\n", "", []Block{p("a"), p("b")}},
		"old windows":             {"Gr\xfc\xdfe \x80", "", []Block{p("Grüße €")}},
		"a script is no link":     {"[a](javascript:alert) <javascript:x> [b](JavaScript:x)", "", []Block{p("a javascript:x b")}},
		"an item of two":          {"- a\n\n  b\n- ```\n  c\n  ```", "", []Block{{Kind: Bullet, Spans: []Span{{Text: "a"}}}, p("b"), {Kind: Bullet}, {Kind: Code, Spans: []Span{{Text: "c"}}}}},
		"begins with five":        {"5. a\n6. b", "", []Block{{Kind: Ordered, Other: map[string]any{"start": int64(5)}, Spans: []Span{{Text: "a"}}}, {Kind: Ordered, Spans: []Span{{Text: "b"}}}}},
		"html":                    {"<div>\nx\n</div>\n\na <u>b</u> <span>c</span>", "", []Block{p("<div>\nx\n</div>"), {Kind: Paragraph, Spans: []Span{{Text: "a "}, {Text: "b", Marks: map[string]any{"underline": true}}, {Text: " <span>c</span>"}}}}},
		"nested quotes":           {"> a\n>> b", "", []Block{{Kind: Quote, Spans: []Span{{Text: "a"}}}, {Kind: Quote, Level: 1, Spans: []Span{{Text: "b"}}}}},
		"a long rule":             {"a\n\n" + strings.Repeat("-", 500), "", []Block{p("a")}},
		"nothing":                 {"", "", nil},
		"a reference and an auto": {"[a][1] <https://b.example>\n\n[1]: https://a.example \"t\"", "", []Block{{Kind: Paragraph, Spans: []Span{{Text: "a", Marks: map[string]any{"link": Link("https://a.example", "t")}}, {Text: " "}, {Text: "https://b.example", Marks: map[string]any{"link": Link("https://b.example", "")}}}}}},
	} {
		t.Run(name, func(t *testing.T) {
			title, got, err := FromMarkdown([]byte(tt.md))
			if err != nil || title != tt.title || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%v %q\ngot  %+v\nwant %+v", err, title, got, tt.want)
			}
		})
	}
	for name, bad := range map[string]string{"large": strings.Repeat("x", MaxImport+1), "binary": "a\x00b", "deep": strings.Repeat("> ", 5000) + "x", "slow": strings.Repeat("[a](", 50000)} {
		if _, _, err := FromMarkdown([]byte(bad)); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// What is made to be slow to read is read or refused in short time.
func TestFromMarkdownBombs(t *testing.T) {
	const n = 14 << 10 // more is refused
	for name, s := range map[string]string{
		"emphasis": strings.Repeat("*a _b ", n/6), "brackets": strings.Repeat("[", n), "links": strings.Repeat("[a](", n/4),
		"quotes": strings.Repeat(strings.Repeat("> ", 90)+"a\n", n/180), "backticks": strings.Repeat("`a``", n/4),
		"lists": strings.Repeat("- ", 90) + "a\n" + strings.Repeat(strings.Repeat(" ", 180)+"a\n", n/180),
		"nested": func() string {
			var b strings.Builder
			for i := range 190 {
				b.WriteString(strings.Repeat("  ", i) + "- a\n")
			}
			return b.String()
		}(),
		"stars": strings.Repeat("*", n), "tags": strings.Repeat("<a ", n/3), "entities": strings.Repeat("&", n), "images": strings.Repeat("![", n/2),
		"references": strings.Repeat("[a]: b\n", n/7) + strings.Repeat("[a]", n/3), "comments": strings.Repeat("<!--", n/4),
	} {
		start := time.Now()
		_, blocks, err := FromMarkdown([]byte(s))
		if took := time.Since(start); took > time.Minute {
			t.Errorf("%s: %v", name, took)
		} else {
			t.Logf("%s: %v, %d blocks, %v", name, took, len(blocks), err)
		}
	}
}

func TestFromText(t *testing.T) {
	for name, tt := range map[string]struct{ in, want string }{
		"lines":  {"a\r\n\r\nb\n\n", "a||b"},
		"utf-16": {"\xff\xfea\x00\n\x00\xfc\x00", "a|ü"},
		"other":  {"\xfe\xff\x00a\xd8\x3d\xde\x00", "a😀"},
		"old":    {"\x84x\x93", "„x“"},
		"empty":  {"", ""},
	} {
		blocks, err := FromText([]byte(tt.in))
		var lines []string
		for _, b := range blocks {
			lines = append(lines, b.Text())
		}
		if got := strings.Join(lines, "|"); err != nil || got != tt.want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := FromText([]byte{'a', 0}); err == nil {
		t.Error("binary is taken")
	}
}

// What is read can be written into a document, and as Markdown that reads the same.
func FuzzFromMarkdown(f *testing.F) {
	f.Add("# T\n\n- a\n  1. **b *c***\n\n> q\n\n```go\nx\n```\n\n![a](b \"c\") [l](<x y>) `c` ~~d~~ <u>e</u> &amp; \\*")
	f.Add("a\\\nb  \nc\n===\n- [x] t\n- [ ] \n\n<div>\n</div>\n")
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 2000 {
			return
		}
		_, blocks, err := FromMarkdown([]byte(s))
		if err != nil {
			return
		}
		d := created(t, blocks...)
		if got := mustBlocks(t, d.Reader); len(blocks) > 0 && !reflect.DeepEqual(got, joined(blocks)) {
			t.Fatalf("written: %+v, want %+v", got, blocks)
		}
		if _, _, err := FromMarkdown(Markdown("T", blocks)); err != nil {
			t.Fatal(fmt.Errorf("read again: %w", err))
		}
	})
}
