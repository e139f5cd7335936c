package document

import (
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func TestHTML(t *testing.T) {
	blocks := []Block{
		{Kind: Heading, Level: 1, Spans: []Span{{Text: "A & B"}}},
		{Kind: Paragraph, Spans: []Span{
			{Text: "bold", Marks: map[string]any{"strong": true, "em": true}},
			{Text: "<script>alert(1)</script>\n"},
			{Text: "here", Marks: map[string]any{"link": Link(`https://a.example/"x"`, "t")}},
			{Text: "not", Marks: map[string]any{"link": Link("javascript:alert(1)", "")}},
			{Text: "red", Marks: map[string]any{"color": "#f00"}},
			{Text: "no", Marks: map[string]any{"color": `red" onclick="x`}},
			{Embed: map[string]any{"embed": true, "src": "<f>"}},
		}},
		{Kind: Bullet, Spans: []Span{{Text: "a"}}},
		{Kind: Bullet, Level: 1, Spans: []Span{{Text: "b"}}},
		{Kind: Ordered, Level: 1, Spans: []Span{{Text: "c"}}},
		{Kind: Task, Checked: true, Spans: []Span{{Text: "d"}}},
		{Kind: Ordered, Level: 9, Spans: []Span{{Text: "e"}}},
		{Kind: Quote, Level: 1, Spans: []Span{{Text: "q"}}},
		{Kind: Quote, Spans: []Span{{Text: "r"}}},
		{Kind: Code, Spans: []Span{{Text: "x <\n  y"}}},
	}
	got := string(HTML(`T<"`, "de", blocks))
	_, body, _ := strings.Cut(got, "<body>\n")
	want := `<h1>T&lt;&#34;</h1>
<h2>A &amp; B</h2>
<p><strong><em>bold</em></strong>&lt;script&gt;alert(1)&lt;/script&gt;<br><a href="https://a.example/&#34;x&#34;" rel="noopener noreferrer" title="t">here</a>not<span style="color:#f00">red</span>no<span class="embed">[&lt;f&gt;]</span></p>
<ul>
<li>a<ul>
<li>b</li>
</ul>
<ol>
<li>c</li>
</ol>
</li>
<li class="task"><input type="checkbox" disabled checked> d<ol>
<li>e</li>
</ol>
</li>
</ul>
<blockquote>
<blockquote>
<p>q</p>
</blockquote>
<p>r</p>
</blockquote>
<pre><code>x &lt;
  y</code></pre>
</body>
</html>
`
	if body != want {
		t.Errorf("got:\n%s\nwant:\n%s", body, want)
	}
	if !strings.HasPrefix(got, "<!doctype html>\n<html lang=\"de\">") || strings.Contains(got, "http-equiv") {
		t.Error(got[:200])
	}
	wellFormed(t, got)
}

// wellFormed checks that elements end in the order in which they began.
func wellFormed(t *testing.T, page string) {
	t.Helper()
	var open []string
	for z := html.NewTokenizer(strings.NewReader(page)); ; {
		switch z.Next() {
		case html.ErrorToken:
			if z.Err() != io.EOF || len(open) > 0 {
				t.Errorf("%v, open at the end: %v", z.Err(), open)
			}
			return
		case html.StartTagToken:
			name, _ := z.TagName()
			if !slices.Contains([]string{"meta", "br", "input"}, string(name)) {
				open = append(open, string(name))
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			if len(open) == 0 || open[len(open)-1] != string(name) {
				t.Errorf("%s ends within %v", name, open)
				return
			}
			open = open[:len(open)-1]
		}
	}
}

func TestTemplates(t *testing.T) {
	var ids [2][]string
	for i, lang := range []string{"de-AT", "en"} {
		for _, tpl := range Templates(lang) {
			ids[i] = append(ids[i], tpl.ID)
			d := created(t, tpl.Blocks...)
			if got := mustBlocks(t, d.Reader); !reflect.DeepEqual(got, tpl.Blocks) {
				t.Errorf("%s: %+v", tpl.ID, got)
			}
			wellFormed(t, string(HTML(tpl.Name, lang, tpl.Blocks)))
		}
	}
	if want := []string{"blank", "minutes", "checklist", "letter", "emergency"}; !reflect.DeepEqual(ids[0], want) || !reflect.DeepEqual(ids[1], want) {
		t.Errorf("templates %v", ids)
	}
	if a, b := Templates("de")[1].Name, Templates("fr")[1].Name; a != "Besprechung" || b != "Meeting minutes" {
		t.Errorf("%q, %q", a, b)
	}
}
