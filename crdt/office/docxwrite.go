package office

import (
	"fmt"
	"strconv"
	"strings"

	"inselnetz/crdt/document"
)

func itoa(n int) string { return strconv.Itoa(n) }

const (
	styleGap   = "Gap" // a paragraph that only keeps tables apart
	quoteTwips = 567   // 1 cm for each level of a quote
	textTwips  = 9071
	emuPerCM   = 360000
)

// Lists of numbering.xml; numbered ones have a number of their own, from firstNum.
const (
	bulletNum = 1
	taskNum   = 2
	firstNum  = 3
)

// DOCX writes a document for Word: title, if it is not empty, as a paragraph of the
// style Title, headings with the styles of Word. Images (PNG, JPEG, GIF) that files
// gives are in it; what cannot be shown is its name. Comments are left out. The
// error is that of an archive that cannot be written.
func DOCX(title string, blocks []document.Block, files Files) ([]byte, error) {
	w := docxWriter{pictures: pictures{files: files}, links: map[string]string{}}
	if title = strings.TrimSpace(legal(title)); title != "" {
		w.paragraph(`<w:pStyle w:val="Title"/>`, []document.Span{{Text: title}})
	}
	for i := range blocks {
		w.block(&blocks[i])
	}
	if w.table || w.Len() == 0 {
		w.gap()
	}
	text := docxHead + w.String() + docxFoot
	out := []entry{
		{name: "[Content_Types].xml", bytes: []byte(docxTypes)},
		{name: "_rels/.rels", bytes: []byte(docxRels)},
		{name: "docProps/core.xml", bytes: []byte(fmt.Sprintf(docxCore, escape(title)))},
		{name: "word/document.xml", bytes: []byte(text)},
		{name: "word/_rels/document.xml.rels", bytes: []byte(w.rels())},
		{name: "word/styles.xml", bytes: []byte(docxStyles())},
		{name: "word/numbering.xml", bytes: []byte(docxNumbering(w.starts))},
		{name: "word/settings.xml", bytes: []byte(docxSettings)},
	}
	for _, p := range w.all {
		out = append(out, entry{"word/media/" + p.part, p.bytes, true})
	}
	return pack(out)
}

type docxWriter struct {
	strings.Builder
	pictures
	lists  lists
	starts []start           // of numbered lists
	links  map[string]string // address to id
	order  []string          // addresses
	table  bool              // the last thing is one
	drawn  int
}

// A start is that of a numbered list.
type start struct {
	level  int
	number int64
}

func (w *docxWriter) block(b *document.Block) {
	props := w.props(b)
	if b.Kind == document.Code {
		w.paragraph(props, []document.Span{{Text: b.Text()}})
		return
	}
	for _, p := range document.Parts(b) {
		switch {
		case p.Table == nil && b.Kind == document.Task && props != "":
			w.paragraph(props, append([]document.Span{{Text: box(b) + " "}}, p.Spans...))
			props = ""
		case p.Table == nil:
			w.paragraph(props, p.Spans)
			props = ""
		case len(p.Table.Rows) > 0:
			w.grid(p.Table)
		}
	}
}

// box is the sign before a task.
func box(b *document.Block) string {
	if b.Checked {
		return "☒"
	}
	return "☐"
}

// props are the properties of a block's paragraph.
func (w *docxWriter) props(b *document.Block) string {
	if !isItem(b.Kind) {
		w.lists.end()
	}
	switch b.Kind {
	case document.Heading:
		return fmt.Sprintf(`<w:pStyle w:val="Heading%d"/>`, min(max(b.Level, 1), 6))
	case document.Quote:
		return fmt.Sprintf(`<w:pStyle w:val="Quote"/><w:ind w:left="%d"/>`, quoteTwips*(1+min(max(b.Level, 0), 32)))
	case document.Code:
		return `<w:pStyle w:val="Code"/>`
	case document.Bullet, document.Task, document.Ordered:
		level := min(max(b.Level, 0), 8)
		list, fresh := w.lists.write(b, level)
		num := bulletNum
		switch b.Kind {
		case document.Task:
			num = taskNum
		case document.Ordered:
			if fresh {
				list.id = firstNum + len(w.starts)
				w.starts = append(w.starts, start{level, list.number})
			}
			num = list.id
		}
		return fmt.Sprintf(`<w:pStyle w:val="ListParagraph"/><w:numPr><w:ilvl w:val="%d"/><w:numId w:val="%d"/></w:numPr>`, level, num)
	}
	return ""
}

func (w *docxWriter) gap() {
	w.table = false
	w.WriteString(`<w:p><w:pPr><w:pStyle w:val="` + styleGap + `"/></w:pPr></w:p>`)
}

func (w *docxWriter) paragraph(props string, spans []document.Span) {
	w.table = false
	w.WriteString("<w:p>")
	if props != "" {
		w.WriteString("<w:pPr>" + props + "</w:pPr>")
	}
	link := ""
	for _, s := range spans {
		id := ""
		if href, title := address(s.Marks); href != "" {
			id = fmt.Sprintf(`r:id="%s" w:tooltip="%s"`, w.link(href), escape(title))
		}
		if id != link && link != "" {
			w.WriteString("</w:hyperlink>")
		}
		if id != link && id != "" {
			w.WriteString("<w:hyperlink " + strings.TrimSuffix(id, ` w:tooltip=""`) + ">")
		}
		link = id
		if s.Embed == nil {
			w.run(s.Text, s.Marks, link != "")
		} else if p := w.find(s.Embed); p != nil {
			w.drawing(p, s.Embed)
		} else {
			w.run(embedText(s.Embed), nil, false)
		}
	}
	if link != "" {
		w.WriteString("</w:hyperlink>")
	}
	w.WriteString("</w:p>")
}

