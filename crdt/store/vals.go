package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"inselnetz/crdt/log"
)

// Get returns a value that Put stored, or ErrNotFound.
func (s *Store) Get(key string) (out []byte, err error) {
	err = s.read(context.Background(), func(c *conn) error {
		r, err := c.get(context.Background(), "SELECT value, version, sum FROM vals WHERE key=?", key)
		if err != nil {
			return err
		}
		if string(valueSum(key, r.uint(1), r.bytes(0))) != string(r.bytes(2)) {
			return fmt.Errorf("%w: value of %q", ErrDamaged, key)
		}
		if r[0] == nil {
			return ErrNotFound
		}
		out = append([]byte{}, r.bytes(0)...)
		return nil
	})
	return out, err
}

// Put stores a small value and returns when it is safe on disk. A nil value
// removes it.
func (s *Store) Put(key string, v []byte) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	_, err := s.write(true, func(t *tx) error {
		version := uint64(1)
		if r, err := t.c.get(context.Background(), "SELECT max(version) FROM vals"); err != nil {
			return err
		} else if r[0] != nil {
			version = r.uint(0) + 1
		}
		return t.put(key, version, v)
	})
	return err
}

// put stores a value. Each has a higher version than all before it, so that
// the newest can be told when the file is damaged.
func (t *tx) put(key string, version uint64, v []byte) error {
	var value any
	if v != nil {
		value = v
	}
	return t.c.exec("INSERT OR REPLACE INTO vals(key, version, value, sum) VALUES(?, ?, ?, ?)", key, version, value, valueSum(key, version, v))
}

func valueSum(key string, version uint64, v []byte) []byte {
	h := sha256.New()
	h.Write([]byte("inselnetz/value/1"))
	h.Write(binary.BigEndian.AppendUint64(nil, version))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(key))))
	h.Write([]byte(key))
	if v != nil {
		h.Write([]byte{1})
	}
	h.Write(v)
	return h.Sum(nil)[:16]
}

const cardLen = 32 + 16 + 32 + 16

// encodeCard returns workspace ‖ space ‖ device ‖ incarnation.
func encodeCard(c log.Card) []byte {
	b := append(make([]byte, 0, cardLen), c.Workspace[:]...)
	b = append(b, c.Space[:]...)
	b = append(b, c.Device[:]...)
	return append(b, c.Incarnation[:]...)
}

func decodeCard(b []byte) (c log.Card, ok bool) {
	if len(b) != cardLen {
		return c, false
	}
	copy(c.Workspace[:], b)
	copy(c.Space[:], b[32:])
	copy(c.Device[:], b[48:])
	copy(c.Incarnation[:], b[80:])
	return c, true
}

func encodeProof(p log.ForkProof) ([]byte, error) { return cbor.Marshal(p) }

// Forks returns the proofs found so far.
func (s *Store) Forks(ctx context.Context) ([]Fork, error) {
	var out []Fork
	err := s.read(ctx, func(c *conn) error {
		return c.query(ctx, "SELECT log, seq, proof FROM forks ORDER BY log, seq", nil, func(r row) error {
			s.mu.RLock()
			lg := s.byID[r.int(0)]
			s.mu.RUnlock()
			f := Fork{Seq: r.uint(1)}
			if lg == nil || cbor.Unmarshal(r.bytes(2), &f.Proof) != nil {
				return fmt.Errorf("%w: proof of a fork", ErrDamaged)
			}
			f.Card = lg.card
			out = append(out, f)
			return nil
		})
	})
	return out, err
}
