// Package keep holds the contents that a device keeps of files beside the
// folder itself: older versions, own edits, what others may ask for.
package keep

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"inselnetz/app/disk"
	"inselnetz/crdt/tree"
)

var (
	// ErrNone says that a content is not kept here.
	ErrNone = errors.New("content is not kept here")
	// ErrDamaged says that a content was kept here and could not be read whole.
	// It is forgotten with that, so that it can be kept again.
	ErrDamaged = errors.New("kept content is damaged")
	// ErrOther says that a file is not the one that was hashed.
	ErrOther = errors.New("file changed since its content was looked at")
)

// Options tunes a Store. The zero value is right.
type Options struct {
	Log   *slog.Logger     // nil discards
	Now   func() time.Time // nil: time.Now
	Small int64            // largest content in packs, bytes, at most 16 MiB + 4 KiB; 0: 1 MiB
	Pack  int64            // size of a pack, bytes; 0: 64 MiB
	// Opaque says that names tell nothing of the bytes (pieces sealed for others).
	// All that fits goes into packs then, Small aside, where it has checksums.
	Opaque bool
}

// Store is a set of contents in a directory. Its methods may be called from
// several goroutines.
//
// The empty content is always there.
type Store struct {
	fs     disk.FS
	dir    string
	log    *slog.Logger
	now    func() time.Time
	small  int64
	opaque bool
	pack   int64

	released atomic.Uint64 // how often a file was given away

	syncing sync.Mutex // one Sync, Compact or Close at a time; before mu

	mu       sync.RWMutex
	index    map[tree.Sum]entry
	used     int64
	packs    map[uint32]*pack
	active   *pack // takes records; nil: none yet
	next     uint32
	tail     []byte            // end of the active pack that is not written yet
	fresh    map[tree.Sum]bool // loose ones not durable yet
	flushing map[tree.Sum]bool // loose ones that a sync is busy with; not changed
	noted    map[tree.Sum]bool // dropped loose ones that a pack still says are durable
	failed   []failed
	packed   []tree.Sum // owned by whoever has syncing
	changed  bool       // something was dropped since the index was written
	since    int64      // bytes of packs that the index on disk does not cover
	names    bool       // packs were made whose names are not durable
	temps    int
	closed   bool
	handles  handles
}

// pack is a file of records.
type pack struct {
	id      uint32
	size    int64 // with the tail
	durable int64
	live    int64 // bytes of records that are in the index
}

// failed is what a flush did not take: it is written again elsewhere.
type failed struct {
	p    *pack
	from int64
}

// Item is a content that is kept.
type Item struct {
	Sum   tree.Sum
	Size  int64
	Since int64 // when it came in: ms since 1970, to the second
	Loose bool  // a file of its own
}

// tailMax is how much of a pack waits to be written at once, in bytes.
const tailMax = 1 << 20

func (s *Store) packPath(id uint32) string     { return fmt.Sprintf("%s/packs/%08x", s.dir, id) }
func (s *Store) loosePath(sum tree.Sum) string { return s.dir + "/loose/" + sum.String() }

// temp returns a name for a file that Open removes if it is found.
func (s *Store) temp() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.temps++
	return fmt.Sprintf("%s/tmp-%d", s.dir, s.temps)
}

