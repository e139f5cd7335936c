package pairing

import (
	"bytes"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

// Limits inside a Welcome. An office of 50 people that changes something every
// day stays below them for a lifetime; what its age costs is sent once.
const (
	maxWelcomed = 64 << 20 // bytes
	maxEntries  = 100_000
	maxAddrs    = 16
	maxAddr     = 256 // bytes
	pieceSize   = MaxWelcome - 64
)

type welcome struct {
	_       struct{} `cbor:",toarray"`
	Version uint64
	Type    uint64 // typeWelcome, or typePiece for all but the last one
	Sealed  []byte // a piece of the HPKE of welcomed to the joiner's box key
}

// welcomed is what a Welcome holds inside.
type welcomed struct {
	_         struct{} `cbor:",toarray"`
	Workspace log.WorkspaceID
	Admission log.Hash // of the entry that admits the joiner
	Entries   []authored
	Addrs     []string
}

type authored struct {
	_     struct{} `cbor:",toarray"`
	Card  log.Card
	Entry []byte
}

var decWelcomed = must(cbor.DecOptions{DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden, MaxNestedLevels: 8, MaxArrayElements: 1 << 17, MaxMapPairs: 16, ExtraReturnErrors: cbor.ExtraDecErrorUnknownField}.DecMode())

// welcomeMessages returns the Welcome for a joiner that entry admits in s, by
// the device with this card. All of the control space that counts goes with it:
// the newcomer must know who was removed and whom deputies made owner, and a part
// of a log counts for nothing without its beginning. Sync brings the rest.
func welcomeMessages(s *access.State, to Offer, card access.DeviceCard, said transcript, entry log.Hash, addrs []string) ([][]byte, error) {
	joiner, inviter := s.Devices[to.Device.Sign], s.Devices[card.Sign]
	if !joiner.Card.SameKeys(to.Device) || joiner.Entry != entry {
		return nil, fmt.Errorf("%w: entry does not admit it", ErrWelcome)
	}
	in := welcomed{Workspace: s.Workspace, Admission: entry, Entries: []authored{}, Addrs: []string{}}
	for _, a := range s.Closure(append(s.HeadHashes(), entry, inviter.Entry)...) {
		in.Entries = append(in.Entries, authored{Card: a.Card, Entry: a.Entry.Bytes()})
	}
	for _, a := range addrs {
		if len(a) <= maxAddr && len(in.Addrs) < maxAddrs {
			in.Addrs = append(in.Addrs, a)
		}
	}
	plain := encode(in)
	if len(plain) > maxWelcomed-128 || len(in.Entries) > maxEntries {
		return nil, fmt.Errorf("%w: %d entries, %d bytes", ErrTooLarge, len(in.Entries), len(plain))
	}
	sealed, err := access.Seal(to.Device.Box, said.welcomeInfo(), plain)
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for len(sealed) > pieceSize {
		out = append(out, encode(welcome{Version: version, Type: typePiece, Sealed: sealed[:pieceSize]}))
		sealed = sealed[pieceSize:]
	}
	return append(out, encode(welcome{Version: version, Type: typeWelcome, Sealed: sealed})), nil
}

// inWelcome gathers the pieces of a Welcome.
type inWelcome struct{ sealed []byte }

// take takes one message. It returns ErrMore after each but the last.
func (w *inWelcome) take(b []byte, secret access.BoxSecret, said transcript) (welcomed, error) {
	kind := uint64(typeWelcome)
	if len(b) <= MaxWelcome {
		if _, t, err := head(b); err == nil && t == typePiece {
			kind = typePiece
		}
	}
	var m welcome
	if err := decode(b, kind, &m); err != nil {
		return welcomed{}, err
	}
	switch {
	case kind == typePiece && len(m.Sealed) != pieceSize:
		return welcomed{}, fmt.Errorf("%w: piece of %d bytes", ErrMalformed, len(m.Sealed))
	case len(w.sealed)+len(m.Sealed) > maxWelcomed:
		return welcomed{}, fmt.Errorf("%w: welcome without end", ErrMalformed)
	}
	w.sealed = append(w.sealed, m.Sealed...)
	if kind == typePiece {
		return welcomed{}, ErrMore
	}
	plain, err := access.Open(secret, said.welcomeInfo(), w.sealed)
	if err != nil {
		return welcomed{}, fmt.Errorf("%w: %w", ErrWelcome, err)
	}
	w.sealed = nil
	return decodeWelcomed(plain)
}

// decodeWelcomed reads the inside of a Welcome.
func decodeWelcomed(plain []byte) (welcomed, error) {
	var in welcomed
	if err := decWelcomed.Unmarshal(plain, &in); err != nil || !bytes.Equal(encode(in), plain) {
		return in, fmt.Errorf("%w: inside not in canonical form", ErrMalformed)
	}
	if len(in.Entries) > maxEntries || len(in.Addrs) > maxAddrs || in.Entries == nil || in.Addrs == nil {
		return in, fmt.Errorf("%w: lists inside a welcome", ErrMalformed)
	}
	for _, a := range in.Addrs {
		if len(a) > maxAddr {
			return in, fmt.Errorf("%w: address too long", ErrMalformed)
		}
	}
	return in, nil
}

// examine checks that what the inviter sent admits exactly this device, that the
// inviter may let in, and that the keys are there. inviter finds the device that
// was spoken with. Names and persons are not compared: the inviter may know the
// person already, from another device of theirs, and a device that missed its
// first welcome may ask again, of another admin and with its name typed better,
// while its admission stands.
func examine(in welcomed, offer Offer, secret access.BoxSecret, inviter func(*access.State) (access.Device, bool)) (Result, error) {
	r := Result{Workspace: in.Workspace, Addrs: in.Addrs}
	for _, a := range in.Entries {
		e, err := log.Decode(a.Entry)
		if err != nil {
			return r, fmt.Errorf("%w: %w", ErrWelcome, err)
		}
		if err := a.Card.Device.Check(); err != nil {
			return r, fmt.Errorf("%w: %w", ErrWelcome, err)
		}
		if e.Log != a.Card.ID() || e.Verify(a.Card.Device) != nil {
			return r, fmt.Errorf("%w: entry not by its author", ErrWelcome)
		}
		r.Entries = append(r.Entries, access.Authored{Card: a.Card, Entry: e})
	}
	r.State = access.Resolve(in.Workspace, r.Entries)
	self, ok := r.State.Devices[offer.Device.Sign]
	by, found := inviter(r.State)
	switch {
	case r.State.Stopped:
		return r, fmt.Errorf("%w: %w", ErrWelcome, access.ErrStopped)
	case !r.State.Founded:
		return r, fmt.Errorf("%w: no genesis", ErrWelcome)
	case !ok || self.Entry != in.Admission:
		return r, fmt.Errorf("%w: not admitted", ErrWelcome)
	case !self.Card.SameKeys(offer.Device):
		return r, fmt.Errorf("%w: admitted with other keys", ErrWelcome)
	case !found || !r.State.CanInvite(by.Card.Sign):
		return r, fmt.Errorf("%w: the device we spoke with may not let in", ErrWelcome)
	}
	r.Inviter, r.Role, r.Person = by.Card, self.Role, r.State.People[self.Person]
	r.Keys = r.State.Keys(secret)
	if !r.holds(self.Role) {
		return r, fmt.Errorf("%w: %w", ErrWelcome, access.ErrNoKeys)
	}
	return r, nil
}

// holds reports whether the device got a key by which other devices know it: one
// of the space of all, or for guests and carriers a network key. It need not be
// the newest: whoever asks again for its welcome was admitted under an older one,
// and is given the newer ones by sync.
func (r Result) holds(role access.Role) bool {
	space := log.Everyone(r.Workspace)
	if role > access.Member {
		space = access.Network
	}
	for _, k := range r.Keys {
		if k.Space == space {
			return true
		}
	}
	return false
}
