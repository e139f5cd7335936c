package bep

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// memState is a State in memory.
type memState struct {
	mu   sync.Mutex
	data map[string][]byte
}

func (m *memState) Load(share string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return bytes.Clone(m.data[share]), nil
}

func (m *memState) Save(share string, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.data == nil {
		m.data = map[string][]byte{}
	}
	m.data[share] = bytes.Clone(data)
	return nil
}

func newCert(t testing.TB) tls.Certificate {
	t.Helper()
	cert, key, err := NewCertificate(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A node is a device of a test: a folder and the gateway before it.
type node struct {
	t      testing.TB
	cert   tls.Certificate
	folder *memFolder
	state  *memState
	news   chan struct{}
	now    func() time.Time
	listen string

	*Gateway
	stop func()
}

func newNode(t testing.TB) *node {
	n := &node{t: t, cert: newCert(t), folder: newMemFolder(), state: &memState{}, news: make(chan struct{}, 1), listen: "127.0.0.1:0"}
	t.Cleanup(func() { n.halt() })
	return n
}

func (n *node) id() DeviceID { return IDOf(n.cert) }

func testLog(t testing.TB) *slog.Logger {
	if os.Getenv("BEP_LOG") == "" {
		return nil
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// start opens the gateway with devices; one that has an address is dialed.
func (n *node) start(devices ...Device) {
	n.t.Helper()
	for i := range devices {
		devices[i].Folders = []string{"office"}
	}
	g, err := Open(Options{
		Cert: n.cert, Listen: n.listen, Devices: devices, State: n.state, Now: n.now, Log: testLog(n.t),
		Shares: []Share{{ID: "office", Label: "Office", Folder: n.folder}},
		OnChange: func() {
			select {
			case n.news <- struct{}{}:
			default:
			}
		},
	})
	if err != nil {
		n.t.Fatal(err)
	}
	n.Gateway = g
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		g.Run(ctx)
	}()
	n.stop = func() {
		cancel()
		<-done
	}
}

func (n *node) halt() {
	if n.stop != nil {
		n.stop()
		n.stop = nil
	}
}

func (n *node) addr() string { return n.Status().Listen }

// wait waits until ok holds, looking whenever something changed.
func (n *node) wait(what string, ok func() bool) {
	n.t.Helper()
	limit := time.After(120 * time.Second)
	for !ok() {
		select {
		case <-n.news:
		case <-n.folder.changedTest():
		case <-time.After(50 * time.Millisecond): // the other side's news do not come here
		case <-limit:
			n.t.Fatalf("%s: waited in vain; status %+v\nfolder %v", what, n.Status(), keys(n.folder.shows()))
		}
	}
}

// changedTest is no channel of the folder: that one belongs to the gateway.
func (m *memFolder) changedTest() <-chan struct{} { return nil }

func keys(m map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range m {
		if len(out) < 30 {
			out[k] = v[:min(len(v), 20)]
		}
	}
	return out
}

func (n *node) inSync(with DeviceID) bool {
	for _, d := range n.Status().Devices {
		if d.ID == with {
			return len(d.Folders) == 1 && d.Folders[0].InSync
		}
	}
	return false
}

// pair connects two nodes: the second dials.
func pair(a, b *node) {
	a.start(Device{ID: b.id(), Name: "b"})
	b.start(Device{ID: a.id(), Name: "a", Addrs: []string{a.addr()}})
}

// accept lets in what the brake holds of a device, if it does.
func (n *node) accept(id DeviceID) {
	n.t.Helper()
	if err := n.Accept(context.Background(), "office", id); err != nil && !errors.Is(err, ErrAway) {
		n.t.Fatal(err)
	}
}

// settle waits until two nodes show the same and know it, whatever the brake says.
func settle(a, b *node) {
	a.t.Helper()
	a.wait("in sync", func() bool {
		a.accept(b.id())
		b.accept(a.id())
		return maps.Equal(a.folder.shows(), b.folder.shows()) && a.inSync(b.id()) && b.inSync(a.id())
	})
}

func TestBothWays(t *testing.T) {
	a, b := newNode(t), newNode(t)
	a.folder.write("from a.txt", "a")
	a.folder.write("deep/er/file", strings.Repeat("large", 100_000))
	a.folder.write("empty", "")
	b.folder.write("from b.txt", "b")
	b.folder.mkdir("only a directory")
	b.folder.Link(t.Context(), "link", "from b.txt", "")
	pair(a, b)
	settle(a, b)
	if got := a.folder.shows(); len(got) != 8 || got["from b.txt"] != "b" || got["link"] != "-> from b.txt" {
		t.Fatalf("a shows %v", keys(got))
	}
	a.folder.write("from a.txt", "changed")
	b.folder.remove("from b.txt")
	b.folder.remove("deep")
	settle(a, b)
	got := a.folder.shows()
	if got["from a.txt"] != "changed" || got["from b.txt"] != "" || got["deep"] != "" {
		t.Fatalf("a shows %v", keys(got))
	}
	if c := a.folder.conflicts("from a.txt"); len(c) != 1 {
		t.Errorf("conflicts %q", c)
	}
}

func TestConflictKeepsBoth(t *testing.T) {
	a, b := newNode(t), newNode(t)
	a.folder.write("f", "common")
	pair(a, b)
	settle(a, b)
	b.halt()
	a.folder.writeAt("f", "of a", time.Now().Add(time.Hour))
	b.folder.write("f", "of b")
	b.start(Device{ID: a.id(), Addrs: []string{a.addr()}})
	settle(a, b)
	kept := kept(a, b)
	if !kept["fof a"] || !kept["fof b"] {
		t.Errorf("versions %v", kept)
	}
	if a, b := a.folder.conflicts("f"), b.folder.conflicts("f"); len(a) < 2 && len(b) < 2 {
		t.Errorf("nobody sees a conflict: %q, %q", a, b)
	}
}

func TestChangeBeatsDeletion(t *testing.T) {
	a, b := newNode(t), newNode(t)
	a.folder.write("f", "common")
	a.folder.write("g", "common")
	pair(a, b)
	settle(a, b)
	b.halt()
	a.folder.remove("f")
	a.folder.write("g", "changed")
	b.folder.write("f", "changed")
	b.folder.remove("g")
	b.start(Device{ID: a.id(), Addrs: []string{a.addr()}})
	settle(a, b)
	if got := a.folder.shows(); got["f"] != "changed" || got["g"] != "changed" {
		t.Errorf("a shows %v", got)
	}
}

// What one device changes comes to the other through the gateway, also what both
// had already.
func TestTwoDevices(t *testing.T) {
	a, b, c := newNode(t), newNode(t), newNode(t)
	b.folder.write("of b", "b")
	c.folder.write("of c", "c")
	for _, n := range []*node{b, c} {
		n.folder.write("of both", "the same")
		n.folder.write("dir/of both", "the same")
	}
	a.start(Device{ID: b.id()}, Device{ID: c.id()})
	b.start(Device{ID: a.id(), Addrs: []string{a.addr()}})
	c.start(Device{ID: a.id(), Addrs: []string{a.addr()}})
	settle(a, b)
	settle(a, c)
	b.folder.write("of c", "changed by b")
	c.folder.remove("of b")
	settle(a, b)
	settle(a, c)
	settle(a, b)
	want := map[string]string{"of c": "changed by b", "of both": "the same", "dir": "/", "dir/of both": "the same"}
	for _, n := range []*node{a, b, c} {
		if got := n.folder.shows(); !maps.Equal(got, want) {
			t.Errorf("shows %v", got)
		}
		for p := range want {
			if c := n.folder.conflicts(p); len(c) > 1 {
				t.Errorf("conflict at %s: %q", p, c)
			}
		}
	}
}

// What was forgotten is found equal again: no new versions, no conflicts.
func TestStateLost(t *testing.T) {
	a, b := newNode(t), newNode(t)
	for i := range 20 {
		a.folder.write(fmt.Sprint("dir/", i), fmt.Sprint("content ", i))
	}
	pair(a, b)
	settle(a, b)
	a.halt()
	b.halt()
	b.state = &memState{}
	countA, countB := a.folder.count, b.folder.count
	pair(a, b)
	settle(a, b)
	if a.folder.count != countA || b.folder.count != countB {
		t.Errorf("versions: %d then %d, %d then %d", countA, a.folder.count, countB, b.folder.count)
	}
}

// A folder that lost its memory deletes nothing over there: it gets all back.
func TestFolderLost(t *testing.T) {
	for name, lost := range map[string]func(*node){
		"while it did not run": func(a *node) {
			a.halt()
			a.folder = newMemFolder()
		},
		"while it runs": func(a *node) {
			a.folder.mu.Lock()
			a.folder.paths = map[string][]*memVersion{}
			a.folder.changed <- struct{}{}
			a.folder.mu.Unlock()
		},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := newNode(t), newNode(t)
			for i := range 20 {
				a.folder.write(fmt.Sprint("dir/deep/", i), fmt.Sprint("content ", i))
			}
			pair(a, b)
			settle(a, b)
			want, count := b.folder.shows(), b.folder.count
			lost(a)
			if a.stop == nil {
				b.halt()
				pair(a, b)
			}
			a.wait("all back", func() bool { return maps.Equal(a.folder.shows(), want) })
			settle(a, b)
			if got := b.folder.shows(); !maps.Equal(got, want) {
				t.Errorf("b shows %v", keys(got))
			}
			if b.folder.count != count {
				t.Errorf("%d versions over there, were %d", b.folder.count, count)
			}
		})
	}
}

func TestRestartForgetsNothing(t *testing.T) {
	a, b := newNode(t), newNode(t)
	for i := range 5 {
		a.folder.write(fmt.Sprint(i), "x")
	}
	pair(a, b)
	settle(a, b)
	a.halt()
	b.halt()
	a.folder.remove("1")
	b.folder.write("2", "changed")
	pair(a, b)
	settle(a, b)
	if got := b.folder.shows(); len(got) != 4 || got["1"] != "" || got["2"] != "changed" {
		t.Errorf("b shows %v", got)
	}
}

func seed(t *testing.T) uint64 {
	s := uint64(time.Now().UnixNano())
	if v, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64); err == nil {
		s = v
	}
	t.Logf("SEED=%d", s)
	return s
}

