package office

import (
	"fmt"
	"math"
	"strings"

	"inselnetz/crdt/document"
)

// A wordReader reads the text of a DOCX file.
type wordReader struct {
	gather
	*wordLooks
	a      *archive
	x      *reader
	links  map[string]wordLink // of the part that is read
	fields []wordField         // that are open: they may go over paragraphs
	note   map[string]string   // the sign of a note, by kind and id
	order  []string            // keys of note
	pend   *para               // a paragraph whose end was deleted: the next goes on with it
}

// A wordField is text that Word makes: a link, a number of a page.
type wordField struct {
	code   strings.Builder
	result bool // what follows is its text
	link   string
	hide   bool // a table of contents
}

// ReadDOCX reads a DOCX file with its images. See [FromDOCX].
func ReadDOCX(b []byte) (Imported, error) {
	a, err := openArchive(b)
	if err != nil {
		return Imported{}, err
	}
	main, title, err := a.wordMain()
	if err != nil {
		return Imported{}, err
	}
	r := wordReader{a: a, note: map[string]string{}, wordLooks: &wordLooks{
		styles: map[string]*wordStyle{}, nums: map[string]*wordNum{}, levels: map[string]map[int]*wordLevel{}, numbers: map[string]map[int]int64{},
	}}
	if r.links, err = a.links(main); err != nil {
		return Imported{}, err
	}
	notes := map[string]string{}
	for _, l := range r.links {
		switch l.kind {
		case "styles":
			err = a.wordStyles(l.target, r.wordLooks)
		case "numbering":
			err = a.wordNumbering(l.target, r.wordLooks)
		case "footnotes", "endnotes":
			notes[l.kind] = l.target
		}
		if err != nil {
			return Imported{}, err
		}
	}
	if err := r.document(main); err != nil {
		return Imported{}, err
	}
	if err := r.readNotes(notes); err != nil {
		return Imported{}, err
	}
	return r.end(title), nil
}

// wordMain is the part that holds the text, and the title among the properties.
func (a *archive) wordMain() (main, title string, err error) {
	if a.files["[Content_Types].xml"] == nil {
		return "", "", fmt.Errorf("%w: no DOCX", ErrNotOffice)
	}
	links, err := a.links("")
	if err != nil {
		return "", "", err
	}
	props := ""
	for _, l := range links {
		switch l.kind {
		case "officeDocument":
			main = l.target
		case "core-properties":
			props = l.target
		}
	}
	if main == "" {
		return "", "", fmt.Errorf("%w: no text", ErrMalformed)
	}
	if x, _, err := a.xml(props); err == nil {
		err = x.children(func(e element) (err error) {
			if e.name == "dc:title" {
				title, err = x.text()
			}
			return err
		})
		if err != nil {
			return "", "", err
		}
	}
	return main, title, nil
}

func (r *wordReader) document(part string) error {
	x, root, err := r.a.xml(part)
	if err != nil {
		return err
	}
	if root.name != "w:document" {
		return fmt.Errorf("%w: no text, but %s", ErrNotOffice, cut(root.name, 50))
	}
	r.x = x
	if err := x.children(func(e element) error {
		if e.name != "w:body" {
			return nil
		}
		return x.children(r.block)
	}); err != nil {
		return err
	}
	r.flush()
	return nil
}

// flush ends a paragraph that waits for a next one.
func (r *wordReader) flush() {
	if r.pend != nil {
		if len(r.pend.spans) > 0 {
			r.out = append(r.out, *r.pend)
		}
		r.pend = nil
	}
}

// within reads blocks that are not part of the text around them.
func (r *wordReader) within(read func() error) ([]para, error) {
	out, pend := r.out, r.pend
	r.out, r.pend = nil, nil
	err := read()
	r.flush()
	in := r.out
	r.out, r.pend = out, pend
	return in, err
}

// block reads what may stand in the body, a cell or a note.
func (r *wordReader) block(e element) error {
	switch e.name {
	case "w:p":
		return r.paragraph()
	case "w:tbl":
		return r.grid()
	case "w:sdt":
		return r.control(r.block)
	case "w:customXml", "w:smartTag", "w:ins", "w:moveTo":
		return r.x.children(r.block)
	case "mc:AlternateContent":
		return r.choose(r.block)
	}
	return nil
}

