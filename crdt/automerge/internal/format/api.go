package format

import "inselnetz/crdt/automerge/internal/opid"

type Chunk struct {
	Type byte
	Body []byte
	Hash Hash
	Size int
	Raw  []byte
}

const (
	DocumentChunk, ChangeChunk, CompressedChunk, BundleChunk byte = 0, 1, 2, 3
)

func ReadChunk(b []byte, lim *Limits) (Chunk, error)       { panic("later") }
func AppendChunk(dst []byte, typ byte, body []byte) []byte { panic("later") }
func HashOf(typ byte, body []byte) Hash                    { panic("later") }

type Change struct {
	Deps    []Hash
	Actor   []byte
	Seq     uint64
	StartOp uint32
	Time    int64
	Message string
	Others  [][]byte
	Extra   []byte
	NumOps  int
}

func ParseChange(body []byte, lim *Limits) (*Change, error) { panic("later") }

// Ops rewinds r to the change's operations.
func (c *Change) Ops(r *OpReader) {}

// A Checker holds what checking changes needs, for reuse.
type Checker struct{}

// Canonical reports why c is not byte for byte what its operations encode to.
func (k *Checker) Canonical(c *Change) error { panic("later") }

type OpReader struct{}

func (r *OpReader) Next(op *Op) bool { panic("later") }
func (r *OpReader) Err() error       { panic("later") }

// A ChangeWriter encodes changes. Ids are given in the caller's own table of
// actors; those used are found, sorted and renumbered by AppendBody.
type ChangeWriter struct{}

// Reset begins a change by that author. rank[i] is actor i's place in the order of bytes.
func (w *ChangeWriter) Reset(author uint32, rank []uint32) {}
func (w *ChangeWriter) Add(op *Op)                         {}

// Chars adds n inserts of characters, first id, each after the one before; the first after ref.
func (w *ChangeWriter) Chars(obj, ref, id opid.ID, text []byte, n int) {}

// Deletes adds n deletes of target, target+step, ...; each one's only predecessor is the element's insert.
func (w *ChangeWriter) Deletes(obj, target opid.ID, n, step int) {}

// AppendBody appends the change's body: from h Deps, Seq, StartOp, Time, Message and Extra; actors are the caller's table.
func (w *ChangeWriter) AppendBody(dst []byte, h *Change, actors [][]byte) []byte { panic("later") }

type Document struct {
	Actors             [][]byte
	Heads              []Hash
	HeadRows           []uint32
	NumChanges, NumOps int
}

func ParseDocument(body []byte, lim *Limits) (*Document, error) { panic("later") }

type ChangeRow struct {
	Actor   uint32
	Seq     uint64
	StartOp uint32 // bundles only
	MaxOp   uint32
	Time    int64
	Message string
	Deps    []uint32
	Extra   []byte
}

type ChangeReader struct{}

func (d *Document) Changes(r *ChangeReader)      {}
func (r *ChangeReader) Next(row *ChangeRow) bool { panic("later") }
func (r *ChangeReader) Err() error               { panic("later") }
func (d *Document) Ops(r *OpReader)              {}
