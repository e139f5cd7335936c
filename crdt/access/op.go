package access

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"inselnetz/crdt/log"
)

// Limits of the format; an operation that exceeds them is void.
const (
	opVersion    = 1
	maxOps       = 64  // operations of one entry
	maxApprovals = 2   // of one entry
	maxWraps     = 400 // keys of one operation
	maxCuts      = 512 // cuts of one device, or of one person
	maxMembers   = 512 // persons set or removed by one operation
	maxPrevs     = 64  // keys that one key replaces
	maxAsked     = 256 // keys asked for at once
	maxErased    = 512 // entries erased by one operation
	maxStep      = 64  // devices removed, owners and accesses of one step
	maxDeputies  = 16
	maxKeys      = 8       // signing keys of one deputy
	maxText      = 256     // bytes of a name
	maxSealed    = 512     // bytes of a sealed name
	maxPeer      = 128     // bytes of a peer id
	maxEpoch     = 1 << 48 // highest number of an epoch
)

// Types of operations. All types below 64 stop the control space if a manager's
// device wrote them and this program does not know them.
const (
	opGenesis = 1
	opAdmit   = 2
	opLower   = 3
	opRevoke  = 4
	opCut     = 5
	opPropose = 6
	opApprove = 7
	opSpace   = 8
	opMembers = 9
	opKey     = 10
	opWraps   = 11
	opAsk     = 12
	opErase   = 13
	opUntil   = 14
	opFacts   = 15
	opPolicy  = 16
)

// newOp returns an empty operation of a type, nil for a type that is not known.
func newOp(kind uint64) operation {
	switch kind {
	case opGenesis:
		return new(genesis)
	case opAdmit:
		return new(admit)
	case opLower:
		return new(lower)
	case opRevoke:
		return new(revoke)
	case opCut:
		return new(cut)
	case opPropose:
		return new(propose)
	case opApprove:
		return new(approve)
	case opSpace:
		return new(beginSpace)
	case opMembers:
		return new(members)
	case opKey:
		return new(newKey)
	case opWraps:
		return new(moreWraps)
	case opAsk:
		return new(ask)
	case opErase:
		return new(erase)
	case opUntil:
		return new(until)
	case opFacts:
		return new(facts)
	case opPolicy:
		return new(policy)
	}
	return nil
}

// An operation of a control entry. check refuses what is void whoever wrote it.
type operation interface{ check() error }

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

// decodePayload returns the operations of a control entry, each a pointer to
// one of the types of this package. With errUnknown it returns those before the
// first unknown one; with errVoid none, since no honest program writes such an
// entry.
func decodePayload(b []byte) ([]operation, error) {
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
	ops := make([]operation, 0, len(p.Ops))
	approvals := 0
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
		// Each costs a signature to check.
		if _, ok := op.(*approve); ok {
			approvals++
		}
	}
	if approvals > maxApprovals {
		return nil, fmt.Errorf("%w: %d approvals", errVoid, approvals)
	}
	return ops, unknown
}

