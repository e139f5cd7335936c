// Package document is what people write together: paragraphs, headings, lists,
// marks and comments in an Automerge document.
//
// The root of the Automerge document is a map:
//
//	v         1
//	title     string
//	folder    string, "" for none
//	archived  bool
//	template  string, what it was made from, or "" for nothing
//	text      text, see below
//	comments  map, by the id that marks of the text name as "comment:" + id; see Threads
//
// The text is flat. A map in it either begins a block or, if its "embed" is true,
// stands for something within a line: an image, say. Characters before the first
// beginning belong to a paragraph without one. A block's map holds "t", its kind,
// and where it is not 0 or false "level" (of a heading from 1, of a list's item
// how deep it lies, from 0) and "checked"; what else is in it is kept. A string
// directly in the map of a block is replaced as a whole, one deeper down is a text
// of its own.
//
// Positions count UTF-16 units; a block or embed takes one. A document whose
// options count something else is none of this package's.
//
// Marks have the names strong, em, code, strike, underline with the value true,
// color with a colour as CSS has it, link with what [Link] makes, and comment:ID
// with true; others are kept. Links and comments do not grow when text is
// inserted at their edges, the others grow at their end.
package document

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"inselnetz/crdt/automerge"
	"inselnetz/crdt/log"
)

// Version is what the root says under "v".
const Version = 1

// MaxTitle is the most bytes of a title or folder.
const MaxTitle = 1024

// An ID names a document within its space.
type ID [16]byte

var idForm = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// NewID is a random one.
func NewID() (id ID) {
	_, _ = rand.Read(id[:]) // cannot fail
	return id
}

// String is the id in base32: 26 small letters and digits.
func (id ID) String() string { return idForm.EncodeToString(id[:]) }

// ParseID reads what String wrote, and nothing else.
func ParseID(s string) (ID, error) {
	b, err := idForm.DecodeString(s)
	var id ID
	if err != nil || len(b) != len(id) || copy(id[:], b) != len(id) || id.String() != s {
		return ID{}, fmt.Errorf("%q is not the id of a document", s)
	}
	return id, nil
}

// ActorOf is who a log writes a document as, the nth time that a program opens it
// for writing: the first 16 bytes of SHA-256("actor" ‖ log ‖ doc ‖ n as 8 bytes big
// endian). So no log can write in the name of another.
func ActorOf(l log.LogID, d ID, n uint64) automerge.ActorID {
	b := append([]byte("actor"), l[:]...)
	b = append(b, d[:]...)
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(b, n))
	return automerge.ActorID(sum[:16])
}

// Meta is what a document says of itself.
type Meta struct {
	Title    string
	Folder   string
	Template string
	Archived bool
}

// Errors of this package. Details are wrapped around them.
var (
	ErrNoDocument = errors.New("no office document")
	ErrText       = errors.New("text that is too long or no UTF-8")
)

func (m Meta) check() error {
	for _, s := range []string{m.Title, m.Folder, m.Template} {
		if len(s) > MaxTitle || !utf8.ValidString(s) || strings.ContainsAny(s, "\x00\n\r") {
			return fmt.Errorf("%w: a title is one line of at most %d bytes", ErrText, MaxTitle)
		}
	}
	return nil
}

// Create makes an empty Automerge document an office document with these blocks. See
// [Apply] for commit; what it leaves pending the caller commits.
func Create(d *automerge.Doc, m Meta, blocks []Block, commit func() error) error {
	if err := m.check(); err != nil {
		return err
	}
	puts := []struct {
		key string
		v   automerge.Value
	}{
		{"v", automerge.Int(Version)}, {"title", automerge.Str(m.Title)}, {"folder", automerge.Str(m.Folder)},
		{"archived", automerge.Bool(m.Archived)}, {"template", automerge.Str(m.Template)},
	}
	for _, p := range puts {
		if err := d.Put(automerge.Root, automerge.Key(p.key), p.v); err != nil {
			return err
		}
	}
	if _, err := d.PutObject(automerge.Root, automerge.Key("text"), automerge.KindText); err != nil {
		return err
	}
	if _, err := d.PutObject(automerge.Root, automerge.Key("comments"), automerge.KindMap); err != nil {
		return err
	}
	return Write(d, blocks, commit)
}

// ReadMeta is what the document says of itself; what it does not say, or says in a
// way that makes no sense, is empty.
func ReadMeta(r automerge.Reader) Meta {
	archived, _, _ := r.Get(automerge.Root, automerge.Key("archived"))
	return Meta{
		Title: str(r, "title"), Folder: str(r, "folder"), Template: str(r, "template"),
		Archived: archived.Bool(),
	}
}

// str is a string of the root, also where another program made it a text.
func str(r automerge.Reader, key string) string {
	v, _, _ := r.Get(automerge.Root, automerge.Key(key))
	switch v.Kind() {
	case automerge.KindStr:
		return v.Str()
	case automerge.KindText:
		s, _ := r.Text(v.Obj())
		return s
	}
	return ""
}

// SetMeta changes what the document says of itself: only what change changes. The
// caller commits.
func SetMeta(d *automerge.Doc, change func(*Meta)) error {
	was := ReadMeta(d.Reader)
	m := was
	change(&m)
	if err := m.check(); err != nil {
		return err
	}
	put := func(key string, differs bool, v automerge.Value) error {
		if !differs {
			return nil
		}
		return d.Put(automerge.Root, automerge.Key(key), v)
	}
	return errors.Join(
		put("title", m.Title != was.Title, automerge.Str(m.Title)),
		put("folder", m.Folder != was.Folder, automerge.Str(m.Folder)),
		put("template", m.Template != was.Template, automerge.Str(m.Template)),
		put("archived", m.Archived != was.Archived, automerge.Bool(m.Archived)))
}

// Body is the text.
func Body(r automerge.Reader) (automerge.ObjID, error) {
	v, _, err := r.Get(automerge.Root, automerge.Key("text"))
	if err != nil {
		return automerge.Root, err
	}
	if v.Kind() != automerge.KindText {
		return automerge.Root, fmt.Errorf("%w: it has no text", ErrNoDocument)
	}
	return v.Obj(), nil
}

// Text is the text as people read it: a line for each block, embeds left out.
func Text(r automerge.Reader) string {
	blocks, err := Blocks(r)
	if err != nil {
		return ""
	}
	var b strings.Builder
	for i := range blocks {
		if i > 0 {
			b.WriteByte('\n')
		}
		for _, s := range blocks[i].Spans {
			b.WriteString(s.Text)
		}
	}
	return b.String()
}
