package keep

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"inselnetz/app/disk"
	"inselnetz/crdt/tree"
)

func crc(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// Open opens the store in a directory of fs, which it makes if need be. What a
// crash left half is cut off.
func Open(fsys disk.FS, dir string, opts Options) (*Store, error) {
	s := &Store{
		fs: fsys, dir: dir, log: opts.Log, now: opts.Now, small: opts.Small, opaque: opts.Opaque, pack: opts.Pack,
		index: map[tree.Sum]entry{}, packs: map[uint32]*pack{}, fresh: map[tree.Sum]bool{}, noted: map[tree.Sum]bool{},
		handles: handles{open: map[uint32]*openPack{}},
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.small <= 0 && s.opaque {
		s.small = maxPacked
	} else if s.small <= 0 {
		s.small = 1 << 20
	}
	if s.pack <= 0 {
		s.pack = 64 << 20
	}
	s.small, s.pack = min(s.small, maxPacked), min(s.pack, maxPack)
	if err := s.open(); err != nil {
		s.handles.close()
		return nil, fmt.Errorf("open keep: %w", err)
	}
	return s, nil
}

func (s *Store) open() error {
	if err := s.dirs(); err != nil {
		return err
	}
	snap, err := s.load()
	if err != nil {
		return err
	}
	s.next = snap.next
	notes := map[tree.Sum]entry{} // loose ones that are said to be durable
	for sum, e := range snap.entries {
		if e.loose() {
			notes[sum] = e
		}
	}
	if err := s.openPacks(snap, notes); err != nil {
		return err
	}
	doubtful, err := s.openLoose(notes)
	if err != nil {
		return err
	}
	if s.since > 0 || doubtful > 0 || len(s.noted) > 0 {
		// Not closed well: begin from a good index, so that old notes do not
		// speak for files that come later.
		s.syncing.Lock()
		defer s.syncing.Unlock()
		err := s.sync(false)
		if err == nil {
			err = s.save()
		}
		if err != nil && !errors.Is(err, disk.ErrFull) {
			return err
		}
	}
	return nil
}

// dirs makes the directories and removes what was left unfinished.
func (s *Store) dirs() error {
	list, err := s.fs.List(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		for _, d := range []string{"/packs", "/loose"} {
			if err := s.fs.Mkdir(s.dir + d); err != nil {
				return err
			}
		}
		parent, _ := disk.Split(s.dir)
		if err := s.fs.SyncDir(s.dir); err != nil {
			return err
		}
		return s.fs.SyncDir(parent)
	}
	if err != nil {
		return err
	}
	for _, i := range list {
		if i.Name == "index.new" || strings.HasPrefix(i.Name, "tmp-") {
			if err := s.fs.Remove(s.dir + "/" + i.Name); err != nil {
				return err
			}
		}
	}
	for _, d := range []string{"/packs", "/loose"} { // a crash may have left one
		if err := s.fs.Mkdir(s.dir + d); err != nil {
			return err
		}
	}
	return nil
}

// load reads the index; one that is damaged counts as none.
func (s *Store) load() (*snapshot, error) {
	none := &snapshot{}
	h, err := s.fs.Open(s.dir + "/index")
	if errors.Is(err, fs.ErrNotExist) {
		return none, nil
	}
	if err != nil {
		return nil, err
	}
	defer h.Close()
	i, err := h.Stat()
	if err != nil {
		return nil, err
	}
	b, err := window(h, nil, 0, i.Size)
	if err != nil {
		return nil, err
	}
	snap, err := decodeSnapshot(b)
	if err != nil {
		s.log.Warn("index of kept contents is damaged, reading all of them")
		return none, nil
	}
	return snap, nil
}

func (s *Store) openPacks(snap *snapshot, notes map[tree.Sum]entry) error {
	list, err := s.fs.List(s.dir + "/packs")
	if err != nil {
		return err
	}
	for _, i := range list {
		id, err := strconv.ParseUint(i.Name, 16, 32)
		if err != nil || len(i.Name) != 8 || i.Kind != disk.File || i.Size > maxPack || id == loosePack {
			s.log.Warn("not a pack of kept contents", "file", i.Name)
			continue
		}
		if _, ok := snap.packs[uint32(id)]; !ok {
			s.names = true
		}
		s.next = max(s.next, uint32(id)+1)
		s.packs[uint32(id)] = &pack{id: uint32(id), size: i.Size, durable: min(i.Size, snap.packs[uint32(id)])}
	}
	lost := 0
	for sum, e := range snap.entries {
		if e.loose() {
			continue
		}
		if p := s.packs[e.pack]; p == nil || int64(e.a)+e.room() > p.size {
			lost++
			continue
		}
		s.set(sum, e)
	}
	if lost > 0 {
		s.log.Warn("kept contents are gone from the disk", "contents", lost)
	}
	ids := make([]uint32, 0, len(s.packs))
	for id := range s.packs {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		p := s.packs[id]
		if p.size > p.durable {
			if err := s.readTail(p, notes); err != nil {
				return err
			}
		}
		// One that has become shorter is not continued: the old index would take
		// new records for known ones.
		if short := p.size < snap.packs[id]; short {
			s.since++
		} else if p.size < s.pack {
			s.active = p
		}
	}
	return nil
}

// readTail takes in the records of a pack that the index does not cover, and
// cuts off what follows the last good one.
func (s *Store) readTail(p *pack, notes map[tree.Sum]entry) error {
	h, err := s.handles.get(s, p.id)
	if err != nil {
		return err
	}
	defer s.handles.done(s, p.id)
	end, damaged, err := scan(h, p.durable, p.size, s.holds, func(at int64, h header) {
		if h.kind == recLoose {
			notes[h.sum] = looseEntry(int64(h.size), h.since)
			return
		}
		s.set(h.sum, entry{pack: p.id, since: h.since, a: uint32(at), b: uint32(h.size)})
	})
	if err != nil {
		return err
	}
	if damaged > 0 {
		s.log.Warn("kept contents are damaged", "pack", p.id, "places", damaged)
	}
	if end < p.size {
		s.log.Info("torn end of kept contents cut off", "pack", p.id, "bytes", p.size-end)
		if err := h.Truncate(end); err != nil {
			return err
		}
		p.size = end
	}
	s.since += p.size - p.durable
	return nil
}

// openLoose takes in the files of their own. Those that no note says to be
// durable are read first.
func (s *Store) openLoose(notes map[tree.Sum]entry) (doubtful int, err error) {
	list, err := s.fs.List(s.dir + "/loose")
	if err != nil {
		return 0, err
	}
	for _, i := range list {
		sum, err := parseSum(i.Name)
		if err != nil || i.Kind != disk.File {
			s.log.Warn("not a kept content", "file", i.Name)
			continue
		}
		if _, ok := s.index[sum]; ok { // packed, and the file stayed
			if err := s.fs.Remove(s.loosePath(sum)); err != nil {
				return doubtful, err
			}
			s.noted[sum] = true
			continue
		}
		e, ok := notes[sum]
		delete(notes, sum)
		if !ok || e.size() != i.Size {
			doubtful++
			good, err := s.verify(sum, i.Size)
			if err != nil {
				return doubtful, err
			}
			if !good {
				s.log.Info("content was not kept whole", "content", sum)
				if err := s.fs.Remove(s.loosePath(sum)); err != nil {
					return doubtful, err
				}
				s.noted[sum] = true
				continue
			}
			e = looseEntry(i.Size, uint32(s.now().Unix()))
			s.fresh[sum] = true
		}
		s.set(sum, e)
	}
	for sum := range notes {
		s.noted[sum] = true
	}
	return doubtful, nil
}

// holds tells whether bytes have a name, as far as names say that.
func (s *Store) holds(sum tree.Sum, data []byte) bool { return s.opaque || holds(sum, data) }

// verify reads a loose content.
func (s *Store) verify(sum tree.Sum, size int64) (bool, error) {
	if size == 0 || s.opaque {
		return false, nil
	}
	h, err := openAnyway(s.fs, s.loosePath(sum))
	if err != nil {
		return false, err
	}
	defer h.Close()
	sums := newSummer(size)
	var buf []byte
	for at := int64(0); at < size; at += int64(len(buf)) {
		if buf, err = window(h, buf, at, min(1<<20, size-at)); err != nil {
			return false, err
		}
		sums.Write(buf)
	}
	return sums.is(sum), nil
}

func parseSum(name string) (sum tree.Sum, err error) {
	if len(name) != 64 {
		return sum, fs.ErrInvalid
	}
	for i := range sum {
		b, err := strconv.ParseUint(name[2*i:2*i+2], 16, 8)
		if err != nil || strings.ToLower(name) != name {
			return sum, fs.ErrInvalid
		}
		sum[i] = byte(b)
	}
	return sum, nil
}
