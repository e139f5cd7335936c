package office

import (
	"fmt"
	"strings"
)

// The parts of a DOCX file that are the same, or nearly, in all.
const (
	xmlHead  = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	wordMain = `xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"`

	docxTypes = xmlHead + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
		`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>` +
		`<Default Extension="png" ContentType="image/png"/><Default Extension="jpeg" ContentType="image/jpeg"/><Default Extension="gif" ContentType="image/gif"/>` +
		`<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>` +
		`<Override PartName="/word/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"/>` +
		`<Override PartName="/word/numbering.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.numbering+xml"/>` +
		`<Override PartName="/word/settings.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.settings+xml"/>` +
		`<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/></Types>`

	docxRels = xmlHead + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="text" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/>` +
		`<Relationship Id="core" Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties" Target="docProps/core.xml"/></Relationships>`

	docxCore = xmlHead + `<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/">` +
		`<dc:title>%s</dc:title><dc:language>de-DE</dc:language></cp:coreProperties>`

	docxHead = xmlHead + `<w:document ` + wordMain + ` xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"` +
		` xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"` +
		` xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture"><w:body>`

	docxFoot = `<w:sectPr><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1417" w:right="1417" w:bottom="1417" w:left="1417" w:header="708" w:footer="708" w:gutter="0"/></w:sectPr></w:body></w:document>`

	docxSettings = xmlHead + `<w:settings ` + wordMain + `><w:defaultTabStop w:val="708"/><w:compat>` +
		`<w:compatSetting w:name="compatibilityMode" w:uri="http://schemas.microsoft.com/office/word" w:val="15"/></w:compat>` +
		`<w:themeFontLang w:val="de-DE"/></w:settings>`
)

// docxStyles is styles.xml.
func docxStyles() string {
	var b strings.Builder
	b.WriteString(xmlHead + `<w:styles ` + wordMain + `><w:docDefaults><w:rPrDefault><w:rPr><w:rFonts w:ascii="Calibri" w:hAnsi="Calibri" w:eastAsia="Calibri" w:cs="Calibri"/>` +
		`<w:sz w:val="22"/><w:szCs w:val="22"/><w:lang w:val="de-DE" w:eastAsia="de-DE" w:bidi="ar-SA"/></w:rPr></w:rPrDefault>` +
		`<w:pPrDefault><w:pPr><w:spacing w:after="120" w:line="264" w:lineRule="auto"/></w:pPr></w:pPrDefault></w:docDefaults>`)
	style := func(kind, id, name, based, rest string) {
		first := ""
		if id == "Normal" {
			first = ` w:default="1"`
		}
		if based != "" {
			based = `<w:basedOn w:val="` + based + `"/>`
		}
		fmt.Fprintf(&b, `<w:style w:type="%s"%s w:styleId="%s"><w:name w:val="%s"/>%s%s</w:style>`, kind, first, id, name, based, rest)
	}
	style("paragraph", "Normal", "Normal", "", `<w:qFormat/>`)
	style("paragraph", "Title", "Title", "Normal", `<w:next w:val="Normal"/><w:qFormat/><w:pPr><w:keepNext/><w:spacing w:before="0" w:after="240"/></w:pPr><w:rPr><w:b/><w:sz w:val="44"/><w:szCs w:val="44"/></w:rPr>`)
	for i, size := range []int{34, 30, 26, 24, 22, 22} {
		n := itoa(i + 1)
		style("paragraph", "Heading"+n, "heading "+n, "Normal", fmt.Sprintf(`<w:next w:val="Normal"/><w:qFormat/><w:pPr><w:keepNext/><w:keepLines/><w:spacing w:before="240" w:after="80"/><w:outlineLvl w:val="%d"/></w:pPr><w:rPr><w:b/><w:sz w:val="%d"/><w:szCs w:val="%d"/></w:rPr>`, i, size, size))
	}
	style("paragraph", "Quote", "Quote", "Normal", `<w:qFormat/><w:pPr><w:pBdr><w:left w:val="single" w:sz="18" w:space="8" w:color="BBBBBB"/></w:pBdr><w:ind w:left="567"/></w:pPr><w:rPr><w:i/></w:rPr>`)
	style("paragraph", "Code", "Code", "Normal", `<w:qFormat/><w:pPr><w:shd w:val="clear" w:color="auto" w:fill="F4F4F4"/><w:spacing w:line="240" w:lineRule="auto"/></w:pPr><w:rPr><w:rFonts w:ascii="Courier New" w:hAnsi="Courier New" w:cs="Courier New"/><w:noProof/><w:sz w:val="20"/><w:szCs w:val="20"/></w:rPr>`)
	style("paragraph", "ListParagraph", "List Paragraph", "Normal", `<w:qFormat/><w:pPr><w:spacing w:after="60"/><w:contextualSpacing/></w:pPr>`)
	style("paragraph", "TableText", "Table Text", "Normal", `<w:pPr><w:spacing w:before="40" w:after="40" w:line="240" w:lineRule="auto"/></w:pPr>`)
	style("paragraph", styleGap, styleGap, "Normal", `<w:pPr><w:spacing w:before="0" w:after="0" w:line="120" w:lineRule="exact"/></w:pPr><w:rPr><w:sz w:val="4"/><w:szCs w:val="4"/></w:rPr>`)
	style("character", "Hyperlink", "Hyperlink", "", `<w:rPr><w:color w:val="0B57D0"/><w:u w:val="single"/></w:rPr>`)
	style("character", "CodeText", "Verbatim Char", "", `<w:rPr><w:rFonts w:ascii="Courier New" w:hAnsi="Courier New" w:cs="Courier New"/><w:noProof/><w:sz w:val="20"/></w:rPr>`)
	b.WriteString(`<w:style w:type="table" w:default="1" w:styleId="TableNormal"><w:name w:val="Normal Table"/><w:tblPr><w:tblInd w:w="0" w:type="dxa"/><w:tblCellMar><w:top w:w="0" w:type="dxa"/><w:left w:w="108" w:type="dxa"/><w:bottom w:w="0" w:type="dxa"/><w:right w:w="108" w:type="dxa"/></w:tblCellMar></w:tblPr></w:style>`)
	edges := ""
	for _, e := range []string{"top", "left", "bottom", "right", "insideH", "insideV"} {
		edges += `<w:` + e + ` w:val="single" w:sz="4" w:space="0" w:color="999999"/>`
	}
	style("table", "TableGrid", "Table Grid", "TableNormal", `<w:tblPr><w:tblBorders>`+edges+`</w:tblBorders></w:tblPr>`)
	b.WriteString("</w:styles>")
	return b.String()
}

