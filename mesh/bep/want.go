package bep

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/syncthing/syncthing/lib/protocol"
	"golang.org/x/text/unicode/norm"
)

// A want is what another device says a path is.
type want struct {
	vector    protocol.Vector
	kind      Kind
	was       Kind // of a Gone: what it was
	size      int64
	time      int64 // ns since 1970
	perms     uint16
	noPerms   bool // it has no permission bits
	blockSize int
	hashes    []byte // 32 bytes per block
	target    string
	sum       [32]byte // if known
	changed   int64    // when that device says it changed this, ms since 1970; 0: it does not say

	accepted bool // let in by a person
	tries    int
	retry    time.Time
	err      string
}

const (
	maxCounters = 1000
	maxPath     = 1024
	maxName     = 255
)

// blocks returns the number of blocks.
func (w *want) blocks() int { return len(w.hashes) / 32 }

// hash returns the hash of a block.
func (w *want) hash(i int) []byte { return w.hashes[32*i : 32*i+32] }

// cost is about what the want takes in memory, bytes.
func (w *want) cost(path string) int64 {
	return int64(300 + len(path) + len(w.hashes) + len(w.target) + 16*len(w.vector.Counters))
}

// wanted reads what a device says of a path.
func wanted(f protocol.FileInfo) (path string, w *want, err error) {
	path = spelled(f.Name)
	if err := checkPath(path); err != nil {
		return path, nil, err
	}
	w = &want{
		vector: f.Version, size: f.Size, perms: uint16(f.Permissions & 0o777), noPerms: f.NoPermissions,
		time: nanos(f.ModifiedS, f.ModifiedNs), changed: changedAt(f),
	}
	if err := checkVector(w.vector); err != nil {
		return path, nil, err
	}
	switch f.Type {
	case protocol.FileInfoTypeFile:
		w.kind = Plain
	case protocol.FileInfoTypeDirectory:
		w.kind = Dir
	case protocol.FileInfoTypeSymlink, protocol.FileInfoTypeSymlinkFile, protocol.FileInfoTypeSymlinkDirectory:
		w.kind = Link
	default:
		return path, nil, fmt.Errorf("unknown type %d", f.Type)
	}
	if f.Deleted {
		w.kind, w.was, w.size = Gone, w.kind, 0
		return path, w, nil
	}
	switch w.kind {
	case Dir:
		w.size = 0
	case Link:
		if len(f.SymlinkTarget) == 0 || len(f.SymlinkTarget) > maxPath || !utf8.Valid(f.SymlinkTarget) {
			return path, nil, errors.New("target of a link is empty or too long")
		}
		w.target, w.size = string(f.SymlinkTarget), 0
	case Plain:
		if err := w.setBlocks(f); err != nil {
			return path, nil, err
		}
	}
	return path, w, nil
}

// spelled turns a name of the library, which speaks the platform's, into a path.
func spelled(name string) string {
	return norm.NFC.String(strings.ReplaceAll(name, "\\", slashOnWindows))
}

// setBlocks takes over the list of blocks if it makes a file.
func (w *want) setBlocks(f protocol.FileInfo) error {
	w.blockSize = f.BlockSize()
	if w.blockSize > protocol.MaxBlockSize || w.blockSize&(w.blockSize-1) != 0 {
		return fmt.Errorf("block size %d", w.blockSize)
	}
	if f.Size < 0 {
		return errors.New("negative size")
	}
	if f.Size == 0 {
		return nil // one empty block says nothing
	}
	var at int64
	w.hashes = make([]byte, 0, 32*len(f.Blocks))
	for _, b := range f.Blocks {
		size := min(int64(w.blockSize), f.Size-at)
		if b.Offset != at || int64(b.Size) != size || size <= 0 || len(b.Hash) != 32 {
			return errors.New("blocks do not make the file")
		}
		w.hashes = append(w.hashes, b.Hash...)
		at += size
	}
	if at != f.Size {
		return errors.New("blocks do not make the file")
	}
	if w.blockSize == protocol.BlockSize(f.Size) {
		w.sum = sumOf(w.hashes)
	}
	return nil
}

// sumOf names a content by its block hashes as crdt/tree does.
func sumOf(hashes []byte) (sum [32]byte) {
	switch len(hashes) {
	case 0:
	case 32:
		copy(sum[:], hashes)
	default:
		sum = sha256.Sum256(hashes)
	}
	return sum
}

// exec says whether the file is to be executable; now is whether it is.
func (w *want) exec(now bool) bool {
	if w.noPerms {
		return now
	}
	return w.perms&0o111 != 0
}

// checkPath refuses what no folder may hold. What else a Folder refuses it says
// itself.
func checkPath(path string) error {
	if len(path) == 0 || len(path) > maxPath {
		return fmt.Errorf("path of %d bytes", len(path))
	}
	if !utf8.ValidString(path) || strings.Contains(path, "\x00") {
		return errors.New("characters that cannot be in a path")
	}
	for part := range strings.SplitSeq(path, "/") {
		switch {
		case part == "" || part == "." || part == "..":
			return errors.New("not a relative path")
		case len(part) > maxName:
			return fmt.Errorf("name of %d bytes", len(part))
		}
	}
	if internal(path) {
		return errors.New("reserved name")
	}
	return nil
}

// internal says whether a path belongs to one of the programs itself: neither is
// it announced nor taken.
func internal(path string) bool {
	if slashOnWindows == "/" && strings.Contains(path, "\\") {
		return true // the library would make another path of it
	}
	first, _, _ := strings.Cut(path, "/")
	switch first {
	case ".inselnetz", ".stfolder", ".stversions", ".stignore":
		return true
	}
	name := path[strings.LastIndexByte(path, '/')+1:]
	return strings.HasSuffix(name, ".tmp") &&
		(strings.HasPrefix(name, ".syncthing.") || strings.HasPrefix(name, "~syncthing~"))
}

// checkVector refuses vectors with which the library's order is none, and
// counters that could not be counted on.
func checkVector(v protocol.Vector) error {
	if len(v.Counters) == 0 || len(v.Counters) > maxCounters {
		return fmt.Errorf("version of %d counters", len(v.Counters))
	}
	for i, c := range v.Counters {
		if c.Value == 0 || c.Value > 1<<62 || i > 0 && c.ID <= v.Counters[i-1].ID {
			return errors.New("malformed version")
		}
	}
	return nil
}

// changedAt returns when the device that changed a file says it did, ms since
// 1970: counters follow the clock since Syncthing 0.14.
func changedAt(f protocol.FileInfo) int64 {
	n := f.Version.Counter(f.ModifiedBy)
	if n < 1_000_000_000 || n > 1<<40 {
		return 0
	}
	return int64(n) * 1000
}

// nanos turns a time of the wire into ns since 1970, at most what an int64 holds.
func nanos(s int64, ns int32) int64 {
	const most = math.MaxInt64/1_000_000_000 - 1
	s = max(-most, min(most, s))
	return s*1_000_000_000 + max(0, min(999_999_999, int64(ns)))
}
