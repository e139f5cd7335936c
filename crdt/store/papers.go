package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"

	"inselnetz/crdt/log"
)

// What was folded from the entries of documents may be kept, so that the next start
// need not fold them all again. Like all views it can be lost at any time, and it is
// dropped whenever it may hold what counts no more.

// A KeptDocument is a document as its keeper folded it.
type KeptDocument struct {
	ID   [16]byte
	Upto map[log.LogID]uint64 // the newest entry of each log that is in it
	Body []byte               // the keeper's
}

// Kept is what is kept of the documents of a space.
type Kept struct {
	Upto      map[log.LogID]uint64 // the documents hold the entries of these logs up to here, and perhaps more; nil: nothing is kept
	Documents []KeptDocument
}

// DocumentsTurn counts how often something that was folded from entries of documents
// of a space stopped to count here, since the store was opened. Who folds them asks
// before, and begins anew when the answer changes.
func (s *Store) DocumentsTurn(space log.SpaceID) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.turns[space]
}

// allPapers is the id of the row that says what all documents of a space hold.
var allPapers = []byte{}

// KeepDocuments keeps documents that were folded since DocumentsTurn said turn; if it
// says something else meanwhile nothing is kept. Documents that are kept already are
// replaced, others stay. With upto, all documents of the space hold the entries up
// to there; without, that is not so yet. A power cut may take back what was kept.
func (s *Store) KeepDocuments(space log.SpaceID, turn int, upto map[log.LogID]uint64, docs []KeptDocument) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.DocumentsTurn(space) != turn {
		return nil
	}
	_, err := s.write(false, func(t *tx) error {
		put := func(id []byte, upto map[log.LogID]uint64, body []byte) error {
			heights := encodeHeights(upto)
			return t.c.exec("INSERT OR REPLACE INTO papers(space, doc, heights, body, sum) VALUES(?, ?, ?, ?, ?)", space[:], id, heights, body, keptSum(space, id, heights, body))
		}
		for _, d := range docs {
			if err := put(d.ID[:], d.Upto, d.Body); err != nil {
				return err
			}
		}
		if upto == nil {
			return nil
		}
		return put(allPapers, upto, []byte{})
	})
	return err
}

// KeptDocuments is what is kept of the documents of a space. Where a log does not
// reach as far as they say, or something is damaged, that is nothing.
func (s *Store) KeptDocuments(ctx context.Context, space log.SpaceID) (Kept, error) {
	var k Kept
	sound := true
	counts := s.FilesUpto(space)
	err := s.read(ctx, func(c *conn) error {
		return c.query(ctx, "SELECT doc, heights, body, sum FROM papers WHERE space=?", []any{space[:]}, func(r row) error {
			upto, ok := decodeHeights(r.bytes(1))
			sound = sound && ok && bytes.Equal(r.bytes(3), keptSum(space, r.bytes(0), r.bytes(1), r.bytes(2)))
			for id, seq := range upto {
				sound = sound && seq <= counts[id]
			}
			if len(r.bytes(0)) == len(allPapers) {
				k.Upto = upto
			} else {
				k.Documents = append(k.Documents, KeptDocument{ID: r.id(0), Upto: upto, Body: r.bytes(2)})
			}
			return nil
		})
	})
	if err != nil || !sound || k.Upto == nil {
		return Kept{}, err
	}
	return k, nil
}

// forgetKept drops what is kept of a space's documents.
func (t *tx) forgetKept(space log.SpaceID) error {
	if !slices.Contains(t.unkept, space) {
		t.unkept = append(t.unkept, space)
	}
	return t.c.exec("DELETE FROM papers WHERE space=?", space[:])
}

// encodeHeights writes each log's id and the number as 8 bytes big endian, by log.
func encodeHeights(upto map[log.LogID]uint64) []byte {
	b := []byte{} // never null
	for _, id := range slices.SortedFunc(maps.Keys(upto), func(a, b log.LogID) int { return bytes.Compare(a[:], b[:]) }) {
		b = binary.BigEndian.AppendUint64(append(b, id[:]...), upto[id])
	}
	return b
}

func decodeHeights(b []byte) (upto map[log.LogID]uint64, ok bool) {
	upto = map[log.LogID]uint64{}
	for ; len(b) >= len(log.LogID{})+8; b = b[len(log.LogID{})+8:] {
		upto[log.LogID(b[:len(log.LogID{})])] = binary.BigEndian.Uint64(b[len(log.LogID{}):])
	}
	return upto, len(b) == 0
}

func keptSum(space log.SpaceID, doc, heights, body []byte) []byte {
	h := sha256.New()
	h.Write([]byte("inselnetz/paper/1"))
	h.Write(space[:])
	for _, b := range [][]byte{doc, heights, body} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(b))))
		h.Write(b)
	}
	return h.Sum(nil)[:16]
}
