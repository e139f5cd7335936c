package access

import (
	"math/rand/v2"
	"strings"
	"testing"

	"inselnetz/crdt/log"
)

// now writes operations in the knowledge of all that counts.
func (x *world) now(by *pc, ops ...any) Authored {
	x.t.Helper()
	return x.put(by, encodePayload(ops...))
}

// put writes a payload in the knowledge of all that counts.
func (x *world) put(by *pc, payload []byte) Authored {
	x.t.Helper()
	return x.writeRefs(by, payload, x.state().Heads())
}

func (x *world) writeRefs(by *pc, payload []byte, ctl []log.Ref) Authored {
	x.t.Helper()
	h := log.Header{Log: by.log.ID(), Seq: by.last.Seq + 1, Prev: by.last.Hash, Kind: log.KindControl, Ctl: ctl, HLC: log.HLC(len(x.entries)+1) << 16}
	e, err := log.New(by.key, h, payload)
	if err != nil {
		x.t.Fatal(err)
	}
	by.last = log.Height{Seq: e.Seq, Hash: e.Hash()}
	a := Authored{Card: by.log, Entry: e}
	x.entries = append(x.entries, a)
	return a
}

// puts writes what a maker returned.
func (x *world) puts(by *pc, payloads [][]byte, err error) {
	x.t.Helper()
	if err != nil {
		x.t.Fatal(err)
	}
	for _, p := range payloads {
		x.put(by, p)
	}
}

// why returns the verdicts on the operations of an entry, "+" for one that
// counts.
func (x *world) why(a Authored) string {
	var out []string
	for _, r := range x.state().Records() {
		if r.Entry == a.Entry.Hash() {
			if r.Counts {
				out = append(out, "+")
			} else {
				out = append(out, string(r.Why))
			}
		}
	}
	return strings.Join(out, " ")
}

func (x *world) wantWhy(a Authored, want string) {
	x.t.Helper()
	if got := x.why(a); got != want {
		x.t.Errorf("verdict %q, want %q", got, want)
	}
}

// end returns where the control log of p ends now.
func (p *pc) end() Cut {
	if p.last.Seq == 0 {
		return Cut{Log: p.log.ID()}
	}
	return Cut{Log: p.log.ID(), Seq: p.last.Seq, Hash: p.last.Hash}
}

// content is the log that p writes in a space.
func (x *world) content(p *pc, space log.SpaceID) log.Card {
	return log.Card{Workspace: x.w, Space: space, Device: p.card.Sign}
}

// at is a cut of a content log after some entry.
func at(c log.Card, seq uint64) Cut {
	cut := Cut{Space: c.Space, Log: c.ID(), Seq: seq}
	if seq > 0 {
		cut.Hash = log.Hash{byte(seq), 1}
	}
	return cut
}

func removalOf(p *pc, cuts ...Cut) revoke {
	return revoke{Type: opRevoke, Device: p.card.Sign, Cuts: sortedCuts(cuts)}
}

func loweringOf(p *pc, r Role, cuts ...Cut) lower {
	return lower{Type: opLower, Device: p.card.Sign, Role: r, Cuts: sortedCuts(cuts)}
}

// team lets devices in, by the founder.
func (x *world) team(role Role, names ...string) []*pc {
	x.t.Helper()
	var all []*pc
	for _, n := range names {
		p := newPC(n)
		x.now(x.founder, admission(x.join(p), role))
		all = append(all, p)
	}
	return all
}

// second returns another device of the same person.
func (x *world) second(p *pc, name string) *pc {
	n := newPC(name)
	n.person = p.person
	return x.join(n)
}

func (x *world) keysOf(p *pc) map[log.KeyID]SpaceKey { return x.state().Keys(p.box) }

// fork returns a copy of p that goes on from an earlier place.
func (p *pc) fork(at log.Height) *pc {
	c := *p
	c.last = at
	return &c
}

func wantNot(t *testing.T, x *world, all ...*pc) {
	t.Helper()
	for _, p := range all {
		if d, ok := x.state().Devices[p.card.Sign]; ok {
			t.Errorf("%s is in as %s", p.person.Name, d.Role)
		}
	}
}

func must0(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// rnd returns random bytes that are the same in each run.
func rnd() *rand.ChaCha8 { return rand.NewChaCha8([32]byte{1}) }
