package mesh

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func nobody(PeerID) bool { return false }

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func TestWhoDialsFirst(t *testing.T) {
	b := newBook("m", chance{})
	b.members(map[PeerID][]string{"a": {"1.1.1.1:1"}, "z": {"2.2.2.2:2"}, "n": nil, "m": {"self"}}, noon)
	if list, next := b.due(noon, nobody); !slices.Equal(list, []PeerID{"z"}) || next.Sub(noon) < 3*time.Second || next.Sub(noon) > 5*time.Second {
		t.Errorf("at once: %v, next in %v; want only the higher id, and the lower in 3 to 5 s", list, next.Sub(noon))
	}
	if list, _ := b.due(noon.Add(5*time.Second), nobody); !slices.Equal(list, []PeerID{"z", "a"}) {
		t.Errorf("after 5 s: %v; nobody without an address", list)
	}
	if list, _ := b.due(noon.Add(5*time.Second), func(p PeerID) bool { return p == "z" }); !slices.Equal(list, []PeerID{"a"}) {
		t.Errorf("with z connected: %v", list)
	}
}

func TestBackoff(t *testing.T) {
	b := newBook("a", chance{1})
	b.members(map[PeerID][]string{"b": {"x"}}, noon)
	now := noon
	var waits []time.Duration
	for range 40 {
		list, _ := b.due(now, nobody)
		if len(list) != 1 {
			t.Fatalf("nobody is due after waits of %v", waits)
		}
		b.start("b")
		if list, next := b.due(now.Add(time.Hour), nobody); len(list) > 0 || !next.IsZero() {
			t.Fatal("dialed twice at once")
		}
		b.done("b", false, now)
		_, next := b.due(now, nobody)
		waits = append(waits, next.Sub(now))
		now = next
	}
	for i, w := range waits {
		most := min(firstBackoff<<min(i, 16), lastBackoff)
		if i+1 > patientFails {
			most = min(firstBackoff<<min(i, 16), idleBackoff)
		}
		if w < most/2 || w > most {
			t.Errorf("wait %d is %v, want %v to %v", i, w, most/2, most)
		}
	}
	if b.sight(Sighting{Peer: "b", Addrs: []string{"y"}}, false, now.Add(-time.Second)); !b.contacts["b"].next.Equal(now) {
		t.Error("a usual beacon cleared the backoff")
	}
	b.sight(Sighting{Peer: "b", Addrs: []string{"y"}, New: true}, false, now.Add(-time.Second))
	if list, _ := b.due(now.Add(-time.Second), nobody); len(list) != 1 {
		t.Error("a fresh announcement did not clear the backoff")
	}
	if got := b.start("b"); !slices.Equal(got, []string{"y", "x"}) {
		t.Errorf("dials %v, want the new address first", got)
	}
	b.sight(Sighting{Peer: "b", Addrs: []string{"y"}, New: true}, false, now.Add(time.Second))
	b.done("b", false, now.Add(time.Second))
	if list, _ := b.due(now.Add(time.Second), nobody); len(list) != 1 {
		t.Error("sighted while dialing: not dialed again at once")
	}
}

func TestSightings(t *testing.T) {
	b := newBook("a", chance{})
	if b.sight(Sighting{Peer: "a", New: true}, false, noon) || len(b.contacts) != 0 {
		t.Error("dials itself")
	}
	b.sight(Sighting{Peer: "s", New: true}, false, noon)
	if list, _ := b.due(noon, nobody); !slices.Equal(list, []PeerID{"s"}) {
		t.Errorf("a sighted stranger with the key: %v", list)
	}
	if !b.sight(Sighting{Peer: "s", Addrs: []string{"new"}, New: true}, true, noon.Add(time.Minute)) {
		t.Error("same id at a new address: the connection is not probed")
	}
	if b.sight(Sighting{Peer: "s", Addrs: []string{"new"}}, true, noon.Add(2*time.Minute)) {
		t.Error("a usual beacon probes the connection")
	}
	b.sight(Sighting{Peer: "s", Gone: true}, false, noon.Add(3*time.Minute))
	if list, _ := b.due(noon.Add(4*time.Minute), nobody); len(list) != 0 {
		t.Errorf("dials who said goodbye: %v", list)
	}
	b.tell("s", []string{"told"})
	if len(b.contacts["s"].told) != 0 {
		t.Error("addresses were told of one who is no member")
	}
	b.members(nil, noon.Add(time.Hour))
	if len(b.contacts) != 0 {
		t.Error("a stranger of an hour ago is still in the book")
	}
	for i := range 1000 {
		b.sight(Sighting{Peer: PeerID(fmt.Sprint("p", i)), New: true}, false, noon)
	}
	if len(b.contacts) != maxUnknown {
		t.Errorf("%d strangers in the book", len(b.contacts))
	}
	if list, _ := b.due(noon.Add(time.Minute), nobody); len(list) != maxDials {
		t.Errorf("%d dials at once", len(list))
	}
}

