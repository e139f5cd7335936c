package office

import (
	"errors"
	"maps"
	"path"
	"strconv"
	"strings"

	"inselnetz/crdt/document"
)

// run reads text with the same looks.
func (r *wordReader) run(p *para, link string) error {
	own := map[string]any{}
	put := func(s string) error { return r.say(p, s, own, link) }
	return r.x.children(func(e element) error {
		switch e.name {
		case "w:rPr":
			style, err := r.x.runLooks(own)
			own["style"] = style
			return err
		case "w:t":
			text, err := r.x.text()
			if err != nil {
				return err
			}
			return put(strings.NewReplacer("\n", " ", "\r", "").Replace(text))
		case "w:tab", "w:ptab":
			return put("\t")
		case "w:br":
			if kind := e.attr("w:type"); kind == "page" || kind == "column" {
				return nil
			}
			return put("\n")
		case "w:cr":
			return put("\n")
		case "w:noBreakHyphen":
			return put("\u2011")
		case "w:softHyphen":
			return put("\u00ad")
		case "w:sym":
			return put(symbol(e.attr("w:char")))
		case "w:footnoteReference":
			return put(r.noteSign("footnotes", e.attr("w:id")))
		case "w:endnoteReference":
			return put(r.noteSign("endnotes", e.attr("w:id")))
		case "w:fldChar":
			r.field(e.attr("w:fldCharType"))
		case "w:instrText":
			text, err := r.x.text()
			if n := len(r.fields); n > 0 && !r.fields[n-1].result && r.fields[n-1].code.Len()+len(text) < 2*maxHref {
				r.fields[n-1].code.WriteString(text)
			}
			return err
		case "w:ruby":
			return r.x.children(func(e element) error {
				if e.name != "w:rubyBase" {
					return nil
				}
				return r.x.children(func(e element) error { return r.inline(p, e, link) })
			})
		case "w:drawing", "w:pict", "w:object":
			return r.drawing(p)
		case "mc:AlternateContent":
			return r.choose(func(e element) error {
				if e.name == "w:drawing" || e.name == "w:pict" {
					return r.drawing(p)
				}
				return nil
			})
		}
		return nil
	})
}

// say adds text of a run, unless it is hidden or belongs to what makes a field.
func (r *wordReader) say(p *para, s string, own map[string]any, link string) error {
	marks := r.marks(own, link)
	if marks[hidden] == true || r.hides() {
		return nil
	}
	for i := range r.fields {
		if !r.fields[i].result {
			return nil
		}
		if r.fields[i].link != "" {
			marks["link"] = r.fields[i].link
		}
	}
	return r.add(p, s, marks)
}

// marks are those of a run: what its style says, and what it says itself.
func (r *wordReader) marks(own map[string]any, link string) map[string]any {
	all := map[string]any{}
	style, _ := own["style"].(string)
	r.chain(style, func(s *wordStyle) bool {
		if strings.Contains(s.name, "hyperlink") || s.name == "internet link" || strings.Contains(s.name, "footnote") || strings.Contains(s.name, "endnote") {
			return true // how links look is not said of each
		}
		if codeStyles[s.name] {
			all["code"] = true
			return true
		}
		for k, v := range s.marks {
			if _, ok := all[k]; !ok {
				all[k] = v
			}
		}
		return false
	})
	maps.Copy(all, own)
	delete(all, "style")
	if link != "" {
		all["link"] = link
	}
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == false })
	return all
}

// symbol is a character of the fonts that have signs of their own: boxes and arrows
// of Wingdings, which everybody uses.
func symbol(code string) string {
	switch strings.ToUpper(code) {
	case "F0A8", "F06F", "F071", "F0A3":
		return "☐"
	case "F0FE", "F052":
		return "☑"
	case "F0FD", "F054", "F078":
		return "☒"
	case "F0FC":
		return "✓"
	case "F0FB":
		return "✗"
	case "F0E0":
		return "→"
	case "F0B7":
		return "•"
	}
	if n, err := strconv.ParseUint(code, 16, 16); err == nil && n >= ' ' && n < 0xd800 {
		return legal(string(rune(n)))
	}
	return ""
}

// field begins and ends fields.
func (r *wordReader) field(what string) {
	n := len(r.fields)
	switch {
	case what == "begin" && n < maxNesting:
		r.fields = append(r.fields, wordField{})
	case what == "separate" && n > 0:
		r.fields[n-1].begin()
	case what == "end" && n > 0:
		r.fields = r.fields[:n-1]
	}
}

// begin is where the text of a field begins.
func (f *wordField) begin() {
	f.result = true
	words := strings.Fields(f.code.String())
	if len(words) == 0 {
		return
	}
	switch strings.ToUpper(words[0]) {
	case "TOC":
		f.hide = true
	case "HYPERLINK":
		if len(words) > 1 && !strings.HasPrefix(words[1], `\`) {
			f.link = linkMark(strings.Trim(words[1], `"`), "")
		}
	}
}

