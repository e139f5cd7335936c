package access

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"inselnetz/crdt/log"
)

// wrapsFor returns copies of a key, which hold nothing.
func wrapsFor(to []*pc) []deviceWrap {
	out := []deviceWrap{}
	for i, p := range to {
		out = append(out, deviceWrap{Device: p.card.Sign, Sealed: [80]byte{byte(i)}})
	}
	return out
}

// office writes the control space of some years: n operations of 60 devices,
// some of which come, rise, go and are removed, with spaces and their keys. What
// is sealed is not: Resolve does not open it.
func office(b testing.TB, n int) *world {
	x := newWorld(b)
	r := rand.New(rand.NewPCG(1, 2))
	type room struct {
		id   log.SpaceID
		tip  log.KeyID
		n    uint64
		with []*pc
	}
	everyone := &room{tip: func() log.KeyID { _, id, _ := x.state().Current(log.Everyone(x.w)); return id }(), n: 1}
	rooms := []*room{everyone}
	team := []*pc{x.founder}
	heads := []Authored{x.genesis()}
	ops := 1
	say := func(by *pc, all ...any) {
		a := x.write(by, encodePayload(all...), heads...)
		ops += len(all)
		if heads = append(heads, a); len(heads) > 3 {
			heads = heads[1:]
		}
	}
	some := func(k int) []*pc {
		all := slices.Clone(team)
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		return all[:min(k, len(all))]
	}
	for ops < n {
		by := team[r.IntN(len(team))]
		in := rooms[r.IntN(len(rooms))]
		switch k := r.IntN(100); {
		case len(team) < 60 && k < 60, k < 2:
			p := x.join(newPC(fmt.Sprint(ops)))
			role := Member
			if len(team) < 5 {
				role = Admin
			}
			a := admission(p, role)
			a.Wraps = []Wrap{{Epoch: everyone.n, Key: everyone.tip}}
			say(team[r.IntN(min(4, len(team)))], a)
			team = append(team, p)
		case k < 4 && len(team) > 40:
			i := 5 + r.IntN(len(team)-5)
			p := team[i]
			say(x.founder, removalOf(p, p.end()))
			team = append(team[:i], team[i+1:]...)
		case k < 10:
			s := beginSpace{Type: opSpace, Kind: Named, Name: make([]byte, 120), Members: []member{}}
			s.Salt[0], s.Salt[1] = byte(ops), byte(ops>>8)
			with := some(8)
			set := map[PersonID]Level{}
			for _, p := range with {
				set[p.person.ID] = Write
			}
			s.Members, s.Key = memberList(set), firstKey{ID: log.KeyID{byte(ops), byte(ops >> 8), 1}, Wraps: wrapsFor(with)}
			say(by, s)
			rooms = append(rooms, &room{s.id(x.w, by.card.Sign), s.Key.ID, 1, append(with, by)})
		case k < 35:
			next := log.KeyID{byte(ops), byte(ops >> 8), 2}
			to := in.with
			if in == everyone {
				to = team
			} else {
				by = to[len(to)-1]
			}
			say(by, newKey{Type: opKey, Space: in.id, Epoch: in.n + 1, ID: next, Prevs: []oldKey{{ID: in.tip, Sealed: [72]byte{1}}}, Wraps: wrapsFor(to)})
			in.tip, in.n = next, in.n+1
		case k < 55 && in != everyone:
			set := map[PersonID]Level{team[r.IntN(len(team))].person.ID: Level(1 + r.IntN(3))}
			say(in.with[len(in.with)-1], members{Type: opMembers, Space: in.id, Name: []byte{}, Set: memberList(set), Remove: []leaver{}}, moreWraps{Type: opWraps, Space: in.id, Epoch: in.n, ID: in.tip, Wraps: wrapsFor(some(2))})
		case k < 70:
			say(by, moreWraps{Type: opWraps, Space: in.id, Epoch: in.n, ID: in.tip, Wraps: wrapsFor(some(3))})
		case k < 80:
			say(by, erase{Type: opErase, Space: in.id, Refs: []erasedRef{{Device: by.card.Sign, Seq: uint64(ops)}}})
		case k < 90:
			say(by, ask{Type: opAsk, Keys: []log.KeyID{in.tip}})
		default:
			say(by, facts{Type: opFacts, Disk: uint64(r.IntN(3))})
		}
	}
	return x
}

func BenchmarkResolve10000(b *testing.B) {
	x := office(b, 10_000)
	s := x.state()
	if s.Stopped || len(s.Devices) < 30 || len(s.Spaces) < 100 {
		b.Fatalf("%d devices, %d spaces", len(s.Devices), len(s.Spaces))
	}
	b.ReportMetric(float64(len(x.entries)), "entries")
	for b.Loop() {
		Resolve(x.w, x.entries)
	}
}

func BenchmarkResolve200(b *testing.B) {
	x := newWorld(b)
	by, last := x.founder, x.genesis()
	for i := range 200 {
		p := newPC(fmt.Sprint(i))
		last = x.admit(by, p, Admin, last)
		if i%10 == 0 {
			by = p
		}
	}
	for b.Loop() {
		if s := x.state(); len(s.Devices) != 201 {
			b.Fatalf("%d devices", len(s.Devices))
		}
	}
}

// BenchmarkRotate200 gives a space of 200 devices a new key.
func BenchmarkRotate200(b *testing.B) {
	x := newWorld(b)
	last := x.genesis()
	for i := range 199 {
		last = x.admit(x.founder, newPC(fmt.Sprint(i)), Member, last)
	}
	s := x.state()
	keys := s.Keys(x.founder.box)
	random := bytes.NewReader(make([]byte, 1<<20))
	for b.Loop() {
		random.Reset(make([]byte, 4096))
		payloads, err := s.Rotate(x.founder.card.Sign, keys, random, log.Everyone(x.w))
		if err != nil || len(payloads) != 1 {
			b.Fatal(len(payloads), err)
		}
	}
}
