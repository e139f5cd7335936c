package access

import (
	"bytes"
	"crypto/sha256"
	"errors"

	"inselnetz/crdt/log"
)

// beginSpace begins a named or direct space.
type beginSpace struct {
	_       struct{} `cbor:",toarray"`
	Type    uint64
	Salt    [16]byte // makes the id of a named space; zero for a direct one
	Kind    SpaceKind
	Name    []byte // sealed, see sealName; empty for a direct space
	Members []member
	Key     firstKey
}

// firstKey is the key of epoch 1 of a space that begins.
type firstKey struct {
	_     struct{} `cbor:",toarray"`
	ID    log.KeyID
	Wraps []deviceWrap
}

// members changes who belongs to a named space, or its name.
type members struct {
	_      struct{} `cbor:",toarray"`
	Type   uint64
	Space  log.SpaceID
	Name   []byte // sealed; empty leaves it
	Set    []member
	Remove []leaver
}

type member struct {
	_      struct{} `cbor:",toarray"`
	Person PersonID
	Level  Level
}

// A leaver is a person removed from a space; its devices' logs in the space
// count up to the cuts.
type leaver struct {
	_      struct{} `cbor:",toarray"`
	Person PersonID
	Cuts   []Cut
}

// newKey announces the key of a new epoch. The zero space is that of all.
type newKey struct {
	_     struct{} `cbor:",toarray"`
	Type  uint64
	Space log.SpaceID
	Epoch uint64
	ID    log.KeyID
	Prevs []oldKey
	Wraps []deviceWrap
}

// An oldKey is a key of an earlier epoch, sealed under a new one.
type oldKey struct {
	_      struct{} `cbor:",toarray"`
	ID     log.KeyID
	Sealed [72]byte // nonce (24), ciphertext (32), tag (16)
}

// A deviceWrap is the key of the operation it stands in, sealed to a device.
type deviceWrap struct {
	_      struct{} `cbor:",toarray"`
	Device log.DeviceID
	Sealed [80]byte
}

// moreWraps gives a key to further devices.
type moreWraps struct {
	_     struct{} `cbor:",toarray"`
	Type  uint64
	Space log.SpaceID
	Epoch uint64
	ID    log.KeyID
	Wraps []deviceWrap
}

// ask says that its author cannot open keys that it should.
type ask struct {
	_    struct{} `cbor:",toarray"`
	Type uint64
	Keys []log.KeyID
}

// erase says that the payloads of content entries are to be dropped. The zero
// space is that of all.
type erase struct {
	_     struct{} `cbor:",toarray"`
	Type  uint64
	Space log.SpaceID
	Refs  []erasedRef
}

type erasedRef struct {
	_           struct{} `cbor:",toarray"`
	Device      log.DeviceID
	Incarnation log.Incarnation
	Seq         uint64
	Hash        log.Hash
}

func (s *beginSpace) read(r *reader) {
	r.fill(s.Salt[:])
	s.Kind = SpaceKind(r.uint())
	s.Name = r.bytes()
	s.Members = many(r, maxMembers, (*reader).member)
	r.array(2)
	r.fill(s.Key.ID[:])
	s.Key.Wraps = many(r, maxWraps, (*reader).deviceWrap)
}

func (m *members) read(r *reader) {
	r.fill(m.Space[:])
	m.Name = r.bytes()
	m.Set = many(r, maxMembers, (*reader).member)
	m.Remove = many(r, maxMembers, (*reader).leaver)
}

func (k *newKey) read(r *reader) {
	r.fill(k.Space[:])
	k.Epoch = r.uint()
	r.fill(k.ID[:])
	k.Prevs = many(r, maxPrevs, (*reader).oldKey)
	k.Wraps = many(r, maxWraps, (*reader).deviceWrap)
}

func (w *moreWraps) read(r *reader) {
	r.fill(w.Space[:])
	w.Epoch = r.uint()
	r.fill(w.ID[:])
	w.Wraps = many(r, maxWraps, (*reader).deviceWrap)
}

func (a *ask) read(r *reader) {
	a.Keys = many(r, maxAsked, (*reader).keyID)
}

func (e *erase) read(r *reader) {
	r.fill(e.Space[:])
	e.Refs = many(r, maxErased, (*reader).erasedRef)
}

