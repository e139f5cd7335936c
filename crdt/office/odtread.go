package office

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"strings"

	"inselnetz/crdt/document"
)

// An odtReader reads the text of an ODT file.
type odtReader struct {
	gather
	odtLooks
	a     *archive
	x     *reader
	space bool // the last character is one, or there is none yet

	names  []string // of the styles of the lists that are open
	counts []int64  // of their last items
	label  bool     // the next paragraph begins an item
	last   map[string]int64
}

// ReadODT reads an ODT file with its images. See [FromDOCX].
func ReadODT(b []byte) (Imported, error) {
	a, err := openArchive(b)
	if err != nil {
		return Imported{}, err
	}
	if err := a.isODT(); err != nil {
		return Imported{}, err
	}
	r := odtReader{a: a, last: map[string]int64{}, odtLooks: odtLooks{styles: map[string]*odtStyle{}, listStyles: map[string]map[int]odtLevel{}}}
	if err := a.odtStyles(&r.odtLooks); err != nil {
		return Imported{}, err
	}
	title, err := a.odtTitle()
	if err != nil {
		return Imported{}, err
	}
	x, root, err := a.xml("content.xml")
	if err != nil {
		return Imported{}, err
	}
	if root.name != "office:document-content" {
		return Imported{}, fmt.Errorf("%w: content.xml is %s", ErrMalformed, cut(root.name, 50))
	}
	r.x = x
	err = x.children(func(e element) error {
		switch e.name {
		case "office:automatic-styles":
			return x.odtLooks(&r.odtLooks, true)
		case "office:body":
			return x.children(func(e element) error {
				if e.name != "office:text" {
					return fmt.Errorf("%w: no text, but %s", ErrNotOffice, cut(e.name, 50))
				}
				return x.children(r.block)
			})
		}
		return nil
	})
	if err != nil {
		return Imported{}, err
	}
	return r.end(title), nil
}

// isODT looks what the archive says it is, and whether it is encrypted.
func (a *archive) isODT() error {
	if a.files["mimetype"] == nil || a.files["content.xml"] == nil {
		return fmt.Errorf("%w: no ODT", ErrNotOffice)
	}
	mime, err := a.bytes("mimetype", 200)
	if err != nil {
		return err
	}
	switch strings.TrimSpace(string(mime)) {
	case odtMime, odtMime + "-template", odtMime + "-master":
	default:
		return fmt.Errorf("%w: %s", ErrNotOffice, cut(string(mime), 100))
	}
	x, _, err := a.xml("META-INF/manifest.xml")
	if errors.Is(err, errNoPart) {
		return nil
	}
	if err != nil {
		return err
	}
	return x.children(func(e element) error {
		return x.children(func(e element) error {
			if e.name == "manifest:encryption-data" {
				return ErrEncrypted
			}
			return nil
		})
	})
}

func (a *archive) odtTitle() (title string, err error) {
	x, _, err := a.xml("meta.xml")
	if errors.Is(err, errNoPart) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return title, x.children(func(e element) error {
		return x.children(func(e element) (err error) {
			if e.name == "dc:title" {
				title, err = x.text()
			}
			return err
		})
	})
}

// block reads what may stand in the text, an item, a cell or a note.
func (r *odtReader) block(e element) error {
	switch e.name {
	case "text:p", "text:h":
		return r.paragraph(e)
	case "text:list":
		return r.list(e)
	case "table:table":
		return r.grid()
	case "text:section", "text:index-body", "text:numbered-paragraph", "text:user-index", "text:alphabetical-index", "text:bibliography":
		return r.x.children(r.block)
	case "draw:frame", "draw:custom-shape", "draw:rect", "draw:g": // hangs at the page
		p := para{kind: document.Paragraph}
		if err := r.frame(&p, e); err != nil || len(p.spans)+len(p.behind) == 0 {
			return err
		}
		r.out = append(r.out, p)
		return r.spend(0)
	}
	return nil // tracked deletions, tables of contents, forms, declarations
}

// within reads blocks that are not part of the text around them.
func (r *odtReader) within(read func() error) ([]para, error) {
	out, names, counts, label, space := r.out, r.names, r.counts, r.label, r.space
	r.out, r.names, r.counts, r.label = nil, nil, nil, false
	err := read()
	in := r.out
	r.out, r.names, r.counts, r.label, r.space = out, names, counts, label, space
	return in, err
}

