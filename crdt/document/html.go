package document

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
)

// style makes a page without a program readable on a screen and on paper.
const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:42em;margin:2em auto;padding:0 1em;color:#1a1a1a;background:#fff}` +
	`blockquote{margin:1em 0;padding-left:1em;border-left:3px solid #bbb}pre{background:#f4f4f4;padding:.7em;overflow:auto}` +
	`li.task{list-style:none}li.task>input{margin-left:-1.4em}a{color:#0b57d0}mark{background:#fff3a3}` +
	`table{border-collapse:collapse;margin:1em 0}th,td{border:1px solid #bbb;padding:.3em .6em;text-align:left;vertical-align:top}th{background:#f4f4f4}` +
	`img{max-width:100%;height:auto}img.small{width:33%}img.medium{width:66%}` +
	`@media print{body{margin:0;max-width:none}tr,img{break-inside:avoid}h1,h2,h3,h4,h5,h6{break-after:avoid}}`

// HTML writes blocks as a page that loads nothing. lang is the tag of its language,
// de say. Images are their descriptions: they lie elsewhere.
func HTML(title, lang string, blocks []Block) []byte {
	return HTMLWithFiles(title, lang, blocks, nil)
}

// HTMLWithFiles is HTML with the images that files gives within the page: PNG, JPEG,
// GIF and WebP.
func HTMLWithFiles(title, lang string, blocks []Block, files Files) []byte {
	w := htmlWriter{files: files}
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
	files Files
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
	for _, p := range Parts(b) {
		switch {
		case p.Table != nil:
			w.table(p.Table)
		case len(p.Spans) > 0 || len(b.Spans) == 0:
			fmt.Fprintf(w, "<%s>%s</%s>\n", tag, w.inline(p.Spans), tag)
			if b.Kind == Heading {
				tag = "p"
			}
		}
	}
}

func (w *htmlWriter) table(t *Table) {
	w.WriteString("<table>\n")
	for i, row := range t.Rows {
		cell := "td"
		if i == 0 && t.Head {
			cell = "th"
		}
		w.WriteString("<tr>")
		for _, s := range row {
			fmt.Fprintf(w, "<%s>%s</%s>", cell, htmlText(s), cell)
		}
		w.WriteString("</tr>\n")
	}
	w.WriteString("</table>\n")
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
	for _, p := range Parts(b) {
		if p.Table != nil {
			w.table(p.Table)
		} else {
			w.WriteString(w.inline(p.Spans))
		}
	}
}

var colour = regexp.MustCompile(`^(#[0-9a-fA-F]{3,8}|[a-zA-Z]{3,30})$`)

// htmlTags are the marks that are an element, from the outside in.
var htmlTags = []struct{ mark, tag string }{
	{"marker", "mark"}, {"strong", "strong"}, {"em", "em"}, {"underline", "u"}, {"strike", "s"}, {"code", "code"},
}

// htmlText is plain text as HTML.
func htmlText(s string) string {
	return strings.ReplaceAll(html.EscapeString(s), "\n", "<br>")
}

func (w *htmlWriter) inline(spans []Span) string {
	var out strings.Builder
	for _, s := range spans {
		if s.Embed != nil {
			out.WriteString(w.embed(s.Embed))
			continue
		}
		var ends []string
		open := func(tag, attr string) {
			out.WriteString("<" + tag + attr + ">")
			ends = append(ends, "</"+tag+">")
		}
		if href, title := LinkOf(s.Marks["link"]); Outside(href) {
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
		out.WriteString(htmlText(s.Text))
		for _, end := range slices.Backward(ends) {
			out.WriteString(end)
		}
	}
	return out.String()
}

// Outside reports whether an address leads to where a page without the program can:
// one within the program's own documents is plain text there.
func Outside(href string) bool { return safe(href) && absolute(href) }

func (w *htmlWriter) embed(embed map[string]any) string {
	label := html.EscapeString(Label(embed))
	if src := Source(embed); w.files != nil && src != "" && embed["t"] != "file" {
		b := w.files(src)
		if kind := imageType(b); kind != "" {
			class := ""
			if width := embed["width"]; width == "small" || width == "medium" {
				class = fmt.Sprintf(` class="%s"`, width)
			} else if px, ok := width.(int64); ok && px > 0 {
				class = fmt.Sprintf(` width="%d"`, px)
			}
			return fmt.Sprintf(`<img src="data:%s;base64,%s" alt="%s"%s>`, kind, base64.StdEncoding.EncodeToString(b), label, class)
		}
	}
	return `<span class="embed">[` + label + `]</span>`
}

// imageType is the media type of an image that every browser shows, by its first
// bytes, or "".
func imageType(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")):
		return "image/png"
	case bytes.HasPrefix(b, []byte("\xff\xd8\xff")):
		return "image/jpeg"
	case bytes.HasPrefix(b, []byte("GIF8")):
		return "image/gif"
	case len(b) > 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP":
		return "image/webp"
	}
	return ""
}
