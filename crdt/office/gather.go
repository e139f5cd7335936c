package office

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"strconv"
	"strings"

	"inselnetz/crdt/document"
)

// A para is a paragraph while it is read.
type para struct {
	kind   string
	level  int
	number int64 // of an item
	ticked bool  // what its box said is known
	lines  bool  // of code: each line was a paragraph
	title  bool
	gap    bool // only keeps tables apart
	head   bool // its style is that of a table's headings
	spans  []document.Span
	behind []para // text boxes that hang at it
}

// gather collects what a reader finds.
type gather struct {
	out    []para // of the text, a table's cell or a note
	lists  lists
	notes  [][]para
	images []Image
	pieces int
	text   int
}

// spend fails when there is more than a document may have.
func (g *gather) spend(text int) error {
	g.pieces++
	g.text += text
	if g.pieces > maxPieces || g.text > maxText {
		return fmt.Errorf("%w: more than %d bytes of text or %d pieces", ErrTooLarge, maxText, maxPieces)
	}
	return nil
}

// chunk is how long a text with the same marks grows piece by piece; longer ones are
// joined at the end.
const chunk = 512

// add adds text to a paragraph.
func (g *gather) add(p *para, text string, marks map[string]any) error {
	if text == "" {
		return nil
	}
	if n := len(p.spans); n > 0 && p.spans[n-1].Embed == nil && len(p.spans[n-1].Text) < chunk && maps.Equal(p.spans[n-1].Marks, marks) {
		p.spans[n-1].Text += text
		g.pieces--
		return g.spend(len(text))
	}
	if err := g.spend(len(text)); err != nil {
		return err
	}
	if len(marks) > 0 {
		marks = maps.Clone(marks)
	} else {
		marks = nil
	}
	p.spans = append(p.spans, document.Span{Text: text, Marks: marks})
	return nil
}

// picture adds an image, or its description where it cannot be had. The caller looks
// at the limits of reading.
func (g *gather) picture(p *para, a *archive, part, description string) error {
	name := cut(path.Base(part), 200)
	embed := map[string]any{"embed": true, "t": "image", "name": name}
	if description = cut(description, 1000); description != "" {
		embed["alt"] = description
	}
	b := a.image(part)
	if b == nil || len(g.images) >= maxImages {
		if description == "" {
			return nil
		}
		return g.add(p, pictureText(embed), nil)
	}
	embed[imageKey] = int64(len(g.images))
	g.images = append(g.images, Image{Name: name, Bytes: b})
	p.spans = append(p.spans, document.Span{Embed: embed})
	return g.spend(0)
}

// imageKey is where an embed says which image it is until all is read.
const imageKey = "#"

// image is the contents of an image, nil for what is none or too large.
func (a *archive) image(part string) []byte {
	f := a.files[part]
	if f == nil || f.UncompressedSize64 > maxImage || int64(f.UncompressedSize64) > a.left {
		return nil
	}
	b, err := a.bytes(part, maxImage)
	if err != nil {
		return nil
	}
	for _, start := range []string{"\x89PNG\r\n\x1a\n", "\xff\xd8\xff", "GIF8", "RIFF"} {
		if bytes.HasPrefix(b, []byte(start)) {
			return b
		}
	}
	return nil
}

// cut is a line of text of at most so many bytes.
func cut(s string, most int) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}

// note adds a note and returns the text that stands for it.
func (g *gather) note(paras []para) string {
	g.notes = append(g.notes, paras)
	return "[" + strconv.Itoa(len(g.notes)) + "]"
}

// boxes are the signs of tasks, and whether they are done.
var boxes = map[rune]bool{'☐': false, '□': false, '☑': true, '☒': true, '✅': true, '🗹': true}

// tick makes a paragraph that begins with a box a task.
func (p *para) tick() {
	if p.ticked || p.kind != document.Paragraph && p.kind != document.Bullet && p.kind != document.Task || len(p.spans) == 0 || p.spans[0].Embed != nil {
		return
	}
	text := strings.TrimLeft(p.spans[0].Text, " \t\u00a0")
	for box, done := range boxes {
		rest, ok := strings.CutPrefix(text, string(box))
		if !ok {
			continue
		}
		if rest == "" && len(p.spans) > 1 && p.spans[1].Embed == nil { // the box has a look of its own
			p.spans = p.spans[1:]
			rest = p.spans[0].Text
		} else if rest != "" && !strings.HasPrefix(rest, " ") && !strings.HasPrefix(rest, "\t") && !strings.HasPrefix(rest, "\u00a0") {
			return
		}
		for _, space := range []string{" ", "\t", "\u00a0"} {
			if after, ok := strings.CutPrefix(rest, space); ok {
				rest = after
				break
			}
		}
		p.spans[0].Text = rest
		p.kind, p.number, p.ticked = document.Task, 0, true
		if done {
			p.number = 1
		}
		return
	}
}

