package keep

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"time"

	"inselnetz/app/disk"
	"inselnetz/crdt/tree"
)

// Sync makes durable what came in before.
func (s *Store) Sync() error {
	s.syncing.Lock()
	defer s.syncing.Unlock()
	return s.sync(false)
}

// SyncAll is Sync by FS.SyncAll: the one call makes everything else on the disk
// durable too. Cheaper for many files.
func (s *Store) SyncAll() error {
	s.syncing.Lock()
	defer s.syncing.Unlock()
	return s.sync(true)
}

// few is how many files are flushed one by one.
const few = 8

// sync makes durable what came in before; the caller has syncing. Loose ones
// are noted in a pack after they are durable: after a crash those without a
// note are read before they count.
func (s *Store) sync(all bool) error {
	s.mu.Lock()
	err := s.rescue()
	if err == nil {
		err = s.write()
	}
	if err != nil {
		s.mu.Unlock()
		return err
	}
	fresh := s.fresh
	s.fresh, s.flushing = map[tree.Sum]bool{}, fresh
	names := s.names
	s.names = false
	upto := map[*pack]int64{}
	for _, p := range s.packs {
		if p.size > p.durable {
			upto[p] = p.size
		}
	}
	s.mu.Unlock()

	if all || len(fresh) > few {
		err = s.fs.SyncAll()
	} else {
		err = s.syncEach(fresh, upto, names)
	}

	s.mu.Lock()
	s.flushing = nil
	if err != nil {
		// Whatever the system says next time: these pages may be lost.
		for p := range upto {
			s.failed = append(s.failed, failed{p, p.durable})
		}
		for sum := range fresh {
			if e, ok := s.index[sum]; ok && e.loose() {
				s.fresh[sum] = true
			}
		}
		s.names = s.names || names
		s.mu.Unlock()
		return err
	}
	for p, n := range upto {
		p.durable = n
	}
	s.note(fresh)
	save := s.since > max(64<<20, 16*entryLine*int64(len(s.index)))
	s.mu.Unlock()
	if save {
		if err := s.save(); err != nil {
			s.log.Warn("index of kept contents not written", "err", err) // only the next start takes longer
		}
	}
	return nil
}

func (s *Store) syncEach(fresh map[tree.Sum]bool, upto map[*pack]int64, names bool) error {
	for sum := range fresh {
		err := syncFile(s.fs, s.loosePath(sum))
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // then it was dropped meanwhile
			return err
		}
	}
	if len(fresh) > 0 {
		if err := s.fs.SyncDir(s.dir + "/loose"); err != nil {
			return err
		}
	}
	for p := range upto {
		h, err := s.handles.get(s, p.id)
		if err != nil {
			return err
		}
		err = h.Sync()
		s.handles.done(s, p.id)
		if err != nil {
			return err
		}
	}
	if names {
		return s.fs.SyncDir(s.dir + "/packs")
	}
	return nil
}

// note writes down that loose ones are durable. The caller has mu.
func (s *Store) note(sums map[tree.Sum]bool) {
	for sum := range sums {
		e, ok := s.index[sum]
		if !ok || !e.loose() || s.fresh[sum] {
			continue
		}
		if err := s.append(header{kind: recLoose, size: uint64(e.size()), sum: sum, since: e.since}, nil); err != nil {
			s.log.Debug("not noted", "content", sum, "err", err) // it is only read once more then
			return
		}
	}
}

// rescue writes again, in another pack, what a flush failed for. The caller has mu.
func (s *Store) rescue() error {
	for len(s.failed) > 0 {
		f := s.failed[0]
		if s.active == f.p {
			if err := s.write(); err != nil {
				return err
			}
			s.active = nil
		}
		for sum, e := range s.index {
			if e.pack != f.p.id || int64(e.a) < f.from {
				continue
			}
			buf, err := s.record(sum, e, nil)
			if errors.Is(err, ErrDamaged) {
				s.log.Warn("kept content is damaged", "content", sum, "pack", e.pack)
				s.unset(sum)
				continue
			}
			if err != nil {
				return err
			}
			h, _ := decodeHeader(buf)
			if err := s.append(h, buf[headerSize:]); err != nil {
				return err
			}
		}
		f.p.durable = f.p.size
		s.failed = s.failed[1:]
	}
	return nil
}

