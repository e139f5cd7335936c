package disk

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"sync"
)

// syncers is how many flushes run at once: disks merge them.
const syncers = 16

func (p *portable) SyncDir(dir string) error {
	fi, err := p.lstat(dir)
	if err == nil && !fi.IsDir() {
		err = ErrBlocked
	}
	if err == nil && syncsDirs {
		err = p.sync(dir, os.O_RDONLY, (*os.File).Sync)
	}
	return failure("sync", dir, err)
}

func (p *portable) sync(path string, flag int, how func(*os.File) error) error {
	f, err := p.root.OpenFile(p.local(path), flag|nonblock, 0)
	if err != nil {
		return err
	}
	err = how(f)
	return errors.Join(err, f.Close())
}

// SyncAll flushes every file and directory that was changed through this FS:
// there is no call for a whole disk.
func (p *portable) SyncAll() error {
	p.syncing.Lock()
	defer p.syncing.Unlock()
	p.mu.Lock()
	open := slices.Collect(maps.Keys(p.open))
	p.mu.Unlock()
	for _, h := range open {
		if !h.unsaved() {
			continue
		}
		if err := h.flush(softSync); err != nil && !errors.Is(err, fs.ErrClosed) { // then it is among the files
			return err
		}
	}
	p.mu.Lock()
	upto := p.changes
	p.mu.Unlock()
	if err := p.flush(p.unsaved, upto, syncFlag); err != nil {
		return err
	}
	if syncsDirs {
		if err := p.flush(p.dirs, upto, os.O_RDONLY); err != nil {
			return err
		}
	}
	return failure("sync", "", hardSync(p))
}

// flush flushes what changed before. What fails, and what gets another name
// meanwhile, stays to be flushed.
func (p *portable) flush(m map[string]int64, upto int64, flag int) (first error) {
	for range 10 {
		todo := map[string]int64{}
		p.mu.Lock()
		for path, n := range m {
			if n <= upto {
				todo[path] = n
			}
		}
		p.mu.Unlock()
		if len(todo) == 0 {
			return nil
		}
		work := make(chan string)
		var wg sync.WaitGroup
		for range min(syncers, len(todo)) {
			wg.Go(func() {
				for path := range work {
					err := p.sync(path, flag, softSync)
					p.mu.Lock()
					switch {
					case err != nil && !errors.Is(err, fs.ErrNotExist):
						if first == nil {
							first = failure("sync", path, err)
						}
						if errors.Is(err, fs.ErrPermission) {
							delete(m, path) // for good: it must not hold up all others
						}
					case m[path] == todo[path]: // gone is as good as flushed
						delete(m, path)
					}
					p.mu.Unlock()
				}
			})
		}
		for path := range todo {
			work <- path
		}
		close(work)
		wg.Wait()
		if first != nil {
			return first
		}
	}
	return failure("sync", "", ErrChanged)
}
