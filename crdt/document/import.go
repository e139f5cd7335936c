package document

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	mdtext "github.com/yuin/goldmark/text"
	"golang.org/x/text/encoding/charmap"
)

// MaxImport is the most bytes of Markdown or text that are read.
const MaxImport = 4 << 20

// ErrImport is wrapped by errors about what cannot be read.
var ErrImport = errors.New("text cannot be imported")

// FromText reads plain text: UTF-8, UTF-16 with its mark, or what old Windows
// programs write. Each line is a paragraph.
func FromText(b []byte) ([]Block, error) {
	s, err := decode(b)
	if err != nil {
		return nil, err
	}
	var out []Block
	for line := range strings.SplitSeq(strings.TrimRight(s, "\n"), "\n") {
		block := Block{Kind: Paragraph}
		if line != "" {
			block.Spans = []Span{{Text: line}}
		}
		out = append(out, block)
	}
	return out, nil
}

// decode is text of any usual encoding, with lines that end in "\n".
func decode(b []byte) (string, error) {
	if len(b) > MaxImport {
		return "", fmt.Errorf("%w: %d bytes, at most %d", ErrImport, len(b), MaxImport)
	}
	var s string
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xfe")), bytes.HasPrefix(b, []byte("\xfe\xff")):
		var us []uint16
		high := int(b[0] & 1) // where the high byte of each pair is
		for b = b[2:]; len(b) > 1; b = b[2:] {
			us = append(us, uint16(b[high])<<8|uint16(b[1-high]))
		}
		s = string(utf16.Decode(us))
	case utf8.Valid(b):
		s = strings.TrimPrefix(string(b), "\ufeff")
	default:
		old, err := charmap.Windows1252.NewDecoder().Bytes(b)
		if err != nil {
			return "", fmt.Errorf("%w: %w", ErrImport, err)
		}
		s = string(old)
	}
	if strings.ContainsRune(s, 0) {
		return "", fmt.Errorf("%w: it is no text", ErrImport)
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n"), nil
}

// FromMarkdown reads CommonMark with the tables, task lists and strikethrough of
// GitHub; of a table the texts of its cells. If
// it begins with a heading of level 1, that is the title and not among the blocks.
func FromMarkdown(b []byte) (title string, blocks []Block, err error) {
	s, err := decode(b)
	if err != nil {
		return "", nil, err
	}
	if n := deepest(s); n > maxNesting {
		return "", nil, fmt.Errorf("%w: nested %d deep", ErrImport, n)
	}
	if n := tableCells(s); n > maxCells {
		return "", nil, fmt.Errorf("%w: tables of up to %d cells", ErrImport, n)
	}
	if work(s) > mostWork {
		return "", nil, fmt.Errorf("%w: a paragraph of too many signs", ErrImport)
	}
	src := []byte(s)
	md := goldmark.New(goldmark.WithExtensions(extension.TaskList, extension.Strikethrough, extension.Table))
	im := importer{src: src}
	im.blocks(md.Parser().Parse(mdtext.NewReader(src)), place{item: -1})
	if len(im.out) > 0 && im.out[0].Kind == Heading && im.out[0].Level == 1 {
		title = strings.TrimSpace(strings.ReplaceAll(im.out[0].Text(), "\n", " "))
		if len(title) <= MaxTitle {
			return title, im.out[1:], nil
		}
	}
	return "", im.out, nil
}

// maxNesting is how deep quotes and lists may lie in each other: the parser takes
// time by the square of it.
const maxNesting = 200

// deepest guesses how deep something is nested, never too low.
func deepest(s string) (most int) {
	for line := range strings.SplitSeq(s, "\n") {
		n, signs := 0, 0
		for _, c := range line {
			if n++; strings.ContainsRune("> \t-+*.)0123456789", c) {
				if c == '>' || c == '-' || c == '+' || c == '*' || c == '.' || c == ')' {
					signs++
				}
				continue
			}
			break
		}
		if strings.Trim(line, "- \t") == "" || strings.Trim(line, "* \t") == "" {
			continue // a rule
		}
		if signs > 0 { // what is indented may lie in what was before
			most = max(most, signs, n/2)
		}
	}
	return most
}

// mostWork keeps the parser to some seconds.
const mostWork = 1 << 28

// listItem is a line that begins a block of its own wherever it stands.
var listItem = regexp.MustCompile(`^ {0,3}[-*+] +[^ \-*+]`)

// work is what the parser may have to do, never too low: for each sign in a
// paragraph it may look at all that follows.
func work(s string) (total int) {
	signs, size := 0, 0
	for line := range strings.SplitSeq(s, "\n") {
		if strings.TrimSpace(line) == "" || listItem.MatchString(line) {
			total += signs * size
			signs, size = 0, 0
		}
		for i := range len(line) {
			if strings.IndexByte("[]*_`<~!&(", line[i]) >= 0 {
				signs++
			}
		}
		size += len(line) + 1
	}
	return total + signs*size
}

