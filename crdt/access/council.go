package access

import (
	"bytes"
	"crypto/ed25519"
	"slices"

	"inselnetz/crdt/log"
)

// A motion is a proposed step and who approved it.
type motion struct {
	StepState
	quorum bool
	both   bool      // an owner and a deputy of another person approved a policy
	votes  [][]*node // by deputy: entries with a genuine approval, the first maxVotes
}

// maxVotes is how many copies of one deputy's approval are looked at.
const maxVotes = 64

// knew reports whether the author of n knew that the deputies had accepted.
func (m *motion) knew(g *graph, n *node) bool {
	heard := 0
	for _, nodes := range m.votes {
		if g.buildsAny(n, nodes) {
			heard++
		}
	}
	return heard >= m.Need
}

// A council holds what all entries propose and approve, and which approvals
// were found genuine.
type council struct {
	proposals map[StepID][]proposal
	approvals map[StepID][]approval
	genuine   map[ballot]bool
	open      []StepID // by generation and id
}

type proposal struct {
	node *node
	op   int
	step *Step
}

type approval struct {
	node *node
	op   int
	*approve
}

type ballot struct {
	step StepID
	key  log.DeviceID
}

// council finds the steps that the deputies accepted, one generation after the
// other, and leaves the state as it is under all of them. Which approvals of
// owners count is what the steps before say.
func (s *State) council() {
	s.admitted = map[log.DeviceID]bool{}
	s.admitAll(s.first.Device.Sign)
	c := s.gather()
	s.proposals = map[StepID][]*node{}
	previous := StepID(s.Workspace)
	var accepted []*motion
	for generation := uint64(1); ; generation++ {
		s.reset()
		s.registerFounder()
		for _, m := range accepted {
			s.applyStep(m)
		}
		s.walk()
		motions := s.motions(c, generation, previous)
		i := slices.IndexFunc(motions, func(m *motion) bool { return m.quorum })
		if i < 0 {
			i = slices.IndexFunc(motions, func(m *motion) bool { return m.both })
		}
		if i < 0 {
			for _, m := range motions {
				s.steps = append(s.steps, m.StepState)
			}
			break
		}
		m := motions[i]
		m.Accepted = true
		s.steps = append(s.steps, m.StepState)
		for _, o := range m.Step.Owners {
			s.admitAll(o.Card.Sign)
		}
		if m.Step.Policy != nil {
			s.policy = *m.Step.Policy
		}
		accepted, previous = append(accepted, m), m.ID
	}
	s.judgeSteps(c, accepted)
}

// admitAll notes a device and all that any entry of such a device admits,
// whether it counts or not. Voices of deputies are heard from all of them: if a
// cut could silence who was let in behind it, whoever holds the most senior
// device could disarm the deputies.
func (s *State) admitAll(id log.DeviceID) {
	for stack := []log.DeviceID{id}; len(stack) > 0; {
		id := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if s.admitted[id] {
			continue
		}
		s.admitted[id] = true
		for _, n := range s.graph.by[id] {
			for _, op := range n.ops {
				if a, ok := op.(*admit); ok {
					stack = append(stack, a.Device.Sign)
				}
			}
		}
	}
}

// Admitted reports whether any entry of a device that was let in lets this one
// in, whether that counts or not. Control entries of such devices are to be kept
// and passed on: deputies may speak in them.
func (s *State) Admitted(d log.DeviceID) bool { return s.admitted[d] }

// gather lists proposals and approvals of all entries.
func (s *State) gather() *council {
	c := &council{proposals: map[StepID][]proposal{}, approvals: map[StepID][]approval{}, genuine: map[ballot]bool{}}
	for _, n := range s.graph.order {
		if n.err != nil {
			continue
		}
		for i, op := range n.ops {
			switch op := op.(type) {
			case *propose:
				id := op.Step.id(s.Workspace)
				if c.proposals[id] == nil {
					c.open = append(c.open, id)
				}
				c.proposals[id] = append(c.proposals[id], proposal{n, i, &op.Step})
			case *approve:
				c.approvals[op.Step] = append(c.approvals[op.Step], approval{n, i, op})
			}
		}
	}
	slices.SortFunc(c.open, func(a, b StepID) int { return bytes.Compare(a[:], b[:]) })
	return c
}

