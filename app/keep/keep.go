// Package keep holds the contents that a device keeps of files beside the
// folder itself: older versions, own edits, what others may ask for.
package keep

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"inselnetz/app/disk"
	"inselnetz/crdt/tree"
)

var (
	// ErrNone says that a content is not kept here.
	ErrNone = errors.New("content is not kept here")
	// ErrDamaged says that a content is kept here and cannot be read whole.
	ErrDamaged = errors.New("kept content is damaged")
	// ErrOther says that a file does not hold the content it was said to hold.
	ErrOther = errors.New("file holds another content")
)

// Options tunes a Store. The zero value is right.
type Options struct {
	Log   *slog.Logger     // nil discards
	Now   func() time.Time // nil: time.Now
	Small int64            // largest content in packs, bytes; 0: 1 MiB
	Pack  int64            // size of a pack, bytes; 0: 64 MiB
}

// Store is a set of contents in a directory. Its methods may be called from
// several goroutines.
//
// The empty content is always there.
type Store struct{}

// Item is a content that is kept.
type Item struct {
	Sum   tree.Sum
	Size  int64
	Since int64 // when it came in: ms since 1970, to the second
	Loose bool  // a file of its own
}

// Open opens the store in a directory of fs, which it makes if need be. What a
// crash left half is cut off.
func Open(fs disk.FS, dir string, opts Options) (*Store, error) {
	return nil, errors.ErrUnsupported
}

// Has returns the size of a content.
func (s *Store) Has(sum tree.Sum) (size int64, ok bool) { return 0, false }

// Put keeps a content. It is durable after Sync. Data is not held on to.
func (s *Store) Put(sum tree.Sum, data []byte) error { return errors.ErrUnsupported }

// Adopt moves a file of the same disk in, which is said to hold the content. It
// is durable after Sync, its bytes too. If the content is here already the file
// is removed.
func (s *Store) Adopt(sum tree.Sum, size int64, path string) error { return errors.ErrUnsupported }

// CopyIn keeps the content of a file that stays: cloned where the disk can,
// else copied. The file must be, before and after, as it was when its Sum was
// worked out (size, time and inode), else ErrOther; it is not read for that. It
// is durable after Sync.
func (s *Store) CopyIn(ctx context.Context, sum tree.Sum, as disk.Info, path string) error {
	return errors.ErrUnsupported
}

// ReadAt reads from a content as an io.ReaderAt does. Damage that is noticed is
// ErrDamaged; callers check the hashes of blocks.
func (s *Store) ReadAt(sum tree.Sum, p []byte, off int64) (int, error) {
	return 0, errors.ErrUnsupported
}

// Loose returns the file that holds a content alone, for Clone and CopyFrom; it
// must not be changed.
func (s *Store) Loose(sum tree.Sum) (path string, ok bool) { return "", false }

// Drop forgets a content. After a crash it may be back.
func (s *Store) Drop(sum tree.Sum) error { return errors.ErrUnsupported }

// Each yields all contents that were there when it was called, in no order.
func (s *Store) Each(yield func(Item) bool) {}

// Sync makes durable what came in before.
func (s *Store) Sync() error { return errors.ErrUnsupported }

// SyncAll is Sync by FS.SyncAll: the one call makes everything else on the disk
// durable too. Cheaper for many files.
func (s *Store) SyncAll() error { return errors.ErrUnsupported }

// Used returns the bytes of the contents that are kept.
func (s *Store) Used() int64 { return 0 }

// Compact gives back the room of what was dropped and packs what is small.
func (s *Store) Compact(ctx context.Context) error { return errors.ErrUnsupported }

// Close ends the use of the store; it calls Sync.
func (s *Store) Close() error { return errors.ErrUnsupported }