// tableCells is how many cells tables may have, never too low: the parser fills rows up.
func tableCells(s string) (total int) {
	cols, rows := 0, 0
	for line := range strings.SplitSeq(s, "\n") {
		if strings.TrimSpace(line) == "" {
			total += cols * rows
			cols, rows = 0, 0
			continue
		}
		rows++
		if strings.Contains(line, "-") && strings.Trim(line, " \t>-|:*+.)0123456789") == "" {
			cols = max(cols, strings.Count(line, "|")+1)
		}
		if cols < 2 {
			rows = 1
		}
	}
	return total + cols*rows
}

// A place is where a block lies.
type place struct {
	quote int // in so many quotes
	item  int // level of the list around it, -1 for none
	kind  string
	start int64 // of an ordered list, at its first item
	first bool  // the first block of an item
}

type importer struct {
	src   []byte
	out   []Block
	block *Block
	tags  map[string]int // of HTML that are open
}

func (im *importer) add(b Block) {
	im.out = append(im.out, b)
	im.block = &im.out[len(im.out)-1]
	im.tags = nil
}

// blocks reads the blocks within a node.
func (im *importer) blocks(n ast.Node, at place) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.List:
			im.list(c, at)
		case *ast.Blockquote:
			in := at
			in.quote, in.first = at.quote+1, false
			im.item(at)
			im.blocks(c, in)
		case *ast.Heading:
			im.item(at)
			im.add(Block{Kind: Heading, Level: c.Level})
			im.inline(c, nil)
		case *ast.FencedCodeBlock:
			im.item(at)
			b := Block{Kind: Code}
			if lang := c.Language(im.src); len(lang) > 0 {
				b.Other = map[string]any{"lang": unescape(lang)}
			}
			im.code(b, c)
		case *ast.CodeBlock:
			im.item(at)
			im.code(Block{Kind: Code}, c)
		case *ast.HTMLBlock:
			im.item(at)
			im.add(Block{Kind: Paragraph})
			text := string(c.Lines().Value(im.src))
			if c.HasClosure() {
				text += string(c.ClosureLine.Value(im.src))
			}
			im.text(strings.TrimRight(text, "\n"), nil)
		case *ast.ThematicBreak:
			im.item(at)
		case *extast.Table:
			im.item(at)
			for _, b := range im.table(c).Blocks() {
				im.add(b)
			}
		case *ast.Paragraph, *ast.TextBlock:
			switch {
			case at.first:
				im.item(at)
			case at.quote > 0:
				im.add(Block{Kind: Quote, Level: min(at.quote-1, maxLevel)})
			default:
				im.add(Block{Kind: Paragraph})
			}
			im.inline(c, nil)
		}
		at.first = false
	}
}

func (im *importer) list(l *ast.List, at place) {
	im.item(at)
	in := place{quote: at.quote, item: at.item + 1, kind: Bullet, start: 1}
	if l.IsOrdered() {
		in.kind, in.start = Ordered, int64(l.Start)
	}
	for c := l.FirstChild(); c != nil; c = c.NextSibling() {
		if in.first = true; c.FirstChild() == nil {
			im.item(in)
		}
		im.blocks(c, in)
		in.start = 1
	}
}

// item begins the item of a list that begins here, if one does.
func (im *importer) item(at place) {
	if !at.first || at.item < 0 {
		return
	}
	b := Block{Kind: at.kind, Level: min(at.item, maxLevel)}
	if at.kind == Ordered && at.start != 1 {
		b.Other = map[string]any{"start": at.start}
	}
	im.add(b)
}

// table reads a table. One without any heading has no row for them.
func (im *importer) table(n ast.Node) (t Table) {
	for row := n.FirstChild(); row != nil; row = row.NextSibling() {
		var cells []string
		text := ""
		for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
			sub := importer{src: im.src}
			sub.add(Block{})
			sub.inline(cell, nil)
			cells = append(cells, sub.block.Text())
			text += sub.block.Text()
		}
		if _, ok := row.(*extast.TableHeader); ok {
			if text == "" {
				continue
			}
			t.Head = true
		}
		t.Rows = append(t.Rows, cells)
	}
	return t
}

func (im *importer) code(b Block, n ast.Node) {
	im.add(b)
	im.text(strings.TrimSuffix(string(n.Lines().Value(im.src)), "\n"), nil)
}

// text adds text to the block.
func (im *importer) text(s string, marks map[string]any) {
	if s == "" {
		return
	}
	if len(im.tags) > 0 {
		marks = maps.Clone(marks)
		for name, n := range im.tags {
			if n > 0 {
				marks = with(marks, name, true)
			}
		}
	}
	spans := im.block.Spans
	if n := len(spans); n > 0 && spans[n-1].Embed == nil && reflect.DeepEqual(spans[n-1].Marks, marks) {
		spans[n-1].Text += s
		return
	}
	im.block.Spans = append(spans, Span{Text: s, Marks: marks})
}

// with are marks and one more.
func with(marks map[string]any, name string, v any) map[string]any {
	out := map[string]any{name: v}
	maps.Copy(out, marks)
	return out
}

