package access

import (
	"testing"

	"inselnetz/crdt/log"
)

func TestClosureIsEnoughToResolve(t *testing.T) {
	x := newWorld(t)
	ann, bob, cy := newPC("ann"), newPC("bob"), newPC("cy")
	g := x.admit(x.founder, ann, Admin)
	a := x.admit(ann, bob, Member, g)
	x.admit(x.founder, cy, Member)
	part := x.state().Closure(a.Entry.Hash())
	if len(part) != 3 || part[0].Entry.Hash() != log.Hash(x.w) || part[2].Entry != a.Entry {
		t.Fatalf("%d entries", len(part))
	}
	if d, ok := Resolve(x.w, part).Devices[bob.card.Sign]; !ok || d.By != ann.card.Sign {
		t.Error("the closure does not prove the admission")
	}
	if got := x.state().Closure(log.Hash{1}); len(got) != 0 {
		t.Errorf("closure of nothing: %d", len(got))
	}
}

// TestLongHistoryDoesNotRecurse holds a chain that a recursive walk would feel.
func TestLongHistoryDoesNotRecurse(t *testing.T) {
	x := newWorld(t)
	for range 20_000 {
		x.founder.last = log.Height{Seq: x.founder.last.Seq, Hash: x.founder.last.Hash}
		x.write(x.founder, []byte{0x80})
	}
	x.admit(x.founder, newPC("ann"), Member)
	if s := x.state(); len(s.Devices) != 2 || len(s.Heads()) != 1 {
		t.Errorf("%d devices, %d heads", len(s.Devices), len(s.Heads()))
	}
}