// list reads a list, and lists within it.
func (r *odtReader) list(e element) error {
	level := len(r.names)
	name := cut(e.attr("text:style-name"), 200)
	if name == "" && level > 0 {
		name = r.names[level-1]
	}
	number := r.listStyles[name][level].start - 1
	if r.listStyles[name] == nil {
		number = 0
	}
	before, id := cut(e.attr("text:continue-list"), 200), cut(e.attr("xml:id"), 200)
	if level == 0 && before != "" {
		number = r.last["id "+before]
	} else if level == 0 && e.attr("text:continue-numbering") == "true" {
		number = r.last["style "+name]
	}
	r.names, r.counts = append(r.names, name), append(r.counts, number)
	err := r.x.children(func(e element) error {
		switch e.name {
		case "text:list-item":
			r.counts[level] = int64(e.number("text:start-value", int(r.counts[level])+1))
			r.label = true
		case "text:list-header":
			r.label = false
		default:
			return nil
		}
		empty := true // an item that holds deeper ones only is none
		err := r.x.children(func(e element) error {
			if e.name == "text:p" || e.name == "text:h" {
				empty = false
			}
			r.names, r.counts = r.names[:level+1], r.counts[:level+1]
			return r.block(e)
		})
		if empty {
			r.counts[level]--
		}
		r.label = false
		return err
	})
	if level == 0 {
		r.last["style "+name] = r.counts[0]
		if id != "" {
			r.last["id "+id] = r.counts[0]
		}
	}
	r.names, r.counts = r.names[:level], r.counts[:level]
	return err
}

func (r *odtReader) paragraph(e element) error {
	p := para{kind: document.Paragraph}
	style := cut(e.attr("text:style-name"), 200)
	r.space = true
	list := r.kind(&p, style, e.name == "text:h", e.number("text:outline-level", 0))
	level, number, item := len(r.names)-1, int64(0), r.label
	if r.label = false; level >= 0 {
		list, number = r.names[level], r.counts[level]
	} else if item = list != "" && list != "Outline"; item { // a list by the style of the paragraph alone
		level = 0
		r.last["style "+list]++
		number = r.last["style "+list]
	}
	marks := r.marks("paragraph", style, nil)
	if p.kind != document.Paragraph || p.title {
		marks = map[string]any{}
	}
	if err := r.content(&p, marks); err != nil {
		return err
	}
	if item && p.kind == document.Paragraph && !p.title {
		kind := document.Bullet
		if levels, ok := r.listStyles[list]; ok {
			if lv, ok := levels[level]; ok {
				kind = lv.kind
			}
		}
		if p.kind = kind; kind == "" {
			p.kind = document.Paragraph
		}
		if p.tick(); p.kind != document.Paragraph {
			p.level = min(level, 32)
		}
		if p.kind == document.Ordered {
			p.number = number
		}
	}
	if p.gap && len(p.spans) == 0 {
		return nil
	}
	r.out = append(r.out, p)
	return r.spend(0)
}

// content reads text and what stands in it, with marks.
func (r *odtReader) content(p *para, marks map[string]any) error {
	var failed error
	err := r.x.content(func(e element) error {
		if failed != nil {
			return failed
		}
		return r.inline(p, e, marks)
	}, func(s string) {
		if failed == nil {
			failed = r.chars(p, s, marks)
		}
	})
	if failed != nil {
		return failed
	}
	return err
}

// chars adds text, of which spaces in a row are one.
func (r *odtReader) chars(p *para, s string, marks map[string]any) error {
	var b strings.Builder
	for _, c := range s {
		if c == ' ' || c == '\n' || c == '\t' || c == '\r' {
			if !r.space {
				b.WriteByte(' ')
			}
			r.space = true
			continue
		}
		b.WriteRune(c)
		r.space = false
	}
	return r.put(p, b.String(), marks)
}

// put adds text as it is.
func (r *odtReader) put(p *para, s string, marks map[string]any) error {
	if marks[hidden] == true {
		return nil
	}
	marks = maps.Clone(marks)
	maps.DeleteFunc(marks, func(_ string, v any) bool { return v == false })
	return r.add(p, s, marks)
}

