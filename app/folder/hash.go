package folder

import (
	"context"
	"crypto/sha256"
	"io"
	"sync"
	"sync/atomic"

	"inselnetz/app/disk"
	"inselnetz/crdt/tree"
)

// small is the largest content, in bytes, that is read as a whole.
const small = 1 << 20

// blocksOf returns the hashes of the blocks of data.
func blocksOf(data []byte) []tree.Sum {
	size := tree.BlockSize(int64(len(data)))
	out := make([]tree.Sum, 0, tree.BlockCount(int64(len(data))))
	for len(data) > 0 {
		n := min(size, len(data))
		out = append(out, sha256.Sum256(data[:n]))
		data = data[n:]
	}
	return out
}

// hashBlocks hashes the blocks of a large file on several goroutines, but not
// those that are known (nil: none; a zero Sum: not this one).
func hashBlocks(ctx context.Context, r io.ReaderAt, size int64, workers int, known []tree.Sum) ([]tree.Sum, error) {
	bs := int64(tree.BlockSize(size))
	out := make([]tree.Sum, tree.BlockCount(size))
	copy(out, known)
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, min(workers, len(out)))
	for w := range errs {
		wg.Go(func() {
			buf := make([]byte, min(bs, size))
			for ctx.Err() == nil {
				i := next.Add(1) - 1
				if i >= int64(len(out)) {
					return
				}
				if out[i] != (tree.Sum{}) {
					continue
				}
				b := buf[:min(bs, size-i*bs)]
				if n, err := r.ReadAt(b, i*bs); n < len(b) {
					if err == io.EOF || err == nil {
						err = disk.ErrChanged
					}
					errs[w] = err
					return
				}
				out[i] = sha256.Sum256(b)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return out, ctx.Err()
}

// hashFile hashes a large file and makes sure that it did not change meanwhile.
// old is what was there before, or nil: what is kept of that in a clone is not
// read again where both still lie at the same place.
func (f *Folder) hashFile(ctx context.Context, path string, old *rec) ([]tree.Sum, disk.Info, error) {
	h, err := f.fs.Open(path)
	if err != nil {
		return nil, disk.Info{}, err
	}
	defer h.Close()
	before, err := h.Stat()
	if err != nil {
		return nil, before, err
	}
	blocks, err := hashBlocks(ctx, h, before.Size, f.workers, f.alike(h, before.Size, old))
	if err != nil {
		return nil, before, err
	}
	after, err := h.Stat()
	if err == nil && after != before {
		err = disk.ErrChanged
	}
	return blocks, after, err
}

// listOf returns the hashes in a row, as a content's list travels.
func listOf(blocks []tree.Sum) []byte {
	b := make([]byte, 0, 32*len(blocks))
	for i := range blocks {
		b = append(b, blocks[i][:]...)
	}
	return b
}

// parseList is the reverse of listOf for the content sum of size bytes.
func parseList(sum tree.Sum, size int64, list []byte) ([]tree.Sum, bool) {
	n := tree.BlockCount(size)
	if len(list) != 32*n || n < 2 || tree.Sum(sha256.Sum256(list)) != sum.List() {
		return nil, false
	}
	out := make([]tree.Sum, n)
	for i := range out {
		copy(out[i][:], list[32*i:])
	}
	return out, true
}

// inline returns the blocks that a version carries itself.
func inline(blocks []tree.Sum) []tree.Sum {
	if len(blocks) < 2 || len(blocks) > tree.MaxInline {
		return nil
	}
	return blocks
}

// linkSum is what the index remembers of a link.
func linkSum(target string) tree.Sum { return sha256.Sum256([]byte(target)) }
