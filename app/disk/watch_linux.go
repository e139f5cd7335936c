package disk

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const watchFor = unix.IN_CLOSE_WRITE | unix.IN_MODIFY | unix.IN_ATTRIB | unix.IN_CREATE | unix.IN_DELETE |
	unix.IN_MOVED_FROM | unix.IN_MOVED_TO | unix.IN_DELETE_SELF | unix.IN_ONLYDIR | unix.IN_EXCL_UNLINK

// inotify is a recursive watch. It is owned by the goroutine that reads.
type inotify struct {
	fs   *linux
	fd   int
	feed *Feed
	dirs map[int32]*watched
	root *watched

	moved  *watched // directory that left its place with the event before
	cookie uint32
	full   bool // the system watches no more directories
	torn   bool // directories moved faster than we saw: look at all of them anew
}

// watched is a directory. Names hang on parents, so that moving one is cheap.
type watched struct {
	wd     int32
	parent *watched
	name   string
	kids   map[string]*watched
}

func (w *watched) path() string {
	if w.parent == nil {
		return ""
	}
	return join(w.parent.path(), w.name)
}

func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}

// below tells whether a directory is another one or in it.
func (w *watched) below(top *watched) bool {
	for ; w != nil; w = w.parent {
		if w == top {
			return true
		}
	}
	return false
}

// Watch is what the function of this name calls.
func (l *linux) Watch(ctx context.Context) (*Watcher, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err == unix.EMFILE {
		return nil, &Error{Op: "watch", Kind: ErrFull, Err: fmt.Errorf("this user may watch no more trees (fs.inotify.max_user_instances is %s)", limit("max_user_instances"))}
	}
	if err != nil {
		return nil, wrap("watch", "", err)
	}
	feed, w := NewFeed(ctx, true)
	n := &inotify{fs: l, fd: fd, feed: feed, dirs: map[int32]*watched{}}
	n.all()
	if n.root == nil {
		unix.Close(fd)
		return nil, wrap("watch", "", unix.ENOENT)
	}
	f := os.NewFile(uintptr(fd), "inotify")
	context.AfterFunc(ctx, func() { f.Close() })
	go n.read(f)
	return w, nil
}

func limit(name string) string {
	b, err := os.ReadFile("/proc/sys/fs/inotify/" + name)
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(b))
}

// all watches the whole tree anew.
func (n *inotify) all() {
	clear(n.dirs)
	n.fs.makes.told.start()
	n.root, n.moved, n.full, n.torn = nil, nil, false, false
	n.feed.Fail(nil)
	n.root = n.add(nil, "", false)
}

// add watches a directory and all below. What it finds in new ones it tells of:
// it may have been there before the watch was.
func (n *inotify) add(parent *watched, name string, tell bool) *watched {
	path := name
	if parent != nil {
		path = join(parent.path(), name)
	}
	if hidden(path) || n.full {
		return nil
	}
	dir, err := n.fs.open(path, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil // gone again, or not ours to read
	}
	defer unix.Close(dir)
	wd, err := unix.InotifyAddWatch(n.fd, "/proc/self/fd/"+strconv.Itoa(dir), watchFor)
	switch {
	case err == unix.ENOSPC || err == unix.ENOMEM:
		n.full = true
		n.feed.Fail(fmt.Errorf("%d directories are watched and the system allows no more (fs.inotify.max_user_watches is %s)", len(n.dirs), limit("max_user_watches")))
		n.feed.Put(path, Lost)
		return nil
	case errors.Is(err, unix.ENOENT) && parent != nil:
		return nil
	case err != nil:
		n.feed.Fail(fmt.Errorf("watch %s: %w", path, err))
		n.feed.Put(path, Lost)
		return nil
	}
	if old := n.dirs[int32(wd)]; old != nil {
		switch {
		case parent != nil && old.parent == parent && old.name == name:
			return old // found before its event came
		case parent.below(old):
			n.torn = true
			return nil
		}
		n.forget(old, false) // it was known at another place
	}
	if parent != nil && parent.kids[name] != nil { // removed, and somebody still has it open
		n.forget(parent.kids[name], true)
	}
	w := &watched{wd: int32(wd), parent: parent, name: name}
	n.dirs[w.wd] = w
	if parent != nil {
		if parent.kids == nil {
			parent.kids = map[string]*watched{}
		}
		parent.kids[name] = w
	}
	for _, kid := range n.fs.kids(dir) {
		if kid.dir {
			n.add(w, kid.name, tell)
		}
		if p := join(path, kid.name); tell && kid.dir {
			n.feed.Put(p, Closed)
		} else if tell {
			n.arrived(p)
		}
	}
	return w
}

type kid struct {
	name string
	dir  bool
}

// kids reads an open directory without a call for each entry.
func (l *linux) kids(fd int) (out []kid) {
	buf := direntBufs.Get().(*[64 << 10]byte)
	defer direntBufs.Put(buf)
	for {
		n, err := again(func() (int, error) { return unix.ReadDirent(fd, buf[:]) })
		if err != nil || n <= 0 {
			return out
		}
		for b := buf[:n]; len(b) > 19; { // struct linux_dirent64
			size := int(binary.NativeEndian.Uint16(b[16:]))
			name, _, _ := strings.Cut(string(b[19:size]), "\x00")
			k := kid{name, b[18] == unix.DT_DIR}
			if b[18] == unix.DT_UNKNOWN {
				var st unix.Stat_t
				err := unix.Fstatat(fd, name, &st, unix.AT_SYMLINK_NOFOLLOW)
				k.dir = err == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR
			}
			if name != "." && name != ".." {
				out = append(out, k)
			}
			b = b[size:]
		}
	}
}

