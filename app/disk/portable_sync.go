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
	p.mu.Lock()
	files, dirs, open := p.unsaved, p.dirs, slices.Collect(maps.Keys(p.open))
	p.unsaved, p.dirs = map[string]bool{}, map[string]bool{}
	p.mu.Unlock()
	var first error
	var mu sync.Mutex
	each := func(paths map[string]bool, again map[string]bool, flag int) {
		work := make(chan string)
		var wg sync.WaitGroup
		for range min(syncers, len(paths)) {
			wg.Go(func() {
				for path := range work {
					err := p.sync(path, flag, softSync)
					if err == nil || errors.Is(err, fs.ErrNotExist) {
						continue
					}
					mu.Lock()
					if first == nil {
						first = failure("sync", path, err)
					}
					mu.Unlock()
					p.mu.Lock()
					again[path] = true
					p.mu.Unlock()
				}
			})
		}
		for path := range paths {
			work <- path
		}
		close(work)
		wg.Wait()
	}
	for _, h := range open {
		if !h.wrote.Swap(false) {
			continue
		}
		if err := softSync(h.f); err != nil && !errors.Is(err, fs.ErrClosed) {
			h.wrote.Store(true)
			first = failure("sync", h.path, err)
		}
	}
	each(files, p.unsaved, syncFlag)
	if syncsDirs {
		each(dirs, p.dirs, os.O_RDONLY)
	}
	if first != nil {
		return first
	}
	return failure("sync", "", hardSync(p))
}
