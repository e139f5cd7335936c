package access

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"inselnetz/crdt/log"
)

// wild writes a random history: any operation by whoever, in the knowledge of
// whatever, with forks, new incarnations and back-dated entries.
type wild struct {
	*world
	kit     Kit
	pcs     []*pc
	spaces  []log.SpaceID
	keys    []log.KeyID
	steps   []StepID
	heights map[*pc][]log.Height
	r       *rand.Rand
}

func newWild(tb testing.TB, seed uint64) *wild {
	x, kit := kitWorld(tb)
	v := &wild{world: x, kit: kit, pcs: []*pc{x.founder}, spaces: []log.SpaceID{log.Control, {1}}, keys: []log.KeyID{{1}}, steps: []StepID{{1}}, heights: map[*pc][]log.Height{}, r: rand.New(rand.NewPCG(seed, 1))}
	_, first, _ := x.state().Current(log.Everyone(x.w))
	v.keys = append(v.keys, first)
	for i := range 6 {
		p := x.join(newPC(fmt.Sprint(i)))
		if i == 5 {
			p.person = v.pcs[1].person
		}
		v.pcs = append(v.pcs, p)
	}
	v.now(x.founder, admission(v.pcs[1], Owner), admission(v.pcs[2], Admin), admission(v.pcs[3], Admin), admission(v.pcs[4], Member))
	return v
}

func pick[T any](v *wild, all []T) T { return all[v.r.IntN(len(all))] }

func (v *wild) cuts(p *pc) []Cut {
	out := []Cut{}
	if len(v.heights[p]) > 0 && v.r.IntN(4) > 0 {
		h := pick(v, v.heights[p])
		out = append(out, Cut{Log: p.log.ID(), Seq: h.Seq, Hash: h.Hash})
	}
	if v.r.IntN(3) == 0 {
		out = append(out, at(v.content(p, log.Everyone(v.w)), uint64(v.r.IntN(9))))
	}
	return sortedCuts(slices.DeleteFunc(out, func(c Cut) bool { return (c.Seq == 0) != (c.Hash == log.Hash{}) }))
}

func (v *wild) level() map[PersonID]Level {
	return map[PersonID]Level{pick(v, v.pcs).person.ID: Level(1 + v.r.IntN(3)), pick(v, v.pcs).person.ID: Level(1 + v.r.IntN(3))}
}

// op returns some operation.
func (v *wild) op(by *pc) any {
	of := pick(v, v.pcs)
	switch v.r.IntN(16) {
	case 0, 1, 2:
		return admission(of, Role(1+v.r.IntN(5)))
	case 3:
		return lower{Type: opLower, Device: of.card.Sign, Role: Role(2 + v.r.IntN(4)), Cuts: v.cuts(of)}
	case 4:
		return revoke{Type: opRevoke, Device: of.card.Sign, Cuts: v.cuts(of)}
	case 5:
		if c := v.cuts(of); len(c) > 0 {
			return cut{Type: opCut, Device: of.card.Sign, Cuts: c}
		}
		return facts{Type: opFacts, Disk: uint64(v.r.IntN(3))}
	case 6:
		return v.proposal(of)
	case 7:
		id, key := pick(v, v.steps), pick(v, []ed25519.PrivateKey{v.kit.Sign(), v.pcs[1].key, v.pcs[2].key, v.founder.key})
		op := approve{Type: opApprove, Step: id, Key: log.DeviceOf(key)}
		copy(op.Sig[:], ed25519.Sign(key, approvalText(id)))
		return op
	case 8, 9:
		s := beginSpace{Type: opSpace, Kind: Named, Salt: [16]byte{byte(v.r.IntN(4))}, Name: make([]byte, nameOverhead), Members: memberList(v.level()), Key: firstKey{ID: log.KeyID{2, byte(v.r.Uint32())}, Wraps: []deviceWrap{{Device: of.card.Sign}}}}
		if of.person.ID != by.person.ID && v.r.IntN(3) == 0 {
			s.Kind, s.Salt, s.Name, s.Members = Direct, [16]byte{}, []byte{}, memberList(levels(Write, by, of))
		}
		v.spaces, v.keys = append(v.spaces, s.id(v.w, by.card.Sign)), append(v.keys, s.Key.ID)
		return s
	case 10, 11:
		m := members{Type: opMembers, Space: pick(v, v.spaces[1:]), Name: []byte{}, Set: memberList(v.level()), Remove: []leaver{}}
		if v.r.IntN(2) == 0 {
			m.Remove = append(m.Remove, leaver{Person: of.person.ID, Cuts: []Cut{}})
		}
		return m
	case 12:
		k := newKey{Type: opKey, Space: pick(v, v.spaces), Epoch: uint64(2 + v.r.IntN(3)), ID: log.KeyID{3, byte(v.r.Uint32())}, Prevs: []oldKey{{ID: pick(v, v.keys), Sealed: [72]byte{byte(v.r.IntN(2))}}}, Wraps: []deviceWrap{{Device: of.card.Sign}}}
		v.keys = append(v.keys, k.ID)
		return k
	case 13:
		return moreWraps{Type: opWraps, Space: pick(v, append(v.spaces, Network)), Epoch: uint64(1 + v.r.IntN(3)), ID: pick(v, v.keys), Wraps: []deviceWrap{{Device: of.card.Sign}}}
	case 14:
		return until{Type: opUntil, Device: of.card.Sign, Time: uint64(v.r.IntN(3))}
	}
	return erase{Type: opErase, Space: pick(v, v.spaces), Refs: []erasedRef{{Device: of.card.Sign, Seq: 1 + uint64(v.r.IntN(3))}}}
}

