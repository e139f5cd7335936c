package access

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"inselnetz/crdt/log"
)

// A StepID names a step of the deputies in one workspace.
type StepID [32]byte

// A Policy says how many of which deputies decide together.
type Policy struct {
	_        struct{} `cbor:",toarray"`
	Need     uint64   // more than half of the deputies
	Deputies []Deputy
}

// A Deputy is a person with a voice in recovery, or the printed kit.
type Deputy struct {
	_      struct{}       `cbor:",toarray"`
	Person PersonID       // zero: the kit
	Keys   []log.DeviceID // any of them speaks for the deputy
	Box    BoxKey         // the kit's; zero for persons
}

// Kit reports whether the deputy is a recovery kit.
func (d Deputy) Kit() bool { return d.Person == PersonID{} }

// A Step is what deputies decide at once. Steps are a chain.
type Step struct {
	_          struct{} `cbor:",toarray"`
	Generation uint64   // place in the chain, from 1
	Previous   StepID   // the step before it; in the first one the workspace id
	Policy     *Policy  // the one from then on; nil leaves it
	Remove     []StepRemoval
	Owners     []StepOwner
	Access     []StepAccess
}

// A StepRemoval removes a device for ever; its logs count up to the cuts.
type StepRemoval struct {
	_      struct{} `cbor:",toarray"`
	Device log.DeviceID
	Cuts   []Cut
}

// A StepOwner makes a device an owner's.
type StepOwner struct {
	_      struct{} `cbor:",toarray"`
	Card   DeviceCard
	Person Person
}

// A StepAccess lets a person manage a space.
type StepAccess struct {
	_      struct{} `cbor:",toarray"`
	Space  log.SpaceID
	Person PersonID
}

// id returns SHA-256("inselnetz/step/1" ‖ workspace id ‖ step).
func (s Step) id(w log.WorkspaceID) StepID {
	b := append([]byte("inselnetz/step/1"), w[:]...)
	return sha256.Sum256(append(b, encode(s)...))
}

// approvalText is what an approval signs.
func approvalText(id StepID) []byte { return append([]byte("inselnetz/approve/1"), id[:]...) }

// policyOnly reports whether the step changes the policy and nothing else.
func (s Step) policyOnly() bool {
	return s.Policy != nil && len(s.Remove)+len(s.Owners)+len(s.Access) == 0
}

func (s Step) check() error {
	if s.Generation < 1 || s.Generation > log.MaxSeq {
		return errors.New("generation out of range")
	}
	for _, err := range []error{
		checkList(len(s.Remove), maxStep, s.Remove == nil),
		checkList(len(s.Owners), maxStep, s.Owners == nil),
		checkList(len(s.Access), maxStep, s.Access == nil),
	} {
		if err != nil {
			return err
		}
	}
	if s.Policy == nil && len(s.Remove)+len(s.Owners)+len(s.Access) == 0 {
		return errors.New("a step that changes nothing")
	}
	if s.Policy != nil {
		if err := s.Policy.check(); err != nil {
			return err
		}
	}
	for _, r := range s.Remove {
		if err := checkCuts(r.Cuts); err != nil {
			return err
		}
	}
	for _, o := range s.Owners {
		if err := errors.Join(o.Card.Check(), o.Person.check()); err != nil {
			return err
		}
	}
	return nil
}

// check wants 1 to 16 deputies of distinct persons and keys, more than half of
// whom are needed.
func (p Policy) check() error {
	bad := func(what string) error { return fmt.Errorf("%w: %s", ErrPolicy, what) }
	n := uint64(len(p.Deputies))
	if n < 1 || n > maxDeputies || p.Need > n || 2*p.Need <= n {
		return bad("more than half of 1 to 16 deputies are needed")
	}
	var people []PersonID
	var keys []log.DeviceID
	for _, d := range p.Deputies {
		if slices.Contains(people, d.Person) {
			return bad("a deputy twice")
		}
		people = append(people, d.Person)
		if len(d.Keys) < 1 || len(d.Keys) > maxKeys {
			return bad("a deputy has 1 to 8 keys")
		}
		for _, k := range d.Keys {
			if slices.Contains(keys, k) || k.Check() != nil {
				return bad("a key is weak or there twice")
			}
			keys = append(keys, k)
		}
		switch {
		case d.Kit() && d.Box.check() != nil:
			return bad("the kit's box key")
		case !d.Kit() && d.Box != BoxKey{}:
			return bad("persons have no box key")
		}
	}
	return nil
}

// deputy returns the index of the deputy that key speaks for, or -1.
func (p Policy) deputy(key log.DeviceID) int {
	return slices.IndexFunc(p.Deputies, func(d Deputy) bool { return slices.Contains(d.Keys, key) })
}

// kit returns the recovery kit of the policy.
func (p Policy) kit() (Deputy, bool) {
	for _, d := range p.Deputies {
		if d.Kit() {
			return d, true
		}
	}
	return Deputy{}, false
}

// A StepState is a step and who approved it.
type StepState struct {
	ID       StepID
	Step     Step
	Accepted bool
	By       []PersonID // deputies that approved, in the policy's order; zero is the kit
	Owner    bool       // an owner approved, which suffices for a policy beside one deputy
	Need     int        // approvals of deputies that suffice
	Proposer log.DeviceID
	Clock    log.HLC // of the proposal
}
