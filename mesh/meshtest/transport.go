// Package meshtest holds the tests every Transport must pass, and Holdings in
// memory to run a Mesh on.
package meshtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"inselnetz/crdt/log"
	"inselnetz/mesh"
)

// A Case is one test on two transports that can reach each other. It may close
// them, and leaves none of its own goroutines.
type Case struct {
	Name string
	Run  func(t *testing.T, a, b mesh.Transport)
}

// Transport runs TransportCases, each on two new transports, which open closes
// by t.Cleanup. A transport that lives in a synctest bubble runs the cases
// itself, because a bubble has no subtests.
func Transport(t *testing.T, open func(t *testing.T) (a, b mesh.Transport)) {
	for _, c := range TransportCases() {
		t.Run(c.Name, func(t *testing.T) {
			a, b := open(t)
			c.Run(t, a, b)
		})
	}
}

// TransportCases returns what every Transport must do.
func TransportCases() []Case {
	return []Case{
		{"DialByAddress", dialByAddress},
		{"DialKnownPeer", dialKnownPeer},
		{"BothDirections", bothDirections},
		{"FramesInOrder", framesInOrder},
		{"LongestFrame", longestFrame},
		{"FrameAsStream", frameAsStream},
		{"OversizedFrame", oversizedFrame},
		{"CloseUnblocksBothEnds", closeUnblocks},
		{"LastFrameBeforeClose", lastFrame},
		{"DialNobody", dialNobody},
		{"UnknownProtocol", unknownProto},
		{"WrongPeerAtAddress", wrongPeer},
		{"AcceptEndsWithContext", acceptEnds},
		{"SightingWithSameKey", sightingSameKey},
		{"NoSightingWithOtherKey", sightingOtherKey},
		{"Doors", doors},
		{"ManyConns", manyConns},
		{"Secure", secure},
		{"SecurePosed", securePosed},
		{"Punched", punched},
	}
}

const patience = 20 * time.Second

func within(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(context.Background(), patience)
}

// connect dials b from a and returns both ends. A dialer may speak first, so one
// frame travels before the other end is sure to see the Conn.
func connect(t *testing.T, a, b mesh.Transport, addrs []string, proto string) (from, to mesh.Conn) {
	t.Helper()
	ctx, cancel := within(t)
	defer cancel()
	type result struct {
		c   mesh.Conn
		err error
	}
	accepted := make(chan result, 1)
	go func() {
		c, err := b.Accept(ctx)
		if err == nil {
			var hi []byte
			if hi, err = c.Recv(); err == nil && string(hi) != "hi" {
				err = fmt.Errorf("first frame is %q", hi)
			}
		}
		accepted <- result{c, err}
	}()
	c, err := a.Dial(ctx, b.Self(), addrs, proto)
	if err != nil {
		cancel()
		<-accepted
		t.Fatalf("dial: %v", err)
	}
	if err := c.Send([]byte("hi")); err != nil {
		cancel()
		<-accepted
		t.Fatalf("send: %v", err)
	}
	r := <-accepted
	if r.err != nil {
		t.Fatalf("accept: %v", r.err)
	}
	return c, r.c
}

func dialByAddress(t *testing.T, a, b mesh.Transport) {
	if len(b.Addrs()) == 0 {
		t.Fatal("no addresses")
	}
	from, to := connect(t, a, b, b.Addrs(), mesh.ProtoSync)
	defer from.Close()
	defer to.Close()
	if a.Self() == b.Self() || a.Self() == "" {
		t.Errorf("Self: %q and %q", a.Self(), b.Self())
	}
	if from.Peer() != b.Self() || to.Peer() != a.Self() {
		t.Errorf("peers: dialed %q, want %q; accepted %q, want %q", from.Peer(), b.Self(), to.Peer(), a.Self())
	}
	if from.Proto() != mesh.ProtoSync || to.Proto() != mesh.ProtoSync {
		t.Errorf("protocols: %q and %q", from.Proto(), to.Proto())
	}
	if from.Path() == "" || to.Path() == "" {
		t.Errorf("paths: %q and %q", from.Path(), to.Path())
	}
}