// Has returns the size of a content.
func (s *Store) Has(sum tree.Sum) (size int64, ok bool) {
	if sum == (tree.Sum{}) {
		return 0, true
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	e, ok := s.index[sum]
	return e.size(), ok
}

// Durable tells whether a content is kept and a Sync after it came in has
// succeeded.
func (s *Store) Durable(sum tree.Sum) bool {
	if sum == (tree.Sum{}) {
		return true
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	e, ok := s.index[sum]
	return ok && s.durable(sum, e)
}

func (s *Store) durable(sum tree.Sum, e entry) bool {
	if e.loose() {
		return !s.fresh[sum] && !s.flushing[sum]
	}
	return int64(e.a)+e.room() <= s.packs[e.pack].durable
}

// Put keeps a content. It is durable after Sync. Data is not held on to.
func (s *Store) Put(sum tree.Sum, data []byte) error {
	if _, ok := s.Has(sum); ok || len(data) == 0 {
		return nil
	}
	if int64(len(data)) > s.small {
		return s.putLoose(sum, data)
	}
	h := header{dataCRC: crc32.Checksum(data, castagnoli), kind: recContent, size: uint64(len(data)), sum: sum, since: uint32(s.now().Unix())}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.index[sum]; ok {
		return nil
	}
	return s.append(h, data)
}

// append adds a record to the active pack and to the index. The caller has mu.
func (s *Store) append(h header, data []byte) error {
	if s.closed {
		return fs.ErrClosed
	}
	if len(s.tail)+int(h.length()) > tailMax {
		if err := s.write(); err != nil {
			return err
		}
	}
	if s.active != nil && s.active.size+h.length() > s.pack {
		if err := s.write(); err != nil {
			return err
		}
		s.active = nil
	}
	if s.active == nil {
		if err := s.begin(); err != nil {
			return err
		}
	}
	p := s.active
	if h.kind == recContent {
		s.set(h.sum, entry{pack: p.id, since: h.since, a: uint32(p.size), b: uint32(h.size)})
	}
	s.tail = append(h.append(s.tail), data...)
	p.size += h.length()
	s.since += h.length()
	return nil
}

// set puts a content into the index, in place of where it was.
func (s *Store) set(sum tree.Sum, e entry) {
	s.unset(sum)
	s.index[sum] = e
	s.used += e.room()
	if p := s.packs[e.pack]; p != nil {
		p.live += e.room()
	}
}

func (s *Store) unset(sum tree.Sum) {
	e, ok := s.index[sum]
	if !ok {
		return
	}
	delete(s.index, sum)
	s.changed = true
	s.used -= e.room()
	if p := s.packs[e.pack]; p != nil {
		p.live -= e.room()
	}
}

// begin makes a new pack the active one.
func (s *Store) begin() error {
	id := s.next
	h, err := s.fs.Create(s.packPath(id), 0)
	if err != nil {
		return err
	}
	s.next++
	s.active = &pack{id: id}
	s.packs[id] = s.active
	s.names = true
	s.handles.put(id, h)
	return nil
}

// write writes the tail. What fails stays and is written again at the same place.
func (s *Store) write() error {
	if len(s.tail) == 0 {
		return nil
	}
	h, err := s.handles.get(s, s.active.id)
	if err != nil {
		return err
	}
	defer s.handles.done(s, s.active.id)
	if _, err := h.WriteAt(s.tail, s.active.size-int64(len(s.tail))); err != nil {
		return err
	}
	if s.tail = s.tail[:0]; cap(s.tail) > 2*tailMax {
		s.tail = nil
	}
	return nil
}

// putLoose keeps what is too large for packs.
func (s *Store) putLoose(sum tree.Sum, data []byte) error {
	tmp := s.temp()
	h, err := s.fs.Create(tmp, int64(len(data)))
	if err != nil {
		return err
	}
	_, err = h.WriteAt(data, 0)
	if err = errors.Join(err, h.Close()); err != nil {
		s.fs.Remove(tmp)
		return err
	}
	return s.Adopt(sum, int64(len(data)), tmp)
}

// Adopt moves a file of the same disk in, which is said to hold the content. It
// is durable after Sync, its bytes too. If the content is here already the file
// is removed.
func (s *Store) Adopt(sum tree.Sum, size int64, path string) error {
	if _, ok := s.Has(sum); ok || size == 0 {
		return s.fs.Remove(path)
	}
	s.mu.RLock()
	noted := s.noted[sum]
	s.mu.RUnlock()
	if noted {
		// After a crash this name counts as durable: so it must be.
		if err := syncFile(s.fs, path); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fs.ErrClosed
	}
	if _, ok := s.index[sum]; ok {
		return s.fs.Remove(path)
	}
	if err := s.fs.Rename(path, s.loosePath(sum)); err != nil {
		return err
	}
	s.set(sum, looseEntry(size, uint32(s.now().Unix())))
	s.fresh[sum] = true
	return nil
}

func syncFile(f disk.FS, path string) error {
	h, err := openAnyway(f, path)
	if err != nil {
		return err
	}
	err = h.Sync()
	if err = errors.Join(err, h.Close()); !errors.Is(err, disk.ErrDenied) {
		return err
	}
	if h, err = f.Edit(path); err != nil { // Windows flushes only for who may write
		return err
	}
	return errors.Join(h.Sync(), h.Close())
}

// openAnyway opens a file that came into the keep, though a program may still
// hold it open.
func openAnyway(f disk.FS, path string) (disk.Handle, error) {
	h, err := f.Open(path)
	if errors.Is(err, disk.ErrBusy) {
		h, err = f.Edit(path)
	}
	return h, err
}

// CopyIn keeps the content of a file that stays: cloned where the disk can,
// else copied. The file must be, before and after, as it was when its Sum was
// worked out (size, time and inode), else ErrOther; it is not read for that. It
// is durable after Sync.
func (s *Store) CopyIn(ctx context.Context, sum tree.Sum, as disk.Info, path string) error {
	if _, ok := s.Has(sum); ok || as.Size == 0 {
		return nil
	}
	if err := s.same(path, as); err != nil {
		return err
	}
	tmp := s.temp()
	err := s.fs.Clone(path, tmp)
	if errors.Is(err, errors.ErrUnsupported) {
		err = s.copyFile(ctx, path, tmp, as.Size)
	}
	if err == nil {
		err = s.same(path, as)
	}
	if err == nil {
		return s.Adopt(sum, as.Size, tmp)
	}
	s.fs.Remove(tmp)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, fs.ErrNotExist) {
		err = errors.Join(ErrOther, err)
	}
	return err
}

func (s *Store) same(path string, as disk.Info) error {
	i, err := s.fs.Stat(path)
	if err != nil {
		return err
	}
	if i.Kind != disk.File || i.Size != as.Size || i.Time != as.Time || i.Inode != as.Inode {
		return fmt.Errorf("%w: %s", ErrOther, path)
	}
	return nil
}

// copyEach is how much is copied between two looks at the context, in bytes.
const copyEach = 64 << 20

func (s *Store) copyFile(ctx context.Context, from, to string, size int64) error {
	src, err := s.fs.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := s.fs.Create(to, size)
	if err != nil {
		return err
	}
	for at := int64(0); at < size && err == nil; at += copyEach {
		if err = ctx.Err(); err == nil {
			err = dst.CopyFrom(src, at, min(copyEach, size-at))
		}
	}
	return errors.Join(err, dst.Close())
}

// Loose returns the file that holds a content alone, for Clone and CopyFrom; it
// must not be changed.
func (s *Store) Loose(sum tree.Sum) (path string, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e, ok := s.index[sum]
	if !ok || !e.loose() {
		return "", false
	}
	return s.loosePath(sum), true
}

// Drop forgets a content. After a crash it may be back.
func (s *Store) Drop(sum tree.Sum) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.index[sum]
	if !ok {
		return nil
	}
	if e.loose() {
		if err := s.fs.Remove(s.loosePath(sum)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		delete(s.fresh, sum)
		s.noted[sum] = true
	}
	s.unset(sum)
	return nil
}

// Each yields all contents that were there when it was called, in no order.
func (s *Store) Each(yield func(Item) bool) {
	s.mu.RLock()
	items := make([]Item, 0, len(s.index))
	for sum, e := range s.index {
		items = append(items, Item{sum, e.size(), int64(e.since) * 1000, e.loose()})
	}
	s.mu.RUnlock()
	for _, i := range items {
		if !yield(i) {
			return
		}
	}
}

// Used returns the bytes that the contents take on the disk, without what
// Compact would give back.
func (s *Store) Used() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.used
}

// Len returns the number of contents.
func (s *Store) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.index)
}
