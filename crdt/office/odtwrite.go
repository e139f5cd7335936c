package office

import (
	"fmt"
	"slices"
	"strings"

	"inselnetz/crdt/document"
)

const (
	odtMime  = "application/vnd.oasis.opendocument.text"
	odtDepth = 10 // levels of a list that LibreOffice knows
)

// ODT writes a document for LibreOffice and others, see [DOCX].
func ODT(title string, blocks []document.Block, files Files) ([]byte, error) {
	w := odtWriter{pictures: pictures{files: files}, styles: map[string]string{}, quotes: map[int]bool{}}
	if title = strings.TrimSpace(legal(title)); title != "" {
		w.paragraph(`text:p text:style-name="Title"`, []document.Span{{Text: title}})
	}
	for i := range blocks {
		w.block(&blocks[i])
	}
	w.close(0)
	out := []entry{
		{"mimetype", []byte(odtMime), true},
		{name: "META-INF/manifest.xml", bytes: []byte(w.manifest())},
		{name: "meta.xml", bytes: []byte(fmt.Sprintf(odtMeta, escape(title)))},
		{name: "styles.xml", bytes: []byte(odtStyles())},
		{name: "content.xml", bytes: []byte(w.content())},
	}
	for _, p := range w.all {
		out = append(out, entry{"Pictures/" + p.part, p.bytes, true})
	}
	return pack(out)
}

type odtWriter struct {
	strings.Builder
	pictures
	lists  lists
	open   []string          // styles of the lists that are open, each within an item of the one before
	styles map[string]string // of text: properties to name
	looks  []string          // their properties, in the order of their names
	quotes map[int]bool      // levels
	tables []int             // columns of each
	drawn  int
}

func (w *odtWriter) block(b *document.Block) {
	if !isItem(b.Kind) {
		w.lists.end()
		w.close(0)
	}
	tag := `text:p text:style-name="Text_20_body"`
	switch b.Kind {
	case document.Heading:
		n := min(max(b.Level, 1), 6)
		tag = fmt.Sprintf(`text:h text:style-name="Heading_20_%d" text:outline-level="%d"`, n, n)
	case document.Quote:
		level := min(max(b.Level, 0), 32)
		w.quotes[level] = true
		tag = fmt.Sprintf(`text:p text:style-name="Quote%d"`, level)
	case document.Code:
		w.paragraph(`text:p text:style-name="Code"`, []document.Span{{Text: b.Text()}})
		return
	case document.Bullet, document.Ordered, document.Task:
		w.item(b)
		tag = `text:p text:style-name="List_20_Paragraph"`
	}
	for _, p := range document.Parts(b) {
		switch {
		case p.Table != nil && len(p.Table.Rows) > 0:
			w.close(0) // a list cannot hold a table
			w.grid(p.Table)
			tag = `text:p text:style-name="Text_20_body"`
		case p.Table != nil:
		case b.Kind == document.Task && len(w.open) > 0:
			w.paragraph(tag, append([]document.Span{{Text: box(b) + " "}}, p.Spans...))
		default:
			w.paragraph(tag, p.Spans)
		}
	}
}

// close closes lists until n are open.
func (w *odtWriter) close(n int) {
	for len(w.open) > n {
		w.WriteString("</text:list-item></text:list>")
		w.open = w.open[:len(w.open)-1]
	}
}

// item begins the item of a list and leaves it open.
func (w *odtWriter) item(b *document.Block) {
	level := min(max(b.Level, 0), odtDepth-1)
	list, fresh := w.lists.write(b, level)
	style := map[string]string{document.Bullet: "Bullets", document.Ordered: "Numbers", document.Task: "Tasks"}[b.Kind]
	w.close(level + 1)
	if len(w.open) > level && (fresh || w.open[level] != style) {
		w.close(level)
	}
	value := ""
	if len(w.open) > level {
		w.WriteString("</text:list-item>")
	} else {
		for len(w.open) < level {
			w.list(style)
			w.WriteString("<text:list-item>")
		}
		w.list(style)
		if b.Kind == document.Ordered {
			value = fmt.Sprintf(` text:start-value="%d"`, list.number)
		}
	}
	w.WriteString("<text:list-item" + value + ">")
}

func (w *odtWriter) list(style string) {
	w.WriteString(`<text:list text:style-name="` + style + `">`)
	w.open = append(w.open, style)
}

func (w *odtWriter) paragraph(tag string, spans []document.Span) {
	w.WriteString("<" + tag + ">")
	t := odtText{b: &w.Builder, space: true}
	link := ""
	spans = joined(spans)
	for i, s := range spans {
		open := ""
		if href, title := address(s.Marks); href != "" {
			open = `<text:a xlink:type="simple" xlink:href="` + escape(href) + `" text:style-name="Internet_20_link"`
			if title != "" {
				open += ` office:title="` + escape(title) + `"`
			}
			open += ">"
		}
		if open != link && link != "" {
			w.WriteString("</text:a>")
		}
		if open != link {
			w.WriteString(open)
		}
		link = open
		if p := w.find(s.Embed); p != nil {
			w.drawing(p, s.Embed)
			t.space = false
			continue
		}
		text := legal(s.Text)
		if s.Embed != nil {
			text = legal(embedText(s.Embed))
		}
		if text == "" {
			continue
		}
		style := w.style(s.Marks)
		if style != "" {
			w.WriteString(`<text:span text:style-name="` + style + `">`)
		}
		t.write(text, i == len(spans)-1)
		if style != "" {
			w.WriteString("</text:span>")
		}
	}
	if link != "" {
		w.WriteString("</text:a>")
	}
	w.WriteString("</" + tag[:6] + ">") // text:p or text:h
}

