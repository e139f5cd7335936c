package disk

import (
	"errors"
	"strconv"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// makes is what files without a name need of a linux.
type makes struct {
	once  sync.Once
	dir   int // where they are made; set by once
	how   naming
	most  int32 // so many at once
	count atomic.Int32
	told  expected
}

// naming is how this kernel lets us name an open file.
type naming uint8

const (
	cannot naming = iota
	byFile        // from Linux 6.10 on, or for root
	byProc
)

// namelessMost is how many files without a name are open at once, if the system
// allows four times as many open files.
const namelessMost = 8192

// Make implements Maker.
func (l *linux) Make() (Nameless, error) {
	m := &l.makes
	m.once.Do(func() {
		// Above a watched directory each of our calls would be an event.
		var err error
		if m.dir, err = l.open(Hidden, unix.O_RDONLY|unix.O_DIRECTORY, 0); err == nil {
			m.how, m.most = l.probeNaming(), openMost()
		}
	})
	if m.how == cannot || m.count.Load() >= m.most {
		return nil, wrap("make", "", errors.ErrUnsupported)
	}
	fd, err := l.tmpfile()
	if err == unix.ENOENT { // the hidden directory is another one now
		err = unix.EOPNOTSUPP
	}
	if err != nil {
		return nil, wrap("make", "", err)
	}
	m.count.Add(1)
	n := &nameless{fs: l}
	n.fresh = true
	n.fd.Store(int32(fd))
	return n, nil
}

func (l *linux) tmpfile() (int, error) {
	return again(func() (int, error) {
		return unix.Openat(l.makes.dir, ".", unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o666)
	})
}

// openMost is a share of what the system lets us have open.
func openMost() int32 {
	var r unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &r) != nil {
		return 0
	}
	return int32(min(r.Cur/4, namelessMost))
}

// probeNaming tries which way of naming works here. The kernel looks at the file
// before it says that there is a "." already.
func (l *linux) probeNaming() naming {
	fd, err := l.tmpfile()
	if err != nil {
		return cannot
	}
	defer unix.Close(fd)
	for _, how := range []naming{byFile, byProc} {
		if linkFile(fd, how, l.makes.dir, ".") == unix.EEXIST {
			return how
		}
	}
	return cannot
}

// close must not run while another call does.
func (m *makes) close() {
	m.once.Do(func() { m.dir = -1 })
	if m.dir >= 0 {
		unix.Close(m.dir)
	}
}

func linkFile(fd int, how naming, dir int, name string) error {
	if how == byFile {
		return unix.Linkat(fd, "", dir, name, unix.AT_EMPTY_PATH)
	}
	return unix.Linkat(unix.AT_FDCWD, "/proc/self/fd/"+strconv.Itoa(fd), dir, name, unix.AT_SYMLINK_FOLLOW)
}

type nameless struct {
	file
	fs *linux
}

func (n *nameless) Name(path string) error {
	n.fs.makes.told.add(path)
	err := n.fs.at("name", path, func(dir int, name string) error {
		return linkFile(int(n.fd.Load()), n.fs.makes.how, dir, name)
	})
	if err != nil {
		n.fs.makes.told.take(path)
		return err
	}
	n.path = path
	return nil
}

func (n *nameless) Close() error {
	err := n.file.Close()
	if err == nil {
		n.fs.makes.count.Add(-1)
	}
	return err
}

// expected are names that we gave, of which the kernel will tell a watch once. A
// name that stays here is harmless: it can come anew only after it went, which
// takes it out, and whoever writes into a file is told of anyway.
type expected struct {
	mu    sync.Mutex
	on    bool // somebody watches
	paths map[string]struct{}
}

const expectMost = 1 << 16 // more are not there, or nobody reads

// start forgets everything: a watch begins.
func (e *expected) start() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.on, e.paths = true, map[string]struct{}{}
}

func (e *expected) add(path string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.on {
		return
	}
	if len(e.paths) >= expectMost {
		clear(e.paths)
	}
	e.paths[path] = struct{}{}
}

// take takes a name out and tells whether it was there.
func (e *expected) take(path string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, ok := e.paths[path]
	delete(e.paths, path)
	return ok
}
