package access

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"

	"inselnetz/crdt/log"
)

// Limits of the format; an operation that exceeds them is void.
const (
	opVersion    = 1
	maxOps       = 64  // operations of one entry
	maxApprovals = 2   // of one entry
	maxBegins    = 2   // spaces of one entry
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

// newOp returns an empty operation of a type and the number of its fields, nil
// for a type that is not known.
func newOp(kind uint64) (op operation, fields uint64) {
	switch kind {
	case opGenesis:
		return &genesis{Type: kind}, 6
	case opAdmit:
		return &admit{Type: kind}, 5
	case opLower:
		return &lower{Type: kind}, 4
	case opRevoke:
		return &revoke{Type: kind}, 3
	case opCut:
		return &cut{Type: kind}, 3
	case opPropose:
		return &propose{Type: kind}, 2
	case opApprove:
		return &approve{Type: kind}, 4
	case opSpace:
		return &beginSpace{Type: kind}, 6
	case opMembers:
		return &members{Type: kind}, 5
	case opKey:
		return &newKey{Type: kind}, 6
	case opWraps:
		return &moreWraps{Type: kind}, 5
	case opAsk:
		return &ask{Type: kind}, 2
	case opErase:
		return &erase{Type: kind}, 3
	case opUntil:
		return &until{Type: kind}, 3
	case opFacts:
		return &facts{Type: kind}, 2
	case opPolicy:
		return &policy{Type: kind}, 3
	}
	return nil, 0
}

// An operation of a control entry. read reads the fields behind its type; check
// refuses what is void whoever wrote it.
type operation interface {
	read(*reader)
	check() error
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

// facts says how its author's own disk is: 0 unknown, 1 encrypted, 2 not; and 3
// more if the device is meant to stay on.
type facts struct {
	_    struct{} `cbor:",toarray"`
	Type uint64
	Disk uint64
}

// staysOn is what facts.Disk has on top of a device that stays on.
const staysOn = 3

func (g *genesis) read(r *reader) {
	g.Office = r.text()
	r.fill(g.Salt[:])
	r.person(&g.Person)
	r.card(&g.Device)
	g.Wraps = many(r, 1, (*reader).wrap)
}

func (a *admit) read(r *reader) {
	r.card(&a.Device)
	r.person(&a.Person)
	a.Role = Role(r.uint())
	a.Wraps = many(r, maxWraps, (*reader).wrap)
}

func (l *lower) read(r *reader) {
	r.fill(l.Device[:])
	l.Role = Role(r.uint())
	l.Cuts = r.cuts()
}

func (o *revoke) read(r *reader) {
	r.fill(o.Device[:])
	o.Cuts = r.cuts()
}

func (c *cut) read(r *reader) {
	r.fill(c.Device[:])
	c.Cuts = r.cuts()
}

func (p *propose) read(r *reader) {
	r.step(&p.Step)
}

func (a *approve) read(r *reader) {
	r.fill(a.Step[:])
	r.fill(a.Key[:])
	r.fill(a.Sig[:])
}

func (p *policy) read(r *reader) {
	p.Need = r.uint()
	p.Deputies = many(r, maxDeputies, (*reader).deputy)
}

func (u *until) read(r *reader) {
	r.fill(u.Device[:])
	u.Time = r.uint()
}

func (f *facts) read(r *reader) {
	f.Disk = r.uint()
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
	if f.Disk > staysOn+2 {
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
