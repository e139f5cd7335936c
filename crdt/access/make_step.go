package access

import (
	"bytes"
	"crypto/ed25519"
	"maps"
	"slices"

	"inselnetz/crdt/log"
)

// StepInput is what to put before the deputies.
type StepInput struct {
	Policy *Policy                // nil leaves it
	Remove map[log.DeviceID][]Cut // with the last entries known; those of the control space need not be among them
	Owners []StepOwner
	Access map[log.SpaceID]PersonID
}

// Propose returns the payload that puts a step before the deputies, and its
// name. Any device that is in may write it.
func (s *State) Propose(in StepInput) ([]byte, StepID, error) {
	if s.Stopped {
		return nil, StepID{}, ErrStopped
	}
	if len(s.policy.Deputies) == 0 {
		return nil, StepID{}, ErrPolicy
	}
	step := Step{Generation: 1, Previous: StepID(s.Workspace), Policy: in.Policy, Remove: []StepRemoval{}, Owners: []StepOwner{}, Access: []StepAccess{}}
	for _, st := range s.steps {
		if st.Accepted {
			step.Generation, step.Previous = st.Step.Generation+1, st.ID
		}
	}
	for _, d := range slices.SortedFunc(maps.Keys(in.Remove), compareDevices) {
		if _, ok := s.Devices[d]; !ok {
			return nil, StepID{}, ErrUnknown
		}
		step.Remove = append(step.Remove, StepRemoval{Device: d, Cuts: s.withControl(d, in.Remove[d])})
	}
	for _, o := range in.Owners {
		if _, gone := s.Gone[o.Card.Sign]; gone {
			return nil, StepID{}, ErrDead
		}
		if d, ok := s.Devices[o.Card.Sign]; ok && (!d.Card.SameKeys(o.Card) || d.Person != o.Person.ID) {
			return nil, StepID{}, ErrDeviceKnown
		}
		step.Owners = append(step.Owners, o)
	}
	slices.SortFunc(step.Owners, func(a, b StepOwner) int { return bytes.Compare(a.Card.Sign[:], b.Card.Sign[:]) })
	for _, id := range slices.SortedFunc(maps.Keys(in.Access), compareSpaces) {
		if s.Spaces[id].Kind != Named {
			return nil, StepID{}, ErrUnknown
		}
		step.Access = append(step.Access, StepAccess{Space: id, Person: in.Access[id]})
	}
	if err := step.check(); err != nil {
		return nil, StepID{}, err
	}
	payload, err := only(pack([]any{propose{Type: opPropose, Step: step}}))
	return payload, step.id(s.Workspace), err
}

// Approve returns the payload that approves an open step with the key of a
// deputy or of an owner's device. Whoever writes it, it counts.
func (s *State) Approve(sign ed25519.PrivateKey, id StepID) ([]byte, error) {
	if s.Stopped {
		return nil, ErrStopped
	}
	i := slices.IndexFunc(s.steps, func(st StepState) bool { return st.ID == id })
	if i < 0 {
		return nil, ErrUnknown
	}
	key := log.DeviceOf(sign)
	switch {
	case s.steps[i].Accepted:
		return nil, ErrNoChange
	case s.policy.deputy(key) < 0 && s.Devices[key].Role != Owner:
		return nil, ErrNotAllowed
	}
	op := approve{Type: opApprove, Step: id, Key: key}
	copy(op.Sig[:], ed25519.Sign(sign, approvalText(id)))
	return checked(encodePayload(op))
}
