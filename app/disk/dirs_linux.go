package disk

import (
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A batch of files goes from one directory to another: to open both for each
// file costs as much as a third of a rename. So the last ones stay open for a
// moment; before they are used again the path is asked whether it still leads
// there.
const (
	dirsKept = 4
	dirsFor  = 100 * time.Millisecond
)

type dirs struct {
	mu     sync.Mutex
	kept   []*dir
	asked  [dirsKept]string // opened lately and not kept: worth it the second time
	next   int
	timer  *time.Timer
	closed bool
}

// dir is an open directory.
type dir struct {
	fd       int
	path     string
	dev, ino uint64
	until    time.Time
	users    int
	gone     bool // closed by its last user
}

// dir returns the directory of this path; done gives it back.
func (l *linux) dir(path string) (*dir, error) {
	if path == "" {
		return &dir{fd: l.root, users: 1}, nil
	}
	now := time.Now()
	l.dirs.mu.Lock()
	i := slices.IndexFunc(l.dirs.kept, func(d *dir) bool { return d.path == path && now.Before(d.until) })
	if i >= 0 {
		d := l.dirs.kept[i]
		d.users++
		l.dirs.mu.Unlock()
		if hidden(path) || l.leadsTo(d) { // in the hidden directory only we move things
			return d, nil
		}
		l.dirs.mu.Lock()
		l.dirs.drop(d)
		l.dirs.mu.Unlock()
		l.done(d)
	} else {
		l.dirs.mu.Unlock()
	}
	fd, err := l.open(path, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	d := &dir{fd: fd, path: path, until: now.Add(dirsFor), users: 1, gone: true}
	l.keep(d)
	return d, nil
}

func (l *linux) leadsTo(d *dir) bool {
	var st unix.Stat_t
	return unix.Fstatat(l.root, d.path, &st, unix.AT_SYMLINK_NOFOLLOW) == nil && st.Ino == d.ino && st.Dev == d.dev
}

// keep keeps a directory that was asked for before.
func (l *linux) keep(d *dir) {
	c := &l.dirs
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || !slices.Contains(c.asked[:], d.path) {
		c.asked[c.next] = d.path
		c.next = (c.next + 1) % dirsKept
		return
	}
	var st unix.Stat_t
	if unix.Fstat(d.fd, &st) != nil {
		return
	}
	d.dev, d.ino, d.gone = st.Dev, st.Ino, false
	if len(c.kept) == dirsKept {
		c.drop(c.kept[0])
	}
	c.kept = append(c.kept, d)
	if c.timer == nil {
		c.timer = time.AfterFunc(dirsFor, func() { c.sweep(time.Now()) })
	}
}

// drop keeps a directory no longer. The caller has mu.
func (c *dirs) drop(d *dir) {
	i := slices.Index(c.kept, d)
	if i < 0 {
		return
	}
	c.kept = slices.Delete(c.kept, i, i+1)
	if d.gone = true; d.users == 0 {
		unix.Close(d.fd)
	}
}

// sweep drops what is not asked for any more, so that nobody waits for us who
// wants to unmount a disk.
func (c *dirs) sweep(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer = nil
	for _, d := range slices.Clone(c.kept) {
		if !now.Before(d.until) {
			c.drop(d)
		}
	}
	if len(c.kept) > 0 {
		c.timer = time.AfterFunc(dirsFor, func() { c.sweep(time.Now()) })
	}
}

func (c *dirs) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, d := range slices.Clone(c.kept) {
		c.drop(d)
	}
	if c.timer != nil {
		c.timer.Stop()
	}
}

// done gives a directory back.
func (l *linux) done(d *dir) {
	if d.fd == l.root {
		return
	}
	l.dirs.mu.Lock()
	defer l.dirs.mu.Unlock()
	if d.users--; d.users == 0 && d.gone {
		unix.Close(d.fd)
	}
}
