package meshtest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"inselnetz/crdt/log"
	"inselnetz/mesh"
)

// A MeshCase is one test of a few Meshes on transports that can reach each other.
type MeshCase struct {
	Name  string
	Nodes int
	Run   func(t *testing.T, ts []mesh.Transport)
}

// Mesh runs MeshCases, each on new transports, which open closes by t.Cleanup.
func Mesh(t *testing.T, open func(t *testing.T, n int) []mesh.Transport) {
	for _, c := range MeshCases() {
		t.Run(c.Name, func(t *testing.T) { c.Run(t, open(t, c.Nodes)) })
	}
}

// MeshCases returns what a Mesh does on every Transport.
func MeshCases() []MeshCase {
	return []MeshCase{
		{"Push", 2, pushBothWays},
		{"Backlog", 3, backlog},
		{"Restart", 2, restart},
		{"TwoLeftOneStays", 3, leave},
		{"NotAdmitted", 2, notAdmitted},
		{"OldKey", 2, oldKey},
		{"AdmittedLater", 3, admittedLater},
		{"Removed", 2, removed},
		{"OldCopy", 2, oldCopy},
	}
}

// A Node is a Mesh on Memory that runs.
type Node struct {
	*mesh.Mesh
	*Memory
	Transport mesh.Transport
	stop      context.CancelFunc
	done      chan error
}

// Start runs a Mesh over holdings. Each start of a device has its own number.
func Start(m *Memory, tr mesh.Transport, start byte, opts mesh.Options) *Node {
	ctx, cancel := context.WithCancel(context.Background())
	n := &Node{Mesh: mesh.New(tr, m, m.Office.Identity(m.Device, start), opts), Memory: m, Transport: tr, stop: cancel, done: make(chan error, 1)}
	go func() { n.done <- n.Run(ctx) }()
	return n
}

// Stop ends a Mesh and returns what Run did; ending by itself is an error.
func (n *Node) Stop() error {
	n.stop()
	if err := <-n.done; !errors.Is(err, context.Canceled) {
		return fmt.Errorf("run: %w", err)
	}
	return nil
}

// Post writes and pushes an entry.
func (n *Node) Post(space log.SpaceID, text string) (log.LogID, uint64) {
	card, e := n.Append(space, []byte(text))
	n.Push(card, e.Bytes())
	return e.Log, e.Seq
}

// Here returns the PeerIDs that are here.
func (n *Node) Here() (list []mesh.PeerID) {
	for _, p := range n.Peers() {
		if p.Here {
			list = append(list, p.PeerID)
		}
	}
	return list
}

func letter(i int) string { return string(rune('a' + i)) }

// office returns holdings for each transport, the first the founder's. All know
// of all.
func office(ts []mesh.Transport) (*Office, []*Memory) {
	founder := NewDevice("a", ts[0].Self())
	o := NewOffice(founder)
	all := []*Memory{NewMemory(o, founder)}
	for i, tr := range ts[1:] {
		d := NewDevice(letter(i+1), tr.Self())
		all[0].Admit(d)
		all = append(all, NewMemory(o, d))
	}
	for _, m := range all[1:] {
		m.Take(all[0])
	}
	return o, all
}

// Take imports all of the control space another holds.
func (m *Memory) Take(from *Memory) {
	for id, at := range from.Heights(log.Control) {
		card, _ := from.Card(id)
		entries, err := from.Entries(context.Background(), id, 1, at.Seq, 1<<30)
		if err == nil {
			_, err = m.Import(context.Background(), card, entries, true)
		}
		if err != nil {
			panic(err)
		}
	}
}

func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	if _, ok := await(func() (struct{}, bool) { return struct{}{}, cond() }); !ok {
		t.Fatalf("never: %s", what)
	}
}

// start runs all and stops them when the returned function is called.
func start(t *testing.T, ms []*Memory, ts []mesh.Transport) ([]*Node, func()) {
	var nodes []*Node
	for i, m := range ms {
		nodes = append(nodes, Start(m, ts[i], 1, mesh.Options{}))
	}
	introduce(nodes, ts)
	return nodes, func() {
		for _, n := range nodes {
			if err := n.Stop(); err != nil {
				t.Error(err)
			}
		}
	}
}

// introduce lets everyone know all addresses, so that tests do not depend on
// beacons.
func introduce(nodes []*Node, ts []mesh.Transport) {
	for _, n := range nodes {
		for _, tr := range ts {
			if tr.Self() != n.Device.Peer {
				n.Reached(tr.Self(), tr.Addrs())
			}
		}
		n.Refresh()
	}
}

