package automerge

import (
	"bytes"
	"errors"
	"fmt"

	"inselnetz/crdt/automerge/internal/format"
)

// An intake reads chunks one after another and applies the changes in them. All
// of them together may cost what one chunk of their size may: a thousand small
// bombs are one large one.
type intake struct {
	d     *Doc
	left  Limits // of what is still to come
	check format.Checker
	begun bool // with a document
	batch []*Change
	cost  int   // bytes of memory that the batch takes, about
	err   error // of batches applied
}

const (
	changeCost = 512      // of a change besides its body
	batchCost  = 16 << 20 // from which a batch is applied before more is read
)

// intake begins to read that many bytes.
func (d *Doc) intake(size int) *intake {
	return &intake{d: d, left: d.o.Limits.For(size)}
}

// deduct takes n off a limit. One is left of it, as none would mean the default.
func deduct(limit *int, n int) { *limit = max(1, *limit-n) }

// chunk reads the next chunk and tells how many bytes it takes. If the document
// is empty, a document chunk fills it at once.
func (in *intake) chunk(b []byte) (size int, err error) {
	c, err := format.ReadChunk(b, &in.left)
	if err != nil {
		return 0, corrupt(err)
	}
	deduct(&in.left.Inflated, len(c.Body)-min(len(c.Body), c.Size))
	d := in.d
	switch {
	case c.Type == format.BundleChunk:
		err = in.bundle(c.Body)
	case c.Type == format.ChangeChunk:
		body := c.Body
		if len(body) < c.Size { // part of b
			body = bytes.Clone(body)
		}
		var ch *Change
		if ch, err = newChange(&in.check, body, c.Hash, &in.left); err == nil {
			deduct(&in.left.Ops, ch.Len())
			in.add(ch)
		}
	case len(d.graph.rows) == 0 && len(d.queue) == 0:
		if err = d.loadDocument(c.Body, &in.left); err != nil {
			d.reset()
		}
		in.begun = true
		in.spent(d)
	default:
		o := d.o
		o.Unverified = false
		other := New(o)
		if err = other.loadDocument(c.Body, &in.left); err == nil {
			in.spent(other)
			in.document(other)
		}
	}
	return c.Size, err
}

// spent counts what a document chunk held.
func (in *intake) spent(d *Doc) {
	deduct(&in.left.Changes, len(d.graph.rows))
	deduct(&in.left.Rows, len(d.rows))
	deduct(&in.left.Ops, len(d.rows)+d.seqs.Elems())
	deduct(&in.left.Inflated, len(d.vals)+d.seqs.Bytes())
}

// document adds what is new in another document.
func (in *intake) document(other *Doc) {
	for n := range other.graph.rows {
		if !in.d.Has(other.graph.hash(other, uint32(n))) {
			in.add(other.at(uint32(n)))
		}
	}
}

// bundle adds the changes of a bundle. Each is written anew and then judged as if
// it had come alone.
func (in *intake) bundle(body []byte) error {
	b, err := format.ParseBundle(body, &in.left)
	if err != nil {
		return corrupt(err)
	}
	deduct(&in.left.Changes, b.NumChanges)
	deduct(&in.left.Rows, b.NumOps)
	bodies, err := b.Bodies()
	if err != nil {
		return corrupt(err)
	}
	for i, body := range bodies {
		deduct(&in.left.Inflated, len(body))
		c, err := newChange(&in.check, body, format.HashOf(format.ChangeChunk, body), &in.left)
		if err != nil {
			return fmt.Errorf("change %d of a bundle: %w", i, err)
		}
		in.add(c)
	}
	return nil
}

// add puts a change into the batch.
func (in *intake) add(c *Change) {
	in.batch = append(in.batch, c)
	if in.cost += len(c.body) + changeCost; in.cost >= batchCost {
		in.apply()
	}
}

// apply applies the batch and tells what was refused so far.
func (in *intake) apply() error {
	if len(in.batch) > 0 {
		in.err = errors.Join(in.err, in.d.Apply(in.batch...))
		in.batch, in.cost = nil, 0
	}
	return in.err
}

// LoadIncremental applies every chunk in b: documents, changes, bundles. What comes
// after a damaged chunk is not read; what came before it stays.
func (d *Doc) LoadIncremental(b []byte) error {
	if d.Pending() > 0 {
		return ErrPending
	}
	return d.takeIn(b)
}

// takeIn is LoadIncremental for chunks in several pieces. What comes from others is
// verified, whatever Options say of Load.
func (d *Doc) takeIn(parts ...[]byte) error {
	defer func(unverified bool) { d.o.Unverified = unverified }(d.o.Unverified)
	d.o.Unverified = false
	size := 0
	for _, b := range parts {
		size += len(b)
	}
	in := d.intake(size)
	read := func() error {
		for _, b := range parts {
			for len(b) > 0 {
				n, err := in.chunk(b)
				if err != nil {
					return err
				}
				b = b[n:]
			}
		}
		return nil
	}
	failed := read()
	return errors.Join(in.apply(), failed)
}