// motions returns the proposed steps of a generation by id.
func (s *State) motions(c *council, generation uint64, previous StepID) []*motion {
	var all []*motion
	for _, id := range c.open {
		step := c.proposals[id][0].step
		if step.Generation != generation || step.Previous != previous {
			continue
		}
		m := &motion{StepState: StepState{ID: id, Step: *step, Need: int(s.policy.Need)}}
		var nodes []*node
		for _, p := range c.proposals[id] {
			if s.admitted[p.node.Card.Device] {
				nodes = append(nodes, p.node)
			}
		}
		if len(nodes) == 0 {
			continue
		}
		m.Proposer, m.Clock = nodes[0].Card.Device, nodes[0].Entry.HLC
		s.proposals[id] = nodes
		s.count(c, m)
		all = append(all, m)
	}
	return all
}

// count counts the approvals of a step under the policy in force.
func (s *State) count(c *council, m *motion) {
	yes := make([]bool, len(s.policy.Deputies))
	m.votes = make([][]*node, len(yes))
	var owners []PersonID
	for _, a := range c.approvals[m.ID] {
		if !s.admitted[a.node.Card.Device] {
			continue
		}
		i := s.policy.deputy(a.Key)
		owner := a.node.managed != 0 && a.node.role == Owner && !a.node.stopped && a.Key == a.node.Card.Device
		if i < 0 && !owner || !c.valid(a) {
			continue
		}
		if i >= 0 {
			yes[i] = true
			if len(m.votes[i]) < maxVotes {
				m.votes[i] = append(m.votes[i], a.node)
			}
		}
		if owner {
			owners = append(owners, s.devices[a.Key].Person)
		}
	}
	n := 0
	for i, dep := range s.policy.Deputies {
		if !yes[i] {
			continue
		}
		n++
		m.By = append(m.By, dep.Person)
		other := slices.ContainsFunc(owners, func(p PersonID) bool { return p != dep.Person })
		m.both = m.both || other && m.Step.policyOnly()
	}
	m.Owner = len(owners) > 0
	m.quorum = n > 0 && n >= m.Need
}

// valid checks the signature of an approval; one genuine one suffices for all
// of the same key.
func (c *council) valid(a approval) bool {
	b := ballot{a.Step, a.Key}
	if !c.genuine[b] {
		c.genuine[b] = a.Key.Check() == nil && ed25519.Verify(a.Key[:], approvalText(a.Step), a.Sig[:])
	}
	return c.genuine[b]
}

// applyStep applies what the deputies decided.
func (s *State) applyStep(m *motion) {
	nodes := s.proposals[m.ID]
	for _, r := range m.Step.Remove {
		d := s.device(r.Device)
		if d.removal == nil {
			d.removal = &removal{nodes: nodes, council: m, limits: s.graph.limits(r.Cuts), cuts: r.Cuts}
			d.Removed = &Removal{Step: m.ID, Clock: m.Clock}
		}
		s.addCuts(d, r.Cuts, false, false)
		s.tally(d)
	}
	for _, o := range m.Step.Owners {
		d := s.device(o.Card.Sign)
		if s.register(d, o.Card, o.Person) == Counts && len(d.grants) < maxChanges {
			s.grant(d, &grant{nodes: nodes, role: Owner})
		}
	}
}

// judgeSteps says of proposals and approvals whether they count.
func (s *State) judgeSteps(c *council, accepted []*motion) {
	done := map[StepID]bool{}
	for _, m := range accepted {
		done[m.ID] = true
	}
	judge := func(n *node, op int, why Why) {
		if s.admitted[n.Card.Device] {
			n.why[op] = why
		}
	}
	for id, all := range c.proposals {
		for _, p := range all {
			if judge(p.node, p.op, WhyOpen); done[id] {
				judge(p.node, p.op, Counts)
			}
		}
	}
	for id, all := range c.approvals {
		for _, a := range all {
			switch {
			case c.proposals[id] == nil:
				judge(a.node, a.op, WhyNobody)
			case done[id] && c.genuine[ballot{a.Step, a.Key}]:
				judge(a.node, a.op, Counts)
			default:
				judge(a.node, a.op, WhyOpen)
			}
		}
	}
}
