package automerge

import (
	"fmt"
	"slices"

	"inselnetz/crdt/automerge/internal/format"
)

// First bytes.
const (
	syncV1    = 0x42 // a message; each payload is one change
	syncV2    = 0x43 // a message; a payload is chunks laid end to end
	syncState = 0x43 // an encoded SyncState
)

// Flags of a message. Whoever sends any reads messages of version 2.
const (
	flagReset         = 1 << iota // forget what you have sent me
	flagReadOnly                  // I take no changes
	flagSupportsReset             // I know flagReset
)

// What a message may hold. Other counts are bounded by its length.
const (
	maxSyncMessage = 256 << 20 // bytes
	maxHaves       = 16        // all known programs send at most one
)

// A syncMessage is what one peer says to another.
type syncMessage struct {
	version     byte
	heads, need []Hash // ascending
	have        []syncHave
	payload     [][]byte
	flagged     bool
	flags       byte
}

// A syncHave is what a peer has: the changes up to lastSync and those in the filter.
type syncHave struct {
	lastSync []Hash
	since    bloom
}

func appendHashes(to []byte, hs []Hash) []byte {
	to = format.AppendUint(to, uint64(len(hs)))
	for i := range hs {
		to = append(to, hs[i][:]...)
	}
	return to
}

func appendSized(to, b []byte) []byte {
	return append(format.AppendUint(to, uint64(len(b))), b...)
}

func (m *syncMessage) append(to []byte) []byte {
	to = append(to, m.version)
	to = appendHashes(to, m.heads)
	to = appendHashes(to, m.need)
	to = format.AppendUint(to, uint64(len(m.have)))
	for i := range m.have {
		to = appendHashes(to, m.have[i].lastSync)
		to = appendSized(to, m.have[i].since.append(nil))
	}
	to = format.AppendUint(to, uint64(len(m.payload)))
	for _, p := range m.payload {
		to = appendSized(to, p)
	}
	if m.flagged { // 02 is how flags began: it alone said "version 2"
		to = append(to, 2, 0x02, 0x80|m.flags)
	}
	return to
}

// readSyncMessage reads a message. Bytes after it are passed over, as the
// reference does. Filters and payload belong to b.
func readSyncMessage(b []byte) (m syncMessage, err error) {
	if len(b) > maxSyncMessage {
		return m, fmt.Errorf("%w: a sync message of %d bytes", ErrLimit, len(b))
	}
	r := syncReader{b: b}
	if v := r.take(1, "version"); r.err == nil {
		if m.version = v[0]; m.version != syncV1 && m.version != syncV2 {
			return m, damaged("a sync message begins with %02x", v)
		}
	}
	m.heads, m.need = r.hashes("heads"), r.hashes("need")
	haves := r.count("haves", 2)
	if haves > maxHaves {
		return m, fmt.Errorf("%w: %d haves in a sync message", ErrLimit, haves)
	}
	for range haves {
		h := syncHave{lastSync: r.hashes("last sync")}
		filter := r.sized("Bloom filter")
		if r.err != nil {
			break
		}
		if h.since, err = readBloom(filter); err != nil {
			return m, err
		}
		m.have = append(m.have, h)
	}
	if n := r.count("changes", 1); n > 0 {
		m.payload = make([][]byte, 0, n)
		for range n {
			m.payload = append(m.payload, r.sized("change"))
		}
	}
	if r.err == nil && len(r.b) > 0 {
		m.flagged = true
		for _, c := range r.sized("flags") {
			if c >= 0x80 {
				m.flags |= c & 0x7f
			}
		}
	}
	return m, r.err
}

// A syncReader takes fields off the front. After the first failure it keeps the
// error and returns nothing.
type syncReader struct {
	b   []byte
	err error
}

func (r *syncReader) take(n uint64, what string) []byte {
	if n > uint64(len(r.b)) {
		if r.err == nil {
			r.err = damaged("sync: %s of %d bytes, %d are left", what, n, len(r.b))
		}
		r.b = nil
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *syncReader) uint(what string) uint64 {
	v, n := format.ReadUint(r.b)
	if n == 0 && r.err == nil {
		r.err = damaged("sync: %s is no number", what)
	}
	r.take(uint64(n), what)
	if r.err != nil {
		r.b = nil
		return 0
	}
	return v
}

func (r *syncReader) uint32(what string) uint32 {
	v := r.uint(what)
	if v > 1<<32-1 {
		r.err = damaged("sync: %d %s", v, what)
		r.b = nil
		return 0
	}
	return uint32(v)
}

// count is a number of things that take at least size bytes each.
func (r *syncReader) count(what string, size int) int {
	n := r.uint(what)
	if n > uint64(len(r.b)/size) {
		if r.err == nil {
			r.err = damaged("sync: %d %s in %d bytes", n, what, len(r.b))
		}
		r.b = nil
		return 0
	}
	return int(n)
}

func (r *syncReader) sized(what string) []byte { return r.take(r.uint(what), what) }

// hashes reads a list of hashes and puts it in order, each once.
func (r *syncReader) hashes(what string) []Hash {
	n := r.count(what, len(Hash{}))
	if n == 0 {
		return nil
	}
	out := make([]Hash, n)
	for i := range out {
		out[i] = Hash(r.take(uint64(len(Hash{})), what))
	}
	if !slices.IsSortedFunc(out, compareHash) {
		slices.SortFunc(out, compareHash)
	}
	return slices.Compact(out)
}