// punched has both ends send at once; the Conn is as any other.
func punched(t *testing.T, a, b mesh.Transport) {
	ctx, cancel := within(t)
	defer cancel()
	opening, stop := context.WithCancel(ctx)
	over := make(chan struct{})
	go func() {
		defer close(over)
		b.Punch(opening, a.Self(), a.Addrs())
	}()
	defer func() {
		stop()
		<-over
	}()
	from, err := a.DialPunched(ctx, b.Self(), b.Addrs(), mesh.ProtoSync)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	if err := from.Send([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	to, err := b.Accept(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	frame, err := to.Recv()
	if err != nil || string(frame) != "hello" || to.Peer() != a.Self() || from.Peer() != b.Self() || to.Proto() != mesh.ProtoSync {
		t.Errorf("%q from %q by %q: %v", frame, to.Peer(), to.Proto(), err)
	}
	if c, err := a.DialPunched(ctx, b.Self(), []string{}, mesh.ProtoSync); err == nil {
		c.Close() // a transport that knows b may do without an address
	}
}

func dialKnownPeer(t *testing.T, a, b mesh.Transport) {
	from, to := connect(t, a, b, b.Addrs(), mesh.ProtoSync)
	defer from.Close()
	defer to.Close()
	from2, to2 := connect(t, a, b, nil, mesh.ProtoJoin)
	defer from2.Close()
	defer to2.Close()
	if to2.Proto() != mesh.ProtoJoin || from2.Proto() != mesh.ProtoJoin {
		t.Errorf("protocols: %q and %q, want %q", from2.Proto(), to2.Proto(), mesh.ProtoJoin)
	}
	if from2.Peer() != b.Self() {
		t.Errorf("peer %q, want %q", from2.Peer(), b.Self())
	}
}

func bothDirections(t *testing.T, a, b mesh.Transport) {
	from, to := connect(t, a, b, b.Addrs(), mesh.ProtoSync)
	defer from.Close()
	defer to.Close()
	for _, c := range []struct{ send, recv mesh.Conn }{{from, to}, {to, from}, {from, to}} {
		if err := c.send.Send([]byte{1, 2, 3}); err != nil {
			t.Fatal(err)
		}
		if got, err := c.recv.Recv(); err != nil || !bytes.Equal(got, []byte{1, 2, 3}) {
			t.Fatalf("got %x, %v", got, err)
		}
	}
}

// filled returns n bytes that depend on the seed.
func filled(n int, seed uint64) []byte {
	b := make([]byte, 0, n+32)
	for i := uint64(0); len(b) < n; i++ {
		var s [16]byte
		binary.BigEndian.PutUint64(s[:], seed)
		binary.BigEndian.PutUint64(s[8:], i)
		h := sha256.Sum256(s[:])
		b = append(b, h[:]...)
	}
	return b[:n]
}

func framesInOrder(t *testing.T, a, b mesh.Transport) {
	from, to := connect(t, a, b, b.Addrs(), mesh.ProtoSync)
	defer from.Close()
	defer to.Close()
	const n = 500
	size := func(i int) int { return []int{1, 7, 100, 1400, 1 << 14, 70_000}[i%6] }
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, c := range []mesh.Conn{from, to} { // both ends send at once
		wg.Go(func() {
			for i := range n {
				if err := c.Send(filled(size(i), uint64(i))); err != nil {
					t.Errorf("send %d: %v", i, err)
					c.Close()
					return
				}
			}
		})
	}
	for _, c := range []mesh.Conn{from, to} {
		wg.Go(func() {
			for i := range n {
				got, err := c.Recv()
				if err != nil {
					t.Errorf("frame %d: %v", i, err)
					return
				}
				if !bytes.Equal(got, filled(size(i), uint64(i))) {
					t.Errorf("frame %d differs, has %d bytes", i, len(got))
					c.Close()
					return
				}
			}
		})
	}
}

func longestFrame(t *testing.T, a, b mesh.Transport) {
	from, to := connect(t, a, b, b.Addrs(), mesh.ProtoSync)
	defer from.Close()
	defer to.Close()
	want := filled(mesh.MaxFrame, 1)
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		if err := from.Send(want); err != nil {
			t.Errorf("send: %v", err)
			from.Close()
		}
	})
	if got, err := to.Recv(); err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
}

func frameAsStream(t *testing.T, a, b mesh.Transport) {
	from, to := connect(t, a, b, b.Addrs(), mesh.ProtoBlocks)
	defer from.Close()
	defer to.Close()
	s, ok := to.(mesh.StreamConn)
	if !ok {
		return
	}
	sizes := []int{mesh.MaxFrame, 0, 1, 100_000}
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		for i, n := range sizes {
			if err := from.Send(filled(n, uint64(i))); err != nil {
				t.Errorf("send: %v", err)
			}
		}
		from.Close()
	})
	for i, want := range sizes {
		n, r, err := s.RecvStream()
		if err != nil || n != want {
			t.Errorf("a frame of %d bytes, %v; want %d", n, err, want)
			return
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, filled(n, uint64(i))) {
			t.Errorf("frame %d differs, has %d bytes, %v", i, len(got), err)
			return
		}
	}
	if _, _, err := s.RecvStream(); err == nil {
		t.Error("a frame after the last")
	}
}

