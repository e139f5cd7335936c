// Package disk is a file system below one directory, with what a folder that
// syncs needs of it: exclusive creation, atomic exchange, clones, flushing in
// batches and word of changes. No link below the root is ever followed.
package disk

import (
	"errors"
	"io"
	"io/fs"
	"strings"
	"time"
)

// Errors beside fs.ErrNotExist, fs.ErrExist and errors.ErrUnsupported. An error
// of a call matches (errors.Is) one of these and what the system said.
var (
	ErrChanged = errors.New("changed while it was read")
	ErrFull    = errors.New("the disk is full")
	ErrDenied  = errors.New("access denied")
	ErrBusy    = errors.New("open in another program")
	ErrLarge   = errors.New("too large")
	// ErrNotFile is told by what reads and writes files when there is something else.
	ErrNotFile = errors.New("not a file")
	// ErrNotEmpty is told by Remove and by the renames for a directory with entries.
	ErrNotEmpty = errors.New("directory not empty")
	// ErrBlocked says that a file or a link stands where the path needs a
	// directory. It matches fs.ErrNotExist: nothing can be at such a path.
	ErrBlocked error = blocked{}
)

type blocked struct{}

func (blocked) Error() string        { return "a file or link stands in place of a directory" }
func (blocked) Is(target error) bool { return target == fs.ErrNotExist }

// A Kind is what a name stands for.
type Kind uint8

const (
	Other Kind = iota // device, pipe, socket
	File
	Dir
	Link // symbolic link; on Windows junctions too
)

// Info is what the directory knows of an entry; of links it is their own.
type Info struct {
	Name  string // last component of the path; "" for the root
	Kind  Kind
	Size  int64  // bytes; of files only
	Time  int64  // modification, ns since 1970
	Inode uint64 // 0: unknown
	Exec  bool   // the owner may execute it; files only
}

// ReadMax is the largest file that Read takes, in bytes.
const ReadMax = 64 << 20

// Quiet is how long a file that a program holds open must rest to count as whole.
const Quiet = 2 * time.Second

// FS is a directory tree. Paths are relative to its root, with slashes; "" is
// the root. Its methods may be called from several goroutines.
//
// What is written becomes durable by Sync of a file, SyncDir of its directory
// (the name) or SyncAll (both, everywhere).
type FS interface {
	// List returns the entries of a directory by name, each with its own Info.
	List(dir string) ([]Info, error)
	Stat(path string) (Info, error)
	// Read appends a whole file to buf. ErrChanged if it changed meanwhile,
	// ErrLarge above ReadMax bytes. Read and Open tell by ErrBusy, where that can
	// be known, that somebody has the file open for writing and it changed within
	// Quiet: more may come.
	Read(path string, buf []byte) ([]byte, Info, error)
	// Open opens a file for reading.
	Open(path string) (Handle, error)
	// Create makes a file that was not there (else fs.ErrExist) for reading and
	// writing. Room for size bytes is reserved above 8 MiB.
	Create(path string, size int64) (Handle, error)
	// Edit opens a file for reading and writing.
	Edit(path string) (Handle, error)
	// Mkdir makes a directory and its parents; one that is there is fine.
	Mkdir(path string) error
	// Remove removes a file, a link or an empty directory.
	Remove(path string) error
	Symlink(target, path string) error
	Readlink(path string) (string, error)
	// Mark sets the modification time (ns since 1970; the file system may keep
	// it coarser) and, of files, whether they are programs.
	Mark(path string, time int64, exec bool) error
	// Rename replaces a file or a link that has the new name.
	Rename(from, to string) error
	// RenameNew fails with fs.ErrExist if the new name is taken.
	RenameNew(from, to string) error
	// Exchange swaps two names atomically, or errors.ErrUnsupported.
	Exchange(a, b string) error
	// Clone makes the new file to, which shares its blocks with from until one
	// of them is written, or errors.ErrUnsupported.
	Clone(from, to string) error
	SyncDir(dir string) error
	SyncAll() error
	// Space returns what is free for us and the size of the disk, in bytes.
	Space() (free, total int64, err error)
	// Folds tells whether names that differ in case only are one.
	Folds() bool
	// Hide hides a directory from the user where names do not do that.
	Hide(path string) error
	Close() error
}

// Handle is an open file. Reads and writes may run at once; Close comes last.
type Handle interface {
	io.ReaderAt
	io.WriterAt
	Stat() (Info, error)
	Truncate(size int64) error
	// CopyFrom copies the n bytes at off of src, a Handle of the same FS, to the
	// same place here, without reading them where the system can.
	CopyFrom(src Handle, off, n int64) error
	// Shares returns the ranges, in order and as long as can be, in which this file
	// and another of the same FS are known to be equal without being read, as they
	// have the same room on the disk (see Clone); errors.ErrUnsupported where that
	// is never known. Ranges may reach beyond the end.
	Shares(other Handle) ([]Range, error)
	// Mark is FS.Mark of the open file.
	Mark(time int64, exec bool) error
	// Flush begins to write out and does not wait.
	Flush() error
	// Sync makes the content durable, not the name.
	Sync() error
	Close() error
}

// A Range is Len bytes at Off.
type Range struct{ Off, Len int64 }

// An Error is a call that failed. It matches the kind of failure and what the
// system said.
type Error struct {
	Op, Path string
	Kind     error // one of this package or of io/fs; may be nil
	Err      error // from the system; may be nil
}

func (e *Error) Error() string {
	s := e.Op
	if e.Path != "" {
		s += " " + e.Path
	}
	if e.Err != nil {
		return s + ": " + e.Err.Error()
	}
	return s + ": " + e.Kind.Error()
}

// Unwrap returns the kind and what the system said.
func (e *Error) Unwrap() []error {
	switch {
	case e.Kind == nil:
		return []error{e.Err}
	case e.Err == nil:
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// Valid tells whether a path may be given to an FS: "" or components with
// slashes between, none of them empty, "." or "..", and no NUL.
func Valid(path string) bool {
	if path == "" {
		return true
	}
	if strings.IndexByte(path, 0) >= 0 {
		return false
	}
	for {
		name, rest, more := strings.Cut(path, "/")
		if name == "" || name == "." || name == ".." {
			return false
		}
		if !more {
			return true
		}
		path = rest
	}
}

// Split returns the directory of a path and its last component.
func Split(path string) (dir, name string) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return "", path
	}
	return path[:i], path[i+1:]
}