// save writes the index. Everything it names is durable: the caller has synced,
// and has syncing.
func (s *Store) save() error {
	s.mu.Lock()
	changed := s.changed
	s.changed = false
	snap := snapshot{next: s.next, packs: map[uint32]int64{}, entries: make(map[tree.Sum]entry, len(s.index))}
	var covered int64
	for id, p := range s.packs {
		snap.packs[id] = p.durable
		covered += p.size - p.durable
	}
	for sum, e := range s.index {
		if s.durable(sum, e) { // others came since
			snap.entries[sum] = e
		}
	}
	noted := maps.Clone(s.noted)
	s.mu.Unlock()

	err := replaceFile(s.fs, s.dir+"/index.new", s.dir+"/index", snap.encode())
	if err == nil {
		err = s.fs.SyncDir(s.dir)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.changed = s.changed || changed
		return err
	}
	s.since = covered
	for sum := range noted {
		delete(s.noted, sum)
	}
	return nil
}

// stale tells whether the index on the disk could be better.
func (s *Store) stale() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.changed || s.since > 0 || len(s.noted) > 0
}

// replaceFile writes a file durably under a temporary name and renames it.
func replaceFile(f disk.FS, tmp, path string, b []byte) error {
	f.Remove(tmp)
	h, err := f.Create(tmp, 0)
	if err != nil {
		return err
	}
	_, err = h.WriteAt(b, 0)
	if err == nil {
		err = h.Sync()
	}
	if err = errors.Join(err, h.Close()); err == nil {
		err = f.Rename(tmp, path)
	}
	return err
}

// Compact gives back the room of what was dropped and packs what is small.
func (s *Store) Compact(ctx context.Context) error {
	s.syncing.Lock()
	defer s.syncing.Unlock()
	begin := s.now()
	err := s.packSmall(ctx)
	var old []uint32
	if err == nil {
		old, err = s.empty(ctx)
	}
	if err == nil {
		err = s.sync(false)
	}
	if err == nil && (len(s.packed)+len(old) > 0 || s.stale()) {
		err = s.save()
	}
	if errors.Is(err, disk.ErrFull) {
		s.removeDead()
	}
	if err != nil {
		return err
	}
	// All of it is elsewhere now, durably, and the index says so.
	small := s.packed
	s.packed = nil
	for _, sum := range small {
		s.mu.Lock()
		if e, ok := s.index[sum]; !ok || !e.loose() {
			if err := s.fs.Remove(s.loosePath(sum)); err != nil {
				s.log.Debug("packed file stays", "content", sum, "err", err)
			}
			s.noted[sum] = true
		}
		s.mu.Unlock()
	}
	for _, id := range old {
		s.removePack(id)
	}
	if len(small)+len(old) > 0 {
		s.log.Debug("keep compacted", "packed", len(small), "emptied", len(old), "took", s.now().Sub(begin).Round(time.Millisecond))
	}
	return nil
}

func (s *Store) removePack(id uint32) {
	s.mu.Lock()
	delete(s.packs, id)
	s.mu.Unlock()
	s.handles.remove(s, id)
}

// removeDead removes packs with nothing in them that counts, on a disk that is
// too full for more.
func (s *Store) removeDead() {
	s.mu.RLock()
	var dead []uint32
	for id, p := range s.packs {
		if p != s.active && p.live == 0 {
			dead = append(dead, id)
		}
	}
	s.mu.RUnlock()
	for _, id := range dead {
		s.removePack(id)
	}
}