// inline reads the text within a node.
func (im *importer) inline(n ast.Node, marks map[string]any) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			im.text(unescape(c.Value(im.src)), marks)
			if c.HardLineBreak() {
				im.text("\n", marks)
			} else if c.SoftLineBreak() {
				im.text(" ", marks)
			}
		case *ast.String:
			im.text(string(c.Value), marks)
		case *ast.CodeSpan:
			var b strings.Builder
			for t := c.FirstChild(); t != nil; t = t.NextSibling() {
				if t, ok := t.(*ast.Text); ok {
					b.Write(t.Value(im.src))
				}
			}
			im.text(strings.ReplaceAll(b.String(), "\n", " "), with(marks, "code", true))
		case *ast.Emphasis:
			im.inline(c, with(marks, []string{"em", "strong"}[min(max(c.Level, 1), 2)-1], true))
		case *extast.Strikethrough:
			im.inline(c, with(marks, "strike", true))
		case *ast.Link:
			href := unescape(c.Destination)
			if link := Link(href, unescape(c.Title)); safe(href) && len(link) <= maxString {
				im.inline(c, with(marks, "link", link))
			} else {
				im.inline(c, marks)
			}
		case *ast.AutoLink:
			url := string(c.URL(im.src))
			if c.AutoLinkType == ast.AutoLinkEmail {
				url = "mailto:" + url
			}
			if safe(url) {
				im.text(string(c.Label(im.src)), with(marks, "link", Link(url, "")))
			} else {
				im.text(string(c.Label(im.src)), marks)
			}
		case *ast.Image:
			alt := importer{src: im.src}
			alt.add(Block{})
			alt.inline(c, nil)
			im.image(unescape(c.Destination), alt.block.Text(), marks)
		case *ast.RawHTML:
			im.html(string(c.Segments.Value(im.src)), marks)
		case *extast.TaskCheckBox:
			im.block.Kind, im.block.Checked, im.block.Other = Task, c.IsChecked, nil
		default:
			im.inline(c, marks)
		}
	}
}

// image adds an image. Its address is a path within the folder of the space unless
// it leads out of there; one that is too long, as the whole of an image may be, is
// left out.
func (im *importer) image(src, alt string, marks map[string]any) {
	if len(src) > maxString/2 || len(alt) > maxString/2 {
		im.text(alt, marks)
		return
	}
	embed := map[string]any{"embed": true, "t": "image"}
	if key := "path"; src != "" {
		if absolute(src) || strings.HasPrefix(src, "/") || slices.Contains(strings.Split(src, "/"), "..") {
			key = "src"
		}
		embed[key] = src
	}
	if alt != "" {
		embed["alt"] = alt
	}
	im.block.Spans = append(im.block.Spans, Span{Embed: embed})
}

var tagMarks = map[string]string{"strong": "strong", "b": "strong", "em": "em", "i": "em", "del": "strike", "s": "strike", "u": "underline", "ins": "underline", "mark": "marker", "code": "code"}

// html reads a tag: those of marks and line breaks; others stay as text.
func (im *importer) html(tag string, marks map[string]any) {
	name := strings.ToLower(strings.Trim(tag, "</ >"))
	switch mark, ok := tagMarks[name]; {
	case name == "br":
		im.text("\n", marks)
	case !ok:
		im.text(tag, marks)
	default:
		if im.tags == nil {
			im.tags = map[string]int{}
		}
		if strings.HasPrefix(tag, "</") {
			im.tags[mark] = max(0, im.tags[mark]-1)
		} else {
			im.tags[mark]++
		}
	}
}

var entity = regexp.MustCompile(`^&(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]*);`)

// unescape resolves backslashes and entities.
func unescape(b []byte) string {
	if !bytes.ContainsAny(b, `\&`) {
		return string(b)
	}
	var out strings.Builder
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == '\\' && i+1 < len(b) && b[i+1] < 0x80 && strings.IndexByte("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", b[i+1]) >= 0:
			i++
			out.WriteByte(b[i])
		case b[i] == '&':
			if e := entity.Find(b[i:min(len(b), i+40)]); e != nil {
				if s := html.UnescapeString(string(e)); s != string(e) {
					out.WriteString(strings.ReplaceAll(s, "\x00", "\ufffd"))
					i += len(e) - 1
					continue
				}
			}
			out.WriteByte('&')
		default:
			out.WriteByte(b[i])
		}
	}
	return out.String()
}

// absolute reports whether an address names a scheme.
func absolute(href string) bool {
	scheme, _, ok := strings.Cut(href, ":")
	return ok && !strings.ContainsAny(scheme, "/?#")
}

// safe reports whether an address may be a link: none that runs a script.
func safe(href string) bool {
	scheme, _, _ := strings.Cut(href, ":")
	if !absolute(href) {
		return !strings.ContainsAny(href, "\x00\t\n\r")
	}
	switch strings.ToLower(scheme) {
	case "http", "https", "mailto", "tel":
		return true
	}
	return false
}
