package folder

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"inselnetz/app/disk"
	"inselnetz/crdt/log"
	"inselnetz/crdt/tree"
)

// A rec is what lay at a path of the disk when it was last seen, and which
// versions that is. Records are replaced, never changed.
type rec struct {
	Path  string
	Kind  tree.Kind // File, Dir or Link
	Exec  bool
	Racy  bool // seen within the grain of the clock after it was written: look again
	Size  int64
	Time  int64 // ns
	Inode uint64
	Sum   tree.Sum // of a file; of a link SHA-256 of its target
	Base  []tree.VersionID

	twin *rec // another one with this Sum
}

// seen tells whether a file or link still is what the record says, as far as
// that can be told without reading it.
func (r *rec) seen(in disk.Info) bool {
	if r.Kind == tree.Dir || in.Kind == disk.Dir {
		return r.Kind == tree.Dir && in.Kind == disk.Dir
	}
	return kindOf(in.Kind) == r.Kind && in.Time == r.Time && in.Exec == r.Exec &&
		(r.Kind == tree.Link || in.Size == r.Size) &&
		(in.Inode == r.Inode || in.Inode == 0 || r.Inode == 0)
}

// sure is seen for whoever is about to give up what is there: not while the file
// may have been written again without looking different.
func (f *Folder) sure(r *rec, in disk.Info) bool { return !r.Racy && f.unchanged(r, in) }

// info is what the record says of a file as the disk would.
func (r *rec) info() disk.Info {
	return disk.Info{Kind: disk.File, Size: r.Size, Time: r.Time, Inode: r.Inode, Exec: r.Exec}
}

func kindOf(k disk.Kind) tree.Kind {
	switch k {
	case disk.File:
		return tree.File
	case disk.Dir:
		return tree.Dir
	case disk.Link:
		return tree.Link
	}
	return 0
}

// An index remembers what lies on the disk: a cache, written behind. If it is
// lost, files are hashed anew.
type index struct {
	fs    disk.FS
	path  string
	dirs  map[string]map[string]*rec // directory, name
	sums  map[tree.Sum]*rec          // files by content
	files int
	bytes int64 // of them

	dirty map[string]bool // to be written
	young map[string]bool // not to be written yet: their names are not durable
	size  int64           // bytes in the journal
	h     disk.Handle
	bad   bool // the journal could not be written: it is begun anew
}

func newIndex(fsys disk.FS, path string) *index {
	return &index{fs: fsys, path: path, dirs: map[string]map[string]*rec{}, sums: map[tree.Sum]*rec{}, dirty: map[string]bool{}, young: map[string]bool{}}
}

func (x *index) get(path string) *rec {
	dir, name := disk.Split(path)
	return x.dirs[dir][name]
}

// in returns the records of a directory by name.
func (x *index) in(dir string) map[string]*rec { return x.dirs[dir] }

// bySum returns a record with this content whose path is not in use otherwise,
// or nil.
func (x *index) bySum(sum tree.Sum) *rec { return x.sums[sum] }

func (x *index) put(r *rec) {
	x.set(r)
	delete(x.young, r.Path)
	x.dirty[r.Path] = true
}

// place is put of a file whose name is not durable yet: it is not written before
// lasting says so. Else a power cut would look as if the user had deleted it.
func (x *index) place(r *rec) {
	x.set(r)
	x.dirty[r.Path], x.young[r.Path] = true, true
}

func (x *index) lasting(path string) {
	delete(x.young, path)
	x.dirty[path] = true
}

func (x *index) drop(path string) {
	if x.unset(path) {
		x.dirty[path] = true
	}
}

func (x *index) set(r *rec) {
	x.unset(r.Path)
	dir, name := disk.Split(r.Path)
	in := x.dirs[dir]
	if in == nil {
		in = map[string]*rec{}
		x.dirs[dir] = in
	}
	in[name] = r
	if r.Kind == tree.File {
		x.files++
		x.bytes += r.Size
		if r.Size > 0 {
			r.twin = x.sums[r.Sum]
			x.sums[r.Sum] = r
		}
	}
}

