package document

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Marks that Markdown has, with its signs and those of HTML.
var emphases = []struct{ name, sign, tag string }{
	{"strong", "**", "strong"}, {"em", "*", "em"}, {"strike", "~~", "del"},
}

// An mdChar is a character, or an image, of a line.
type mdChar struct {
	r     rune
	on    [3]bool // by emphases
	code  bool
	link  string // its destination and title as Markdown; "" for none
	image string // as Markdown
}

func (c *mdChar) space() bool { return !c.code && c.image == "" && unicode.IsSpace(c.r) }

// punct reports whether it begins and ends, in Markdown, with what may be
// punctuation.
func (c *mdChar) punct() bool {
	return c.code || c.image != "" || unicode.IsPunct(c.r) || unicode.IsSymbol(c.r)
}

// An mdRun is a stretch with one emphasis, of characters that are no spaces at its
// ends.
type mdRun struct {
	start, end, kind int
	html             bool // written by tags: the signs would be mistaken
}

// mdInline writes the spans of a block. Its lines end with "\\\n", those of a heading
// with a tag.
func mdInline(b *Block) string {
	w := inlineWriter{cs: mdChars(b), heading: b.Kind == Heading}
	w.findRuns()
	w.write()
	return w.String()
}

func mdChars(b *Block) (cs []mdChar) {
	for _, s := range b.Spans {
		if s.Embed != nil {
			cs = append(cs, mdEmbed(s.Embed)...)
			continue
		}
		var c mdChar
		for i, e := range emphases {
			c.on[i] = truthy(s.Marks[e.name])
		}
		c.code = truthy(s.Marks["code"])
		if href, title := LinkOf(s.Marks["link"]); href != "" {
			c.link = destination(href, title)
		}
		for _, r := range strings.ReplaceAll(s.Text, "\r\n", "\n") {
			switch r {
			case 0:
				continue
			case '\r':
				r = '\n'
			}
			x := c
			if x.r = r; r == '\n' {
				x.code = false
			}
			cs = append(cs, x)
		}
	}
	return cs
}

// mdCell writes the text of a table's cell.
func mdCell(text string) string {
	w := inlineWriter{cs: mdChars(&Block{Spans: []Span{{Text: text}}}), heading: true, cell: true}
	w.findRuns()
	w.write()
	return w.String()
}

// mdEmbed is an image, a link to a file, or the text of something else.
func mdEmbed(embed map[string]any) (cs []mdChar) {
	plain := func(s string) string { return mdInline(&Block{Kind: Heading, Spans: []Span{{Text: s}}}) }
	src := Source(embed)
	switch {
	case src != "" && embed["t"] == "file":
		return []mdChar{{image: "[" + plain(Label(embed)) + "](" + destination(src, "") + ")"}}
	case src != "":
		alt, _ := embed["alt"].(string)
		return []mdChar{{image: "![" + plain(alt) + "](" + destination(src, "") + ")"}}
	}
	return mdChars(&Block{Spans: []Span{{Text: Label(embed)}}})
}

func truthy(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	}
	return true
}

type inlineWriter struct {
	strings.Builder
	cs      []mdChar
	runs    []mdRun
	starts  map[int][]*mdRun // in the order of writing
	ends    map[int][]*mdRun
	heading bool
	cell    bool // of a table
}

