package store

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
)

var (
	bg      = context.Background()
	office  = log.WorkspaceID{7}
	space   = log.Everyone(office)
	baseMs  = int64(1_790_000_000_000)
	someKey = log.Key{1, 2, 3}
)

// plainReader reads payloads that are not encrypted, of devices whose person
// is the first half of their key.
type plainReader struct {
	noLimits
	locked  map[log.LogID]bool    // logs whose key is not known
	unknown map[log.DeviceID]bool // devices whose person is not known
}

// noLimits is the part of a Reader for which logs have no end and nothing is
// erased.
type noLimits struct{}

func (noLimits) Limit(log.Card) (log.Height, bool)        { return log.Height{}, false }
func (noLimits) Erased(log.Card, uint64, log.Hash) bool   { return false }
func (noLimits) Stripped(log.Card, uint64, log.Hash) bool { return false }
func (noLimits) ErasedRefs() []Ref                        { return nil }

func (r plainReader) Plain(card log.Card, e *log.Entry) ([]byte, error) {
	if r.locked[e.Log] {
		return nil, ErrNoKey
	}
	return e.Payload, nil
}

func (r plainReader) Person(d log.DeviceID) (chat.PersonID, bool) {
	return personOf(d), !r.unknown[d]
}

func personOf(d log.DeviceID) chat.PersonID { return chat.PersonID(d[:16]) }

// sealedReader decrypts, as the program does.
type sealedReader struct{ noLimits }

func (sealedReader) Plain(card log.Card, e *log.Entry) ([]byte, error) {
	return log.Open(someKey, card.Workspace, &e.Header, e.Payload)
}

func (sealedReader) Person(d log.DeviceID) (chat.PersonID, bool) { return personOf(d), true }

// An author writes one log.
type author struct {
	key  ed25519.PrivateKey
	card log.Card
	last log.Height
	hlc  log.HLC
	all  []*log.Entry
}

func newAuthor(n int) *author {
	seed := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("author"), uint64(n)))
	key := ed25519.NewKeyFromSeed(seed[:])
	return &author{key: key, card: log.Card{Workspace: office, Space: space, Device: log.DeviceOf(key)}}
}

func (a *author) in(s log.SpaceID) *author {
	a.card.Space = s
	return a
}

func (a *author) person() chat.PersonID { return personOf(a.card.Device) }

func (a *author) id(seq uint64, n uint32) chat.MsgID {
	return chat.MsgID{Log: a.card.ID(), Seq: seq, N: n}
}

// write makes the next entry at a clock in ms.
func (a *author) write(t testing.TB, ms int64, deps []log.Dep, ops ...chat.Op) *log.Entry {
	t.Helper()
	a.hlc = log.Tick(ms, a.hlc, 0)
	return a.writeAt(t, a.hlc, deps, ops...)
}

func (a *author) writeAt(t testing.TB, clock log.HLC, deps []log.Dep, ops ...chat.Op) *log.Entry {
	t.Helper()
	payload, err := chat.Encode(ops)
	if err != nil {
		t.Fatal(err)
	}
	return a.raw(t, clock, deps, payload)
}

func (a *author) raw(t testing.TB, clock log.HLC, deps []log.Dep, payload []byte) *log.Entry {
	t.Helper()
	e, err := log.New(a.key, log.Header{Log: a.card.ID(), Seq: a.last.Seq + 1, Prev: a.last.Hash, HLC: clock, Deps: deps, Kind: log.KindChat}, payload)
	if err != nil {
		t.Fatal(err)
	}
	a.hlc = clock
	a.last = log.Height{Seq: e.Seq, Hash: e.Hash()}
	a.all = append(a.all, e)
	return e
}

func openStore(t testing.TB, dir string, r Reader) *Store {
	t.Helper()
	s, _, err := Open(dir, Options{Unsafe: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if r != nil {
		if err := s.Use(bg, r); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func mustImport(t testing.TB, s *Store, card log.Card, es ...*log.Entry) Applied {
	t.Helper()
	a, err := s.Import(bg, card, es, false)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// words returns a text of n words out of a vocabulary in which a few words are
// common and most are rare, as in real talk.
func words(r *rand.Rand, n int) string {
	b := make([]byte, 0, n*8)
	for i := range n {
		if i > 0 {
			b = append(b, ' ')
		}
		x := r.Float64()
		b = fmt.Appendf(b, "wort%d", int(20000*x*x*x))
	}
	return string(b)
}

// allChannels returns the channels of all spaces, space by space.
func allChannels(s *Store, me chat.PersonID) ([]ChannelRow, error) {
	var out []ChannelRow
	for _, space := range s.Spaces() {
		if space == log.Control {
			continue
		}
		rows, err := s.Channels(bg, space, me)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}