func (x *index) unset(path string) bool {
	dir, name := disk.Split(path)
	r := x.dirs[dir][name]
	if r == nil {
		return false
	}
	delete(x.dirs[dir], name)
	if len(x.dirs[dir]) == 0 {
		delete(x.dirs, dir)
	}
	if r.Kind == tree.File {
		x.files--
		x.bytes -= r.Size
		if r.Size > 0 {
			x.unlink(r)
		}
	}
	return true
}

func (x *index) unlink(r *rec) {
	first := x.sums[r.Sum]
	if first == r {
		if r.twin == nil {
			delete(x.sums, r.Sum)
		} else {
			x.sums[r.Sum] = r.twin
		}
		return
	}
	for p := first; p != nil; p = p.twin {
		if p.twin == r {
			p.twin = r.twin
			return
		}
	}
}

// below calls f with every record below dir, deepest last.
func (x *index) below(dir string, f func(*rec)) {
	in := x.dirs[dir]
	for _, name := range slices.Sorted(maps.Keys(in)) {
		r := in[name]
		f(r)
		if r.Kind == tree.Dir {
			x.below(r.Path, f)
		}
	}
}

// The journal: magic, then records of length (uvarint), CRC-32C of the payload
// (4 bytes) and payload. Later records of a path replace earlier ones; a reader
// stops at the first that is not whole.
const indexMagic = "inselnetz/index/1\n"

var crcTable = crc32.MakeTable(crc32.Castagnoli)

const (
	recDrop = iota
	recFile
	recDir
	recLink
)

const (
	flagExec = 1 << iota
	flagRacy
)

func appendRec(b []byte, path string, r *rec) []byte {
	p := make([]byte, 0, 160)
	if r == nil {
		p = append(p, recDrop, 0)
		p = append(p, path...)
	} else {
		var flags byte
		if r.Exec {
			flags |= flagExec
		}
		if r.Racy {
			flags |= flagRacy
		}
		p = append(p, byte(r.Kind), flags)
		p = binary.AppendVarint(p, r.Size)
		p = binary.AppendVarint(p, r.Time)
		p = binary.AppendUvarint(p, r.Inode)
		p = append(p, r.Sum[:]...)
		p = binary.AppendUvarint(p, uint64(len(r.Base)))
		for _, id := range r.Base {
			p = append(p, id.Log[:]...)
			p = binary.AppendUvarint(p, id.Seq)
			p = binary.AppendUvarint(p, uint64(id.N))
		}
		p = append(p, path...)
	}
	b = binary.AppendUvarint(b, uint64(len(p)))
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(p, crcTable))
	return append(b, p...)
}

// readRec decodes one payload; a nil rec drops the path.
func readRec(p []byte) (path string, r *rec, err error) {
	bad := errors.New("malformed record")
	if len(p) < 2 {
		return "", nil, bad
	}
	kind, flags := p[0], p[1]
	p = p[2:]
	if kind == recDrop {
		if len(p) == 0 || flags != 0 || !disk.Valid(string(p)) {
			return "", nil, bad
		}
		return string(p), nil, nil
	}
	if kind > recLink || flags > flagExec|flagRacy {
		return "", nil, bad
	}
	r = &rec{Kind: tree.Kind(kind), Exec: flags&flagExec != 0, Racy: flags&flagRacy != 0}
	ok := true
	varint := func() int64 {
		v, n := binary.Varint(p)
		if n <= 0 {
			ok = false
			return 0
		}
		p = p[n:]
		return v
	}
	uvarint := func() uint64 {
		v, n := binary.Uvarint(p)
		if n <= 0 {
			ok = false
			return 0
		}
		p = p[n:]
		return v
	}
	r.Size, r.Time, r.Inode = varint(), varint(), uvarint()
	if !ok || len(p) < len(r.Sum) || r.Size < 0 {
		return "", nil, bad
	}
	p = p[copy(r.Sum[:], p):]
	n := uvarint()
	if !ok || n > 1<<10 {
		return "", nil, bad
	}
	for range n {
		var id tree.VersionID
		if len(p) < len(id.Log) {
			return "", nil, bad
		}
		id.Log = log.LogID(p[:len(id.Log)])
		p = p[len(id.Log):]
		id.Seq = uvarint()
		v := uvarint()
		if !ok || v > 1<<32-1 {
			return "", nil, bad
		}
		id.N = uint32(v)
		r.Base = append(r.Base, id)
	}
	if len(p) == 0 || !disk.Valid(string(p)) {
		return "", nil, bad
	}
	r.Path = string(p)
	return r.Path, r, nil
}