// packSmall moves loose contents that are small into packs; the files of those
// in packed are not needed any more once that is durable.
func (s *Store) packSmall(ctx context.Context) (err error) {
	s.mu.RLock()
	var small []tree.Sum
	for sum, e := range s.index {
		if e.loose() && e.size() <= s.small {
			small = append(small, sum)
		}
	}
	s.mu.RUnlock()
	var buf []byte
	for _, sum := range small {
		if err := ctx.Err(); err != nil {
			return err
		}
		buf, _, err = s.fs.Read(s.loosePath(sum), buf[:0])
		if err != nil {
			s.log.Warn("kept content cannot be read", "content", sum, "err", err)
			continue
		}
		good := s.holds(sum, buf)
		s.mu.Lock()
		e, ok := s.index[sum]
		switch {
		case !ok || !e.loose():
		case !good:
			s.log.Warn("kept content is damaged", "content", sum)
			err = s.fs.Remove(s.loosePath(sum))
			s.noted[sum] = true
			s.unset(sum)
		default:
			h := header{dataCRC: crc(buf), kind: recContent, size: uint64(len(buf)), sum: sum, since: e.since}
			if err = s.append(h, buf); err == nil {
				delete(s.fresh, sum)
				s.packed = append(s.packed, sum)
			}
		}
		s.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// empty moves what is left in packs that are mostly dead into the active one;
// it returns those packs.
func (s *Store) empty(ctx context.Context) (old []uint32, err error) {
	s.mu.Lock()
	if a := s.active; a != nil && wasteful(a, s.pack) && a.size > s.pack/16 {
		if err := s.write(); err != nil {
			s.mu.Unlock()
			return nil, err
		}
		s.active = nil
	}
	bad := map[uint32]bool{}
	for id, p := range s.packs {
		if p != s.active && wasteful(p, s.pack) {
			bad[id] = true
		}
	}
	// One small pack alone would be copied again and again.
	if len(bad) == 1 && s.active == nil {
		for id := range bad {
			if s.packs[id].live*2 > s.packs[id].size {
				clear(bad)
			}
		}
	}
	type place struct {
		sum tree.Sum
		e   entry
	}
	var live []place
	for sum, e := range s.index {
		if bad[e.pack] {
			live = append(live, place{sum, e})
		}
	}
	s.mu.Unlock()
	slices.SortFunc(live, func(x, y place) int { // as they lie, so that reading is fast
		if x.e.pack != y.e.pack {
			return int(int64(x.e.pack) - int64(y.e.pack))
		}
		return int(int64(x.e.a) - int64(y.e.a))
	})
	var buf []byte
	for _, l := range live {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		buf, err = s.record(l.sum, l.e, buf)
		if err != nil && !errors.Is(err, ErrDamaged) {
			return nil, err
		}
		s.mu.Lock()
		switch {
		case s.index[l.sum] != l.e:
			err = nil
		case err != nil:
			s.log.Warn("kept content is damaged", "content", l.sum, "pack", l.e.pack)
			s.unset(l.sum)
			err = nil
		default:
			h, _ := decodeHeader(buf)
			err = s.append(h, buf[headerSize:])
		}
		s.mu.Unlock()
		if err != nil {
			return nil, err
		}
	}
	return slices.Collect(maps.Keys(bad)), nil
}

// wasteful packs are dead by half, or too small to stay alone.
func wasteful(p *pack, full int64) bool { return p.live*2 <= p.size || p.size < full/4 }

// Close ends the use of the store; it makes durable what came in.
func (s *Store) Close() error {
	s.syncing.Lock()
	defer s.syncing.Unlock()
	if s.isClosed() {
		return nil
	}
	err := s.sync(false)
	if err == nil { // once more: what was noted
		err = s.sync(false)
	}
	if err == nil && s.stale() {
		err = s.save()
	}
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	return errors.Join(err, s.handles.close())
}

func (s *Store) isClosed() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.closed
}
