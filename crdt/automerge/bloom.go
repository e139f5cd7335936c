package automerge

import (
	"encoding/binary"
	"fmt"

	"inselnetz/crdt/automerge/internal/format"
)

// What a filter of ours looks like: one in a hundred changes is taken for known
// by mistake. The other side may choose otherwise, the numbers are in the bytes.
const (
	bloomBits   = 10 // per entry
	bloomProbes = 7
	maxProbes   = 32
)

// A bloom is a Bloom filter of hashes of changes: it never denies one that is in
// it. The zero value has none.
type bloom struct {
	entries, perEntry, probes uint32
	bits                      []byte
}

func newBloom(entries int) bloom {
	if entries == 0 {
		return bloom{}
	}
	return bloom{uint32(entries), bloomBits, bloomProbes, make([]byte, (entries*bloomBits+7)/8)}
}

// walk calls probe with the place of every bit that stands for h, until it says no.
// There are bits.
func (b *bloom) walk(h *Hash, probe func(bit uint64) bool) bool {
	m := 8 * uint64(len(b.bits))
	x := uint64(binary.LittleEndian.Uint32(h[0:])) % m
	y := uint64(binary.LittleEndian.Uint32(h[4:])) % m
	z := uint64(binary.LittleEndian.Uint32(h[8:])) % m
	ok := probe(x)
	for i := uint32(1); ok && i < b.probes; i++ {
		x = (x + y) % m
		y = (y + z) % m
		ok = probe(x)
	}
	return ok
}

func (b *bloom) add(h Hash) {
	b.walk(&h, func(bit uint64) bool {
		b.bits[bit>>3] |= 1 << (bit & 7)
		return true
	})
}

func (b *bloom) has(h Hash) bool {
	return b.entries > 0 && b.walk(&h, func(bit uint64) bool { return b.bits[bit>>3]&(1<<(bit&7)) != 0 })
}

// append writes entries, bits per entry, probes as uLEB, and the bits; nothing for
// an empty filter.
func (b *bloom) append(to []byte) []byte {
	if b.entries == 0 {
		return to
	}
	to = format.AppendUint(to, uint64(b.entries))
	to = format.AppendUint(to, uint64(b.perEntry))
	to = format.AppendUint(to, uint64(b.probes))
	return append(to, b.bits...)
}

// readBloom reads a filter; bytes after it are passed over, as the reference does.
// The bits belong to what was read.
func readBloom(from []byte) (b bloom, err error) {
	if len(from) == 0 {
		return b, nil
	}
	r := syncReader{b: from}
	b.entries, b.perEntry, b.probes = r.uint32("entries"), r.uint32("bits per entry"), r.uint32("probes")
	size := (uint64(b.entries)*uint64(b.perEntry) + 7) / 8
	b.bits = r.take(size, "Bloom filter")
	switch {
	case r.err != nil:
		return bloom{}, r.err
	case b.probes > maxProbes:
		return bloom{}, fmt.Errorf("%w: %d probes of a Bloom filter", ErrLimit, b.probes)
	case b.entries == 0:
		return bloom{}, nil
	case len(b.bits) == 0:
		return bloom{}, damaged("a Bloom filter without bits")
	}
	return b, nil
}
