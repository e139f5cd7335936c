package keep

import (
	"inselnetz/app/disk"
	"inselnetz/crdt/tree"
)

// Releasable tells whether Release can let go of a content.
func (s *Store) Releasable(sum tree.Sum) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e, ok := s.index[sum]
	return ok && e.loose() && s.durable(sum, e)
}

// Release forgets a content and gives the file that held it another name, to be
// changed there. ErrNone if it is not durable in a file of its own. The new name
// is durable: a crash cannot bring back the old name, which counts as whole
// unread, with what is written into the file from now on.
func (s *Store) Release(sum tree.Sum, to string) error {
	s.mu.Lock()
	e, ok := s.index[sum]
	if !ok || !e.loose() || !s.durable(sum, e) {
		s.mu.Unlock()
		return ErrNone
	}
	s.released.Add(1)
	err := s.fs.Rename(s.loosePath(sum), to)
	if err == nil {
		s.noted[sum] = true
		s.unset(sum)
	}
	s.mu.Unlock()
	if err != nil {
		return err
	}
	dir, _ := disk.Split(to)
	if err := s.fs.SyncDir(dir); err != nil { // first: else a crash could lose both names
		return err
	}
	return s.fs.SyncDir(s.dir + "/loose")
}
