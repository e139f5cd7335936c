package office

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"inselnetz/crdt/document"
)

// wordFile is a DOCX file of Word's with a body and other parts, by name.
func wordFile(body string, parts map[string]string) []byte {
	const ns = `xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"` +
		` xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"` +
		` xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:v="urn:schemas-microsoft-com:vml" xmlns:wps="urn:wps" xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"`
	const rel = `<Relationship Id="%" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/%" Target="%.xml"/>`
	rels := `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="h1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink" Target="https://a.example/" TargetMode="External"/>` +
		`<Relationship Id="h2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink" Target="javascript:alert(1)" TargetMode="External"/>` +
		`<Relationship Id="i1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/image" Target="media/image1.png"/>`
	entries := []entry{
		{name: "[Content_Types].xml", bytes: []byte(docxTypes)}, {name: "_rels/.rels", bytes: []byte(docxRels)},
		{name: "word/media/image1.png", bytes: picturePNG(2, 2)},
	}
	for name, part := range parts {
		entries = append(entries, entry{name: "word/" + name + ".xml", bytes: []byte(strings.Replace(part, ">", " "+ns+">", 1))})
		rels += strings.ReplaceAll(rel, "%", name)
	}
	if !strings.HasPrefix(body, "<?xml") {
		body = "<w:document " + ns + "><w:body>" + body + "</w:body></w:document>"
	}
	entries = append(entries, entry{name: "word/document.xml", bytes: []byte(body)}, entry{name: "word/_rels/document.xml.rels", bytes: []byte(rels + "</Relationships>")})
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	return must(pack(entries))
}

var wordStyles = map[string]string{
	"styles": `<w:styles>` +
		`<w:style w:type="paragraph" w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>` +
		`<w:style w:type="paragraph" w:styleId="Kapitel"><w:name w:val="Kapitel"/><w:basedOn w:val="berschrift1"/></w:style>` +
		`<w:style w:type="paragraph" w:styleId="Titel"><w:name w:val="Title"/></w:style>` +
		`<w:style w:type="paragraph" w:styleId="Loop"><w:name w:val="Loop"/><w:basedOn w:val="Loop"/></w:style>` +
		`<w:style w:type="paragraph" w:styleId="Liste"><w:name w:val="List Bullet"/><w:pPr><w:numPr><w:numId w:val="2"/></w:numPr></w:pPr></w:style>` +
		`<w:style w:type="character" w:styleId="Fett"><w:name w:val="Strong"/><w:rPr><w:b/></w:rPr></w:style>` +
		`<w:style w:type="character" w:styleId="Link"><w:name w:val="Hyperlink"/><w:rPr><w:u w:val="single"/><w:color w:val="0000FF"/></w:rPr></w:style></w:styles>`,
	"numbering": `<w:numbering>` +
		`<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:start w:val="3"/><w:numFmt w:val="decimal"/></w:lvl><w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="lowerLetter"/></w:lvl></w:abstractNum>` +
		`<w:abstractNum w:abstractNumId="1"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/></w:lvl></w:abstractNum>` +
		`<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num>` +
		`<w:num w:numId="3"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride></w:num></w:numbering>`,
	"footnotes": `<w:footnotes><w:footnote w:type="separator" w:id="-1"><w:p/></w:footnote><w:footnote w:id="2"><w:p><w:r><w:footnoteRef/></w:r><w:r><w:t xml:space="preserve"> The note</w:t></w:r></w:p><w:p><w:r><w:t>more</w:t></w:r></w:p></w:footnote></w:footnotes>`,
}

func p(s string) string { return "<w:p>" + s + "</w:p>" }
func r(s string) string { return "<w:r><w:t>" + s + "</w:t></w:r>" }