// readIndex feeds set and unset with the records of a journal and returns the
// length of what is whole.
func readIndex(b []byte, set func(*rec), unset func(string)) int {
	if !strings.HasPrefix(string(b[:min(len(b), len(indexMagic))]), indexMagic) {
		return 0
	}
	at := len(indexMagic)
	for {
		n, w := binary.Uvarint(b[at:])
		if w <= 0 || n > 1<<20 || uint64(len(b)-at-w) < n+4 {
			return at
		}
		p := b[at+w+4 : at+w+4+int(n)]
		if binary.BigEndian.Uint32(b[at+w:]) != crc32.Checksum(p, crcTable) {
			return at
		}
		path, r, err := readRec(p)
		if err != nil {
			return at
		}
		if r == nil {
			unset(path)
		} else {
			set(r)
		}
		at += w + 4 + int(n)
	}
}

// load reads the journal. Whatever is wrong with it, the index is a cache: what
// is missing is hashed anew.
func (x *index) load() error {
	h, err := x.fs.Edit(x.path)
	if errors.Is(err, fs.ErrNotExist) {
		return x.rewrite()
	}
	if err != nil {
		return err
	}
	in, err := h.Stat()
	if err != nil {
		h.Close()
		return err
	}
	b := make([]byte, min(in.Size, 1<<31))
	n, _ := h.ReadAt(b, 0)
	whole := readIndex(b[:n], x.set, func(p string) { x.unset(p) })
	if whole == 0 {
		h.Close()
		return x.rewrite()
	}
	if err := h.Truncate(int64(whole)); err != nil {
		h.Close()
		return err
	}
	x.h, x.size = h, int64(whole)
	return nil
}

// write appends what changed. The caller made durable what the records tell of.
func (x *index) write() error {
	if len(x.dirty) == 0 && !x.bad {
		return nil
	}
	if live := int64(x.files) * 160; x.bad || x.size > 2*live+1<<20 {
		return x.rewrite()
	}
	b := make([]byte, 0, 128*len(x.dirty))
	for _, path := range slices.Sorted(maps.Keys(x.dirty)) {
		r := x.get(path)
		if x.young[path] {
			r = nil
		}
		b = appendRec(b, path, r)
	}
	if _, err := x.h.WriteAt(b, x.size); err != nil {
		x.bad = true
		return fmt.Errorf("index: %w", err)
	}
	x.size += int64(len(b))
	clear(x.dirty)
	return nil
}

// rewrite writes the journal anew.
func (x *index) rewrite() error {
	x.bad = true
	b := []byte(indexMagic)
	x.below("", func(r *rec) {
		if !x.young[r.Path] {
			b = appendRec(b, r.Path, r)
		}
	})
	tmp := x.path + ".new"
	if err := x.fs.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	h, err := x.fs.Create(tmp, 0)
	if err != nil {
		return err
	}
	if _, err = h.WriteAt(b, 0); err == nil {
		err = h.Sync()
	}
	if err == nil {
		err = x.fs.Rename(tmp, x.path)
	}
	if err != nil {
		h.Close()
		return fmt.Errorf("index: %w", err)
	}
	if x.h != nil {
		x.h.Close()
	}
	x.h, x.size, x.bad = h, int64(len(b)), false
	clear(x.dirty)
	return nil
}

func (x *index) close() error {
	if x.h == nil {
		return nil
	}
	return x.h.Close()
}

// sync makes what was written durable.
func (x *index) sync() error {
	if x.h == nil {
		return nil
	}
	return x.h.Sync()
}