// docxNumbering is numbering.xml with the numbered lists of a document. They share
// one definition, and each says where it begins.
func docxNumbering(starts []start) string {
	var b strings.Builder
	b.WriteString(xmlHead + `<w:numbering ` + wordMain + `>`)
	for i, format := range []string{"bullet", "none", "decimal"} {
		fmt.Fprintf(&b, `<w:abstractNum w:abstractNumId="%d"><w:multiLevelType w:val="hybridMultilevel"/>`, i)
		for level := range 9 {
			text, end, indent := fmt.Sprintf("%%%d.", level+1), "tab", fmt.Sprintf(`w:left="%d" w:hanging="360"`, 360*(level+1))
			switch format {
			case "bullet":
				text = []string{"•", "◦", "▪"}[level%3]
			case "none":
				text, end, indent = "", "nothing", fmt.Sprintf(`w:left="%d"`, 360*level)
			}
			fmt.Fprintf(&b, `<w:lvl w:ilvl="%d"><w:start w:val="1"/><w:numFmt w:val="%s"/><w:suff w:val="%s"/><w:lvlText w:val="%s"/><w:lvlJc w:val="left"/><w:pPr><w:ind %s/></w:pPr></w:lvl>`,
				level, format, end, text, indent)
		}
		b.WriteString(`</w:abstractNum>`)
	}
	fmt.Fprintf(&b, `<w:num w:numId="%d"><w:abstractNumId w:val="0"/></w:num><w:num w:numId="%d"><w:abstractNumId w:val="1"/></w:num>`, bulletNum, taskNum)
	for i, s := range starts {
		fmt.Fprintf(&b, `<w:num w:numId="%d"><w:abstractNumId w:val="2"/><w:lvlOverride w:ilvl="%d"><w:startOverride w:val="%d"/></w:lvlOverride></w:num>`, firstNum+i, s.level, s.number)
	}
	b.WriteString(`</w:numbering>`)
	return b.String()
}
