// Package tree holds the states of a space's files as devices announce them and
// folds them into one tree of paths, the same on every device.
package tree

import (
	"bytes"
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"inselnetz/crdt/log"
)

// A VersionID names a version by its place: the N-th operation of an entry.
type VersionID struct {
	Log log.LogID
	Seq uint64
	N   uint32
}

// A Kind says what a path is.
type Kind uint8

// What a path can be.
const (
	File Kind = 1
	Dir  Kind = 2
	Link Kind = 3
	Gone Kind = 4 // deleted
)

func (k Kind) String() string {
	switch k {
	case File:
		return "file"
	case Dir:
		return "dir"
	case Link:
		return "link"
	case Gone:
		return "gone"
	}
	return "kind " + strconv.Itoa(int(k))
}

// A Version is one state of a path, announced by one device.
type Version struct {
	Path    string // slash-separated, as CheckPath wants it
	Kind    Kind
	Size    int64       // of a File, in bytes
	Time    int64       // when a File was changed, by its device; ns since 1970
	Exec    bool        // of a File
	Sum     Sum         // of a File
	Blocks  []Sum       // of a File of 2 to MaxInline blocks, nil else
	Target  string      // of a Link, any bytes
	Parents []VersionID // what it replaces, ascending, at most MaxParents
}

// An Author says about a version what is not in it but in its entry.
type Author struct {
	Device log.DeviceID
	Clock  log.HLC
}

// A Known is a version and where it comes from.
type Known struct {
	ID VersionID
	Author
	Version
}

// Compare returns -1, 0 or 1 as v comes before, at or after w in the order of
// log, sequence number and number in the entry.
func (v VersionID) Compare(w VersionID) int {
	return cmp.Or(bytes.Compare(v.Log[:], w.Log[:]), cmp.Compare(v.Seq, w.Seq), cmp.Compare(v.N, w.N))
}

// Compare returns -1, 0 or 1 as k is older than, the same as or newer than o:
// by clock, then by id. A clock is no evidence; the order is the same everywhere.
func (k Known) Compare(o Known) int {
	return cmp.Or(cmp.Compare(k.Clock, o.Clock), k.ID.Compare(o.ID))
}

// SameContent reports whether v and w leave the same on a disk, wherever it lies.
func (v *Version) SameContent(w *Version) bool {
	return v.Kind == w.Kind && v.Size == w.Size && v.Sum == w.Sum && v.Exec == w.Exec && v.Target == w.Target
}

// String returns "LOG-SEQ-N".
func (v VersionID) String() string {
	return v.Log.String() + "-" + strconv.FormatUint(v.Seq, 10) + "-" + strconv.FormatUint(uint64(v.N), 10)
}

// ParseVersionID reads what VersionID.String wrote.
func ParseVersionID(s string) (VersionID, error) {
	parts := strings.Split(s, "-")
	if len(parts) == 3 {
		id, err := log.ParseLogID(parts[0])
		seq, err2 := strconv.ParseUint(parts[1], 10, 64)
		n, err3 := strconv.ParseUint(parts[2], 10, 32)
		v := VersionID{Log: id, Seq: seq, N: uint32(n)}
		if err == nil && err2 == nil && err3 == nil && v.check() == nil && v.String() == s {
			return v, nil
		}
	}
	return VersionID{}, fmt.Errorf("%q is not the id of a version", s)
}

func (v VersionID) check() error {
	if v.Seq < 1 || v.Seq > log.MaxSeq || v.N >= MaxOps {
		return fmt.Errorf("%w: place of a version", ErrMalformed)
	}
	return nil
}
