package folder

import (
	"errors"
	"io/fs"

	"inselnetz/app/disk"
	"inselnetz/crdt/tree"
)

// Many new small files come fastest in files without a name (disk.Maker). If the
// program is killed, what they held has to be fetched once more. So that it is
// never more than once, a mark lies in the hidden directory meanwhile: who finds
// it at the start uses temporary names, which last, until all is done.

// hurry reports whether contents may lie in files without a name, and sets the
// mark. plan is held.
func (f *Folder) hurry() bool {
	if _, ok := f.fs.(disk.Maker); !ok {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.careful || f.marked {
		return !f.careful
	}
	h, err := f.fs.Create(hurryAt, 0)
	if err != nil {
		return false
	}
	f.marked = h.Close() == nil
	return f.marked
}

// calm takes the mark away when no content lies in a file without a name and none
// that was lost is still to be fetched. plan is held.
func (f *Folder) calm() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.careful && len(f.todo) == 0 {
		f.marked, f.careful = true, false
	}
	if !f.marked {
		return
	}
	err := f.fs.Remove(hurryAt)
	if f.marked = err != nil && !errors.Is(err, fs.ErrNotExist); f.marked {
		f.log.Debug("mark stays", "err", err)
	}
}

// nameless returns a file without a name for a new content, nil where that
// cannot be. The ignore file has to be seen when it comes: watching does not tell
// of what gets its name so.
func (f *Folder) nameless(j *job) (disk.Nameless, error) {
	m, ok := f.fs.(disk.Maker)
	if !ok || j.old != nil || j.v.Kind != tree.File || j.path == IgnoreFile {
		return nil, nil
	}
	h, err := m.Make()
	if errors.Is(err, errors.ErrUnsupported) {
		return nil, nil
	}
	return h, err
}

// writeNameless is writeTemp into a file without a name.
func writeNameless(j *job, h disk.Nameless, data []byte, err error) (ready, error) {
	r := ready{job: j, file: h}
	if err == nil && len(data) > 0 {
		_, err = h.WriteAt(data, 0)
	}
	if err == nil {
		err = h.Mark(j.v.Time, j.v.Exec)
	}
	if err == nil {
		r.info, err = h.Stat()
	}
	if err != nil && h != nil {
		err = errors.Join(err, h.Close())
	}
	return r, err
}

// name gives a new file its name, which is fs.ErrExist if it is taken.
func (f *Folder) name(r *ready) error {
	if r.file == nil {
		return f.fs.RenameNew(r.tmp, r.path)
	}
	if err := r.file.Name(r.path); err != nil {
		return err
	}
	if err := r.file.Close(); err != nil {
		f.log.Debug("named file", "err", err) // its bytes were flushed
	}
	return nil
}

// nameTemp gives up a file without a name, or makes it a temporary one if there
// is something in it.
func (f *Folder) nameTemp(r *ready) bool {
	var err error
	if r.v.Size > 0 {
		r.tmp = f.tempFor(r.path, r.v.Sum)
		err = r.file.Name(r.tmp)
	}
	if e := r.file.Close(); err == nil {
		err = e
	}
	r.file = nil
	return err == nil && r.tmp != ""
}
