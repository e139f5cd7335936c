package tree

import (
	"crypto/sha256"
	"encoding/hex"
)

// Sizes of blocks and contents.
const (
	MinBlock  = 128 << 10
	MaxBlock  = 16 << 20
	MaxSize   = 8 << 40 // of a file in bytes, so that its list fits one block
	MaxInline = 64      // most blocks whose hashes a version carries itself
	ListIndex = 1<<32 - 1
)

// A Sum names a content: zero the empty one; a content of one block is named by
// its SHA-256, a longer one after the list of its blocks (SumOf). A hash of one
// block is a Sum too.
type Sum [32]byte

func (s Sum) String() string { return hex.EncodeToString(s[:]) }

// BlockSize returns how long the blocks of a file of size bytes are, the last
// one aside: as Syncthing cuts them, 128 KiB below 250 MiB and doubling at 250,
// 500, 1000 ... MiB up to 16 MiB.
func BlockSize(size int64) int {
	b := MinBlock
	for b < MaxBlock && size >= 2000*int64(b) {
		b *= 2
	}
	return b
}

// BlockCount returns how many blocks a file of size bytes has; none if empty.
func BlockCount(size int64) int {
	b := int64(BlockSize(size))
	return int((size + b - 1) / b)
}

// SumOf returns the name of the content with these blocks: zero for none, the
// hash of a single one, else the inverted SHA-256 of all hashes in a row. It is
// inverted so that no file can have the name of another one whose list of
// blocks it holds.
func SumOf(blocks []Sum) Sum {
	switch len(blocks) {
	case 0:
		return Sum{}
	case 1:
		return blocks[0]
	}
	h := sha256.New()
	for i := range blocks {
		h.Write(blocks[i][:])
	}
	return Sum(h.Sum(nil)).List()
}

// List returns the SHA-256 that the list of blocks (32 bytes each, in a row) of
// the content s must have, if it has more than one block.
func (s Sum) List() Sum {
	for i := range s {
		s[i] = ^s[i]
	}
	return s
}