// forget drops a directory and all below, and their watches if told to.
func (n *inotify) forget(w *watched, watches bool) {
	for _, kid := range w.kids {
		n.forget(kid, watches)
	}
	if w.parent != nil && w.parent.kids[w.name] == w {
		delete(w.parent.kids, w.name)
	}
	if n.dirs[w.wd] == w {
		delete(n.dirs, w.wd)
		if watches {
			unix.InotifyRmWatch(n.fd, uint32(w.wd))
		}
	}
}

func (n *inotify) read(f *os.File) {
	buf := make([]byte, 256<<10)
	for {
		size, err := f.Read(buf)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil {
			n.feed.Fail(fmt.Errorf("watch: %w", err))
			n.feed.Put("", Lost)
			return
		}
		for b := buf[:size]; len(b) >= unix.SizeofInotifyEvent; {
			end := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(b[12:]))
			name, _, _ := strings.Cut(string(b[unix.SizeofInotifyEvent:end]), "\x00")
			n.event(int32(binary.NativeEndian.Uint32(b)), binary.NativeEndian.Uint32(b[4:]), binary.NativeEndian.Uint32(b[8:]), name)
			b = b[end:]
		}
	}
}

// event handles one event. What is found on the disk may be newer than it.
func (n *inotify) event(wd int32, mask, cookie uint32, name string) {
	n.handle(wd, mask, cookie, name)
	for tries := 0; n.torn && tries < 5; tries++ { // else the next event goes on
		n.all()
		n.feed.Put("", Lost)
	}
}

func (n *inotify) handle(wd int32, mask, cookie uint32, name string) {
	attached := false
	if moved := n.moved; moved != nil {
		n.moved = nil
		attached = mask&unix.IN_MOVED_TO != 0 && cookie == n.cookie && n.attach(moved, wd, name)
		if !attached {
			n.forget(moved, true) // it left the tree
		}
	}
	if mask&unix.IN_Q_OVERFLOW != 0 {
		n.torn = true
		return
	}
	w := n.dirs[wd]
	switch {
	case w == nil:
		if mask&unix.IN_IGNORED == 0 {
			unix.InotifyRmWatch(n.fd, uint32(wd)) // left over
		}
		return
	case mask&unix.IN_IGNORED != 0:
		n.forget(w, false)
		return
	case mask&(unix.IN_DELETE_SELF|unix.IN_UNMOUNT) != 0:
		if w == n.root {
			n.feed.Put("", Gone)
		}
		return
	case name == "": // the directory's own rights or times
		return
	}
	path := join(w.path(), name)
	switch dir := mask&unix.IN_ISDIR != 0; {
	case hidden(path):
	case mask&unix.IN_CLOSE_WRITE != 0:
		n.feed.Put(path, Closed)
	case mask&unix.IN_MODIFY != 0:
		n.feed.Put(path, Touched)
	case mask&unix.IN_MOVED_FROM != 0:
		n.fs.makes.told.take(path)
		n.left(w, name, path, cookie)
	case mask&unix.IN_DELETE != 0:
		n.fs.makes.told.take(path)
		if kid := w.kids[name]; kid != nil && dir {
			n.forget(kid, true)
		}
		n.feed.Put(path, Gone)
	case dir && mask&(unix.IN_MOVED_TO|unix.IN_CREATE) != 0:
		if !attached {
			// What was moved here is as whole as it was: one event says it.
			n.add(w, name, mask&unix.IN_CREATE != 0)
		}
		n.feed.Put(path, Closed)
	case mask&unix.IN_MOVED_TO != 0:
		n.feed.Put(path, Closed)
	case !dir: // created, or other times or rights
		n.arrived(path)
	}
}

// left handles a name that was moved away. After an exchange there is another
// entry under it.
func (n *inotify) left(w *watched, name, path string, cookie uint32) {
	if kid := w.kids[name]; kid != nil {
		delete(w.kids, name)
		n.moved, n.cookie = kid, cookie
	}
	i, err := n.fs.Stat(path)
	switch {
	case err != nil:
		n.feed.Put(path, Gone)
	case i.Kind == Dir:
		n.feed.Put(path, Lost) // all in it is another's
	default:
		n.feed.Put(path, Closed)
	}
}

// attach puts a directory that was moved at its new place; false if it is not
// watched there.
func (n *inotify) attach(moved *watched, wd int32, name string) bool {
	to := n.dirs[wd]
	if to == nil || hidden(join(to.path(), name)) {
		return false
	}
	if to.below(moved) || n.dirs[moved.wd] != moved {
		n.torn = true
		return true
	}
	if old := to.kids[name]; old != nil && old != moved {
		n.forget(old, true)
	}
	moved.parent, moved.name = to, name
	if to.kids == nil {
		to.kids = map[string]*watched{}
	}
	to.kids[name] = moved
	n.feed.Put(moved.path(), Lost) // its files have other paths now
	return true
}

// arrived tells of a file that may be whole already, unless we named it so.
func (n *inotify) arrived(path string) {
	if n.fs.makes.told.take(path) {
		return
	}
	what := Touched
	if i, err := n.fs.Stat(path); err != nil {
		what = Gone
	} else if i.Kind != File || n.fs.unwritten(path) {
		what = Closed
	}
	n.feed.Put(path, what)
}

// unwritten tells whether certainly nobody has a file open for writing.
func (l *linux) unwritten(path string) bool {
	fd, _, err := l.file(path, unix.O_RDONLY)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	return lease(fd) == nil
}
