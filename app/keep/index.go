package keep

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"inselnetz/crdt/tree"
)

// An entry says where a content is.
type entry struct {
	pack  uint32 // loosePack: a file of its own
	since uint32 // s since 1970
	a, b  uint32 // in packs: place of the record and size; loose: size
}

const loosePack = 1<<32 - 1

func (e entry) loose() bool { return e.pack == loosePack }

func (e entry) size() int64 {
	if e.loose() {
		return int64(e.a)<<32 | int64(e.b)
	}
	return int64(e.b)
}

// room is what the content takes on the disk.
func (e entry) room() int64 {
	if e.loose() {
		return e.size()
	}
	return headerSize + e.size()
}

func looseEntry(size int64, since uint32) entry {
	return entry{pack: loosePack, since: since, a: uint32(size >> 32), b: uint32(size)}
}

// snapshot is the index as it lies on the disk.
type snapshot struct {
	next    uint32           // number of the next pack
	packs   map[uint32]int64 // how much of each pack it covers
	entries map[tree.Sum]entry
}

const (
	indexMagic  = "IKX1"
	indexHeader = 4 + 4 + 4 + 4 + 8
	packLine    = 4 + 8
	entryLine   = 32 + 16
)

var errIndex = errors.New("index of kept contents is damaged")

func (s *snapshot) encode() []byte {
	b := make([]byte, 0, indexHeader+len(s.packs)*packLine+len(s.entries)*entryLine)
	b = append(b, indexMagic...)
	b = append(b, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, s.next)
	b = binary.BigEndian.AppendUint32(b, uint32(len(s.packs)))
	b = binary.BigEndian.AppendUint64(b, uint64(len(s.entries)))
	for id, upto := range s.packs {
		b = binary.BigEndian.AppendUint32(b, id)
		b = binary.BigEndian.AppendUint64(b, uint64(upto))
	}
	for sum, e := range s.entries {
		b = append(b, sum[:]...)
		for _, v := range [4]uint32{e.pack, e.since, e.a, e.b} {
			b = binary.BigEndian.AppendUint32(b, v)
		}
	}
	binary.BigEndian.PutUint32(b[4:], crc32.Checksum(b[8:], castagnoli))
	return b
}

func decodeSnapshot(b []byte) (*snapshot, error) {
	if len(b) < indexHeader || string(b[:4]) != indexMagic || binary.BigEndian.Uint32(b[4:]) != crc32.Checksum(b[8:], castagnoli) {
		return nil, errIndex
	}
	npacks, nentries := uint64(binary.BigEndian.Uint32(b[12:])), binary.BigEndian.Uint64(b[16:])
	s := &snapshot{next: binary.BigEndian.Uint32(b[8:])}
	b = b[indexHeader:]
	if nentries > uint64(len(b)) || npacks*packLine+nentries*entryLine != uint64(len(b)) {
		return nil, errIndex
	}
	s.packs, s.entries = make(map[uint32]int64, npacks), make(map[tree.Sum]entry, nentries)
	for range npacks {
		id, upto := binary.BigEndian.Uint32(b), binary.BigEndian.Uint64(b[4:])
		if id >= s.next || upto > maxPack {
			return nil, errIndex
		}
		s.packs[id] = int64(upto)
		b = b[packLine:]
	}
	for range nentries {
		e := entry{binary.BigEndian.Uint32(b[32:]), binary.BigEndian.Uint32(b[36:]), binary.BigEndian.Uint32(b[40:]), binary.BigEndian.Uint32(b[44:])}
		upto, known := s.packs[e.pack]
		switch {
		case e.size() <= 0:
			return nil, errIndex
		case e.loose():
		case !known || int64(e.a)+e.room() > upto || e.size() > maxPacked:
			return nil, errIndex
		}
		s.entries[tree.Sum(b)] = e
		b = b[entryLine:]
	}
	return s, nil
}