func TestWord(t *testing.T) {
	item := func(num, level, s string) string {
		return p(`<w:pPr><w:numPr><w:ilvl w:val="` + level + `"/><w:numId w:val="` + num + `"/></w:numPr></w:pPr>` + r(s))
	}
	box := `<w:sdt><w:sdtPr><w14:checkbox><w14:checked w14:val="1"/></w14:checkbox></w:sdtPr><w:sdtContent><w:r><w:rPr><w:b/></w:rPr><w:t>☒</w:t></w:r></w:sdtContent></w:sdt>`
	for name, tt := range map[string]struct{ body, want string }{
		"tracked changes": {p(r("a") + `<w:ins w:id="1" w:author="x"><w:r><w:t>new</w:t></w:r></w:ins><w:del w:id="2"><w:r><w:delText>old</w:delText></w:r></w:del>` +
			`<w:moveFrom><w:r><w:t>from</w:t></w:r></w:moveFrom><w:moveTo><w:r><w:t>to</w:t></w:r></w:moveTo>`), `paragraph: "anewto"`},
		"the end of a paragraph deleted": {p(`<w:pPr><w:rPr><w:del w:id="1"/></w:rPr></w:pPr>`+r("one ")) + p(r("two")) + p(r("three")), "paragraph: \"one two\"\nparagraph: \"three\""},
		"a paragraph deleted":            {p(r("a")) + p(`<w:pPr><w:rPr><w:del w:id="1"/></w:rPr></w:pPr><w:del><w:r><w:delText>x</w:delText></w:r></w:del>`) + p(r("b")), "paragraph: \"a\"\nparagraph: \"b\""},
		"old looks do not count":         {p(`<w:r><w:rPr><w:rPrChange><w:rPr><w:b/></w:rPr></w:rPrChange></w:rPr><w:t>x</w:t></w:r>`), `paragraph: "x"`},
		"styles": {p(`<w:pPr><w:pStyle w:val="Kapitel"/></w:pPr>`+r("h")) + p(`<w:pPr><w:pStyle w:val="Loop"/><w:outlineLvl w:val="8"/></w:pPr>`+r("l")) +
			p(`<w:r><w:rPr><w:rStyle w:val="Fett"/></w:rPr><w:t>b</w:t></w:r><w:r><w:rPr><w:rStyle w:val="Fett"/><w:b w:val="0"/></w:rPr><w:t>n</w:t></w:r>`),
			"heading 1: \"h\"\nheading 6: \"l\"\nparagraph: \"b\" strong \"n\""},
		"a title in the middle":      {p(r("a")) + p(`<w:pPr><w:pStyle w:val="Titel"/></w:pPr>`+r("t")), "paragraph: \"a\"\nheading 1: \"t\""},
		"lists":                      {item("1", "0", "c") + item("1", "1", "a") + item("1", "0", "d") + p(r("x")) + item("1", "0", "e") + item("3", "0", "one") + item("9", "0", "none") + p(`<w:pPr><w:pStyle w:val="Liste"/></w:pPr>`+r("b")), "ordered from 3: \"c\"\nordered 1: \"a\"\nordered: \"d\"\nparagraph: \"x\"\nordered from 5: \"e\"\nordered from 1: \"one\"\nparagraph: \"none\"\nbullet: \"b\""},
		"a list that the style ends": {p(`<w:pPr><w:pStyle w:val="Liste"/><w:numPr><w:numId w:val="0"/></w:numPr></w:pPr>` + r("b")), `paragraph: "b"`},
		"boxes":                      {p(box+r(" done")) + p(`<w:r><w:sym w:font="Wingdings" w:char="F0A8"/></w:r>`+r(" open")), "task checked: \"done\"\ntask: \"open\""},
		"links": {p(`<w:hyperlink r:id="h1"><w:r><w:rPr><w:rStyle w:val="Link"/></w:rPr><w:t>l</w:t></w:r></w:hyperlink><w:hyperlink r:id="h2">` + r("bad") + `</w:hyperlink><w:hyperlink w:anchor="x">` + r("in") + `</w:hyperlink>`),
			`paragraph: "l" link={"href":"https://a.example/","title":""} "badin"`},
		"fields": {p(`<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText> HYPERLINK "https://b.example/" </w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>` + r("f") + `<w:r><w:fldChar w:fldCharType="end"/></w:r>` + r("g") + `<w:fldSimple w:instr="PAGE">` + r("7") + `</w:fldSimple>`), `paragraph: "f" link={"href":"https://b.example/","title":""} "g7"`},
		"contents": {p(`<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>TOC \o "1-3"</w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>`+r("One 1")) + p(r("Two 2")) + p(`<w:r><w:fldChar w:fldCharType="end"/></w:r>`) + p(r("text")) +
			`<w:sdt><w:sdtPr><w:docPartObj><w:docPartGallery w:val="Table of Contents"/></w:docPartObj></w:sdtPr><w:sdtContent>` + p(r("toc")) + `</w:sdtContent></w:sdt><w:sdt><w:sdtContent>` + p(r("kept")) + `</w:sdtContent></w:sdt>`, "paragraph: \"text\"\nparagraph: \"kept\""},
		"hidden, breaks": {p(`<w:r><w:rPr><w:vanish/></w:rPr><w:t>h</w:t></w:r><w:r><w:t xml:space="preserve">a </w:t><w:tab/><w:t>b</w:t><w:br/><w:br w:type="page"/><w:noBreakHyphen/></w:r>`), "paragraph: \"a \\tb\\n‑\""},
		"notes":          {p(r("x")+`<w:r><w:footnoteReference w:id="2"/></w:r><w:r><w:footnoteReference w:id="9"/></w:r><w:commentRangeStart w:id="1"/>`+r("y")+`<w:commentRangeEnd w:id="1"/><w:r><w:commentReference w:id="1"/></w:r>`) + p(r("z")), "paragraph: \"x[1][2]y\"\nparagraph: \"z\"\nparagraph: \"[1] The note\"\nparagraph: \"more\"\nparagraph: \"[2] \""},
		"text boxes once": {p(r("a") + `<w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wps:wsp><wps:txbx><w:txbxContent>` + p(r("box")) + `</w:txbxContent></wps:txbx></wps:wsp></w:drawing></mc:Choice><mc:Fallback><w:pict><v:textbox><w:txbxContent>` + p(r("box")) + `</w:txbxContent></v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r>` + r("b")),
			"paragraph: \"ab\"\nparagraph: \"box\""},
		"images": {p(`<w:r><w:drawing><wp:inline><wp:docPr id="1" name="n" descr="ein Bild"/><a:graphic><a:blip r:embed="i1"/></a:graphic></wp:inline></w:drawing></w:r><w:r><w:drawing><wp:docPr descr="gone"/><a:blip r:embed="i9"/></w:drawing></w:r>`), `paragraph: image "ein Bild"`},
		"tables": {`<w:tbl><w:tr><w:trPr><w:tblHeader/></w:trPr><w:tc><w:tcPr><w:gridSpan w:val="2"/></w:tcPr>` + p(r("wide")) + `</w:tc></w:tr><w:tr><w:trPr><w:del w:id="1"/></w:trPr><w:tc>` + p(r("gone")) + `</w:tc></w:tr><w:tr><w:tc>` + p(r("a")) + p(r("b")) + `</w:tc><w:tc><w:tbl><w:tr><w:tc>` + p(r("x")) + `</w:tc><w:tc>` + p(r("y")) + `</w:tc></w:tr></w:tbl>` + p("") + `</w:tc></w:tr></w:tbl>`,
			`paragraph: table head=true [["wide" ""] ["a\nb" "x\ty\n"]]`},
		"a table around all": {`<w:tbl><w:tr><w:tc>` + p(`<w:r><w:rPr><w:b/></w:rPr><w:t>in</w:t></w:r>`) + `</w:tc></w:tr></w:tbl>`, `paragraph: "in" strong`},
		"an image in a table": {`<w:tbl><w:tr><w:tc>` + p(r("a")) + `</w:tc><w:tc>` + p(`<w:r><w:drawing><wp:docPr descr="B"/><a:blip r:embed="i1"/></w:drawing></w:r>`) + `</w:tc></w:tr></w:tbl>`,
			"paragraph: table head=false [[\"a\" \"\"]]\nparagraph: image \"B\""},
		"formulas":       {p(`<m:oMath><m:r><m:t>a=b</m:t></m:r></m:oMath>`), `paragraph: "a=b"`},
		"strict":         {`<?xml version="1.0"?><x:document xmlns:x="http://purl.oclc.org/ooxml/wordprocessingml/main"><x:body><x:p><x:pPr><x:pStyle x:val="berschrift1"/></x:pPr><x:r><x:t>s</x:t></x:r></x:p></x:body></x:document>`, `heading 1: "s"`},
		"nothing at all": {``, ``},
	} {
		t.Run(name, func(t *testing.T) {
			im, err := ReadDOCX(wordFile(tt.body, wordStyles))
			if err != nil {
				t.Fatal(err)
			}
			if _, got, _ := strings.Cut(strings.TrimSuffix(describe(im.Title, im.Blocks), "\n"), "\n"); got != tt.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, tt.want)
			}
		})
	}
}

