package access_test

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

func writes(l access.Level) bool { return l == access.Manage || l == access.Write }

// What to ask both of.
type probe struct {
	devices []log.DeviceID // also of those never admitted
	cards   []log.Card     // of content logs
}

// A saying is what a resolver answers: question to answer.
type saying map[string]string

func (s saying) put(answer any, question string, args ...any) {
	s[fmt.Sprintf(question, args...)] = fmt.Sprint(answer)
}

// differs returns up to twenty questions answered differently.
func (s saying) differs(o saying, nameS, nameO string) string {
	var out []string
	for _, q := range slices.Sorted(maps.Keys(s)) {
		if a, ok := o[q]; !ok || a != s[q] {
			out = append(out, fmt.Sprintf("%s: %s %q, %s %q", q, nameS, s[q], nameO, a))
		}
	}
	for _, q := range slices.Sorted(maps.Keys(o)) {
		if _, ok := s[q]; !ok {
			out = append(out, fmt.Sprintf("%s: %s nothing, %s %q", q, nameS, nameO, o[q]))
		}
	}
	return strings.Join(out[:min(len(out), 20)], "\n")
}

func short(b []byte) string { return fmt.Sprintf("%x", b[:4]) }

func dev(d log.DeviceID) string { return short(d[:]) }

func sayMembers(all map[access.PersonID]access.Level) string {
	var out []string
	for p, l := range all {
		if l != access.None {
			out = append(out, fmt.Sprintf("%s:%d", short(p[:]), l))
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func sayCut(seq uint64, h log.Hash, ok bool) string {
	if !ok {
		return "no end"
	}
	return fmt.Sprintf("%d %s", seq, short(h[:]))
}

// ofState asks the resolver.
func ofState(s *access.State, p probe) saying {
	out := saying{}
	out.put(s.Founded, "founded")
	out.put(s.Stopped, "stopped")
	everyone := log.Everyone(s.Workspace)
	spaces := []log.SpaceID{everyone, log.Control}
	for id := range s.Spaces {
		spaces = append(spaces, id)
	}
	say := func(d access.Device, where string) {
		out.put(fmt.Sprintf("%s role %d person %s by %s until %d disk %d", where, d.Role, short(d.Person[:]), dev(d.By), d.Until, d.Disk), "device %s", dev(d.Card.Sign))
	}
	for _, d := range s.Devices {
		say(d, "in")
	}
	for _, d := range s.Gone {
		say(d, "gone")
		r := d.Removed
		out.put(fmt.Sprintf("by %s step %s entry %s", dev(r.By), short(r.Step[:]), short(r.Entry[:])), "removed %s", dev(d.Card.Sign))
	}
	for id, person := range s.People {
		out.put(person.Name, "person %s", short(id[:]))
	}
	for _, id := range spaces {
		if sp, ok := s.Spaces[id]; ok {
			out.put(fmt.Sprintf("kind %d creator %s members %s", sp.Kind, short(sp.Creator[:]), sayMembers(sp.Members)), "space %s", short(id[:]))
		}
		for _, d := range p.devices {
			out.put(s.Level(id, d), "level of %s in %s", dev(d), short(id[:]))
		}
		if id != log.Control {
			n, k, ok := s.Current(id)
			out.put(fmt.Sprintf("%d %s %v stale %v", n, short(k[:]), ok, s.Stale(id)), "key of %s", short(id[:]))
		}
	}
	for _, r := range s.ErasedRefs() {
		out.put(r.Seq, "erased %s %s %s", dev(r.Card.Device), short(r.Card.Space[:]), short(r.Hash[:]))
	}
	for _, c := range p.cards {
		cut, ok := s.Limit(c)
		out.put(sayCut(cut.Seq, cut.Hash, ok), "end of %s %s %s", dev(c.Device), short(c.Space[:]), short(c.Incarnation[:]))
	}
	policy, gen := s.Policy()
	out.put(fmt.Sprintf("%d of %d, generation %d", policy.Need, len(policy.Deputies), gen), "policy")
	for i, step := range slices.DeleteFunc(slices.Clone(s.Steps()), func(s access.StepState) bool { return !s.Accepted }) {
		out.put(short(step.ID[:]), "step %d", i+1)
	}
	return out
}

// says answers the same questions.
func (o *oracle) says(p probe) saying {
	out := saying{}
	out.put(o.founded, "founded")
	out.put(o.stopped, "stopped")
	spaces := append([]log.SpaceID{o.everyone(), log.Control}, slices.Collect(maps.Keys(o.all))...)
	for _, id := range o.order {
		d := o.device(id)
		where, time, role := "in", uint64(0), o.role(id)
		if d.asked != 0 {
			role = d.asked
		}
		if role == access.Guest {
			time = o.until(d)
		}
		if death := o.dead[id]; death != nil {
			where = "gone"
			var entry log.Hash
			if death.entry != nil {
				entry = death.entry.hash
			}
			out.put(fmt.Sprintf("by %s step %s entry %s", dev(death.by), short(death.step[:]), short(entry[:])), "removed %s", dev(id))
		}
		out.put(fmt.Sprintf("%s role %d person %s by %s until %d disk %d", where, role, short(d.person[:]), dev(d.by), time, o.disks[id]), "device %s", dev(id))
	}
	for id, person := range o.people {
		out.put(person.Name, "person %s", short(id[:]))
	}
	for _, id := range spaces {
		if s := o.all[id]; s != nil {
			members := map[access.PersonID]access.Level{}
			for _, b := range s.grants {
				members[b.person] = o.personLevel(s, b.person)
			}
			out.put(fmt.Sprintf("kind %d creator %s members %s", s.kind, short(s.creator[:]), sayMembers(members)), "space %s", short(id[:]))
		}
		for _, d := range p.devices {
			out.put(o.level(id, d), "level of %s in %s", dev(d), short(id[:]))
		}
		if id != log.Control {
			k, ok := o.current(id)
			out.put(fmt.Sprintf("%d %s %v stale %v", k.epoch, short(k.id[:]), ok, o.stale(id)), "key of %s", short(id[:]))
		}
	}
	for r := range o.erased {
		out.put(r.Seq, "erased %s %s %s", dev(r.Card.Device), short(r.Card.Space[:]), short(r.Hash[:]))
	}
	for _, c := range p.cards {
		cut, ok := o.limit(c)
		out.put(sayCut(cut.Seq, cut.Hash, ok), "end of %s %s %s", dev(c.Device), short(c.Space[:]), short(c.Incarnation[:]))
	}
	need, n := uint64(0), 0
	if o.policy != nil {
		need, n = o.policy.Need, len(o.policy.Deputies)
	}
	out.put(fmt.Sprintf("%d of %d, generation %d", need, n, o.gen), "policy")
	for i, a := range o.accepted {
		out.put(short(a.id[:]), "step %d", i+1)
	}
	return out
}

// fingerprint returns everything a State says, for comparing two of the same
// resolver: also what the oracle leaves out.
func fingerprint(s *access.State, p probe) string {
	var b bytes.Buffer
	said := ofState(s, p)
	for _, q := range slices.Sorted(maps.Keys(said)) {
		fmt.Fprintf(&b, "%s: %s\n", q, said[q])
	}
	for _, d := range s.Seniority() {
		fmt.Fprintf(&b, "rank %d %s entry %s\n", d.Rank, dev(d.Card.Sign), short(d.Entry[:]))
	}
	for _, sp := range slices.SortedFunc(maps.Values(s.Spaces), func(a, b access.Space) int { return bytes.Compare(a.ID[:], b.ID[:]) }) {
		fmt.Fprintf(&b, "name of %s %x %x\n", short(sp.ID[:]), sp.Name, sp.NameKey)
	}
	fmt.Fprintf(&b, "heads %x\nvoid %v\n", s.Heads(), s.Void)
	for _, r := range s.Records() {
		fmt.Fprintf(&b, "record %s %d %v %s\n", short(r.Entry[:]), r.N, r.Counts, r.Why)
	}
	for _, st := range slices.SortedFunc(slices.Values(s.Steps()), func(a, b access.StepState) int { return cmp.Or(bytes.Compare(a.ID[:], b.ID[:])) }) {
		fmt.Fprintf(&b, "step %s %v %v %v\n", short(st.ID[:]), st.Accepted, st.By, st.Owner)
	}
	return b.String()
}