// control reads the contents of a content control, unless it is a table of contents.
func (r *wordReader) control(f func(element) error) error {
	skip := false
	return r.x.children(func(e element) error {
		switch e.name {
		case "w:sdtPr":
			return r.x.children(func(e element) error {
				if e.name != "w:docPartObj" {
					return nil
				}
				return r.x.children(func(e element) error {
					skip = skip || e.name == "w:docPartGallery" && e.attr("w:val") == "Table of Contents"
					return nil
				})
			})
		case "w:sdtContent":
			if skip {
				return nil
			}
			return r.x.children(f)
		}
		return nil
	})
}

// choose reads one of several ways to say the same.
func (r *wordReader) choose(f func(element) error) error {
	done := false
	return r.x.children(func(e element) error {
		if done || e.name != "mc:Choice" && e.name != "mc:Fallback" {
			return nil
		}
		done = true
		return r.x.children(f)
	})
}

func (r *wordReader) paragraph() error {
	p := para{kind: document.Paragraph}
	style, num, level, outline, indent, goesOn := "", "", -1, -1, 0, false
	hides := r.hides()
	err := r.x.children(func(e element) error {
		if e.name != "w:pPr" {
			return r.inline(&p, e, "")
		}
		return r.x.children(func(e element) error {
			switch e.name {
			case "w:pStyle":
				style = cut(e.attr("w:val"), 200)
			case "w:outlineLvl":
				outline = e.number("w:val", -1)
			case "w:ind":
				indent = e.number("w:left", e.number("w:start", 0))
			case "w:numPr":
				return r.x.numbering(&num, &level)
			case "w:rPr": // of the paragraph's end
				return r.x.children(func(e element) error {
					goesOn = goesOn || e.name == "w:del" || e.name == "w:moveFrom"
					return nil
				})
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	r.kind(&p, style, outline)
	if len(p.spans) == 0 && (hides || r.hides() || p.gap) {
		return nil
	}
	r.item(&p, style, num, level)
	if p.kind == document.Quote {
		p.level = min(max(0, int(math.Round(float64(indent)/quoteTwips))-1), 32)
	}
	return r.close(p, goesOn)
}

// close adds a paragraph, behind what was left of those whose ends were deleted.
func (r *wordReader) close(p para, goesOn bool) error {
	if p.number < 0 { // a list without signs
		if p.tick(); p.kind == document.Task && p.number < 0 {
			p.kind, p.level, p.number = document.Paragraph, 0, 0
		}
	}
	if r.pend != nil {
		p.spans = append(r.pend.spans, p.spans...)
		p.behind = append(r.pend.behind, p.behind...)
		r.pend = nil
	}
	if goesOn {
		r.pend = &p
		return nil
	}
	r.out = append(r.out, p)
	return r.spend(0)
}

// hides reports whether what is read now belongs to a field that is left out.
func (r *wordReader) hides() bool {
	for i := range r.fields {
		if r.fields[i].hide {
			return true
		}
	}
	return false
}

// inline reads what may stand in a line.
func (r *wordReader) inline(p *para, e element, link string) error {
	within := func(e element) error { return r.inline(p, e, link) }
	switch e.name {
	case "w:r":
		return r.run(p, link)
	case "w:hyperlink":
		if l := r.links[e.attr("r:id")]; l.external {
			link = linkMark(l.target, e.attr("w:tooltip"))
		}
		return r.x.children(within)
	case "w:fldSimple":
		f := wordField{}
		f.code.WriteString(e.attr("w:instr"))
		f.begin()
		if f.link != "" {
			link = f.link
		}
		return r.x.children(within)
	case "w:ins", "w:moveTo", "w:smartTag", "w:customXml", "w:dir", "w:bdo":
		return r.x.children(within)
	case "w:sdt":
		return r.control(within)
	case "mc:AlternateContent":
		return r.choose(within)
	case "m:oMath", "m:oMathPara":
		text, err := r.x.text()
		if err != nil {
			return err
		}
		return r.add(p, cut(text, maxHref), nil)
	}
	return nil
}

// linkMark is the value of a link's mark, "" for an address that cannot be one.
func linkMark(href, title string) string {
	if len(href) > maxHref || len(title) > maxHref/4 || !document.Outside(href) {
		return ""
	}
	return document.Link(href, title)
}