// Random changes on both sides, with restarts: in the end both show the same, and
// nothing that anybody wrote is lost.
func TestConverges(t *testing.T) {
	rnd := rand.New(rand.NewPCG(seed(t), 0))
	a, b := newNode(t), newNode(t)
	pair(a, b)
	written := map[string]bool{}
	for round := range 12 {
		for range rnd.IntN(8) {
			n := []*node{a, b}[rnd.IntN(2)]
			p := fmt.Sprintf("%c/%c", 'a'+rnd.IntN(2), 'a'+rnd.IntN(3))
			switch rnd.IntN(4) {
			case 0:
				n.folder.remove(p)
			case 1:
				n.folder.remove(p[:1])
			default:
				text := fmt.Sprint("text ", rnd.Uint64())
				written[p+text] = true
				n.folder.write(p, text)
			}
		}
		if rnd.IntN(3) == 0 {
			n := []*node{a, b}[rnd.IntN(2)]
			n.halt()
			if rnd.IntN(4) == 0 {
				n.state = &memState{}
			}
			a.halt()
			b.halt()
			pair(a, b)
		}
		if rnd.IntN(2) == 0 || round == 11 {
			settle(a, b)
		}
	}
	kept := kept(a, b)
	for w := range written {
		if !kept[w] {
			t.Errorf("%q is lost", w)
		}
	}
}

// kept returns every path and content that one of the nodes has a version of.
func kept(nodes ...*node) map[string]bool {
	out := map[string]bool{}
	for _, n := range nodes {
		n.folder.mu.Lock()
		for p, vs := range n.folder.paths {
			for _, v := range vs {
				out[p+string(v.data)] = true
			}
		}
		n.folder.mu.Unlock()
	}
	return out
}
