package folder

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"

	"inselnetz/app/disk"
	"inselnetz/crdt/log"
	"inselnetz/crdt/tree"
)

// blocks returns the hashes of a content's blocks, fetched if need be.
func (f *Folder) blocks(ctx context.Context, v *tree.Known) ([]tree.Sum, error) {
	if b, ok := f.blocksHere(v.Sum, v.Size, v.Blocks); ok {
		return b, nil
	}
	n := tree.BlockCount(v.Size)
	var list []byte
	err := f.fetch(ctx, []Piece{{Content: v.Sum, Index: ListIndex, Size: 32 * n, Hash: v.Sum.List()}}, v.Device, func(_ int, data []byte) error {
		list = append([]byte(nil), data...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	b, ok := parseList(v.Sum, v.Size, list)
	if !ok {
		return nil, fmt.Errorf("list of blocks of %v does not fit", v.Sum)
	}
	return b, f.keep.Put(v.Sum.List(), list)
}

// blocksHere is blocks without others' help. inline are those a version carries.
func (f *Folder) blocksHere(sum tree.Sum, size int64, inline []tree.Sum) ([]tree.Sum, bool) {
	switch n := tree.BlockCount(size); {
	case n == 0:
		return nil, true
	case n == 1:
		return []tree.Sum{sum}, true
	case len(inline) == n:
		return inline, true
	}
	list, err := f.listHere(sum)
	if err != nil {
		return nil, false
	}
	return parseList(sum, size, list)
}

// listHere returns the list of a content's blocks from the keep.
func (f *Folder) listHere(sum tree.Sum) ([]byte, error) {
	n, ok := f.keep.Has(sum.List())
	if !ok || n > 32<<20 {
		return nil, ErrNone
	}
	list := make([]byte, n)
	if _, err := f.keep.ReadAt(sum.List(), list, 0); err != nil {
		return nil, err
	}
	return list, nil
}

// fetch is Host.Fetch where everything is needed: ErrNobody if something is not
// to be had.
func (f *Folder) fetch(ctx context.Context, pieces []Piece, by log.DeviceID, got func(i int, data []byte) error) error {
	var lack atomic.Int64
	var prefer []log.DeviceID
	if by != f.opts.Device {
		prefer = []log.DeviceID{by}
	}
	err := f.host.Fetch(ctx, pieces, prefer, func(i int, data []byte) error {
		f.came.Add(int64(len(data)))
		return got(i, data)
	}, func(int) { lack.Add(1) })
	if err == nil && lack.Load() > 0 {
		err = ErrNobody
	}
	return err
}

// fetchLarge builds the content of a job in its own temporary file: of blocks of
// what is at its place now, of what an earlier attempt got, and of what others
// have. What is there is used again after a crash.
func (f *Folder) fetchLarge(ctx context.Context, j *job) (ready, error) {
	r := ready{job: j, tmp: f.tempFor(j.path, j.v.Sum)}
	v := &j.v
	done, err := f.alone(ctx, v.Sum)
	if err != nil {
		return r, err
	}
	defer done()
	blocks, err := f.blocks(ctx, v)
	if err != nil {
		return r, err
	}
	part := tmpAt + "/" + v.Sum.String()
	h, have, err := f.begin(ctx, part, v, blocks, j.old)
	if err != nil {
		return r, err
	}
	if err = f.fill(ctx, h, v, blocks, have); err != nil {
		return r, errors.Join(err, h.Close())
	}
	first := make([]byte, min(sampleSize, v.Size))
	if _, err := h.ReadAt(first, 0); err == nil && f.sample(j, first) {
		return r, errors.Join(errHeld, h.Close())
	}
	if r.info, err = f.finishTemp(h, &v.Version, true, nil); err != nil {
		return r, err
	}
	f.guardSoon()
	// Under another name: it may hold something else after the exchange.
	return r, f.fs.Rename(part, r.tmp)
}

// errHeld says that the brake fell over this content.
var errHeld = errors.New("held by the brake")

// errAgain says that somebody else just brought a content: look again.
var errAgain = errors.New("came meanwhile")

// alone makes sure that one goroutine at a time builds a content. errAgain if
// there was another one, which is done now.
func (f *Folder) alone(ctx context.Context, sum tree.Sum) (done func(), err error) {
	f.mu.Lock()
	other := f.building[sum]
	if other == nil {
		mine := make(chan struct{})
		f.building[sum] = mine
		f.mu.Unlock()
		return func() {
			f.mu.Lock()
			delete(f.building, sum)
			f.mu.Unlock()
			close(mine)
		}, nil
	}
	f.mu.Unlock()
	select {
	case <-other:
		return nil, errAgain
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// fill fetches the blocks of a content that are not there yet.
func (f *Folder) fill(ctx context.Context, h disk.Handle, v *tree.Known, blocks []tree.Sum, have []bool) error {
	bs := int64(tree.BlockSize(v.Size))
	var pieces []Piece
	for i, sum := range blocks {
		if !have[i] {
			pieces = append(pieces, Piece{Content: v.Sum, Index: uint32(i), Size: int(min(bs, v.Size-int64(i)*bs)), Hash: sum})
		}
	}
	if len(pieces) == 0 {
		return nil
	}
	var wrote atomic.Int64
	return f.fetch(ctx, pieces, v.Device, func(i int, data []byte) error {
		if len(data) != pieces[i].Size {
			return fmt.Errorf("block of %d bytes instead of %d", len(data), pieces[i].Size)
		}
		if _, err := h.WriteAt(data, int64(pieces[i].Index)*bs); err != nil {
			return err
		}
		if n := wrote.Add(int64(len(data))); n%(16<<20) < int64(len(data)) {
			return h.Flush() // the last flush is short then
		}
		return nil
	})
}

// begin opens the temporary file of a large content and tells which blocks are
// in it.
func (f *Folder) begin(ctx context.Context, part string, v *tree.Known, blocks []tree.Sum, old *rec) (disk.Handle, []bool, error) {
	have := make([]bool, len(blocks))
	h, err := f.fs.Edit(part)
	if err == nil {
		err = f.resume(ctx, h, v.Size, blocks, have)
		if err == nil {
			err = h.Truncate(v.Size)
		}
		if err != nil {
			h.Close()
		}
		return h, have, err
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	var from []tree.Sum
	if old != nil && old.Kind == tree.File && old.Size > small {
		from = f.oldBlocks(old)
	}
	same := 0
	at := map[tree.Sum]int{}
	for i, sum := range from {
		at[sum] = i
		if i < len(blocks) && blocks[i] == sum {
			same++
		}
	}
	if same > 0 && tree.BlockSize(old.Size) == tree.BlockSize(v.Size) && f.fs.Clone(old.Path, part) == nil {
		if h, err = f.fs.Edit(part); err != nil {
			return nil, nil, err
		}
		for i := range blocks {
			have[i] = i < len(from) && from[i] == blocks[i] && (int64(i+1)*int64(tree.BlockSize(v.Size)) <= min(old.Size, v.Size) || old.Size == v.Size)
		}
		err = h.Truncate(v.Size)
	} else if h, err = f.patch(ctx, part, v, blocks, old, from); h != nil || err != nil {
		if err == nil {
			for i := range have {
				have[i] = true
			}
		}
		return h, have, err
	} else {
		if h, err = f.fs.Create(part, v.Size); err != nil {
			return nil, nil, err
		}
		if len(from) > 0 && tree.BlockSize(old.Size) == tree.BlockSize(v.Size) {
			err = f.reuse(h, v.Size, blocks, have, old, from, at)
		}
	}
	if err == nil && old != nil && len(from) > 0 {
		in, e := f.fs.Stat(old.Path)
		if e != nil || !f.unchanged(old, in) {
			clear(have) // it changed while it was read
		}
	}
	if err != nil {
		h.Close()
		f.fs.Remove(part)
	}
	return h, have, err
}

// resume finds out which blocks an earlier attempt left.
func (f *Folder) resume(ctx context.Context, h disk.Handle, size int64, blocks []tree.Sum, have []bool) error {
	in, err := h.Stat()
	if err != nil {
		return err
	}
	bs := int64(tree.BlockSize(size))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range f.workers {
		wg.Go(func() {
			buf := make([]byte, bs)
			for ctx.Err() == nil {
				i := next.Add(1) - 1
				if i >= int64(len(blocks)) || i*bs >= in.Size {
					return
				}
				b := buf[:min(bs, size-i*bs)]
				n, _ := h.ReadAt(b, i*bs)
				have[i] = n == len(b) && tree.Sum(sha256.Sum256(b)) == blocks[i]
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

// oldBlocks returns the blocks of what a record tells of, if they are known.
func (f *Folder) oldBlocks(old *rec) []tree.Sum {
	f.mu.Lock()
	var in []tree.Sum
	for _, id := range old.Base {
		if k, ok := f.tree.Known(id); ok && k.Sum == old.Sum {
			in = k.Blocks
		}
	}
	f.mu.Unlock()
	b, _ := f.blocksHere(old.Sum, old.Size, in)
	return b
}

// reuse copies what the old file has, in runs as long as possible where nothing
// moved.
func (f *Folder) reuse(h disk.Handle, size int64, blocks []tree.Sum, have []bool, old *rec, from []tree.Sum, at map[tree.Sum]int) error {
	src, err := f.fs.Open(old.Path)
	if err != nil {
		return nil // fetched then
	}
	defer src.Close()
	bs := int64(tree.BlockSize(size))
	length := func(i int, size int64) int64 { return min(bs, size-int64(i)*bs) }
	same := func(i int) bool {
		return i < len(blocks) && i < len(from) && blocks[i] == from[i] && length(i, size) == length(i, old.Size)
	}
	for i := 0; i < len(blocks); i++ {
		if same(i) {
			end := i
			for same(end) && int64(end-i)*bs < 16<<20 {
				have[end] = true
				end++
			}
			n := int64(end-1-i)*bs + length(end-1, size)
			if err := h.CopyFrom(src, int64(i)*bs, n); err != nil {
				return err
			}
			if err := h.Flush(); err != nil {
				return err
			}
			i = end - 1
			continue
		}
		k, ok := at[blocks[i]]
		if !ok || length(k, old.Size) != length(i, size) {
			continue
		}
		buf := make([]byte, length(i, size))
		if _, err := src.ReadAt(buf, int64(k)*bs); err != nil || tree.Sum(sha256.Sum256(buf)) != blocks[i] {
			continue
		}
		if _, err := h.WriteAt(buf, int64(i)*bs); err != nil {
			return err
		}
		have[i] = true
	}
	return nil
}

// copyLarge makes a temporary file of a content that is on this device.
func (f *Folder) copyLarge(ctx context.Context, j *job, from *rec, kept bool) (ready, error) {
	r := ready{job: j, tmp: f.tempFor(j.path, j.v.Sum)}
	v := &j.v.Version
	var h disk.Handle
	var err error
	src, loose := "", false
	if kept {
		src, loose = f.keep.Loose(v.Sum)
	}
	if !loose && from != nil {
		src = from.Path
	}
	if src != "" && f.fs.Clone(src, r.tmp) == nil {
		h, err = f.fs.Edit(r.tmp)
	} else {
		h, err = f.fs.Create(r.tmp, v.Size)
		if err == nil {
			err = f.copyBlocks(ctx, h, v)
		}
	}
	if err == nil {
		// Not believed: it may have changed on the disk since it was looked at.
		var blocks []tree.Sum
		if blocks, err = hashBlocks(ctx, h, v.Size, f.workers, nil); err == nil && tree.SumOf(blocks) != v.Sum {
			err = ErrNone
		}
	}
	if h != nil {
		r.info, err = f.finishTemp(h, v, true, err)
	}
	if err != nil {
		f.fs.Remove(r.tmp)
	}
	return r, err
}

// copyBlocks writes a content that is on this device into h.
func (f *Folder) copyBlocks(ctx context.Context, h disk.Handle, v *tree.Version) error {
	bs := int64(tree.BlockSize(v.Size))
	buf := make([]byte, 0, bs)
	for off := int64(0); off < v.Size && ctx.Err() == nil; off += bs {
		b, err := f.Read(v.Sum, uint32(off/bs), buf[:0])
		if err != nil {
			return err
		}
		if _, err := h.WriteAt(b, off); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// fetchKeep gets a content into the keep alone, for good.
func (f *Folder) fetchKeep(ctx context.Context, v tree.Known) error {
	if v.Kind != tree.File || f.sound(&v.Version) {
		return nil
	}
	if v.Size <= tree.MinBlock {
		err := f.fetch(ctx, []Piece{{Content: v.Sum, Size: int(v.Size), Hash: v.Sum}}, v.Device, func(_ int, data []byte) error {
			return f.keep.Put(v.Sum, data)
		})
		if err != nil {
			return err
		}
		return f.keep.Sync()
	}
	r, err := f.fetchLarge(ctx, &job{path: v.Path, v: v})
	if errors.Is(err, errAgain) {
		return f.fetchKeep(ctx, v)
	}
	if err == nil {
		err = f.keep.Adopt(v.Sum, v.Size, r.tmp)
	}
	if err != nil {
		return err
	}
	return f.keep.Sync()
}