func TestWordImages(t *testing.T) {
	b := wordFile(p(`<w:pPr><w:pStyle w:val="Titel"/></w:pPr>`+r("T"))+p(r("a")+`<w:r><w:drawing><wp:docPr descr="ein Bild"/><a:blip r:embed="i1"/></w:drawing></w:r>`+r("b")), wordStyles)
	im, err := ReadDOCX(b)
	if err != nil || im.Title != "T" || len(im.Images) != 1 {
		t.Fatalf("%v %+v", err, im)
	}
	pic := im.Images[0]
	if pic.Name != "image1.png" || pic.Block != 0 || pic.Span != 1 || !bytes.Equal(pic.Bytes, picturePNG(2, 2)) {
		t.Errorf("%+v", pic)
	}
	if e := im.Blocks[0].Spans[1].Embed; len(e) != 4 || e["t"] != "image" || e["name"] != "image1.png" || e["alt"] != "ein Bild" || e["embed"] != true {
		t.Errorf("%v", e)
	}
	if _, blocks, err := FromDOCX(b); err != nil || len(blocks) != 1 || describe("", blocks) != describe("", []document.Block{para1(document.Paragraph, 0, text("a[ein Bild]b"))}) {
		t.Errorf("%v %+v", err, blocks)
	}
	for name, f := range formats {
		blocks := []document.Block{para1(document.Paragraph, 0, text("a "),
			document.Span{Embed: marks("embed", true, "t", "image", "path", "Dokumente/Plan.png", "alt", "A \"b\"", "width", "small")},
			document.Span{Embed: marks("embed", true, "t", "image", "path", "Dokumente/Plan.png")},
			document.Span{Embed: marks("embed", true, "t", "image", "path", "Dokumente/evil.png")},
			document.Span{Embed: marks("embed", true, "t", "image", "path", "Dokumente/none.png", "name", "none.png")},
			document.Span{Embed: marks("embed", true, "t", "file", "path", "Dokumente/Plan.png", "name", "Plan.pdf")},
			document.Span{Embed: marks("embed", true, "t", "chart", "name", "new thing")})}
		im, err := f.read(must(f.write("", blocks, sampleFiles)))
		if err != nil || len(im.Images) != 2 || !bytes.Equal(im.Images[1].Bytes, picturePNG(300, 100)) {
			t.Errorf("%s: %v, %d images", name, err, len(im.Images))
			continue
		}
		if got, want := describe("", im.Blocks), `paragraph: "a " image "A \"b\"" image "image1.png" "[evil.png][none.png]Plan.pdfnew thing"`; !strings.Contains(got, want) {
			t.Errorf("%s: %s", name, got)
		}
	}
	pic300 := &picture{px: 300, py: 100}
	for want, embed := range map[[2]int]map[string]any{{533, 177}: marks("width", "small"), {793, 264}: marks("width", "full"), {1066, 355}: marks("width", "medium"), {1600, 533}: marks("width", int64(5000)), {264, 88}: marks("width", int64(100))} {
		if w, h := pic300.size(embed); [2]int{int(w * 100), int(h * 100)} != want {
			t.Errorf("%v: %v × %v", embed, w, h)
		}
	}
	if w, h := (&picture{px: 10, py: 100000}).size(nil); h > textHeight || w <= 0 {
		t.Errorf("%v × %v", w, h)
	}
}

// A link that breaks the rules for addresses would make Word call the file damaged.
func TestLinks(t *testing.T) {
	for href, want := range map[string]string{
		"https://a.example/ä b<c>\\{d}": "https://a.example/ä%20b%3Cc%3E%5C%7Bd%7D", "mailto:a@b.example?subject=x y": "mailto:a@b.example?subject=x%20y",
		"tel:+49 30 1": "tel:+49%2030%201", "https://[::1": "", "https://": "", "http:/x": "", "https://a.example/%zz": "",
		"javascript:alert(1)": "", "document/x": "", "file:///etc": "", "https://a.example/" + strings.Repeat("x", maxHref): "",
	} {
		for name, f := range formats {
			_, blocks, err := f.from(must(f.write("", []document.Block{para1(document.Paragraph, 0, document.Span{Text: "x", Marks: marks("link", document.Link(href, ""))})}, nil)))
			if err != nil || len(blocks) != 1 {
				t.Fatalf("%s: %s: %v %v", name, href, err, blocks)
			}
			if got, _ := document.LinkOf(blocks[0].Spans[0].Marks["link"]); got != want {
				t.Errorf("%s: %s: %s, want %s", name, href, got, want)
			}
		}
	}
}
