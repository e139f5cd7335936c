package access

import "inselnetz/crdt/log"

// A Record is one operation of the control space as an audit shows it. Fields
// that its kind of operation does not have are zero.
type Record struct {
	Entry   log.Hash
	Log     log.LogID
	Seq     uint64
	N       int // place of the operation in the entry
	Author  log.DeviceID
	Clock   log.HLC // the author's, which proves nothing
	Act     string  // a fixed word, see Acts
	Device  log.DeviceID
	Name    string // of the person or device, as it was written
	Person  PersonID
	Role    Role
	Space   log.SpaceID
	Set     []SpaceMember // of a space
	Left    []PersonID    // of a space
	Epoch   uint64
	Step    StepID
	Until   int64 // milliseconds since 1970
	Disk    uint64
	Stays   bool
	Erased  int // entries
	Counts  bool
	Why     Why // it does not count
	Renamed bool
}

// A SpaceMember is a person with what it may do in a space.
type SpaceMember struct {
	Person PersonID
	Level  Level
}

// Acts are the words that Record.Act uses.
var Acts = []string{
	"genesis", "admit", "raise", "lower", "revoke", "cut", "propose", "approve", "space", "direct", "members",
	"key", "wraps", "ask", "erase", "until", "facts", "policy", "unknown", "malformed",
}

// Why says in one fixed word why an operation does not count.
type Why string

// Reasons.
const (
	Counts       Why = ""
	WhyMalformed Why = "malformed"   // not in the form of the format
	WhyUnknown   Why = "unknown"     // of a newer program
	WhyOutsider  Why = "outsider"    // its author was not in, or did not know that it was
	WhyNotAllow  Why = "not-allowed" // its author may not do that
	WhySenior    Why = "senior"      // against one whose word counted before
	WhyDead      Why = "dead"        // about a device that was removed for ever
	WhyKnown     Why = "known"       // keys of another device
	WhyNoChange  Why = "no-change"   // says what is so already
	WhyNobody    Why = "nobody"      // about what does not exist
	WhyCut       Why = "cut"         // behind the end of its log
	WhyOnce      Why = "once"        // a workspace is founded once
	WhyOpen      Why = "open"        // not enough approvals
	WhyKeys      Why = "keys"        // keys that do not follow from those before
	WhyTooMany   Why = "too-many"    // after more changes of the same thing than are held
)

// Records returns every operation of the entries held, in an order in which each
// entry comes after those it builds on.
func (s *State) Records() []Record {
	var all []Record
	for _, n := range s.graph.order {
		base := Record{Entry: n.hash, Log: n.Entry.Log, Seq: n.Entry.Seq, Author: n.Card.Device, Clock: n.Entry.HLC}
		for i, op := range n.ops {
			r := base
			r.N, r.Why, r.Counts = i, n.why[i], n.why[i] == Counts
			r.describe(s, n, op)
			all = append(all, r)
		}
		switch {
		case n.void():
			base.Act, base.Why = "malformed", WhyMalformed
			all = append(all, base)
		case n.err != nil:
			base.N, base.Act, base.Why = len(n.ops), "unknown", WhyUnknown
			all = append(all, base)
		}
	}
	return all
}

// describe fills in what an operation says.
func (r *Record) describe(s *State, n *node, op operation) {
	switch op := op.(type) {
	case *genesis:
		r.Act, r.Device, r.Person, r.Role, r.Name = "genesis", op.Device.Sign, op.Person.ID, Owner, op.Person.Name
	case *admit:
		r.Act, r.Device, r.Person, r.Role, r.Name = "admit", op.Device.Sign, op.Person.ID, op.Role, op.Person.Name
		if d := s.devices[op.Device.Sign]; d != nil && d.known && d.Entry != n.hash && r.Counts {
			r.Act = "raise"
		}
	case *lower:
		r.Act, r.Device, r.Role = "lower", op.Device, op.Role
	case *revoke:
		r.Act, r.Device = "revoke", op.Device
	case *cut:
		r.Act, r.Device = "cut", op.Device
	case *propose:
		r.Act, r.Step = "propose", op.Step.id(s.Workspace)
	case *approve:
		r.Act, r.Step, r.Device = "approve", op.Step, op.Key
	case *until:
		r.Act, r.Device, r.Until = "until", op.Device, int64(op.Time)
	case *facts:
		r.Act, r.Device, r.Disk, r.Stays = "facts", n.Card.Device, op.Disk%staysOn, op.Disk >= staysOn
	case *policy:
		r.Act = "policy"
	default:
		r.describeSpace(s, n, op)
	}
	if d := s.devices[r.Device]; d != nil && d.known && r.Person == (PersonID{}) {
		r.Person = d.Person
	}
}

func (r *Record) describeSpace(s *State, n *node, op operation) {
	set := func(all []member) {
		for _, m := range all {
			r.Set = append(r.Set, SpaceMember{m.Person, m.Level})
		}
	}
	switch op := op.(type) {
	case *beginSpace:
		r.Act, r.Space = "space", op.id(s.Workspace, n.Card.Device)
		if op.Kind == Direct {
			r.Act = "direct"
		}
		set(op.Members)
	case *members:
		r.Act, r.Space, r.Renamed = "members", op.Space, len(op.Name) > 0
		set(op.Set)
		for _, l := range op.Remove {
			r.Left = append(r.Left, l.Person)
		}
	case *newKey:
		r.Act, r.Space, r.Epoch = "key", s.space(op.Space), op.Epoch
	case *moreWraps:
		r.Act, r.Space, r.Epoch = "wraps", s.space(op.Space), op.Epoch
	case *ask:
		r.Act = "ask"
	case *erase:
		r.Act, r.Space, r.Erased = "erase", s.space(op.Space), len(op.Refs)
	}
}
