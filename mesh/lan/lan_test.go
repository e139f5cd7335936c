package lan

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"inselnetz/crdt/log"
	"inselnetz/mesh"
	"inselnetz/mesh/meshtest"
)

// key makes a private key of a name.
func key(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// freeUDP finds a port for beacons no other test uses.
func freeUDP(t *testing.T) int {
	t.Helper()
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).Port
}

// open makes a transport on the loopback interface.
func open(t *testing.T, name string, beaconPort int) *Transport {
	t.Helper()
	tr, err := New(context.Background(), Options{Key: key(name), BeaconPort: beaconPort, Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close() })
	return tr
}

func TestTransport(t *testing.T) {
	meshtest.Transport(t, func(t *testing.T) (a, b mesh.Transport) {
		port := freeUDP(t)
		return open(t, "ann", port), open(t, "bob", port)
	})
}

func TestMesh(t *testing.T) {
	meshtest.Mesh(t, func(t *testing.T, n int) []mesh.Transport {
		port := freeUDP(t)
		var all []mesh.Transport
		for i := range n {
			all = append(all, open(t, string(rune('a'+i)), port))
		}
		return all
	})
}

// meet connects a to b and returns both ends.
func meet(t *testing.T, a, b *Transport) (from, to mesh.Conn) {
	t.Helper()
	from, err := a.Dial(t.Context(), b.Self(), b.Addrs(), mesh.ProtoSync)
	if err != nil {
		t.Fatal(err)
	}
	to, err = b.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return from, to
}

func TestCloseLeavesNothing(t *testing.T) {
	opened := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			return 0 // no way to count here
		}
		return len(entries)
	}
	var goroutines, files int
	for round := range 4 {
		if round == 1 { // the first one opens what the runtime keeps
			goroutines, files = runtime.NumGoroutine(), opened()
		}
		port := freeUDP(t)
		a, b := open(t, "ann", port), open(t, "bob", port)
		a.Announce([]log.Key{{1}})
		b.Announce([]log.Key{{1}})
		from, to := meet(t, a, b)
		if err := from.Send([]byte("hi")); err != nil {
			t.Fatal(err)
		}
		if _, err := to.Recv(); err != nil {
			t.Fatal(err)
		}
		a.Close()
		if _, err := to.Recv(); err == nil {
			t.Error("a frame from a closed transport")
		}
		if _, err := a.Dial(t.Context(), b.Self(), b.Addrs(), mesh.ProtoSync); err == nil {
			t.Error("dialed from a closed transport")
		}
		b.Close()
		if _, err := b.Accept(t.Context()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("accept on a closed transport: %v", err)
		}
	}
	for i := 0; runtime.NumGoroutine() > goroutines || opened() > files; i++ {
		if i == 100 {
			buf := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d files; before %d, %d\n%s", runtime.NumGoroutine(), opened(), goroutines, files, buf[:runtime.Stack(buf, true)])
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func TestAsk(t *testing.T) {
	port := freeUDP(t)
	a, b := open(t, "ann", port), open(t, "bob", port)
	door, err := a.Ask(t.Context(), b.Addrs()[0])
	if err != nil || door.Peer != b.Self() || len(door.Addrs) != 1 || door.Addrs[0] != b.Addrs()[0] {
		t.Fatalf("got %+v, %v; want %s at %v", door, err, b.Self(), b.Addrs())
	}
	c, err := a.Dial(t.Context(), door.Peer, door.Addrs, mesh.ProtoJoin)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()

	mute, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if door, err := a.Ask(ctx, mute.Addr().String()); err == nil {
		t.Errorf("nobody answered as %+v", door)
	}
}

func TestQUIC(t *testing.T) {
	port := freeUDP(t)
	a, b := open(t, "ann", port), open(t, "bob", port)
	muxed, err := a.host.dialQUIC(t.Context(), b.host.self, netip.MustParseAddrPort(b.Addrs()[0]))
	if err != nil {
		t.Fatal(err)
	}
	stream, err := openStream(t.Context(), muxed, mesh.ProtoSync)
	if err != nil {
		t.Fatal(err)
	}
	from := newConn(a, muxed, stream, mesh.ProtoSync, nil)
	if err := from.Send([]byte("hi")); err != nil {
		t.Fatal(err)
	}
	to, err := b.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := to.Recv(); err != nil || string(got) != "hi" {
		t.Errorf("got %q, %v", got, err)
	}
	if from.Peer() != b.Self() || to.Peer() != a.Self() || from.Path() != b.Addrs()[0] {
		t.Errorf("from %s at %s, to %s", from.Peer(), from.Path(), to.Peer())
	}
	from.Close()
	if _, err := to.Recv(); err == nil {
		t.Error("a frame after Close")
	}
}

// A second program on one computer takes another port and is found there.
func TestTwoProgramsOneComputer(t *testing.T) {
	port := freeUDP(t)
	a := open(t, "ann", port)
	b, err := New(t.Context(), Options{Key: key("bob"), Port: a.host.port, BeaconPort: port, Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if a.host.port == b.host.port {
		t.Fatal("two programs on one port")
	}
	a.Announce([]log.Key{{1}})
	b.Announce([]log.Key{{1}})
	for {
		select {
		case s := <-a.Sightings():
			if s.Peer == b.Self() && slices.Contains(s.Addrs, b.Addrs()[0]) {
				return
			}
		case <-time.After(5 * time.Second):
			t.Fatal("the second program was not found")
		}
	}
}

// With the port of beacons taken by another program the device hears nobody, yet
// is heard.
func TestBeaconPortTaken(t *testing.T) {
	c, err := net.ListenPacket("udp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	port := c.LocalAddr().(*net.UDPAddr).Port
	a := open(t, "ann", port)
	c.Close()
	b := open(t, "bob", port)
	a.Announce([]log.Key{{1}})
	b.Announce([]log.Key{{1}})
	select {
	case s := <-b.Sightings():
		if s.Peer != a.Self() {
			t.Errorf("sighted %+v", s)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("not heard")
	}
}