func (v *wild) proposal(of *pc) any {
	step := Step{Generation: uint64(1 + v.r.IntN(2)), Previous: StepID(v.w), Remove: []StepRemoval{}, Owners: []StepOwner{}, Access: []StepAccess{}}
	if step.Generation == 2 {
		step.Previous = pick(v, v.steps)
	}
	switch v.r.IntN(4) {
	case 0:
		step.Policy = &Policy{Need: 2, Deputies: []Deputy{deputyOf(v.pcs[1]), deputyOf(v.pcs[2]), v.kit.Deputy()}}
	case 1:
		step.Remove = append(step.Remove, StepRemoval{Device: of.card.Sign, Cuts: v.cuts(of)})
	case 2:
		step.Owners = append(step.Owners, StepOwner{Card: of.card, Person: of.person})
	default:
		step.Access = append(step.Access, StepAccess{Space: pick(v, v.spaces), Person: of.person.ID})
	}
	v.steps = append(v.steps, step.id(v.w))
	return propose{Type: opPropose, Step: step}
}

// act writes one entry.
func (v *wild) act() Authored {
	by := pick(v, v.pcs)
	switch v.r.IntN(12) {
	case 0: // fork
		if old := v.heights[by]; len(old) > 0 {
			by.last = pick(v, old)
		}
	case 1: // new incarnation
		by.log = log.Card{Workspace: v.w, Device: by.card.Sign, Incarnation: log.Incarnation{byte(len(v.entries))}}
		by.last, v.heights[by] = log.Height{}, nil
	}
	ctl := []Authored{}
	for range 1 + v.r.IntN(3) {
		ctl = append(ctl, v.entries[len(v.entries)-1-v.r.IntN(min(len(v.entries), 6))])
	}
	ops := []any{}
	for range 1 + v.r.IntN(3) {
		ops = append(ops, v.op(by))
	}
	if v.r.IntN(40) == 0 {
		ops = append(ops, []any{50})
	}
	a := v.write(by, encodePayload(ops...), ctl...)
	v.heights[by] = append(v.heights[by], by.last)
	return a
}

// says is all that a State says, for comparing.
func says(s *State) []any {
	out := []any{s.Founded, s.Stopped, s.Devices, s.Gone, s.People, s.Spaces, s.Void, s.Heads(), s.Steps(), s.Records(), s.ErasedRefs(), s.Seniority()}
	policy, n := s.Policy()
	out = append(out, policy, n)
	ids := append([]log.SpaceID{log.Everyone(s.Workspace), log.Control, Network}, s.spaceIDs()...)
	for _, id := range ids {
		epoch, key, ok := s.Current(id)
		out = append(out, epoch, key, ok, s.Stale(id), s.Readers(id))
		for d := range s.devices {
			c, limited := s.Limit(log.Card{Workspace: s.Workspace, Space: id, Device: d})
			if limited {
				out = append(out, len(fmt.Sprint(c)) > 0) // presence; values below in order
			}
		}
		for _, d := range s.order {
			c, limited := s.Limit(log.Card{Workspace: s.Workspace, Space: id, Device: d})
			out = append(out, c, limited)
		}
	}
	return out
}

func TestStateDependsOnTheSetAlone(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		v := newWild(t, rapid.Uint64().Draw(rt, "seed"))
		for range rapid.IntRange(1, 40).Draw(rt, "entries") {
			v.act()
		}
		want := says(v.state())
		for range 3 {
			again := slices.Clone(v.entries)
			for range v.r.IntN(10) {
				again = append(again, pick(v, v.entries))
			}
			v.r.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
			if got := says(Resolve(v.w, again)); !reflect.DeepEqual(got, want) {
				for i := range got {
					if !reflect.DeepEqual(got[i], want[i]) {
						rt.Fatalf("in another order: %+v\nbefore: %+v", got[i], want[i])
					}
				}
				rt.Fatal("other limits")
			}
		}
		// Whatever has come so far resolves.
		for n := range v.entries {
			Resolve(v.w, v.entries[:n])
		}
	})
}