// inline reads what may stand in a line.
func (r *odtReader) inline(p *para, e element, marks map[string]any) error {
	if strings.HasPrefix(e.name, "draw:") {
		return r.frame(p, e)
	}
	special := func(s string) error {
		r.space = false
		return r.put(p, s, marks)
	}
	switch e.name {
	case "text:s":
		n := min(max(1, e.number("text:c", 1)), 1000)
		return special(strings.Repeat(" ", n))
	case "text:tab":
		return special("\t")
	case "text:line-break":
		return special("\n")
	case "text:span":
		return r.content(p, r.marks("text", cut(e.attr("text:style-name"), 200), marks))
	case "text:a":
		inner := maps.Clone(marks)
		if link := linkMark(e.attr("xlink:href"), e.attr("office:title")); link != "" {
			inner["link"] = link
		}
		return r.content(p, inner)
	case "text:note":
		return r.x.children(func(e element) error {
			if e.name != "text:note-body" {
				return nil
			}
			paras, err := r.within(func() error { return r.x.children(r.block) })
			if err != nil {
				return err
			}
			return special(r.note(paras))
		})
	case "text:ruby":
		return r.x.children(func(e element) error {
			if e.name != "text:ruby-base" {
				return nil
			}
			return r.content(p, marks)
		})
	case "text:hidden-text", "text:hidden-paragraph", "text:script", "text:toc-mark", "text:change":
		return nil
	}
	if strings.HasPrefix(e.name, "text:") || strings.HasPrefix(e.name, "loext:") {
		return r.content(p, marks) // a field, a bookmark
	}
	return nil
}

// frame reads an image, or a box with text.
func (r *odtReader) frame(p *para, e element) error {
	if e.name == "draw:a" {
		return r.x.children(func(e element) error { return r.frame(p, e) })
	}
	part, title, description := "", "", ""
	err := r.x.children(func(e element) (err error) {
		switch e.name {
		case "draw:image":
			if href := path.Clean(e.attr("xlink:href")); part == "" && r.a.files[href] != nil {
				part = href
			}
		case "svg:title":
			title, err = r.x.text()
		case "svg:desc":
			description, err = r.x.text()
		case "draw:text-box":
			in, err := r.within(func() error { return r.x.children(r.block) })
			p.behind = append(p.behind, in...)
			return err
		case "text:p", "text:h", "text:list":
			in, err := r.within(func() error { return r.block(e) })
			p.behind = append(p.behind, in...)
			return err
		case "draw:frame", "draw:custom-shape", "draw:g", "draw:rect":
			return r.frame(p, e)
		}
		return err
	})
	if err != nil {
		return err
	}
	if description == "" {
		description = title
	}
	if part != "" {
		r.space = false
		return r.picture(p, r.a, part, description)
	}
	return nil
}

// grid reads a table.
func (r *odtReader) grid() error {
	var rows [][][]para
	head, first := false, false
	var row func(e element) error
	row = func(e element) error {
		switch e.name {
		case "table:table-header-rows":
			first = len(rows) == 0
			return r.x.children(row)
		case "table:table-rows", "table:table-row-group":
			return r.x.children(row)
		case "table:table-row":
			cells, err := r.row()
			if err != nil || len(cells) == 0 {
				return err
			}
			if len(rows) == 0 {
				head = first || bold(cells)
			}
			for range min(max(1, e.number("table:number-rows-repeated", 1)), 1000) {
				rows = append(rows, cells)
				cells = nil
				if err := r.spend(0); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if err := r.x.children(row); err != nil || len(rows) == 0 {
		return err
	}
	return r.lay(rows, head)
}

func (r *odtReader) row() (cells [][]para, err error) {
	err = r.x.children(func(e element) error {
		if e.name != "table:table-cell" && e.name != "table:covered-table-cell" {
			return nil
		}
		in, err := r.within(func() error { return r.x.children(r.block) })
		if err != nil {
			return err
		}
		for range min(max(1, e.number("table:number-columns-repeated", 1)), 256) {
			if err := r.spend(0); err != nil {
				return err
			}
			cells, in = append(cells, in), nil // nobody repeats what is not empty
		}
		return nil
	})
	return cells, err
}
