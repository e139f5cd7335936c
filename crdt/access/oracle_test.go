package access_test

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"slices"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

// The oracle works out what Resolve works out, in the plainest way there is:
// sets of what each entry builds on, every question answered by looking at
// everything again. It shares no code with the resolver, not even its types of
// operations. Wrong holds mistakes to make on purpose, to prove that comparing
// finds them.
type oracle struct {
	w     log.WorkspaceID
	wrong string

	entries []*oEntry // chained ones, each after all it builds on
	genesis *oEntry
	founded bool
	stopped bool

	policy   *oPolicy
	gen      int
	accepted []oAccepted
	admitted map[log.DeviceID]bool

	oWalked
	oSpaces
}

// An oEntry is a control entry with all that it builds on, itself included.
type oEntry struct {
	access.Authored
	hash  log.Hash
	prev  *oEntry
	past  map[*oEntry]bool
	depth int
	ops   []any
	form  int
}

func (e *oEntry) on(other *oEntry) bool { return e.past[other] }

func (e *oEntry) author() log.DeviceID { return e.Card.Device }

// An oAccepted step and the entries that propose it.
type oAccepted struct {
	id        access.StepID
	step      oStep
	proposals []*oEntry
	by        *oPolicy // that was in force
}

// newOracle resolves entries.
func newOracle(w log.WorkspaceID, entries []access.Authored, wrong string) *oracle {
	o := &oracle{w: w, wrong: wrong}
	o.link(entries)
	for _, e := range o.entries {
		if e.hash == log.Hash(w) && e.Entry.Seq == 1 {
			o.genesis = e
		}
	}
	if o.genesis == nil || len(o.genesis.ops) == 0 {
		return o
	}
	g, ok := o.genesis.ops[0].(*oGenesis)
	if !ok || g.Device.Sign != o.genesis.author() {
		return o
	}
	o.founded = true
	if len(o.genesis.ops) == 2 {
		if p, ok := o.genesis.ops[1].(*oFirstPolicy); ok {
			o.policy = &oPolicy{Need: p.Need, Deputies: p.Deputies}
		}
	}
	o.council()
	o.spaces()
	return o
}

// link sorts entries and finds out what builds on what.
func (o *oracle) link(entries []access.Authored) {
	byHash := map[log.Hash]*oEntry{}
	for _, a := range entries {
		own := a.Card.Workspace == o.w || a.Card.Workspace == log.WorkspaceID{} && o.inGenesisLog(a, entries)
		if a.Card.Space != log.Control || a.Entry.Log != a.Card.ID() || a.Entry.Kind != log.KindControl || a.Entry.Key != nil || !own {
			continue
		}
		e := &oEntry{Authored: a, hash: a.Entry.Hash()}
		e.ops, e.form = oUnpack(a.Entry.Payload)
		byHash[e.hash] = e
	}
	byRef := map[log.Ref]*oEntry{}
	for h, e := range byHash {
		byRef[h.Ref()] = e
	}
	done := map[*oEntry]bool{}
	var visit func(e *oEntry) bool // reports whether e is chained
	visit = func(e *oEntry) bool {
		if done[e] {
			return e.past != nil
		}
		done[e] = true
		below := []*oEntry{}
		if e.Entry.Seq > 1 {
			p := byHash[e.Entry.Prev]
			if p == nil || p.Entry.Log != e.Entry.Log || p.Entry.Seq+1 != e.Entry.Seq || !visit(p) {
				return false
			}
			e.prev = p
			below = append(below, p)
		}
		for _, r := range e.Entry.Ctl {
			if c := byRef[r]; c != nil && visit(c) {
				below = append(below, c)
			}
		}
		e.past, e.depth = map[*oEntry]bool{e: true}, 1
		for _, b := range below {
			e.depth = max(e.depth, b.depth+1)
			for p := range b.past {
				e.past[p] = true
			}
		}
		o.entries = append(o.entries, e)
		return true
	}
	for _, e := range byHash {
		visit(e)
	}
	slices.SortFunc(o.entries, func(a, b *oEntry) int {
		return cmp.Or(cmp.Compare(a.depth, b.depth), bytes.Compare(a.hash[:], b.hash[:]))
	})
}

func (o *oracle) inGenesisLog(a access.Authored, entries []access.Authored) bool {
	return slices.ContainsFunc(entries, func(g access.Authored) bool {
		return g.Entry.Hash() == log.Hash(o.w) && g.Entry.Log == a.Entry.Log
	})
}