// TestStrangersAndTheDeadChangeNothing: with the keys of devices that others
// removed, and of devices nobody let in, anything is written.
func TestStrangersAndTheDeadChangeNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		v := newWild(t, rapid.Uint64().Draw(rt, "seed"))
		for range rapid.IntRange(1, 30).Draw(rt, "entries") {
			v.act()
		}
		before := v.state()
		var outside []*pc
		for _, p := range v.pcs {
			d, known := before.devices[p.card.Sign]
			if !known || !d.known || d.removal != nil && !d.removal.self && !slices.ContainsFunc(d.lowers, func(l *lowering) bool { return l.self }) {
				outside = append(outside, p)
			}
		}
		if len(outside) == 0 || before.Stopped {
			return
		}
		policy, _ := before.Policy()
		all := v.pcs
		for range 6 {
			by := pick(v, outside)
			v.pcs = all
			op := v.op(by)
			// Voices of deputies count wherever they lie.
			if _, ok := op.(approve); ok {
				continue
			}
			if _, ok := op.(propose); ok {
				continue
			}
			if v.r.IntN(2) == 0 && len(v.heights[by]) > 0 {
				by.last = pick(v, v.heights[by])
			}
			v.write(by, encodePayload(op), pick(v, v.entries))
		}
		after := v.state()
		// A removal whose cut named an entry that was not there stays whole; nothing
		// here names such.
		if p, _ := after.Policy(); !reflect.DeepEqual(after.Devices, before.Devices) || !reflect.DeepEqual(after.Spaces, before.Spaces) || !reflect.DeepEqual(p, policy) || after.Stopped {
			rt.Fatalf("before %d devices, %d spaces, after %d, %d", len(before.Devices), len(before.Spaces), len(after.Devices), len(after.Spaces))
		}
	})
}

// TestMakersSayWhatTheResolverSays holds the cheap checks against a trial.
func TestMakersSayWhatTheResolverSays(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		v := newWild(t, rapid.Uint64().Draw(rt, "seed"))
		for range rapid.IntRange(1, 30).Draw(rt, "entries") {
			v.act()
		}
		s := v.state()
		for a := range s.Devices {
			// Who lowered itself unaware of having been raised is a case of its own (RULES 20).
			if slices.ContainsFunc(s.devices[a].lowers, func(l *lowering) bool { return l.self }) {
				continue
			}
			for d := range s.Devices {
				_, tried := s.try(a, encodePayload(revoke{Type: opRevoke, Device: d, Cuts: []Cut{}}))
				may := s.MayRemove(a, d)
				if s.Stopped {
					continue
				}
				// Who was lowered is told so, whatever else is in the way.
				manages := s.Devices[a].Role.manages()
				if (tried == nil) != (may == nil) || manages && errors.Is(tried, ErrSenior) != errors.Is(may, ErrSenior) {
					rt.Fatalf("%v removes %v: MayRemove %v, tried %v", s.Devices[a].Role, s.Devices[d].Role, may, tried)
				}
				person := s.Devices[d].Person
				for r := Owner; r <= Carrier; r++ {
					payloads, err := s.SetRole(a, keysFor(s), rnd(), person, r, nil)
					if may := s.MayRole(a, person, r); (may == nil) != (err == nil) && !errors.Is(err, ErrNoKeys) {
						rt.Fatalf("%v gives %v role %v: MayRole %v, SetRole %v %d", s.Devices[a].Role, s.Devices[d].Role, r, may, err, len(payloads))
					}
				}
			}
		}
	})
}

// keysFor returns keys, all wrong, for whatever was announced.
func keysFor(s *State) map[log.KeyID]SpaceKey {
	out := map[log.KeyID]SpaceKey{}
	for _, r := range s.keys {
		for _, k := range r.list {
			out[k.id] = SpaceKey{Space: s.space(k.space), Epoch: k.epoch, ID: k.id}
		}
	}
	return out
}

