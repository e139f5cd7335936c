package office

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// spaces are the prefixes by which this package calls the namespaces.
var spaces = map[string]string{
	"http://schemas.openxmlformats.org/wordprocessingml/2006/main":           "w",
	"http://purl.oclc.org/ooxml/wordprocessingml/main":                       "w",
	"http://schemas.microsoft.com/office/word/2010/wordml":                   "w14",
	"http://schemas.openxmlformats.org/officeDocument/2006/relationships":    "r",
	"http://purl.oclc.org/ooxml/officeDocument/relationships":                "r",
	"http://schemas.openxmlformats.org/package/2006/relationships":           "rel",
	"http://schemas.openxmlformats.org/drawingml/2006/main":                  "a",
	"http://purl.oclc.org/ooxml/drawingml/main":                              "a",
	"http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing": "wp",
	"http://purl.oclc.org/ooxml/drawingml/wordprocessingDrawing":             "wp",
	"http://schemas.openxmlformats.org/officeDocument/2006/math":             "m",
	"http://purl.oclc.org/ooxml/officeDocument/math":                         "m",
	"http://schemas.openxmlformats.org/markup-compatibility/2006":            "mc",
	"urn:schemas-microsoft-com:vml":                                          "v",
	"http://purl.org/dc/elements/1.1/":                                       "dc",

	"urn:oasis:names:tc:opendocument:xmlns:office:1.0":                     "office",
	"urn:oasis:names:tc:opendocument:xmlns:text:1.0":                       "text",
	"urn:oasis:names:tc:opendocument:xmlns:style:1.0":                      "style",
	"urn:oasis:names:tc:opendocument:xmlns:table:1.0":                      "table",
	"urn:oasis:names:tc:opendocument:xmlns:drawing:1.0":                    "draw",
	"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0":                   "manifest",
	"urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0":          "fo",
	"urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0":             "svg",
	"urn:oasis:names:tc:opendocument:xmlns:meta:1.0":                       "meta",
	"http://www.w3.org/1999/xlink":                                         "xlink",
	"http://www.w3.org/XML/1998/namespace":                                 "xml",
	"xml":                                                                  "xml",
	"urn:org:documentfoundation:names:experimental:office:xmlns:loext:1.0": "loext",
}

func short(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	if p, ok := spaces[n.Space]; ok {
		return p + ":" + n.Local
	}
	return "?:" + n.Local
}

// An element is the start of one, its name like "w:p".
type element struct {
	name  string
	attrs []xml.Attr
}

func (e element) attr(name string) string {
	for _, a := range e.attrs {
		if short(a.Name) == name {
			return a.Value
		}
	}
	return ""
}

// number is an attribute as a number, or what it is without one.
func (e element) number(name string, without int) int {
	if n, err := strconv.Atoi(e.attr(name)); err == nil {
		return n
	}
	return without
}

// on reports whether a property as <w:b/> or <w:b w:val="…"/> is set.
func (e element) on() bool {
	switch e.attr("w:val") {
	case "0", "false", "off", "none":
		return false
	}
	return true
}

// A reader reads the XML of one part. Entities beside those of XML itself are
// errors, as are all declarations of a document's type.
type reader struct {
	a     *archive
	d     *xml.Decoder
	src   *source
	depth int
	name  string
}

// xml opens a part and reads the start of its root.
func (a *archive) xml(name string) (*reader, element, error) {
	r, err := a.open(name, maxPart)
	if err != nil {
		return nil, element{}, err
	}
	src := &source{Reader: bufio.NewReaderSize(r, 32<<10)}
	x := &reader{a: a, d: xml.NewDecoder(src), src: src, name: name}
	for {
		tok, err := x.next()
		if err != nil {
			return nil, element{}, err
		}
		if start, ok := tok.(xml.StartElement); ok {
			return x, element{short(start.Name), start.Attr}, nil
		}
	}
}

func (x *reader) next() (xml.Token, error) {
	x.src.token = 0
	if x.a.tokens++; x.a.tokens > maxTokens {
		return nil, fmt.Errorf("%w: %s: more than %d elements", ErrTooLarge, x.name, maxTokens)
	}
	tok, err := x.d.Token()
	switch {
	case x.src.err != nil:
		return nil, x.src.err
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%w: %s ends too early", ErrMalformed, x.name)
	case err != nil:
		return nil, fmt.Errorf("%w: %s: %w", ErrMalformed, x.name, err)
	}
	switch tok.(type) {
	case xml.StartElement:
		if x.depth++; x.depth > maxNesting {
			return nil, fmt.Errorf("%w: %s: nested deeper than %d", ErrTooLarge, x.name, maxNesting)
		}
	case xml.EndElement:
		x.depth--
	case xml.Directive:
		return nil, fmt.Errorf("%w: %s declares a type of its own", ErrMalformed, x.name)
	}
	return tok, nil
}

// children calls f for each element within the one just begun, up to its end. What
// f does not read of an element is skipped.
func (x *reader) children(f func(element) error) error { return x.content(f, nil) }

// content is children with the text between them.
func (x *reader) content(f func(element) error, text func(string)) error {
	for {
		tok, err := x.next()
		if err != nil {
			return err
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			depth := x.depth
			if f != nil {
				if err := f(element{short(tok.Name), tok.Attr}); err != nil {
					return err
				}
			}
			for x.depth >= depth {
				if _, err := x.next(); err != nil {
					return err
				}
			}
		case xml.EndElement:
			return nil
		case xml.CharData:
			if text != nil {
				text(string(tok))
			}
		}
	}
}

// text is all text within the element just begun.
func (x *reader) text() (string, error) {
	var b strings.Builder
	var inside func(element) error
	add := func(s string) {
		if b.Len() < maxText {
			b.WriteString(s)
		}
	}
	inside = func(element) error { return x.content(inside, add) }
	err := inside(element{})
	return b.String(), err
}

// escape is text as XML has it, also within an attribute.
func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(legal(s))) // a Builder takes all
	return b.String()
}