// link is the id of an address.
func (w *docxWriter) link(href string) string {
	id, ok := w.links[href]
	if !ok {
		id = "link" + itoa(len(w.order)+1)
		w.links[href] = id
		w.order = append(w.order, href)
	}
	return id
}

// docxMarks are the marks that are one property, in the order the format wants.
var docxMarks = []struct{ name, property string }{
	{"strong", `<w:b/>`}, {"em", `<w:i/>`}, {"strike", `<w:strike/>`}, {"color", ""}, {"marker", `<w:highlight w:val="yellow"/>`}, {"underline", `<w:u w:val="single"/>`},
}

func (w *docxWriter) run(text string, marks map[string]any, link bool) {
	if text = legal(text); text == "" {
		return
	}
	props := ""
	switch {
	case truthy(marks["code"]):
		props = `<w:rStyle w:val="CodeText"/>`
	case link:
		props = `<w:rStyle w:val="Hyperlink"/>`
	}
	for _, m := range docxMarks {
		if m.name == "color" {
			if c := sixDigits(marks["color"]); c != "" {
				props += `<w:color w:val="` + c + `"/>`
			}
		} else if truthy(marks[m.name]) {
			props += m.property
		}
	}
	w.WriteString("<w:r>")
	if props != "" {
		w.WriteString("<w:rPr>" + props + "</w:rPr>")
	}
	for text != "" {
		i := strings.IndexAny(text, "\n\t")
		if i < 0 {
			i = len(text)
		}
		if i > 0 {
			w.WriteString(`<w:t xml:space="preserve">` + escape(text[:i]) + `</w:t>`)
		}
		if i < len(text) {
			w.WriteString(map[byte]string{'\n': "<w:br/>", '\t': "<w:tab/>"}[text[i]])
			i++
		}
		text = text[i:]
	}
	w.WriteString("</w:r>")
}

func (w *docxWriter) drawing(p *picture, embed map[string]any) {
	w.drawn++
	width, height := p.size(embed)
	cx, cy := int(width*emuPerCM), int(height*emuPerCM)
	name := escape(document.Label(map[string]any{"name": embed["name"], "path": document.Source(embed)}))
	alt, _ := embed["alt"].(string)
	fmt.Fprintf(w, `<w:r><w:drawing><wp:inline distT="0" distB="0" distL="0" distR="0"><wp:extent cx="%d" cy="%d"/><wp:docPr id="%d" name="%s" descr="%s"/>`+
		`<a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:pic><pic:nvPicPr><pic:cNvPr id="%d" name="%s"/><pic:cNvPicPr/></pic:nvPicPr>`+
		`<pic:blipFill><a:blip r:embed="%s"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill>`+
		`<pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="%d" cy="%d"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r>`,
		cx, cy, w.drawn, name, escape(alt), w.drawn, name, "pic"+strings.TrimSuffix(p.part, "."+p.kind), cx, cy)
}

func (w *docxWriter) grid(t *document.Table) {
	if w.table {
		w.gap() // else they would be one
	}
	cols := len(t.Rows[0])
	w.WriteString(`<w:tbl><w:tblPr><w:tblStyle w:val="TableGrid"/><w:tblW w:w="5000" w:type="pct"/><w:tblLook w:val="0000"/></w:tblPr><w:tblGrid>`)
	for range cols {
		fmt.Fprintf(w, `<w:gridCol w:w="%d"/>`, textTwips/cols)
	}
	w.WriteString("</w:tblGrid>")
	for i, row := range t.Rows {
		var marks map[string]any
		w.WriteString(`<w:tr><w:trPr><w:cantSplit/>`)
		if i == 0 && t.Head {
			w.WriteString("<w:tblHeader/>")
			marks = map[string]any{"strong": true}
		}
		w.WriteString("</w:trPr>")
		for _, cell := range row {
			fmt.Fprintf(w, `<w:tc><w:tcPr><w:tcW w:w="%d" w:type="dxa"/></w:tcPr><w:p><w:pPr><w:pStyle w:val="TableText"/></w:pPr>`, textTwips/cols)
			w.run(cell, marks, false)
			w.WriteString("</w:p></w:tc>")
		}
		w.WriteString("</w:tr>")
	}
	w.WriteString("</w:tbl>")
	w.table = true
}

// rels are the relations of the text.
func (w *docxWriter) rels() string {
	const base = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
	var b strings.Builder
	b.WriteString(xmlHead + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`)
	for _, part := range []string{"styles", "numbering", "settings"} {
		fmt.Fprintf(&b, `<Relationship Id="%s" Type="%s%s" Target="%s.xml"/>`, part, base, part, part)
	}
	for _, p := range w.all {
		fmt.Fprintf(&b, `<Relationship Id="pic%s" Type="%simage" Target="media/%s"/>`, strings.TrimSuffix(p.part, "."+p.kind), base, p.part)
	}
	for _, href := range w.order {
		fmt.Fprintf(&b, `<Relationship Id="%s" Type="%shyperlink" Target="%s" TargetMode="External"/>`, w.links[href], base, escape(href))
	}
	b.WriteString("</Relationships>")
	return b.String()
}