// floods are what one entry of a hostile insider may hold.
var floods = map[string]func(v *wild, by *pc, i int) []any{
	"admissions": func(v *wild, by *pc, i int) []any {
		var ops []any
		for j := range 60 {
			p := *v.pcs[4]
			p.card.Sign[5], p.card.Sign[6], p.card.Sign[7] = byte(i), byte(i>>8), byte(j)
			p.card.Box[5], p.card.Box[6], p.card.Box[7] = byte(i), byte(i>>8), byte(j)
			p.card.Peer = fmt.Sprint(i, j)
			ops = append(ops, admission(&p, Admin))
		}
		return ops
	},
	"raising and lowering": func(v *wild, by *pc, i int) []any {
		var ops []any
		for range 10 {
			ops = append(ops, loweringOf(v.pcs[4], Guest), admission(v.pcs[4], Member))
		}
		return ops
	},
	"lowering the unknown": func(v *wild, by *pc, i int) []any {
		var ops []any
		for j := range 60 {
			ops = append(ops, lower{Type: opLower, Device: log.DeviceID{byte(i), byte(i >> 8), byte(j)}, Role: Admin, Cuts: []Cut{}})
		}
		return ops
	},
	"approvals": func(v *wild, by *pc, i int) []any {
		op := approve{Type: opApprove, Step: v.steps[0], Key: log.DeviceOf(v.kit.Sign())}
		return []any{op, op}
	},
	"proposals": func(v *wild, by *pc, i int) []any {
		return []any{propose{Type: opPropose, Step: Step{Generation: 1, Previous: StepID(v.w), Remove: []StepRemoval{}, Owners: []StepOwner{}, Access: []StepAccess{{Person: PersonID{byte(i), byte(i >> 8)}}}}}}
	},
	"spaces": func(v *wild, by *pc, i int) []any {
		var ops []any
		for j := range 2 {
			ops = append(ops, beginSpace{Type: opSpace, Kind: Named, Salt: [16]byte{byte(i), byte(i >> 8), byte(j)}, Name: make([]byte, nameOverhead), Members: []member{}, Key: firstKey{Wraps: []deviceWrap{}}})
		}
		return ops
	},
	"members in and out": func(v *wild, by *pc, i int) []any {
		var ops []any
		for range 60 {
			ops = append(ops, set(v.spaces[2], levels(Manage, v.pcs[4], by), v.pcs[4], by))
		}
		return ops
	},
	"keys": func(v *wild, by *pc, i int) []any {
		var ops []any
		for j := range 60 {
			ops = append(ops, newKey{Type: opKey, Space: v.spaces[2], Epoch: 2, ID: log.KeyID{byte(i), byte(i >> 8), byte(j)}, Prevs: []oldKey{{ID: v.keys[2]}}, Wraps: []deviceWrap{}})
		}
		return ops
	},
	"copies": func(v *wild, by *pc, i int) []any {
		return []any{moreWraps{Type: opWraps, Space: v.spaces[2], Epoch: 1, ID: v.keys[2], Wraps: slices.Repeat([]deviceWrap{{Device: v.founder.card.Sign}}, 100)}}
	},
	"asking": func(v *wild, by *pc, i int) []any {
		return []any{ask{Type: opAsk, Keys: slices.Repeat([]log.KeyID{v.keys[1]}, 100)}}
	},
}

// TestHostileEntriesAreResolvedInTime lets an insider write ten thousand entries
// of the costliest kinds.
func TestHostileEntriesAreResolvedInTime(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	for name, fill := range floods {
		t.Run(name, func(t *testing.T) {
			v := newWild(t, 1)
			by := v.pcs[2]
			space := beginSpace{Type: opSpace, Kind: Named, Name: make([]byte, nameOverhead), Members: memberList(levels(Manage, v.pcs[3])), Key: firstKey{ID: log.KeyID{7}, Wraps: []deviceWrap{}}}
			v.now(by, space)
			v.spaces, v.keys = append(v.spaces, space.id(v.w, by.card.Sign)), append(v.keys, space.Key.ID)
			v.steps = []StepID{{}}
			step := Step{Generation: 1, Previous: StepID(v.w), Remove: []StepRemoval{}, Owners: []StepOwner{}, Access: []StepAccess{{}}}
			v.steps[0] = step.id(v.w)
			v.now(by, propose{Type: opPropose, Step: step})
			bulk(v, by, fill)
			start := time.Now()
			s := v.state()
			s.Stale(v.spaces[2])
			if _, err := s.Repair(v.founder.card.Sign, s.Keys(v.founder.box)); err != nil {
				t.Error(err)
			}
			// Far above what it takes on any machine, and far below what it takes if it
			// grows with the square of the entries.
			if took := time.Since(start); took > 3*time.Minute {
				t.Errorf("took %v", took)
			} else {
				t.Log(took)
			}
		})
	}
}

// bulk writes ten thousand entries with many control heads, forked and straight,
// of two people in turn.
func bulk(v *wild, by *pc, fill func(v *wild, by *pc, i int) []any) {
	var last []Authored
	begin := by.last
	for i := range 10_000 {
		if i%3 == 0 {
			by.last = begin // a new branch
		}
		last = append(last, v.write(by, encodePayload(fill(v, by, i)...), last[max(0, len(last)-4):]...))
	}
}
