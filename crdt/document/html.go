package document

import (
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
)

// style makes a page without a program readable on a screen and on paper.
const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:42em;margin:2em auto;padding:0 1em;color:#1a1a1a;background:#fff}` +
	`blockquote{margin:1em 0;padding-left:1em;border-left:3px solid #bbb}pre{background:#f4f4f4;padding:.7em;overflow:auto}` +
	`li.task{list-style:none}li.task>input{margin-left:-1.4em}a{color:#0b57d0}@media print{body{margin:0;max-width:none}}`

// HTML writes blocks as a page that loads nothing. lang is the tag of its language,
// de say. Images are their descriptions: they lie elsewhere.
func HTML(title, lang string, blocks []Block) []byte {
	w := htmlWriter{}
	fmt.Fprintf(&w, "<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>%s</title>\n<style>%s</style>\n</head>\n<body>\n",
		html.EscapeString(lang), html.EscapeString(title), style)
	if title != "" {
		fmt.Fprintf(&w, "<h1>%s</h1>\n", html.EscapeString(title))
	}
	for i := range blocks {
		w.block(&blocks[i])
	}
	w.closeLists(0)
	w.quotes(0)
	w.WriteString("</body>\n</html>\n")
	return []byte(w.String())
}

type htmlWriter struct {
	strings.Builder
	lists []string // open ones: ul or ol
	quote int      // open quotes
}

func (w *htmlWriter) block(b *Block) {
	switch b.Kind {
	case Bullet, Ordered, Task:
		w.quotes(0)
		w.item(b)
		return
	}
	w.closeLists(0)
	quotes := 0
	if b.Kind == Quote {
		quotes = 1 + min(b.Level, maxLevel)
	}
	w.quotes(quotes)
	tag := "p"
	switch b.Kind {
	case Heading: // h1 is the title
		tag = fmt.Sprintf("h%d", min(max(b.Level, 1)+1, 6))
	case Code:
		fmt.Fprintf(w, "<pre><code>%s</code></pre>\n", html.EscapeString(b.Text()))
		return
	}
	fmt.Fprintf(w, "<%s>%s</%s>\n", tag, htmlInline(b), tag)
}

// quotes opens or closes quotes until so many are open.
func (w *htmlWriter) quotes(n int) {
	for ; w.quote > n; w.quote-- {
		w.WriteString("</blockquote>\n")
	}
	for ; w.quote < n; w.quote++ {
		w.WriteString("<blockquote>\n")
	}
}

// closeLists closes lists, and their last items, until n are open.
func (w *htmlWriter) closeLists(n int) {
	for len(w.lists) > n {
		w.WriteString("</li>\n</" + w.lists[len(w.lists)-1] + ">\n")
		w.lists = w.lists[:len(w.lists)-1]
	}
}

func (w *htmlWriter) item(b *Block) {
	level := min(b.Level, len(w.lists))
	tag := "ul"
	if b.Kind == Ordered {
		tag = "ol"
	}
	w.closeLists(level + 1)
	if len(w.lists) > level && w.lists[level] != tag {
		w.closeLists(level)
	}
	if len(w.lists) > level {
		w.WriteString("</li>\n")
	} else {
		start := ""
		if n, ok := b.Other["start"].(int64); ok && tag == "ol" {
			start = fmt.Sprintf(` start="%d"`, n)
		}
		w.WriteString("<" + tag + start + ">\n")
		w.lists = append(w.lists, tag)
	}
	switch {
	case b.Kind != Task:
		w.WriteString("<li>")
	case b.Checked:
		w.WriteString(`<li class="task"><input type="checkbox" disabled checked> `)
	default:
		w.WriteString(`<li class="task"><input type="checkbox" disabled> `)
	}
	w.WriteString(htmlInline(b))
}

var colour = regexp.MustCompile(`^(#[0-9a-fA-F]{3,8}|[a-zA-Z]{3,30})$`)

// htmlTags are the marks that are an element, from the outside in.
var htmlTags = []struct{ mark, tag string }{
	{"strong", "strong"}, {"em", "em"}, {"underline", "u"}, {"strike", "s"}, {"code", "code"},
}

func htmlInline(b *Block) string {
	var w strings.Builder
	for _, s := range b.Spans {
		if s.Embed != nil {
			alt, _ := s.Embed["alt"].(string)
			if src, ok := s.Embed["src"].(string); ok && alt == "" {
				alt = src
			}
			fmt.Fprintf(&w, `<span class="embed">[%s]</span>`, html.EscapeString(alt))
			continue
		}
		var ends []string
		open := func(tag, attr string) {
			w.WriteString("<" + tag + attr + ">")
			ends = append(ends, "</"+tag+">")
		}
		if href, title := LinkOf(s.Marks["link"]); href != "" && safe(href) {
			attr := ` href="` + html.EscapeString(href) + `" rel="noopener noreferrer"`
			if title != "" {
				attr += ` title="` + html.EscapeString(title) + `"`
			}
			open("a", attr)
		}
		if c, ok := s.Marks["color"].(string); ok && colour.MatchString(c) {
			open("span", ` style="color:`+c+`"`)
		}
		for _, t := range htmlTags {
			if truthy(s.Marks[t.mark]) {
				open(t.tag, "")
			}
		}
		w.WriteString(strings.ReplaceAll(html.EscapeString(s.Text), "\n", "<br>"))
		for _, end := range slices.Backward(ends) {
			w.WriteString(end)
		}
	}
	return w.String()
}