func (s *beginSpace) check() error {
	if err := errors.Join(checkMembers(s.Members), checkWraps(s.Key.Wraps)); err != nil {
		return err
	}
	switch s.Kind {
	case Named:
		return checkSealedName(s.Name)
	case Direct:
		if s.Salt != ([16]byte{}) || len(s.Name) != 0 || len(s.Members) != 2 || s.Members[0].Level != Write || s.Members[1].Level != Write {
			return errors.New("a direct space has no salt, no name and two members who write")
		}
		return nil
	}
	return errors.New("space of an unknown kind")
}

func (m *members) check() error {
	if m.Space == log.Control || m.Space == Network {
		return errors.New("members of this space are not chosen")
	}
	if len(m.Name) > 0 {
		if err := checkSealedName(m.Name); err != nil {
			return err
		}
	}
	if len(m.Name) == 0 && len(m.Set) == 0 && len(m.Remove) == 0 {
		return errors.New("nothing changes")
	}
	if err := errors.Join(checkMembers(m.Set), checkList(len(m.Remove), maxMembers, m.Remove == nil)); err != nil {
		return err
	}
	for i, l := range m.Remove {
		if i > 0 && bytes.Compare(m.Remove[i-1].Person[:], l.Person[:]) >= 0 {
			return errors.New("leavers not ascending")
		}
		if err := checkCuts(l.Cuts); err != nil {
			return err
		}
	}
	return nil
}

// checkMembers wants persons ascending, each once, with levels that are known.
func checkMembers(all []member) error {
	if err := checkList(len(all), maxMembers, all == nil); err != nil {
		return err
	}
	for i, m := range all {
		switch {
		case i > 0 && bytes.Compare(all[i-1].Person[:], m.Person[:]) >= 0, m.Person == PersonID{}:
			return errors.New("members not ascending")
		case m.Level < Manage || m.Level > Read:
			return errors.New("unknown level")
		}
	}
	return nil
}

func checkSealedName(b []byte) error {
	if len(b) < nameOverhead || len(b) > maxSealed {
		return errors.New("sealed name of wrong length")
	}
	return nil
}

func checkWraps(all []deviceWrap) error { return checkList(len(all), maxWraps, all == nil) }

func (k *newKey) check() error {
	if k.Space == Network || k.Epoch < 2 || k.Epoch > maxEpoch || len(k.Prevs) == 0 {
		return errors.New("a new key needs a space, an epoch above 1 and keys before it")
	}
	for i, p := range k.Prevs {
		if i > 0 && bytes.Compare(k.Prevs[i-1].ID[:], p.ID[:]) >= 0 {
			return errors.New("keys before not ascending")
		}
	}
	return errors.Join(checkList(len(k.Prevs), maxPrevs, false), checkWraps(k.Wraps))
}

func (w *moreWraps) check() error {
	if w.Epoch < 1 || w.Epoch > maxEpoch {
		return errors.New("epoch out of range")
	}
	return checkWraps(w.Wraps)
}

func (a *ask) check() error { return checkList(len(a.Keys), maxAsked, a.Keys == nil) }

func (e *erase) check() error {
	if err := checkList(len(e.Refs), maxErased, e.Refs == nil); err != nil {
		return err
	}
	for _, r := range e.Refs {
		if r.Seq < 1 || r.Seq > log.MaxSeq {
			return errors.New("sequence number out of range")
		}
	}
	return nil
}

// id returns the id of the space that device begins.
func (s *beginSpace) id(w log.WorkspaceID, device log.DeviceID) log.SpaceID {
	if s.Kind == Direct {
		return DirectID(w, s.Members[0].Person, s.Members[1].Person)
	}
	return namedID(w, device, s.Salt)
}

func namedID(w log.WorkspaceID, device log.DeviceID, salt [16]byte) log.SpaceID {
	b := append([]byte("inselnetz/space/1"), w[:]...)
	b = append(b, device[:]...)
	h := sha256.Sum256(append(b, salt[:]...))
	return log.SpaceID(h[:16])
}

// DirectID returns the id of the direct space of two persons.
func DirectID(w log.WorkspaceID, a, b PersonID) log.SpaceID {
	if bytes.Compare(a[:], b[:]) > 0 {
		a, b = b, a
	}
	buf := append([]byte("inselnetz/direct/1"), w[:]...)
	buf = append(buf, a[:]...)
	h := sha256.Sum256(append(buf, b[:]...))
	return log.SpaceID(h[:16])
}
