package access

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"inselnetz/crdt/log"
)

// Limits of the format; an operation that exceeds them is void.
const (
	opVersion = 1
	maxOps    = 64  // operations of one entry
	maxWraps  = 256 // keys of one operation
	maxText   = 256 // bytes of a name
	maxPeer   = 128 // bytes of a peer id
)

// Types of operations. All types below 64 count only if a manager's device
// wrote them, also those of later programs.
const (
	opGenesis = 1
	opAdmit   = 2
)

// genesis founds the workspace. It is the only operation of the entry that the
// workspace is named after.
type genesis struct {
	_      struct{} `cbor:",toarray"`
	Type   uint64
	Office string
	Salt   [16]byte
	Person Person
	Device DeviceCard
	Wraps  []Wrap // one: epoch 1 of the space of all, for Device
}

// admit lets a device in.
type admit struct {
	_      struct{} `cbor:",toarray"`
	Type   uint64
	Device DeviceCard
	Person Person
	Role   Role
	Wraps  []Wrap // for Device
}

// payload is the content of a control entry.
type payload struct {
	_       struct{} `cbor:",toarray"`
	Version uint64
	Ops     []cbor.RawMessage
}

var (
	errVoid    = errors.New("void operation")
	errUnknown = errors.New("operation of a newer program")
)

var (
	enc = must(cbor.EncOptions{Sort: cbor.SortCoreDeterministic, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden}.EncMode())
	// Lists and nesting are bounded by the entry: operations of newer programs must
	// be read as far as their type, whatever they hold, or they would be skipped.
	dec = must(cbor.DecOptions{DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden, MaxNestedLevels: 64, MaxArrayElements: log.MaxEntry, MaxMapPairs: log.MaxEntry, ExtraReturnErrors: cbor.ExtraDecErrorUnknownField}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func encode(v any) []byte { return must(enc.Marshal(v)) } // own fixed types always encode

// checked returns a payload made here, unless it would be void when read.
func checked(payload []byte) ([]byte, error) {
	if _, err := decodePayload(payload); err != nil {
		return nil, err
	}
	return payload, nil
}

func encodePayload(ops ...any) []byte {
	p := payload{Version: opVersion, Ops: []cbor.RawMessage{}}
	for _, op := range ops {
		p.Ops = append(p.Ops, encode(op))
	}
	return encode(p)
}

// decodePayload returns the operations of a control entry, each a *genesis or
// *admit. With errUnknown it returns those before the first unknown one; with
// errVoid none, since no honest program writes such an entry.
func decodePayload(b []byte) ([]any, error) {
	var outer []cbor.RawMessage
	if err := dec.Unmarshal(b, &outer); err != nil || len(outer) == 0 {
		return nil, fmt.Errorf("%w: not a list", errVoid)
	}
	var version uint64
	if err := dec.Unmarshal(outer[0], &version); err != nil {
		return nil, fmt.Errorf("%w: no version", errVoid)
	}
	if version != opVersion {
		return nil, fmt.Errorf("%w: version %d", errUnknown, version)
	}
	var p payload
	if err := dec.Unmarshal(b, &p); err != nil || len(p.Ops) == 0 || len(p.Ops) > maxOps || !bytes.Equal(encode(p), b) {
		return nil, fmt.Errorf("%w: not in canonical form", errVoid)
	}
	ops := make([]any, 0, len(p.Ops))
	var unknown error
	for _, raw := range p.Ops {
		op, err := decodeOp(raw)
		switch {
		case errors.Is(err, errUnknown):
			if unknown == nil {
				unknown = err
			}
		case err != nil:
			return nil, err
		case unknown == nil:
			ops = append(ops, op)
		}
	}
	return ops, unknown
}

func decodeOp(raw []byte) (any, error) {
	var fields []cbor.RawMessage
	var kind uint64
	if err := dec.Unmarshal(raw, &fields); err != nil || len(fields) == 0 || dec.Unmarshal(fields[0], &kind) != nil {
		return nil, fmt.Errorf("%w: no type", errVoid)
	}
	var op interface{ check() error }
	switch kind {
	case opGenesis:
		op = new(genesis)
	case opAdmit:
		op = new(admit)
	default:
		return nil, fmt.Errorf("%w: type %d", errUnknown, kind)
	}
	if err := dec.Unmarshal(raw, op); err != nil || !bytes.Equal(encode(op), raw) {
		return nil, fmt.Errorf("%w: type %d not in canonical form", errVoid, kind)
	}
	if err := op.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", errVoid, err)
	}
	if a, ok := op.(*admit); ok && !a.Role.known() {
		return nil, fmt.Errorf("%w: role %d", errUnknown, a.Role)
	}
	return op, nil
}

func (r Role) known() bool { return r >= Owner && r <= Member }

func (g *genesis) check() error {
	if len(g.Office) > maxText {
		return errors.New("office name too long")
	}
	if len(g.Wraps) != 1 || g.Wraps[0].Space != log.Control || g.Wraps[0].Epoch != 1 {
		return errors.New("genesis must carry the first key of the space of all")
	}
	return errors.Join(g.Person.check(), g.Device.Check())
}

func (a *admit) check() error {
	if len(a.Wraps) > maxWraps {
		return errors.New("too many keys")
	}
	if a.Wraps == nil {
		return errors.New("null list")
	}
	return errors.Join(a.Person.check(), a.Device.Check())
}

func (p Person) check() error {
	if p.ID == (PersonID{}) || len(p.Name) > maxText {
		return errors.New("person without id or with a name too long")
	}
	return nil
}

// SameKeys reports whether both cards are of one device, whatever its name.
func (c DeviceCard) SameKeys(o DeviceCard) bool {
	return c.Sign == o.Sign && c.Box == o.Box && c.Peer == o.Peer
}

// Check reports whether the card can be admitted: usable keys, and texts of
// bounded length. It does not look at how the name reads.
func (c DeviceCard) Check() error {
	if err := c.Sign.Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrCard, err)
	}
	if err := c.Box.check(); err != nil {
		return err
	}
	if c.Peer == "" || len(c.Peer) > maxPeer || len(c.Name) > maxText {
		return fmt.Errorf("%w: peer id or name of wrong length", ErrCard)
	}
	for _, b := range []byte(c.Peer) {
		if b <= ' ' || b > '~' {
			return fmt.Errorf("%w: peer id is not plain text", ErrCard)
		}
	}
	return nil
}