func oversizedFrame(t *testing.T, a, b mesh.Transport) {
	from, to := connect(t, a, b, b.Addrs(), mesh.ProtoSync)
	defer from.Close()
	defer to.Close()
	if err := from.Send(make([]byte, mesh.MaxFrame+1)); err == nil {
		t.Error("a frame above MaxFrame was sent")
	}
}

func closeUnblocks(t *testing.T, a, b mesh.Transport) {
	for _, closer := range []string{"dialer", "accepter"} {
		from, to := connect(t, a, b, b.Addrs(), mesh.ProtoSync)
		errs := make(chan error, 2)
		go func() { _, err := from.Recv(); errs <- err }()
		go func() { _, err := to.Recv(); errs <- err }()
		if closer == "dialer" {
			from.Close()
		} else {
			to.Close()
		}
		for range 2 {
			select {
			case err := <-errs:
				if err == nil {
					t.Errorf("%s closed: a frame came from nowhere", closer)
				}
			case <-time.After(patience):
				t.Fatalf("%s closed: Recv still waits", closer)
			}
		}
		if err := from.Send([]byte("x")); err == nil && closer == "dialer" {
			t.Error("Send on a closed Conn worked")
		}
		from.Close() // twice does no harm
		to.Close()
	}
}

func lastFrame(t *testing.T, a, b mesh.Transport) {
	from, to := connect(t, a, b, b.Addrs(), mesh.ProtoSync)
	defer to.Close()
	if err := from.Send([]byte("bye")); err != nil {
		t.Fatal(err)
	}
	from.Close()
	if got, err := to.Recv(); err != nil || string(got) != "bye" {
		t.Fatalf("got %q, %v; want what was sent before Close", got, err)
	}
	if _, err := to.Recv(); err == nil {
		t.Error("a frame after the last")
	}
}

func dialNobody(t *testing.T, a, b mesh.Transport) {
	addrs := b.Addrs()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	start := time.Now()
	if c, err := a.Dial(ctx, b.Self(), addrs, mesh.ProtoSync); err == nil {
		c.Close()
		t.Error("dialed a closed transport")
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}

func unknownProto(t *testing.T, a, b mesh.Transport) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	c, err := a.Dial(ctx, b.Self(), b.Addrs(), "/inselnetz/nothing/1")
	if err != nil {
		return
	}
	defer c.Close() // opened, yet it must not carry
	if err := c.Send([]byte("x")); err != nil {
		return
	}
	if _, err := c.Recv(); err == nil {
		t.Error("an unknown protocol was answered")
	}
}