func decodeOp(raw []byte) (operation, error) {
	var fields []cbor.RawMessage
	var kind uint64
	if err := dec.Unmarshal(raw, &fields); err != nil || len(fields) == 0 || dec.Unmarshal(fields[0], &kind) != nil {
		return nil, fmt.Errorf("%w: no type", errVoid)
	}
	op := newOp(kind)
	if op == nil {
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
	if l, ok := op.(*lower); ok && !l.Role.known() {
		return nil, fmt.Errorf("%w: role %d", errUnknown, l.Role)
	}
	return op, nil
}

func (r Role) known() bool { return r >= Owner && r <= Carrier }

// genesis founds the workspace. It is the first operation of the entry that the
// workspace is named after; only a policy may stand beside it.
type genesis struct {
	_      struct{} `cbor:",toarray"`
	Type   uint64
	Office string
	Salt   [16]byte
	Person Person
	Device DeviceCard
	Wraps  []Wrap // one: epoch 1 of the space of all, for Device
}

// admit lets a device in, or gives one that is in a higher role.
type admit struct {
	_      struct{} `cbor:",toarray"`
	Type   uint64
	Device DeviceCard
	Person Person
	Role   Role
	Wraps  []Wrap // for Device
}

// lower takes power from a device. Its control logs count up to the cuts.
type lower struct {
	_      struct{} `cbor:",toarray"`
	Type   uint64
	Device log.DeviceID
	Role   Role
	Cuts   []Cut
}

// revoke removes a device for ever. All its logs count up to the cuts.
type revoke struct {
	_      struct{} `cbor:",toarray"`
	Type   uint64
	Device log.DeviceID
	Cuts   []Cut
}

// cut says where logs of a device end.
type cut struct {
	_      struct{} `cbor:",toarray"`
	Type   uint64
	Device log.DeviceID
	Cuts   []Cut
}

// propose puts a step before the deputies.
type propose struct {
	_    struct{} `cbor:",toarray"`
	Type uint64
	Step Step
}

// approve says yes to a step; Sig is by Key over "inselnetz/approve/1" ‖ step id.
type approve struct {
	_    struct{} `cbor:",toarray"`
	Type uint64
	Step StepID
	Key  log.DeviceID
	Sig  [64]byte
}

// policy names the deputies a workspace begins with.
type policy struct {
	_        struct{} `cbor:",toarray"`
	Type     uint64
	Need     uint64
	Deputies []Deputy
}

// until says when a guest's access ends, in milliseconds since 1970; 0 is never.
type until struct {
	_      struct{} `cbor:",toarray"`
	Type   uint64
	Device log.DeviceID
	Time   uint64
}

// facts says how its author's own disk is: 0 unknown, 1 encrypted, 2 not.
type facts struct {
	_    struct{} `cbor:",toarray"`
	Type uint64
	Disk uint64
}

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
	if err := checkList(len(a.Wraps), maxWraps, a.Wraps == nil); err != nil {
		return err
	}
	return errors.Join(a.Person.check(), a.Device.Check())
}

func (l *lower) check() error {
	if l.Role == Owner {
		return errors.New("nobody is lowered to owner")
	}
	return checkCuts(l.Cuts)
}

func (r *revoke) check() error { return checkCuts(r.Cuts) }

func (c *cut) check() error {
	if len(c.Cuts) == 0 {
		return errors.New("no cut")
	}
	return checkCuts(c.Cuts)
}

func (p *propose) check() error { return p.Step.check() }
func (a *approve) check() error { return nil }
func (p *policy) check() error  { return p.policy().check() }

func (p *policy) policy() Policy { return Policy{Need: p.Need, Deputies: p.Deputies} }

func (u *until) check() error {
	if u.Time > 1<<53 {
		return errors.New("time out of range")
	}
	return nil
}

func (f *facts) check() error {
	if f.Disk > 2 {
		return errors.New("disk is neither unknown nor encrypted nor not")
	}
	return nil
}

// checkList refuses a list that is null or longer than most.
func checkList(n, most int, null bool) error {
	switch {
	case null:
		return errors.New("null list")
	case n > most:
		return fmt.Errorf("list of %d, at most %d", n, most)
	}
	return nil
}

// checkCuts wants cuts ascending by space and log, one a log.
func checkCuts(cuts []Cut) error {
	if err := checkList(len(cuts), maxCuts, cuts == nil); err != nil {
		return err
	}
	for i, c := range cuts {
		switch {
		case i > 0 && compareCuts(cuts[i-1], c) >= 0:
			return errors.New("cuts not ascending")
		case c.Seq > log.MaxSeq || (c.Seq == 0) != (c.Hash == log.Hash{}) || c.Log == log.LogID{} && c.Seq != 0:
			return errors.New("cut out of range")
		}
	}
	return nil
}

func compareCuts(a, b Cut) int {
	return cmp.Or(bytes.Compare(a.Space[:], b.Space[:]), bytes.Compare(a.Log[:], b.Log[:]))
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