// block is the paragraph as a block.
func (p *para) block() document.Block {
	b := document.Block{Kind: p.kind, Level: p.level, Checked: p.kind == document.Task && p.number == 1, Spans: joined(p.spans)}
	if p.kind == document.Code {
		text := b.Text()
		if b.Spans = nil; text != "" {
			b.Spans = []document.Span{{Text: text}}
		}
	}
	return b
}

// end makes blocks of what was found. title is what the file calls itself; a title in
// the text goes before.
func (g *gather) end(title string) Imported {
	im := Imported{Title: cut(title, document.MaxTitle)}
	paras := flat(nil, g.out)
	for i := range paras {
		if !paras[i].title && len(paras[i].spans) == 0 {
			continue
		}
		if b := paras[i].block(); paras[i].title && strings.TrimSpace(b.Text()) != "" && len(b.Text()) <= document.MaxTitle {
			im.Title, paras = cut(b.Text(), document.MaxTitle), paras[i+1:]
		}
		break
	}
	for i, note := range g.notes {
		for k, p := range flat(nil, note) {
			if k == 0 {
				p.spans = append([]document.Span{{Text: "[" + strconv.Itoa(i+1) + "] "}}, p.spans...)
			}
			p.kind, p.level = document.Paragraph, 0
			paras = append(paras, p)
		}
	}
	for i := range paras {
		p := &paras[i]
		if p.title {
			p.kind, p.level = document.Heading, 1
		}
		p.tick()
		b := p.block()
		if isItem(b.Kind) {
			g.lists.read(&b, p.number)
		} else {
			g.lists.end()
		}
		im.Blocks = append(im.Blocks, b)
	}
	for i, b := range im.Blocks {
		for k, s := range b.Spans {
			if n, ok := s.Embed[imageKey].(int64); ok {
				delete(s.Embed, imageKey)
				g.images[n].Block, g.images[n].Span = i, k
			}
		}
	}
	im.Images = g.images
	return im
}

// flat adds paragraphs and what hangs at them. Lines of code become one.
func flat(out, paras []para) []para {
	for _, p := range paras {
		if n := len(out); n > 0 && p.lines && out[n-1].lines {
			out[n-1].spans = append(append(out[n-1].spans, document.Span{Text: "\n"}), p.spans...)
		} else {
			out = append(out, p)
		}
		out = flat(out, p.behind)
	}
	return out
}

// lay adds a table. One of a single cell is a frame around text.
func (g *gather) lay(rows [][][]para, head bool) error {
	if len(rows) == 1 && len(rows[0]) == 1 {
		g.out = append(g.out, rows[0][0]...)
		return nil
	}
	wide := 0
	for _, row := range rows {
		wide = max(wide, len(row))
	}
	g.pieces += wide * len(rows) // short rows are filled up
	if err := g.spend(0); err != nil {
		return err
	}
	t := document.Table{Head: head}
	var images []document.Span
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = cellText(cell, &images)
		}
		t.Rows = append(t.Rows, cells)
	}
	for _, b := range t.Blocks() {
		g.out = append(g.out, para{kind: b.Kind, spans: b.Spans})
	}
	if len(images) > 0 {
		g.out = append(g.out, para{kind: document.Paragraph, spans: images})
	}
	return nil
}

// cellText is the plain text of a cell. Images, which cannot be in it, come behind.
func cellText(cell []para, images *[]document.Span) string {
	var b strings.Builder
	for i, p := range flat(nil, cell) {
		if i > 0 {
			b.WriteByte('\n')
		}
		p.tick()
		switch {
		case p.kind == document.Bullet:
			b.WriteString("• ")
		case p.kind == document.Ordered:
			b.WriteString(strconv.FormatInt(p.number, 10) + ". ")
		case p.kind == document.Task && p.number == 1:
			b.WriteString("☑ ")
		case p.kind == document.Task:
			b.WriteString("☐ ")
		}
		for _, s := range p.spans {
			b.WriteString(s.Text)
			if t, ok := document.TableOf(s.Embed); ok {
				for k, row := range t.Rows {
					if k > 0 {
						b.WriteByte('\n')
					}
					b.WriteString(strings.Join(row, "\t"))
				}
			} else if s.Embed != nil {
				*images = append(*images, s)
			}
		}
	}
	return b.String()
}

// bold reports whether all text of cells is.
func bold(row [][]para) bool {
	some := false
	for _, cell := range row {
		for _, p := range cell {
			for _, s := range p.spans {
				if strings.TrimSpace(s.Text) == "" {
					continue
				}
				if some = true; s.Marks["strong"] != true && !p.head {
					return false
				}
			}
		}
	}
	return some
}
