// Package office turns documents into files of word processors and back: DOCX
// (Office Open XML, ECMA-376) and ODT (OpenDocument, ISO/IEC 26300).
//
// Written are headings, lists with their numbers, tasks, quotes, code, tables,
// images, links and the marks strong, em, underline, strike, code, color and
// marker. The same is read back; what else a file says about its looks is left out.
// The bytes written depend on the blocks alone.
//
// What is read comes from strangers. Nothing in it is followed, run or loaded from
// elsewhere, and the memory it takes is bounded by the constants below.
package office

import (
	"errors"
	"maps"
	"strings"
	"unicode/utf8"

	"inselnetz/crdt/document"
)

// Errors of reading. Details are wrapped around them.
var (
	ErrNotOffice = errors.New("not a document of this kind")
	ErrTooLarge  = errors.New("document is too large")
	ErrEncrypted = errors.New("document is protected by a password")
	ErrMalformed = errors.New("document is damaged")
)

// MaxFile is the most bytes of a file that is read.
const MaxFile = 64 << 20

// Bounds of what is read.
const (
	maxEntries = 4096      // of the archive
	maxPart    = 64 << 20  // bytes of one part, inflated
	maxTotal   = 128 << 20 // bytes of all parts that are read, inflated
	maxImage   = 16 << 20  // bytes of an image
	maxImages  = 500
	maxTokens  = 2 << 20 // elements and texts of all parts
	maxToken   = 1 << 20 // bytes of one element with its attributes, or of one text
	maxNesting = 200
	maxText    = document.MaxImport // bytes
	maxPieces  = 200_000            // blocks, spans and cells
	maxHref    = 4096
)

// An Image is one that lay in a file.
type Image struct {
	Name  string // without a path, like "image1.png"
	Bytes []byte
	Block int // its embed, with the attributes t, name and alt, is
	Span  int // Blocks[Block].Spans[Span]
}

// Imported is what a file held. Whoever stores the images sets the attribute "path"
// of their embeds.
type Imported struct {
	Title  string
	Blocks []document.Block
	Images []Image
}

// FromDOCX reads a DOCX file without its images: their descriptions stay. Of tracked
// changes insertions count, and deletions are gone; comments are dropped, footnotes
// stand at the end. The errors wrap those of this package.
func FromDOCX(b []byte) (title string, blocks []document.Block, err error) {
	im, err := ReadDOCX(b)
	return im.Title, im.withoutImages(), err
}

// FromODT reads an ODT file, see [FromDOCX].
func FromODT(b []byte) (title string, blocks []document.Block, err error) {
	im, err := ReadODT(b)
	return im.Title, im.withoutImages(), err
}

func (im *Imported) withoutImages() []document.Block {
	for _, p := range im.Images {
		s := &im.Blocks[p.Block].Spans[p.Span]
		*s = document.Span{Text: pictureText(s.Embed)}
	}
	for i := range im.Blocks {
		im.Blocks[i].Spans = joined(im.Blocks[i].Spans)
	}
	return im.Blocks
}

// pictureText stands for an image that is not there.
func pictureText(embed map[string]any) string { return "[" + document.Label(embed) + "]" }

// joined are spans without empty ones, those with the same marks made one.
func joined(spans []document.Span) (out []document.Span) {
	for i := 0; i < len(spans); {
		s := spans[i]
		if s.Embed != nil {
			out = append(out, s)
			i++
			continue
		}
		var text strings.Builder
		for ; i < len(spans) && spans[i].Embed == nil && (spans[i].Text == "" || maps.Equal(spans[i].Marks, s.Marks)); i++ {
			text.WriteString(spans[i].Text)
		}
		if s.Text = text.String(); s.Text != "" {
			out = append(out, s)
		}
	}
	return out
}

// legal is text of characters that XML can hold, with lines that end in "\n".
func legal(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r < ' ' && r != '\n' && r != '\t', r == 0xfffe, r == 0xffff:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
}
