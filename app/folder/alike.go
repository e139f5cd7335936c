package folder

import (
	"context"
	"errors"
	"fmt"

	"inselnetz/app/disk"
	"inselnetz/app/keep"
	"inselnetz/crdt/tree"
)

// patchMost is how many bytes of changed blocks are fetched into memory, to be
// written into a copy that is here already.
const patchMost = 32 << 20

// alike returns the hashes of those blocks of a large file that are where they
// were when old was hashed, as far as a clone in the keep shows that; a zero Sum
// for the others, nil if nothing is known.
func (f *Folder) alike(h disk.Handle, size int64, old *rec) []tree.Sum {
	if old == nil || old.Kind != tree.File || old.Size <= small || tree.BlockSize(old.Size) != tree.BlockSize(size) {
		return nil
	}
	kept, ok := f.keep.Loose(old.Sum)
	if !ok {
		return nil
	}
	from := f.oldBlocks(old)
	if len(from) == 0 {
		return nil
	}
	clone, err := f.fs.Open(kept)
	if err != nil {
		return nil
	}
	defer clone.Close()
	ranges, err := h.Shares(clone)
	if err != nil {
		return nil
	}
	bs := int64(tree.BlockSize(size))
	known := make([]tree.Sum, tree.BlockCount(size))
	for _, r := range ranges {
		for i := (r.Off + bs - 1) / bs; i < int64(min(len(known), len(from))); i++ {
			n := min(bs, size-i*bs)
			if i*bs+n > r.Off+r.Len {
				break
			}
			if n == min(bs, old.Size-i*bs) {
				known[i] = from[i]
			}
		}
	}
	return known
}

// patch makes a content of the copy of the old one that the keep has beside the
// file at its place: only what differs is written, where a copy of the rest would
// take as long as the whole file. What was at the place takes the copy's part in
// the keep after the exchange. Nil if there is no such copy, or too much differs.
func (f *Folder) patch(ctx context.Context, part string, v *tree.Known, blocks []tree.Sum, old *rec, from []tree.Sum) (disk.Handle, error) {
	if len(from) == 0 || tree.BlockSize(old.Size) != tree.BlockSize(v.Size) || !f.keep.Releasable(old.Sum) {
		return nil, nil
	}
	bs := int64(tree.BlockSize(v.Size))
	var pieces []Piece
	bytes := 0
	for i, sum := range blocks {
		n := min(bs, v.Size-int64(i)*bs)
		if i >= len(from) || from[i] != sum || n != min(bs, old.Size-int64(i)*bs) {
			pieces = append(pieces, Piece{Content: v.Sum, Index: uint32(i), Size: int(n), Hash: sum})
			bytes += int(n)
		}
	}
	if bytes > patchMost {
		return nil, nil
	}
	data := make([][]byte, len(pieces))
	if len(pieces) > 0 {
		err := f.fetch(ctx, pieces, v.Device, func(i int, b []byte) error {
			if len(b) != pieces[i].Size {
				return fmt.Errorf("block of %d bytes instead of %d", len(b), pieces[i].Size)
			}
			data[i] = append([]byte(nil), b...)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	// The file at the place is the only one with the old content from now on.
	if in, err := f.fs.Stat(old.Path); err != nil || !f.unchanged(old, in) {
		return nil, nil
	}
	switch err := f.keep.Release(old.Sum, part); {
	case errors.Is(err, keep.ErrNone):
		return nil, nil
	case err != nil:
		return nil, errors.Join(err, f.keep.Adopt(old.Sum, old.Size, part))
	}
	h, err := f.fs.Edit(part)
	if err != nil {
		return nil, errors.Join(err, f.keep.Adopt(old.Sum, old.Size, part))
	}
	for i, p := range pieces {
		if err == nil {
			_, err = h.WriteAt(data[i], int64(p.Index)*bs)
		}
	}
	if err == nil {
		err = h.Truncate(v.Size)
	}
	if err != nil {
		return nil, errors.Join(err, h.Close()) // the next attempt finds what is right in it
	}
	return h, nil
}