func pushBothWays(t *testing.T, ts []mesh.Transport) {
	o, ms := office(ts)
	nodes, stop := start(t, ms, ts)
	defer stop()
	a, b := nodes[0], nodes[1]
	eventually(t, "both are here", func() bool { return len(a.Here()) == 1 && len(b.Here()) == 1 })
	for i := range 20 {
		a.Post(o.Space(), fmt.Sprintf("from a %d", i))
		id, seq := b.Post(o.Space(), fmt.Sprintf("from b %d", i))
		eventually(t, "equal", func() bool { return Equal(o.Space(), ms...) })
		eventually(t, "b knows that a holds it", func() bool { return b.Held(id, seq) == 1 })
	}
	p := a.Peers()[0]
	if p.Device != b.Device.ID || p.PeerID != b.Device.Peer || p.Stranger || p.Path == "" || p.Since.IsZero() {
		t.Errorf("a sees b as %+v", p)
	}
	if d := p.Clock.Abs(); d > time.Minute {
		t.Errorf("clock differs by %v", d)
	}
	eventually(t, "round trip measured, nothing behind", func() bool { p := a.Peers()[0]; return p.RTT > 0 && p.Behind == 0 })
}

func backlog(t *testing.T, ts []mesh.Transport) {
	o, ms := office(ts)
	const n = 3000
	for i := range n {
		ms[0].Append(o.Space(), fmt.Appendf(nil, "message %d %0150d", i, i))
		if i%3 == 0 {
			ms[1].Append(o.Space(), fmt.Appendf(nil, "other %d", i))
		}
	}
	_, stop := start(t, ms, ts)
	defer stop()
	eventually(t, "equal", func() bool { return Equal(o.Space(), ms...) })
	if got := len(ms[2].Payloads(o.Space())); got != n+n/3 {
		t.Errorf("%d entries arrived, want %d", got, n+n/3)
	}
	if all, bulk := ms[2].Imports(); bulk > 60 || all > 80 {
		t.Errorf("%d imports, %d in bulk: batches are too small, or came twice", all, bulk)
	}
}

func restart(t *testing.T, ts []mesh.Transport) {
	o, ms := office(ts)
	nodes, stop := start(t, ms, ts[:2])
	a, b := nodes[0], nodes[1]
	eventually(t, "both are here", func() bool { return len(a.Here()) == 1 && len(b.Here()) == 1 })
	stop()
	if len(a.Peers()) != 0 {
		t.Errorf("a stopped Mesh has peers")
	}
	a.Append(o.Space(), []byte("while apart"))
	b.Append(o.Space(), []byte("there too"))
	a, b = Start(ms[0], ts[0], 2, mesh.Options{}), Start(ms[1], ts[1], 2, mesh.Options{})
	introduce([]*Node{a, b}, ts)
	eventually(t, "equal", func() bool { return Equal(o.Space(), ms...) && len(ms[0].Payloads(o.Space())) == 2 })
	for _, n := range []*Node{a, b} {
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
	}
}

func leave(t *testing.T, ts []mesh.Transport) {
	_, ms := office(ts)
	nodes, stop := start(t, ms, ts)
	eventually(t, "all are here", func() bool {
		return len(nodes[0].Here()) == 2 && len(nodes[1].Here()) == 2 && len(nodes[2].Here()) == 2
	})
	if err := nodes[2].Stop(); err != nil {
		t.Error(err)
	}
	eventually(t, "the goodbye was heard", func() bool {
		for _, p := range nodes[0].Peers() {
			if p.PeerID == ts[2].Self() {
				return !p.Here && p.Left == mesh.LeftGoodbye && !p.LastSeen.IsZero()
			}
		}
		return false
	})
	nodes[2] = Start(ms[2], ts[2], 2, mesh.Options{})
	introduce(nodes, ts)
	eventually(t, "it came back", func() bool { return len(nodes[0].Here()) == 2 })
	stop()
}

func notAdmitted(t *testing.T, ts []mesh.Transport) {
	o, ms := office(ts[:1])
	ms[0].Append(o.Space(), []byte("secret"))
	// It has the key, yet nobody admitted it.
	d := NewDevice("b", ts[1].Self())
	ms = append(ms, NewMemory(o, d))
	ms[1].Append(o.Space(), []byte("let me in"))
	nodes, stop := start(t, ms, ts)
	defer stop()
	eventually(t, "a stranger is here", func() bool { p := nodes[0].Peers(); return len(p) == 1 && p[0].Stranger })
	time.Sleep(500 * time.Millisecond)
	if got := ms[1].Payloads(o.Space()); len(got) != 1 {
		t.Errorf("the stranger holds %q", got)
	}
	if got := ms[1].Heights(log.Control); len(got) != 0 {
		t.Errorf("the stranger has control entries")
	}
	if got := ms[0].Payloads(o.Space()); len(got) != 1 {
		t.Errorf("the stranger wrote %q", got)
	}
}