// council accepts one step after another, each in the light of those before.
func (o *oracle) council() {
	for {
		o.hear()
		o.walk()
		next, ok := o.nextStep()
		if !ok {
			return
		}
		o.gen++
		next.by = o.policy
		o.accepted = append(o.accepted, next)
		if next.step.Policy != nil {
			o.policy = next.step.Policy
		}
	}
}

func (o *oracle) nextStep() (best oAccepted, found bool) {
	if o.policy == nil {
		return best, false
	}
	previous := access.StepID(o.w)
	if n := len(o.accepted); n > 0 {
		previous = o.accepted[n-1].id
	}
	open := map[access.StepID]oAccepted{}
	for _, e := range o.entries {
		if !o.heard(e) {
			continue
		}
		for _, op := range e.ops {
			p, ok := op.(*oPropose)
			if !ok || p.Step.Generation != uint64(o.gen+1) || p.Step.Previous != previous {
				continue
			}
			id := p.Step.id(o.w)
			a := open[id]
			open[id] = oAccepted{id: id, step: p.Step, proposals: append(a.proposals, e)}
		}
	}
	byQuorum := false
	for id, a := range open {
		quorum, small := o.approved(a)
		if !quorum && !small || byQuorum && !quorum {
			continue
		}
		if !found || quorum && !byQuorum || bytes.Compare(id[:], best.id[:]) < 0 {
			best, found = a, true
		}
		byQuorum = byQuorum || quorum
	}
	return best, found
}

// heard reports whether votes in an entry count: of any device that anybody let
// in who was let in by anybody, as far back as the founder, and of those whom
// accepted steps made owners. Where logs end does not matter.
func (o *oracle) heard(e *oEntry) bool { return e.form == oFine && o.admitted[e.author()] }

func (o *oracle) hear() {
	o.admitted = map[log.DeviceID]bool{o.genesis.author(): true}
	for _, a := range o.accepted {
		for _, own := range a.step.Owners {
			o.admitted[own.Card.Sign] = true
		}
	}
	for n := 0; n < len(o.admitted); {
		n = len(o.admitted)
		for _, e := range o.entries {
			for _, op := range e.ops {
				if a, ok := op.(*oAdmit); ok && o.admitted[e.author()] {
					o.admitted[a.Device.Sign] = true
				}
			}
		}
	}
}

// approved reports whether a quorum approved a step, and whether an owner and
// another deputy did, which suffices for a step that only changes the policy.
func (o *oracle) approved(a oAccepted) (quorum, small bool) {
	deputies, keys := map[access.PersonID]bool{}, map[log.DeviceID]bool{}
	owners := map[access.PersonID]bool{}
	for _, e := range o.entries {
		if !o.heard(e) {
			continue
		}
		for _, op := range e.ops {
			p, ok := op.(*oApprove)
			if !ok || p.Step != a.id || !p.valid() {
				continue
			}
			for _, d := range o.policy.Deputies {
				if slices.Contains(d.Keys, p.Key) {
					deputies[d.Person], keys[p.Key] = true, true
				}
			}
			if p.Key == e.author() && o.ruled[e] == access.Owner {
				owners[o.person(e.author())] = true
			}
		}
	}
	n := len(deputies)
	if o.wrong == "approvals count by key" {
		n = len(keys)
	}
	if o.wrong == "a deputy less" {
		n++
	}
	quorum = n >= int(o.policy.Need)
	only := a.step.Policy != nil && len(a.step.Remove)+len(a.step.Owners)+len(a.step.Access) == 0
	for owner := range owners {
		for d := range deputies {
			small = small || only && d != owner
		}
	}
	if o.wrong == "an owner suffices" {
		small = only && len(owners) > 0
	}
	if o.wrong == "owner and deputy do anything" {
		small = len(owners) > 0 && len(deputies) > 0
	}
	return quorum, small
}

// everyone is the space of all.
func (o *oracle) everyone() log.SpaceID {
	h := sha256.Sum256(append([]byte("inselnetz/space/everyone/1"), o.w[:]...))
	return log.SpaceID(h[:16])
}

func (o *oracle) named(s log.SpaceID) log.SpaceID {
	if s == log.Control {
		return o.everyone()
	}
	return s
}