// noteSign is what stands for a note in the text.
func (r *wordReader) noteSign(kind, id string) string {
	key := kind + " " + cut(id, 20)
	if s, ok := r.note[key]; ok {
		return s
	}
	if len(r.order) >= maxPieces/4 {
		return ""
	}
	s := "[" + strconv.Itoa(len(r.order)+1) + "]"
	r.order = append(r.order, key)
	r.note[key] = s
	return s
}

// readNotes reads the notes that the text names.
func (r *wordReader) readNotes(parts map[string]string) error {
	found := map[string][]para{}
	for _, kind := range []string{"footnotes", "endnotes"} {
		if parts[kind] == "" {
			continue
		}
		x, _, err := r.a.xml(parts[kind])
		if errors.Is(err, errNoPart) {
			continue
		}
		if err != nil {
			return err
		}
		if r.links, err = r.a.links(parts[kind]); err != nil {
			return err
		}
		r.x, r.fields = x, nil
		if err := x.children(func(e element) error {
			key := kind + " " + cut(e.attr("w:id"), 20)
			if r.note[key] == "" || found[key] != nil {
				return nil
			}
			paras, err := r.within(func() error { return x.children(r.block) })
			found[key] = paras
			return err
		}); err != nil {
			return err
		}
	}
	for i := 0; i < len(r.order); i++ { // notes within notes are behind them
		paras := found[r.order[i]]
		if len(paras) == 0 {
			paras = []para{{kind: document.Paragraph}}
		}
		if n := len(paras[0].spans); n > 0 && paras[0].spans[0].Embed == nil { // the space behind its number
			paras[0].spans[0].Text = strings.TrimLeft(paras[0].spans[0].Text, " \t")
		}
		r.notes = append(r.notes, paras)
	}
	return nil
}

// drawing reads images and text boxes.
func (r *wordReader) drawing(p *para) error {
	description, parts, links := "", []string(nil), r.links
	var inside func(element) error
	inside = func(e element) error {
		switch e.name {
		case "wp:docPr":
			description = e.attr("descr")
			if description == "" {
				description = e.attr("title")
			}
		case "a:blip":
			parts = append(parts, links[e.attr("r:embed")].target)
		case "v:imagedata":
			parts = append(parts, links[e.attr("r:id")].target)
		case "w:txbxContent":
			in, err := r.within(func() error { return r.x.children(r.block) })
			p.behind = append(p.behind, in...)
			return err
		case "mc:AlternateContent":
			return r.choose(inside)
		}
		return r.x.children(inside)
	}
	if err := r.x.children(inside); err != nil || r.hides() {
		return err
	}
	for _, part := range parts {
		if part != "" {
			if err := r.picture(p, r.a, path.Clean(part), description); err != nil {
				return err
			}
		}
	}
	if len(parts) == 0 && description != "" && len(p.behind) == 0 {
		return r.add(p, "["+cut(description, 1000)+"]", nil)
	}
	return nil
}

// grid reads a table.
func (r *wordReader) grid() error {
	r.flush()
	var rows [][][]para
	head := false
	var row func(e element) error
	row = func(e element) error {
		switch e.name {
		case "w:sdt":
			return r.control(row)
		case "w:customXml", "w:ins", "w:moveTo":
			return r.x.children(row)
		case "w:tr":
			cells, isHead, deleted, err := r.row()
			if err != nil || deleted || len(cells) == 0 {
				return err
			}
			if len(rows) == 0 {
				head = isHead || bold(cells)
			}
			rows = append(rows, cells)
			return r.spend(0)
		}
		return nil
	}
	if err := r.x.children(row); err != nil || len(rows) == 0 || r.hides() {
		return err
	}
	return r.lay(rows, head)
}

func (r *wordReader) row() (cells [][]para, head, deleted bool, err error) {
	var cell func(e element) error
	cell = func(e element) error {
		switch e.name {
		case "w:trPr":
			return r.x.children(func(e element) error {
				switch e.name {
				case "w:tblHeader":
					head = e.on()
				case "w:del":
					deleted = true
				}
				return nil
			})
		case "w:sdt":
			return r.control(cell)
		case "w:customXml":
			return r.x.children(cell)
		case "w:tc":
			wide := 1
			in, err := r.within(func() error {
				return r.x.children(func(e element) error {
					if e.name != "w:tcPr" {
						return r.block(e)
					}
					return r.x.children(func(e element) error {
						if e.name == "w:gridSpan" {
							wide = min(max(1, e.number("w:val", 1)), 64)
						}
						return nil
					})
				})
			})
			for range wide {
				if err == nil {
					err = r.spend(0)
				}
				cells, in = append(cells, in), nil
			}
			return err
		}
		return nil
	}
	err = r.x.children(cell)
	return cells, head, deleted, err
}