// An odtText writes text of one paragraph. The format takes spaces in a row for one,
// and none at the edges.
type odtText struct {
	b     *strings.Builder
	space bool // at the beginning, or behind a space
}

func (t *odtText) write(s string, last bool) {
	from := 0
	flush := func(to int) {
		t.b.WriteString(escape(s[from:to]))
		from = to + 1
	}
	for i := range len(s) {
		switch s[i] {
		case ' ':
			if t.space || i+1 == len(s) && last {
				flush(i)
				t.b.WriteString("<text:s/>")
			}
			t.space = true
			continue
		case '\n':
			flush(i)
			t.b.WriteString("<text:line-break/>")
		case '\t':
			flush(i)
			t.b.WriteString("<text:tab/>")
		default:
			t.space = false
			continue
		}
		t.space = true
	}
	if from < len(s) {
		flush(len(s))
	}
}

// style is the name of the style of text with marks, "" for none.
func (w *odtWriter) style(marks map[string]any) string {
	look := ""
	for _, m := range []struct{ mark, property string }{
		{"code", `style:font-name="Courier New"`},
		{"strong", `fo:font-weight="bold"`}, {"em", `fo:font-style="italic"`},
		{"underline", `style:text-underline-style="solid" style:text-underline-width="auto" style:text-underline-color="font-color"`},
		{"strike", `style:text-line-through-style="solid" style:text-line-through-type="single"`},
		{"marker", `fo:background-color="#ffff00"`},
	} {
		if truthy(marks[m.mark]) {
			look += " " + m.property
		}
	}
	if c := sixDigits(marks["color"]); c != "" {
		look += ` fo:color="#` + c + `"`
	}
	if look == "" {
		return ""
	}
	name, ok := w.styles[look]
	if !ok {
		w.looks = append(w.looks, look)
		name = "T" + itoa(len(w.looks))
		w.styles[look] = name
	}
	return name
}

func (w *odtWriter) drawing(p *picture, embed map[string]any) {
	w.drawn++
	width, height := p.size(embed)
	alt, _ := embed["alt"].(string)
	fmt.Fprintf(w, `<draw:frame draw:name="%s" text:anchor-type="as-char" svg:width="%.3fcm" svg:height="%.3fcm"><draw:image xlink:href="Pictures/%s" xlink:type="simple" xlink:show="embed" xlink:actuate="onLoad"/>`,
		"Bild"+itoa(w.drawn), width, height, p.part)
	if alt != "" {
		fmt.Fprintf(w, `<svg:desc>%s</svg:desc>`, escape(alt))
	}
	w.WriteString(`</draw:frame>`)
}

func (w *odtWriter) grid(t *document.Table) {
	w.tables = append(w.tables, len(t.Rows[0]))
	name := "Table" + itoa(len(w.tables))
	fmt.Fprintf(w, `<table:table table:name="%s" table:style-name="Table"><table:table-column table:style-name="%s" table:number-columns-repeated="%d"/>`, name, name+".C", len(t.Rows[0]))
	for i, row := range t.Rows {
		style := "Table_20_Contents"
		if i == 0 && t.Head {
			style = "Table_20_Heading"
			w.WriteString("<table:table-header-rows>")
		}
		w.WriteString(`<table:table-row table:style-name="Row">`)
		for _, cell := range row {
			w.WriteString(`<table:table-cell table:style-name="Cell" office:value-type="string">`)
			w.paragraph(`text:p text:style-name="`+style+`"`, []document.Span{{Text: cell}})
			w.WriteString(`</table:table-cell>`)
		}
		w.WriteString(`</table:table-row>`)
		if i == 0 && t.Head {
			w.WriteString("</table:table-header-rows>")
		}
	}
	w.WriteString("</table:table>")
}

// content is content.xml.
func (w *odtWriter) content() string {
	var b strings.Builder
	b.WriteString(odtHead + `<office:document-content ` + odtSpaces + `><office:automatic-styles>` + odtLists)
	for i, look := range w.looks {
		parent := ""
		if rest, ok := strings.CutPrefix(look, ` style:font-name="Courier New"`); ok {
			parent, look = ` style:parent-style-name="Source_20_Text"`, rest
		}
		fmt.Fprintf(&b, `<style:style style:name="T%d" style:family="text"%s><style:text-properties%s/></style:style>`, i+1, parent, look)
	}
	var quotes []int
	for level := range w.quotes {
		quotes = append(quotes, level)
	}
	slices.Sort(quotes)
	for _, level := range quotes {
		fmt.Fprintf(&b, `<style:style style:name="Quote%d" style:family="paragraph" style:parent-style-name="Quotations"><style:paragraph-properties fo:margin-left="%dcm"/></style:style>`, level, level+1)
	}
	for i, cols := range w.tables {
		fmt.Fprintf(&b, `<style:style style:name="Table%d.C" style:family="table-column"><style:table-column-properties style:column-width="%.3fcm"/></style:style>`, i+1, textWidth/float64(cols))
	}
	b.WriteString(odtTables + `</office:automatic-styles><office:body><office:text>`)
	b.WriteString(w.String())
	b.WriteString(`</office:text></office:body></office:document-content>`)
	return b.String()
}

func (w *odtWriter) manifest() string {
	var b strings.Builder
	b.WriteString(odtHead + `<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.3">`)
	file := func(name, kind string) {
		fmt.Fprintf(&b, `<manifest:file-entry manifest:full-path="%s" manifest:media-type="%s"/>`, name, kind)
	}
	file("/", odtMime)
	for _, part := range []string{"meta", "styles", "content"} {
		file(part+".xml", "text/xml")
	}
	for _, p := range w.all {
		file("Pictures/"+p.part, "image/"+p.kind)
	}
	b.WriteString(`</manifest:manifest>`)
	return b.String()
}
