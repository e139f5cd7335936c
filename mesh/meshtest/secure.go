package meshtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"inselnetz/mesh"
)

// A Tap is a carrier between two ends of a Conn, as a carrying device has it. It
// notes what passes, and may change it.
type Tap struct {
	mesh.Conn
	Spoil func(frame []byte) []byte // nil changes nothing

	mu     sync.Mutex
	passed []byte
}

// Send notes a frame and sends it on.
func (c *Tap) Send(frame []byte) error {
	c.mu.Lock()
	c.passed = append(c.passed, frame...)
	c.mu.Unlock()
	if c.Spoil != nil {
		frame = c.Spoil(bytes.Clone(frame))
	}
	return c.Conn.Send(frame)
}

// Passed returns what was sent, frame after frame.
func (c *Tap) Passed() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Clone(c.passed)
}

// secured makes a Conn within one between two transports, each end under the name
// it expects the other to have.
func secured(t *testing.T, a, b mesh.Transport, toB, toA mesh.PeerID, spoil func([]byte) []byte) (from, to mesh.Conn, tap *Tap, err error) {
	t.Helper()
	near, far := connect(t, a, b, b.Addrs(), mesh.ProtoRelay)
	tap = &Tap{Conn: near, Spoil: spoil}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	var errs [2]error
	wg.Go(func() {
		if from, errs[0] = a.Secure(ctx, tap, toB, true, mesh.ProtoSync); errs[0] != nil {
			tap.Close()
		}
	})
	wg.Go(func() {
		if to, errs[1] = b.Secure(ctx, far, toA, false, ""); errs[1] != nil {
			far.Close()
		}
	})
	wg.Wait()
	if errs[0] == nil && errs[1] != nil { // one end may be done before the other finds fault
		_, errs[0] = from.Recv()
	}
	return from, to, tap, errors.Join(errs[:]...)
}

func secure(t *testing.T, a, b mesh.Transport) {
	from, to, tap, err := secured(t, a, b, b.Self(), a.Self(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	if from.Peer() != b.Self() || to.Peer() != a.Self() || from.Proto() != mesh.ProtoSync || to.Proto() != mesh.ProtoSync || from.Path() == "" {
		t.Errorf("%q %q and %q %q at %q", from.Peer(), from.Proto(), to.Peer(), to.Proto(), from.Path())
	}
	sizes := []int{0, 1, 5000, mesh.MaxFrame, 100}
	var wg sync.WaitGroup
	for _, c := range [][2]mesh.Conn{{from, to}, {to, from}} {
		wg.Go(func() {
			for i, n := range sizes {
				if err := c[0].Send(filled(n, uint64(i))); err != nil {
					t.Errorf("send: %v", err)
				}
			}
		})
		wg.Go(func() {
			for i, n := range sizes {
				got, err := c[1].Recv()
				if err != nil || !bytes.Equal(got, filled(n, uint64(i))) {
					t.Errorf("frame of %d bytes: got %d, %v", n, len(got), err)
					c[1].Close()
				}
			}
		})
	}
	wg.Wait()
	secret := []byte("a sentence that nobody in between may read")
	if err := from.Send(secret); err != nil {
		t.Fatal(err)
	}
	if s, ok := to.(mesh.StreamConn); ok {
		n, r, err := s.RecvStream()
		if err != nil || n != len(secret) {
			t.Fatalf("stream of %d, %v", n, err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, secret) {
			t.Errorf("stream: %q, %v", got, err)
		}
	} else if got, err := to.Recv(); err != nil || !bytes.Equal(got, secret) {
		t.Errorf("got %q, %v", got, err)
	}
	if bytes.Contains(tap.Passed(), secret) {
		t.Error("it can be read on the way")
	}
	if err := from.Send(make([]byte, mesh.MaxFrame+1)); err == nil {
		t.Error("a frame above MaxFrame was sent")
	}
	if err := from.Send([]byte("bye")); err != nil {
		t.Fatal(err)
	}
	from.Close()
	if got, err := to.Recv(); err != nil || string(got) != "bye" {
		t.Errorf("got %q, %v; want what was sent before Close", got, err)
	}
	if _, err := to.Recv(); err == nil {
		t.Error("a frame after the last")
	}
	if _, err := from.Recv(); err == nil {
		t.Error("Recv on a closed Conn worked")
	}
}

// securePosed: whoever carries can neither be an end nor change what is said.
func securePosed(t *testing.T, a, b mesh.Transport) {
	for name, names := range map[string][2]mesh.PeerID{
		"another is expected by the dialer":   {a.Self(), a.Self()},
		"another is expected by the accepter": {b.Self(), b.Self()},
	} {
		if _, _, _, err := secured(t, a, b, names[0], names[1], nil); err == nil {
			t.Errorf("%s, and it worked", name)
		}
	}
	if _, _, _, err := secured(t, a, b, b.Self(), a.Self(), func(f []byte) []byte { f[len(f)-1] ^= 1; return f }); err == nil {
		t.Error("changed on the way, and it worked")
	}
	var late bool
	from, to, _, err := secured(t, a, b, b.Self(), a.Self(), func(f []byte) []byte {
		if late {
			f[len(f)-1] ^= 1
		}
		return f
	})
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	defer to.Close()
	late = true
	if err := from.Send([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if got, err := to.Recv(); err == nil {
		t.Errorf("changed on the way, and %q came", got)
	}
}
