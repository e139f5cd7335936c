package keep

import (
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"sync"

	"inselnetz/app/disk"
	"inselnetz/crdt/tree"
)

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// ReadAt reads from a content as an io.ReaderAt does. Damage that is noticed is
// ErrDamaged; callers check the hashes of blocks.
func (s *Store) ReadAt(sum tree.Sum, p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fs.ErrInvalid
	}
	if sum == (tree.Sum{}) {
		return 0, io.EOF
	}
	// Compact may move a content while it is read: then it is elsewhere.
	var err error
	for range 3 {
		var n int
		s.mu.RLock()
		e, ok := s.index[sum]
		if !ok {
			s.mu.RUnlock()
			return 0, ErrNone
		}
		if e.loose() {
			s.mu.RUnlock()
			n, err = s.readLoose(sum, p, off)
		} else if data, ok := s.inTail(e); ok {
			n, err = readAt(p, data, off)
			s.mu.RUnlock()
			return n, err
		} else {
			s.mu.RUnlock()
			n, err = s.readPacked(sum, e, p, off)
		}
		if err == nil || err == io.EOF {
			return n, err
		}
		s.mu.Lock()
		same := s.index[sum] == e
		if same && e.loose() && errors.Is(err, ErrDamaged) {
			_, serr := s.fs.Stat(s.loosePath(sum))
			same = serr != nil // else it was dropped and is back
		}
		if same && errors.Is(err, ErrDamaged) {
			s.log.Warn("kept content is damaged", "content", sum, "pack", e.pack)
			s.unset(sum)
			if e.loose() {
				s.noted[sum] = true
			}
		}
		s.mu.Unlock()
		if same {
			break
		}
	}
	return 0, err
}

// readAt is ReadAt of bytes.
func readAt(p, data []byte, off int64) (int, error) {
	if off >= int64(len(data)) {
		return 0, io.EOF
	}
	n := copy(p, data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// inTail returns the bytes of a content that is not written yet. The caller has
// mu and keeps it while it uses them.
func (s *Store) inTail(e entry) ([]byte, bool) {
	if s.active == nil || e.pack != s.active.id {
		return nil, false
	}
	at := int64(e.a) - (s.active.size - int64(len(s.tail)))
	if at < 0 {
		return nil, false
	}
	return s.tail[at+headerSize : at+headerSize+int64(e.b)], true
}

// readLoose reads a file of its own. Release may give that file away meanwhile,
// then it may hold something else already: it is read again.
func (s *Store) readLoose(sum tree.Sum, p []byte, off int64) (int, error) {
	for {
		before := s.released.Load()
		h, err := openAnyway(s.fs, s.loosePath(sum))
		if errors.Is(err, fs.ErrNotExist) {
			return 0, errors.Join(ErrDamaged, err)
		}
		if err != nil {
			return 0, err
		}
		n, err := h.ReadAt(p, off)
		h.Close()
		if s.released.Load() == before {
			return n, err
		}
	}
}

func (s *Store) readPacked(sum tree.Sum, e entry, p []byte, off int64) (int, error) {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	var err error
	if *buf, err = s.record(sum, e, *buf); err != nil {
		return 0, err
	}
	return readAt(p, (*buf)[headerSize:], off)
}

// record reads a whole record from its pack and checks it.
func (s *Store) record(sum tree.Sum, e entry, buf []byte) ([]byte, error) {
	h, err := s.handles.get(s, e.pack)
	if errors.Is(err, fs.ErrNotExist) {
		return buf, errors.Join(ErrDamaged, err)
	}
	if err != nil {
		return buf, err
	}
	defer s.handles.done(s, e.pack)
	buf, err = window(h, buf, int64(e.a), e.room())
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return buf, errors.Join(ErrDamaged, err)
	}
	if err != nil {
		return buf, err
	}
	head, ok := decodeHeader(buf)
	if !ok || head.kind != recContent || head.sum != sum || head.length() != e.room() || crc32.Checksum(buf[headerSize:], castagnoli) != head.dataCRC {
		return buf, ErrDamaged
	}
	return buf, nil
}

// maxOpen is how many packs stay open.
const maxOpen = 64

// handles are the packs that are open. Its lock comes after Store.mu.
type handles struct {
	mu   sync.Mutex
	open map[uint32]*openPack
}

type openPack struct {
	h     disk.Handle
	users int
	gone  bool // closed and removed by its last user
}

// put takes over a pack that was just made.
func (t *handles) put(id uint32, h disk.Handle) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open[id] = &openPack{h: h}
}

// get returns a pack, open; done gives it back.
func (t *handles) get(s *Store, id uint32) (disk.Handle, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.open[id]
	if o == nil {
		h, err := s.fs.Edit(s.packPath(id))
		if err != nil {
			return nil, err
		}
		for old, o := range t.open {
			if len(t.open) < maxOpen {
				break
			}
			if o.users == 0 {
				o.h.Close()
				delete(t.open, old)
			}
		}
		o = &openPack{h: h}
		t.open[id] = o
	}
	if o.gone {
		return nil, fs.ErrNotExist
	}
	o.users++
	return o.h, nil
}

func (t *handles) done(s *Store, id uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.open[id]
	if o.users--; o.users == 0 && o.gone {
		t.end(s, id, o)
	}
}

// remove removes a pack as soon as nobody reads it.
func (t *handles) remove(s *Store, id uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.open[id]
	if o == nil {
		s.fs.Remove(s.packPath(id))
		return
	}
	if o.gone = true; o.users == 0 {
		t.end(s, id, o)
	}
}

func (t *handles) end(s *Store, id uint32, o *openPack) {
	o.h.Close()
	delete(t.open, id)
	s.fs.Remove(s.packPath(id))
}

func (t *handles) close() (err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, o := range t.open {
		err = errors.Join(err, o.h.Close())
	}
	clear(t.open)
	return err
}