// findRuns finds the stretches of each emphasis, within a link or without, and
// which of them need tags.
func (w *inlineWriter) findRuns() {
	for kind := range emphases {
		for i := 0; i < len(w.cs); {
			j := i
			for j < len(w.cs) && w.cs[j].on[kind] && w.cs[j].link == w.cs[i].link {
				j++
			}
			next := max(j, i+1)
			for i < j && w.cs[i].space() {
				i++
			}
			for i < j && w.cs[j-1].space() {
				j--
			}
			if i < j {
				w.runs = append(w.runs, mdRun{start: i, end: j, kind: kind})
			}
			i = next
		}
	}
	slices.SortFunc(w.runs, func(a, b mdRun) int {
		return cmp.Or(a.start-b.start, b.end-a.end, a.kind-b.kind)
	})
	w.starts, w.ends = map[int][]*mdRun{}, map[int][]*mdRun{}
	var open []*mdRun
	for i := range w.runs {
		r := &w.runs[i]
		for len(open) > 0 && open[len(open)-1].end <= r.start {
			open = open[:len(open)-1]
		}
		for _, o := range open {
			r.html = r.html || r.end > o.end || w.mistaken(r, o)
		}
		for _, o := range w.ends[r.start] {
			r.html = r.html || !o.html
		}
		if !r.html {
			open = append(open, r)
		}
		w.starts[r.start] = append(w.starts[r.start], r)
		w.ends[r.end] = append([]*mdRun{r}, w.ends[r.end]...)
	}
}

// mistaken reports whether a sign of a stretch within another one could be taken for
// the other's end, or for the beginning of a third.
func (w *inlineWriter) mistaken(r, in *mdRun) bool {
	if emphases[r.kind].sign[0] != emphases[in.kind].sign[0] {
		return false
	}
	// both reports whether a sign between two characters both opens and closes.
	both := func(out, in *mdChar) bool { return !out.space() && (!out.punct() || in.punct()) }
	return r.start > in.start && both(&w.cs[r.start-1], &w.cs[r.start]) ||
		r.end < in.end && both(&w.cs[r.end], &w.cs[r.end-1])
}

func (w *inlineWriter) write() {
	for i := 0; i <= len(w.cs); {
		for _, r := range w.ends[i] {
			w.sign(r, "</")
		}
		was, is := "", ""
		if i > 0 {
			was = w.cs[i-1].link
		}
		if i < len(w.cs) {
			is = w.cs[i].link
		}
		if was != is && was != "" {
			w.WriteString("](" + was + ")")
		}
		if was != is && is != "" {
			w.WriteByte('[')
		}
		for _, r := range w.starts[i] {
			w.sign(r, "<")
		}
		switch {
		case i == len(w.cs):
			return
		case w.cs[i].image != "":
			w.WriteString(w.cs[i].image)
			i++
		case w.cs[i].code:
			i = w.code(i)
		default:
			w.char(i)
			i++
		}
	}
}

func (w *inlineWriter) sign(r *mdRun, tag string) {
	if r.html {
		w.WriteString(tag + emphases[r.kind].tag + ">")
		return
	}
	w.WriteString(emphases[r.kind].sign)
}

// code writes a stretch of code up to where something begins or ends.
func (w *inlineWriter) code(i int) int {
	j := i + 1
	for j < len(w.cs) && w.cs[j].code && w.cs[j].image == "" && w.cs[j].link == w.cs[i].link && len(w.starts[j])+len(w.ends[j]) == 0 {
		j++
	}
	var b strings.Builder
	for _, c := range w.cs[i:j] {
		b.WriteRune(c.r)
	}
	s := b.String()
	fence := strings.Repeat("`", longest(s, '`')+1)
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") ||
		strings.HasPrefix(s, " ") && strings.HasSuffix(s, " ") && strings.Trim(s, " ") != "" {
		s = " " + s + " " // of which one is taken off when read
	}
	w.WriteString(fence + s + fence)
	return j
}

// char writes a plain character so that it means itself.
func (w *inlineWriter) char(i int) {
	r := w.cs[i].r
	first, last := i == 0 || w.cs[i-1].r == '\n' && w.cs[i-1].image == "", i+1 == len(w.cs) || w.cs[i+1].r == '\n' && w.cs[i+1].image == ""
	switch {
	case r == '\n' && (i == 0 || i+1 == len(w.cs)):
		w.entity(r)
	case r == '\n' && w.heading:
		w.WriteString("<br>")
	case r == '\n':
		w.WriteString("\\\n")
	case (unicode.IsSpace(r) || r == '\\') && last, unicode.IsSpace(r) && first, r < ' ' || r == 0x7f, r == '\u2028' || r == '\u2029' || r == 0x85:
		w.entity(r)
	case w.cell && r == '|', w.disturbs(i), r == '~' && len(w.starts[i])+len(w.ends[i])+len(w.starts[i+1])+len(w.ends[i+1]) > 0:
		w.entity(r)
	case w.special(i, first):
		w.WriteString("\\" + string(r))
	case r == '&' && likeEntity(w.cs[i+1:]):
		w.WriteString("&amp;")
	default:
		w.WriteRune(r)
	}
}

