package office

import (
	"fmt"
	"strings"
)

// The parts of an ODT file that are the same in all.
const (
	odtHead = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

	odtSpaces = `xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0"` +
		` xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"` +
		` xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0"` +
		` xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0" xmlns:xlink="http://www.w3.org/1999/xlink"` +
		` xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:meta="urn:oasis:names:tc:opendocument:xmlns:meta:1.0" office:version="1.3"`

	odtMeta = odtHead + `<office:document-meta ` + odtSpaces + `><office:meta><dc:title>%s</dc:title><dc:language>de-DE</dc:language></office:meta></office:document-meta>`

	odtTables = `<style:style style:name="Table" style:family="table"><style:table-properties style:rel-width="100%" style:width="16cm" table:align="margins" table:border-model="collapsing" fo:margin-top="0.2cm" fo:margin-bottom="0.3cm"/></style:style>` +
		`<style:style style:name="Row" style:family="table-row"><style:table-row-properties fo:keep-together="always"/></style:style>` +
		`<style:style style:name="Cell" style:family="table-cell"><style:table-cell-properties fo:padding="0.1cm" fo:border="0.5pt solid #999999"/></style:style>`
)

// odtLists are the styles of the three kinds of lists.
var odtLists = func() string {
	var b strings.Builder
	for _, style := range []string{"Bullets", "Numbers", "Tasks"} {
		fmt.Fprintf(&b, `<text:list-style style:name="%s">`, style)
		for level := range odtDepth {
			tag, rest, hang, margin := "number", ` style:num-format="1" style:num-suffix="."`, 0.6, 0.6*float64(level+1)
			switch style {
			case "Bullets":
				tag, rest = "bullet", ` text:bullet-char="`+[]string{"•", "◦", "▪"}[level%3]+`"`
			case "Tasks":
				rest, hang, margin = ` style:num-format=""`, 0, 0.6*float64(level)
			}
			fmt.Fprintf(&b, `<text:list-level-style-%s text:level="%d"%s><style:list-level-properties text:list-level-position-and-space-mode="label-alignment">`+
				`<style:list-level-label-alignment text:label-followed-by="%s" fo:text-indent="-%.1fcm" fo:margin-left="%.1fcm"/></style:list-level-properties></text:list-level-style-%s>`,
				tag, level+1, rest, map[bool]string{true: "nothing", false: "listtab"}[style == "Tasks"], hang, margin, tag)
		}
		b.WriteString(`</text:list-style>`)
	}
	return b.String()
}()

// odtStyles is styles.xml.
func odtStyles() string {
	var b strings.Builder
	b.WriteString(odtHead + `<office:document-styles ` + odtSpaces + `><office:font-face-decls>`)
	for _, font := range []string{"Calibri", "Courier New"} {
		fmt.Fprintf(&b, `<style:font-face style:name="%s" svg:font-family="'%s'"/>`, font, font)
	}
	b.WriteString(`</office:font-face-decls><office:styles><style:default-style style:family="paragraph"><style:paragraph-properties style:tab-stop-distance="1.25cm"/>` +
		`<style:text-properties style:font-name="Calibri" fo:font-size="11pt" fo:language="de" fo:country="DE"/></style:default-style>`)
	style := func(family, name, parent, rest string) {
		display := ""
		if s := strings.ReplaceAll(name, "_20_", " "); s != name {
			display = ` style:display-name="` + s + `"`
		}
		if parent != "" {
			parent = ` style:parent-style-name="` + parent + `"`
		}
		fmt.Fprintf(&b, `<style:style style:name="%s"%s style:family="%s"%s>%s</style:style>`, name, display, family, parent, rest)
	}
	style("paragraph", "Standard", "", `<style:paragraph-properties fo:line-height="115%"/>`)
	style("paragraph", "Text_20_body", "Standard", `<style:paragraph-properties fo:margin-top="0cm" fo:margin-bottom="0.2cm"/>`)
	style("paragraph", "Title", "Standard", `<style:paragraph-properties fo:margin-bottom="0.4cm" fo:keep-with-next="always"/><style:text-properties fo:font-size="22pt" fo:font-weight="bold"/>`)
	for i, size := range []int{17, 15, 13, 12, 11, 11} {
		fmt.Fprintf(&b, `<style:style style:name="Heading_20_%d" style:display-name="Heading %d" style:family="paragraph" style:parent-style-name="Standard" style:next-style-name="Text_20_body" style:default-outline-level="%d">`+
			`<style:paragraph-properties fo:margin-top="0.4cm" fo:margin-bottom="0.15cm" fo:keep-with-next="always"/><style:text-properties fo:font-size="%dpt" fo:font-weight="bold"/></style:style>`, i+1, i+1, i+1, size)
	}
	style("paragraph", "List_20_Paragraph", "Standard", `<style:paragraph-properties fo:margin-bottom="0.1cm"/>`)
	style("paragraph", "Quotations", "Standard", `<style:paragraph-properties fo:margin-left="1cm" fo:margin-bottom="0.2cm" fo:padding-left="0.2cm" fo:border-left="2pt solid #bbbbbb"/><style:text-properties fo:font-style="italic"/>`)
	style("paragraph", "Code", "Standard", `<style:paragraph-properties fo:margin-bottom="0.2cm" fo:background-color="#f4f4f4"/><style:text-properties style:font-name="Courier New" fo:font-size="10pt"/>`)
	style("paragraph", "Table_20_Contents", "Standard", "")
	style("paragraph", "Table_20_Heading", "Table_20_Contents", `<style:text-properties fo:font-weight="bold"/>`)
	style("text", "Source_20_Text", "", `<style:text-properties style:font-name="Courier New" fo:font-size="10pt"/>`)
	style("text", "Internet_20_link", "", `<style:text-properties fo:color="#0b57d0" style:text-underline-style="solid"/>`)
	b.WriteString(`</office:styles><office:automatic-styles><style:page-layout style:name="A4"><style:page-layout-properties fo:page-width="21cm" fo:page-height="29.7cm"` +
		` fo:margin-top="2.5cm" fo:margin-bottom="2.5cm" fo:margin-left="2.5cm" fo:margin-right="2.5cm"/></style:page-layout></office:automatic-styles>` +
		`<office:master-styles><style:master-page style:name="Standard" style:page-layout-name="A4"/></office:master-styles></office:document-styles>`)
	return b.String()
}
