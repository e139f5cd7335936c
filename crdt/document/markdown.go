package document

import (
	"slices"
	"strconv"
	"strings"
)

// Markdown writes blocks as CommonMark with the task lists and strikethrough of
// GitHub; the title comes first, as a heading, unless it is empty. What Markdown
// cannot say is left out: empty paragraphs, colours, comments; a file is a link to its
// path, another embed its text. A table without headings has empty ones.
func Markdown(title string, blocks []Block) []byte {
	var w mdWriter
	if title != "" {
		w.block(&Block{Kind: Heading, Level: 1, Spans: []Span{{Text: title}}})
	}
	for i := range blocks {
		w.block(&blocks[i])
	}
	return []byte(w.String())
}

// An mdWriter writes block after block.
type mdWriter struct {
	strings.Builder
	list []mdItem // the last item of each level, while a list goes on
	last *Block
}

type mdItem struct {
	kind   string // Bullet or Ordered: task lists are made of bullets
	number int64
	width  int // columns until its text
	empty  bool
}

func (w *mdWriter) block(b *Block) {
	if b.Kind == Code {
		w.part(b)
		return
	}
	kind := *b
	for i, p := range Parts(b) {
		if p.Table != nil {
			w.table(p.Table)
			continue
		}
		x := kind
		if i > 0 && kind.Kind != Quote {
			x = Block{Kind: Paragraph}
		}
		x.Spans = p.Spans
		w.part(&x)
	}
}

// table writes a pipe table; before and after it the empty lines it needs.
func (w *mdWriter) table(t *Table) {
	if len(t.Rows) == 0 {
		return
	}
	w.begin()
	rows := t.Rows
	if !t.Head {
		rows = slices.Insert(slices.Clone(rows), 0, make([]string, len(rows[0])))
	}
	for i, row := range rows {
		for _, cell := range row {
			w.WriteString("| " + mdCell(cell) + " ")
		}
		w.WriteString("|\n")
		if i == 0 {
			w.WriteString(strings.Repeat("| --- ", len(row)) + "|\n")
		}
	}
	w.last = &Block{Kind: Paragraph}
}

// part writes a block, or what lies before, between or behind the tables in it.
func (w *mdWriter) part(b *Block) {
	inline := mdInline(b)
	switch b.Kind {
	case Bullet, Ordered, Task:
		w.item(b, inline)
	case Code:
		w.begin()
		w.code(b)
	default:
		if inline == "" && b.Kind != Heading {
			return
		}
		quotes := ""
		if b.Kind == Quote {
			quotes = strings.Repeat("> ", 1+b.Level)
		}
		if quotes != "" && w.last != nil && w.last.Kind == Quote {
			w.WriteString(strings.Repeat("> ", min(b.Level, w.last.Level)) + ">")
		}
		w.begin()
		if b.Kind == Heading {
			w.WriteString(strings.Repeat("#", min(max(b.Level, 1), 6)) + " ")
		}
		w.lines(quotes, quotes, inline)
	}
	w.last = b
}

// begin ends what was before, with an empty line.
func (w *mdWriter) begin() {
	if w.last != nil {
		w.WriteByte('\n')
	}
	w.list = w.list[:0]
}

// lines writes text with something before its first and its other lines.
func (w *mdWriter) lines(first, other, text string) {
	w.WriteString(strings.TrimRight(first+strings.ReplaceAll(text, "\n", "\n"+other), " ") + "\n")
}

func (w *mdWriter) code(b *Block) {
	text := strings.ReplaceAll(strings.ReplaceAll(b.Text(), "\r\n", "\n"), "\r", "\n")
	fence := strings.Repeat("`", max(3, longest(text, '`')+1))
	lang, _ := b.Other["lang"].(string)
	if strings.ContainsAny(lang, "`\n\r\\&") {
		lang = ""
	}
	w.WriteString(fence + strings.TrimSpace(lang) + "\n")
	if text != "" {
		w.WriteString(text + "\n")
	}
	w.WriteString(fence + "\n")
}

// longest is the longest run of c.
func longest(s string, c byte) (most int) {
	n := 0
	for i := range len(s) {
		if n++; s[i] != c {
			n = 0
		}
		most = max(most, n)
	}
	return most
}

// item writes an item of a list, below the last one that is less deep.
func (w *mdWriter) item(b *Block, inline string) {
	level, deeper := b.Level, false
	if level >= len(w.list) {
		level, deeper = len(w.list), true
	}
	it := mdItem{kind: Bullet, width: 2, empty: inline == ""}
	sign := "- "
	if b.Kind == Ordered {
		it.kind, it.number = Ordered, 1
		if !deeper && w.list[level].kind == Ordered {
			it.number = w.list[level].number + 1
		} else if n, ok := b.Other["start"].(int64); ok && n >= 0 && n < 1e9 {
			it.number = n
		}
		sign = strconv.FormatInt(it.number, 10) + ". "
		it.width = len(sign)
	}
	if b.Kind == Task {
		it.empty = false
		if inline = "[ ] " + inline; b.Checked {
			inline = "[x] " + inline[4:]
		}
	}
	switch {
	case len(w.list) == 0:
		w.begin()
	case deeper && it.empty && !w.list[level-1].empty, !deeper && w.list[level].kind != it.kind:
		w.WriteByte('\n') // else it would belong to the paragraph before it
	}
	indent := 0
	for _, up := range w.list[:level] {
		indent += up.width
	}
	spaces := strings.Repeat(" ", indent)
	w.lines(spaces+sign, spaces+strings.Repeat(" ", it.width), inline)
	w.list = append(w.list[:level], it)
}