func TestLost(t *testing.T) {
	b := newBook("a", chance{})
	b.members(map[PeerID][]string{"b": {"x"}}, noon)
	b.lost("b", time.Minute, noon)
	if list, _ := b.due(noon, nobody); len(list) != 1 {
		t.Error("a session that lasted is not dialed again at once")
	}
	b.lost("b", time.Second, noon)
	if list, _ := b.due(noon, nobody); len(list) != 0 {
		t.Error("a session that did not last is dialed again at once")
	}
}

func TestGate(t *testing.T) {
	g := newGate()
	g.admit(map[PeerID]bool{"member": true}, true)
	var conns []*pipeEnd
	for i := range 10_000 {
		_, c := pipe(PeerID(fmt.Sprint("stranger", i)), "me")
		conns = append(conns, c)
		if g.enter(c, noon) == nil {
			t.Fatal("a stranger was refused before it did anything")
		}
	}
	if len(g.trying) != maxStrangers {
		t.Errorf("%d strangers at once", len(g.trying))
	}
	select {
	case <-conns[0].done:
	default:
		t.Error("the oldest try goes on")
	}
	_, c := pipe("member", "me")
	v := g.enter(c, noon)
	if v == nil || !v.member {
		t.Fatal("strangers kept a member out")
	}
	for range maxPerPeer - 1 {
		g.enter(c, noon)
	}
	if g.enter(c, noon) != nil {
		t.Error("one peer takes any number of places")
	}
	g.leave(v)
	if g.enter(c, noon) == nil {
		t.Error("a place that came free stays taken")
	}

	for i := range 10_000 {
		g.strike(PeerID(fmt.Sprint("stranger", i)), noon.Add(time.Duration(i)))
	}
	if len(g.strikes) != maxStrikes {
		t.Errorf("%d strikes kept", len(g.strikes))
	}
	_, bad := pipe("stranger9999", "me")
	if g.enter(bad, noon.Add(time.Millisecond)) != nil {
		t.Error("struck and let in at once")
	}
	now, refused := noon, time.Duration(0)
	for range 12 {
		g.strike("bad", now)
		wait := g.strikes["bad"].until.Sub(now)
		if wait < refused || wait > maxRefusal {
			t.Errorf("refused for %v after %v", wait, refused)
		}
		refused, now = wait, now.Add(wait)
	}
	if refused != maxRefusal {
		t.Errorf("refused for %v in the end", refused)
	}
	g.pardon("bad")
	_, good := pipe("bad", "me")
	if g.enter(good, now) == nil {
		t.Error("pardoned and refused")
	}

	joins := 0
	for i := range 100 {
		if g.enterJoin(PeerID(fmt.Sprint(i % 20))) {
			joins++
		}
	}
	if joins != maxJoins {
		t.Errorf("%d joins at once", joins)
	}
	g.leaveJoin("0")
	if !g.enterJoin("0") || g.enterJoin("0") {
		t.Error("places for joins")
	}
}

// What the application keeps of a contact is dialed however many addresses it has,
// and only as long as it is kept.
func TestBookKept(t *testing.T) {
	now := time.Unix(1000, 0)
	b := newBook("a", chance{})
	typed := map[PeerID][]string{"b": {"typed:1"}}
	b.members(typed, now)
	var own []string
	for i := range 2 * maxAddrs {
		own = append(own, fmt.Sprintf("own:%d", i))
	}
	b.own("b", own, now)
	if !b.tell("b", []string{"told:1"}) || b.tell("b", []string{"told:1"}) {
		t.Error("an address is not new, or new twice")
	}
	got := b.start("b")
	if !slices.Contains(got, "typed:1") || !slices.Contains(got, "told:1") || len(got) != maxAddrs+2 {
		t.Errorf("dialed at %q", got)
	}
	for range 10 {
		b.done("b", false, now)
	}
	if next := b.contacts["b"].next; next.Sub(now) < time.Second {
		t.Fatalf("no backoff: %v", next.Sub(now))
	}
	b.members(map[PeerID][]string{"b": {"typed:2"}}, now)
	if c := b.contacts["b"]; c.next.After(now) || c.fails != 0 {
		t.Errorf("a newly typed address waits %v", c.next.Sub(now))
	}
	if got := b.start("b"); slices.Contains(got, "typed:1") || !slices.Contains(got, "typed:2") {
		t.Errorf("dialed at %q", got)
	}
}