// oldKey: a device that nobody knows, with a key that was renewed since, is not
// even a stranger: it may have been removed and come under another name.
func oldKey(t *testing.T, ts []mesh.Transport) {
	o, ms := office(ts[:1])
	d := NewDevice("b", ts[1].Self())
	ms = append(ms, NewMemory(o, d))
	ms[1].Append(log.Control, []byte("nobody asked"))
	id := o.Identity(ms[0].Device, 1)
	id.Keys = func() []log.Key { return []log.Key{{9}, o.Key} }
	ctx, cancel := context.WithCancel(context.Background())
	renewed := &Node{Mesh: mesh.New(ts[0], ms[0], id, mesh.Options{}), Memory: ms[0], Transport: ts[0], stop: cancel, done: make(chan error, 1)}
	go func() { renewed.done <- renewed.Run(ctx) }()
	old := Start(ms[1], ts[1], 1, mesh.Options{})
	introduce([]*Node{renewed, old}, ts)
	time.Sleep(500 * time.Millisecond)
	if p := renewed.Here(); len(p) != 0 {
		t.Errorf("it is here: %v", p)
	}
	if got := ms[0].Heights(log.Control); len(got) != 0 {
		t.Error("its control entries were taken")
	}
	if err := errors.Join(renewed.Stop(), old.Stop()); err != nil {
		t.Error(err)
	}
}

func admittedLater(t *testing.T, ts []mesh.Transport) {
	o, ms := office(ts[:2])
	// a admits c; b does not know yet, and meets c first.
	c := NewMemory(o, NewDevice("c", ts[2].Self()))
	card, e := ms[0].Admit(c.Device)
	c.Take(ms[0])
	c.Append(o.Space(), []byte("hello from c"))
	ms = append(ms, c)
	nodes, stop := start(t, ms[1:], ts[1:])
	eventually(t, "b heard of c by c", func() bool { _, ok := ms[1].Member(c.Device.ID); return ok })
	eventually(t, "b has what c wrote", func() bool { return Equal(o.Space(), ms[1:]...) && len(ms[1].Payloads(o.Space())) == 1 })
	if nodes[0].Peers()[0].Stranger && nodes[0].Peers()[0].Here {
		eventually(t, "c is no stranger", func() bool { return !nodes[0].Peers()[0].Stranger })
	}
	a := Start(ms[0], ts[0], 1, mesh.Options{})
	introduce(append(nodes, a), ts)
	a.Push(card, e.Bytes()) // twice does no harm
	eventually(t, "a too", func() bool { return Equal(o.Space(), ms...) })
	stop()
	if err := a.Stop(); err != nil {
		t.Error(err)
	}
}

func removed(t *testing.T, ts []mesh.Transport) {
	o, ms := office(ts)
	nodes, stop := start(t, ms, ts)
	defer stop()
	a, b := nodes[0], nodes[1]
	eventually(t, "both are here", func() bool { return len(a.Here()) == 1 && len(b.Here()) == 1 })
	card, e := a.Revoke(b.Device)
	a.Push(card, e.Bytes())
	a.Refresh()
	eventually(t, "b is out", func() bool {
		for _, p := range a.Peers() {
			if p.Here && !p.Stranger {
				return false
			}
		}
		return true
	})
	a.Post(o.Space(), "not for b")
	b.Post(o.Space(), "from outside")
	time.Sleep(time.Second)
	if len(b.Payloads(o.Space())) != 1 || len(a.Payloads(o.Space())) != 1 {
		t.Errorf("a has %q, b has %q", a.Payloads(o.Space()), b.Payloads(o.Space()))
	}
}

func oldCopy(t *testing.T, ts []mesh.Transport) {
	o, ms := office(ts)
	ms[0].Append(o.Space(), []byte("before the copy"))
	old := ms[0].Copy()
	ms[0].Append(o.Space(), []byte("after the copy"))
	ms[1].Take(ms[0])
	nodes, stop := start(t, ms, ts)
	eventually(t, "equal", func() bool { return Equal(o.Space(), ms...) })
	stop()

	// The old copy is restored and fetches back what it wrote since.
	a, b := Start(old, ts[0], 2, mesh.Options{}), Start(ms[1], ts[1], 2, mesh.Options{})
	introduce([]*Node{a, b}, ts)
	eventually(t, "its past came back", func() bool { return len(old.Payloads(o.Space())) == 2 })
	id, seq := a.Post(o.Space(), "after the restore")
	if seq != 1 {
		t.Errorf("the old log %s went on at %d", id, seq)
	}
	eventually(t, "equal again", func() bool { return Equal(o.Space(), old, ms[1]) && len(old.Payloads(o.Space())) == 3 })
	if ms[1].Forks()+old.Forks() > 0 {
		t.Error("a fork")
	}
	for _, n := range []*Node{a, b} {
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
	}
	_ = nodes
}