func wrongPeer(t *testing.T, a, b mesh.Transport) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	// a's own name is not at b's address.
	if c, err := a.Dial(ctx, a.Self(), b.Addrs(), mesh.ProtoSync); err == nil {
		c.Close()
		t.Error("dialed one peer, reached another")
	}
}

func acceptEnds(t *testing.T, a, _ mesh.Transport) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { _, err := a.Accept(ctx); done <- err }()
	cancel()
	select {
	case err := <-done:
		if err == nil {
			t.Error("accepted nobody without an error")
		}
	case <-time.After(patience):
		t.Fatal("Accept still waits")
	}
}

func sightingSameKey(t *testing.T, a, b mesh.Transport) {
	keys := []log.Key{{9}, {1}}
	a.Announce(keys)
	b.Announce(keys)
	for _, c := range []struct{ at, of mesh.Transport }{{a, b}, {b, a}} {
		deadline := time.After(patience)
		for seen := false; !seen; {
			select {
			case s := <-c.at.Sightings():
				if s.Peer != c.of.Self() || s.Gone {
					continue
				}
				seen = true
				if !s.New {
					t.Errorf("first sighting of %s is not new", s.Peer)
				}
				ctx, cancel := within(t)
				conn, err := c.at.Dial(ctx, s.Peer, s.Addrs, mesh.ProtoSync)
				cancel()
				if err != nil {
					t.Errorf("dial what was sighted at %v: %v", s.Addrs, err)
					break
				}
				conn.Close()
			case <-deadline:
				t.Fatalf("%s was not sighted", c.of.Self())
			}
		}
	}
}

func sightingOtherKey(t *testing.T, a, b mesh.Transport) {
	a.Announce([]log.Key{{1}})
	b.Announce([]log.Key{{2}})
	deadline := time.After(3 * time.Second)
	for {
		select {
		case s := <-a.Sightings():
			if s.Peer == b.Self() {
				t.Fatal("sighted a device of another workspace")
			}
		case s := <-b.Sightings():
			if s.Peer == a.Self() {
				t.Fatal("sighted a device of another workspace")
			}
		case <-deadline:
			return
		}
	}
}

func doors(t *testing.T, a, b mesh.Transport) {
	find := func(name string) (mesh.Door, bool) {
		for _, d := range b.Doors() {
			if d.Peer == a.Self() && (name == "" || d.Name == name) {
				return d, true
			}
		}
		return mesh.Door{}, false
	}
	if _, ok := find(""); ok {
		t.Error("a door nobody opened")
	}
	a.ShowDoor("Birke 7")
	door, ok := await(func() (mesh.Door, bool) { return find("Birke 7") })
	if !ok {
		t.Fatal("the door was not heard")
	}
	ctx, cancel := within(t)
	defer cancel()
	c, err := b.Dial(ctx, door.Peer, door.Addrs, mesh.ProtoJoin)
	if err != nil {
		t.Errorf("dial the door at %v: %v", door.Addrs, err)
	} else {
		c.Close()
	}
	a.ShowDoor("")
	if _, ok := await(func() (struct{}, bool) { _, is := find(""); return struct{}{}, !is }); !ok {
		t.Error("the door is still heard")
	}
}

// await asks until the answer is good, for as long as patience lasts.
func await[T any](ask func() (T, bool)) (T, bool) {
	for range int(patience / (50 * time.Millisecond)) {
		if v, ok := ask(); ok {
			return v, true
		}
		time.Sleep(50 * time.Millisecond)
	}
	return ask()
}

func manyConns(t *testing.T, a, b mesh.Transport) {
	const n = 32
	for i := range n {
		from, to := connect(t, a, b, b.Addrs(), mesh.ProtoSync)
		defer from.Close()
		defer to.Close()
		want := filled(100, uint64(i))
		if err := to.Send(want); err != nil {
			t.Fatal(err)
		}
		if got, err := from.Recv(); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("conn %d: got %x, %v", i, got, err)
		}
	}
}