func (w *inlineWriter) entity(r rune) { fmt.Fprintf(w, "&#%d;", r) }

// disturbs reports whether a letter keeps the signs beside it from being signs:
// those that have punctuation inside need some, or a space, outside.
func (w *inlineWriter) disturbs(i int) bool {
	c := &w.cs[i]
	if c.space() || unicode.IsPunct(c.r) || c.r < 0x80 && unicode.IsSymbol(c.r) {
		return false
	}
	signs := func(runs []*mdRun) (signs, inside bool) { // inside: of one stands another
		stars, others := false, false
		for _, r := range runs {
			signs = signs || !r.html
			star := !r.html && emphases[r.kind].sign[0] == '*'
			stars, others = stars || star, others || !star
		}
		return signs, stars && others
	}
	opens, inside := signs(w.starts[i+1])
	if opens && (inside || w.cs[i+1].punct()) {
		return true
	}
	closes, inside := signs(w.ends[i])
	return closes && (inside || w.cs[i-1].punct())
}

// special reports whether a character needs a backslash.
func (w *inlineWriter) special(i int, first bool) bool {
	plain := func(k int) rune { // 0 where there is none
		if k < 0 || k >= len(w.cs) || w.cs[k].code || w.cs[k].image != "" {
			return 0
		}
		return w.cs[k].r
	}
	letter := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	switch r := w.cs[i].r; r {
	case '\\', '`', '*', '[', ']', '~':
		return true
	case '_':
		return !letter(plain(i-1)) || !letter(plain(i+1))
	case '<':
		next := plain(i + 1)
		return letter(next) || next == '/' || next == '!' || next == '?' || next == 0
	case '!':
		return i+1 < len(w.cs) && (w.cs[i+1].link != w.cs[i].link || w.cs[i+1].image != "")
	case '#':
		return first || w.heading
	case '+', '-', '>', '=':
		return first
	case '|', ':': // else a line of them below another one would make a table
		return first && i > 0
	case '.', ')':
		k := i
		for k > 0 && plain(k-1) >= '0' && plain(k-1) <= '9' {
			k--
		}
		return k < i && (k == 0 || plain(k-1) == '\n')
	}
	return false
}

// likeEntity reports whether what follows an ampersand would make it an entity.
func likeEntity(cs []mdChar) bool {
	for i, c := range cs {
		switch {
		case c.r == ';':
			return i > 0
		case c.r > 0x7f || !(unicode.IsLetter(c.r) || unicode.IsDigit(c.r) || c.r == '#' && i == 0) || i > 40:
			return false
		}
	}
	return false
}

// destination writes what stands in the parentheses of a link.
func destination(href, title string) string {
	escape := func(s, what string) string {
		var b strings.Builder
		for _, r := range s {
			switch {
			case r == '\n' || r == '\r' || r == 0:
				b.WriteByte(' ')
				continue
			case r == '&' || r < ' ':
				fmt.Fprintf(&b, "&#%d;", r)
				continue
			case strings.ContainsRune(what, r):
				b.WriteByte('\\')
			}
			b.WriteRune(r)
		}
		return b.String()
	}
	simple := href != "" && !strings.ContainsFunc(href, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>\&`, r)
	})
	out := href
	if !simple {
		if amp := strings.ReplaceAll(href, "&", ""); amp != "" && !strings.ContainsFunc(amp, func(r rune) bool {
			return r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>\;`, r)
		}) {
			out = href // an ampersand without a semicolon is none of an entity
		} else {
			out = "<" + escape(href, `<>\`) + ">"
		}
	}
	if title != "" {
		out += ` "` + escape(title, `"\`) + `"`
	}
	return out
}
