package mesh

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io"
	mrand "math/rand/v2"
	"sync"
	"testing"
	"time"

	"inselnetz/crdt/log"
)

// pipe returns two ends of a Conn in memory.
func pipe(a, b PeerID) (*pipeEnd, *pipeEnd) {
	ab, ba, done := make(chan []byte, 64), make(chan []byte, 64), make(chan struct{})
	var once sync.Once
	end := func() { once.Do(func() { close(done) }) }
	return &pipeEnd{b, ab, ba, done, end}, &pipeEnd{a, ba, ab, done, end}
}

type pipeEnd struct {
	peer PeerID
	out  chan<- []byte
	in   <-chan []byte
	done chan struct{}
	end  func()
}

func (p *pipeEnd) Peer() PeerID  { return p.peer }
func (p *pipeEnd) Proto() string { return ProtoSync }
func (p *pipeEnd) Path() string  { return "pipe" }
func (p *pipeEnd) Close() error  { p.end(); return nil }

func (p *pipeEnd) Send(b []byte) error {
	select {
	case p.out <- b:
		return nil
	case <-p.done:
		return io.EOF
	}
}

func (p *pipeEnd) Recv() ([]byte, error) {
	select {
	case b := <-p.in:
		return b, nil
	case <-p.done:
		return nil, io.EOF
	}
}

func identity(n byte, keys ...log.Key) Identity {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, 32))
	return Identity{Device: log.DeviceOf(key), Key: key, Instance: id16(n), Keys: func() []log.Key { return keys }}
}

var helloOptions = Options{Rand: rand.Reader, Now: time.Now, Version: "1.0"}

// greetBoth says hello at both ends; an end that fails closes the Conn.
func greetBoth(a, b Identity, asA, asB PeerID) (ga, gb greeting, ea, eb error) {
	ca, cb := pipe("a", "b")
	var wg sync.WaitGroup
	wg.Go(func() {
		if ga, ea = hello(ca, asA, a, true, helloOptions); ea != nil {
			ca.Close()
		}
	})
	wg.Go(func() {
		if gb, eb = hello(cb, asB, b, false, helloOptions); eb != nil {
			cb.Close()
		}
	})
	wg.Wait()
	return ga, gb, ea, eb
}

func TestHello(t *testing.T) {
	k1, k2, k3 := log.Key{1}, log.Key{2}, log.Key{3}
	forged := identity(2, k1)
	forged.Device = identity(3).Device
	for name, tt := range map[string]struct {
		a, b     Identity
		asA, asB PeerID
		ok       bool
	}{
		"same key":              {identity(1, k1), identity(2, k1), "a", "b", true},
		"one heard of a newer":  {identity(1, k2, k1), identity(2, k1), "a", "b", true},
		"the other did":         {identity(1, k1), identity(2, k3, k2, k1), "a", "b", true},
		"other workspace":       {identity(1, k1), identity(2, k2), "a", "b", false},
		"no key":                {identity(1, k1), identity(2), "a", "b", false},
		"no key dials":          {identity(1), identity(2, k1), "a", "b", false},
		"somebody else's name":  {identity(1, k1), forged, "a", "b", false},
		"somebody in between":   {identity(1, k1), identity(2, k1), "a", "m", false},
		"in between, other way": {identity(1, k1), identity(2, k1), "m", "b", false},
	} {
		t.Run(name, func(t *testing.T) {
			ga, gb, ea, eb := greetBoth(tt.a, tt.b, tt.asA, tt.asB)
			if !tt.ok {
				if ea == nil || eb == nil && name != "somebody else's name" {
					t.Errorf("errors %v and %v, want both to fail", ea, eb)
				}
				return
			}
			if ea != nil || eb != nil {
				t.Fatalf("errors %v and %v", ea, eb)
			}
			if ga.device != tt.b.Device || ga.instance != tt.b.Instance || ga.version != "1.0" || ga.clock.Abs() > time.Minute {
				t.Errorf("a learned %+v", ga)
			}
			if gb.device != tt.a.Device || gb.instance != tt.a.Instance {
				t.Errorf("b learned %+v", gb)
			}
			if ga.newest == (name == "one heard of a newer") || gb.newest == (name == "the other did") {
				t.Errorf("newest key proved: to a %v, to b %v", ga.newest, gb.newest)
			}
		})
	}
}

// TestStrangerLearnsNothing: whatever a dialer without the key sends, it gets one
// frame, with a nonce, and not a word more.
func TestStrangerLearnsNothing(t *testing.T) {
	key := log.Key{1}
	member := identity(1, key)
	// What a member said once, to be replayed.
	ca, cb := pipe("m", "b")
	recorded := make(chan [][]byte, 1)
	go func() {
		open := encode(openFrame{Version: helloVersion, Instance: id16(9)})
		cb.Send(open)
		first, _ := cb.Recv()
		proof, _ := cb.Recv()
		recorded <- [][]byte{first, proof}
		cb.Close()
	}()
	hello(ca, "m", member, true, helloOptions)
	old := <-recorded

	for name, frames := range map[string][][]byte{
		"nothing":           {},
		"junk":              {{1, 2, 3}},
		"tomorrow":          {encode(openFrame{Version: 2})},
		"long":              {make([]byte, MaxFrame)},
		"no proof":          {encode(openFrame{Version: 1}), {}},
		"empty proof":       {encode(openFrame{Version: 1}), encode(proofFrame{Sealed: []byte{}})},
		"long proof":        {encode(openFrame{Version: 1}), encode(proofFrame{Sealed: make([]byte, 5000)})},
		"a frame of sync":   {encode(openFrame{Version: 1}), encode(pingFrame{Type: typePing})},
		"a member's replay": old,
	} {
		t.Run(name, func(t *testing.T) {
			stranger, c := pipe("m", "b")
			done := make(chan error, 1)
			go func() {
				_, err := hello(c, "b", identity(2, key), false, helloOptions)
				c.Close()
				done <- err
			}()
			for _, f := range frames {
				stranger.Send(f)
			}
			if len(frames) == 0 {
				stranger.Close()
			}
			if err := <-done; !errors.Is(err, errHello) {
				t.Errorf("error %v", err)
			}
			got := len(stranger.in)
			if got > 1 {
				t.Errorf("%d frames were sent to a stranger", got)
			}
		})
	}
}

// TestRemovedDevice: a device that was removed, and proves a key that is still
// in use, gets no answer: the hello fails at its first frame.
func TestRemovedDevice(t *testing.T) {
	key := log.Key{1}
	member, removed := identity(2, key), identity(1, key)
	member.Removed = func(d log.DeviceID) bool { return d == removed.Device }
	ca, cb := pipe("a", "b")
	done := make(chan error, 1)
	go func() {
		_, err := hello(cb, "b", member, false, helloOptions)
		cb.Close()
		done <- err
	}()
	if _, err := hello(ca, "a", removed, true, helloOptions); !errors.Is(err, errHello) {
		t.Errorf("the removed device's hello: %v", err)
	}
	if err := <-done; !errors.Is(err, errProof) {
		t.Errorf("error %v, want a refused proof", err)
	}
	if n := len(ca.in); n != 0 {
		t.Errorf("%d more frames than the first were sent to it", n)
	}
}

// TestReflection: a proof does not prove the one it is sent back to.
func TestReflection(t *testing.T) {
	id := identity(1, log.Key{1})
	mirror, c := pipe("m", "b")
	done := make(chan error, 1)
	go func() {
		_, err := hello(c, "b", id, true, helloOptions)
		c.Close()
		done <- err
	}()
	for range 2 {
		f, err := mirror.Recv()
		if err != nil {
			t.Fatal(err)
		}
		mirror.Send(f)
	}
	if err := <-done; !errors.Is(err, errProof) {
		t.Errorf("error %v, want a refused proof", err)
	}
}

func FuzzHello(f *testing.F) {
	id := identity(1, log.Key{1})
	tr := newTranscript("a", "b", []byte("x"), []byte("y"))
	// The same in every process of the fuzzer.
	proof, err := tr.proof(mrand.NewChaCha8([32]byte{}), id, id.Keys(), roleDialer, noon, "v")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(proof)
	f.Add(encode(openFrame{Version: 1}))
	f.Add(encode(proofContent{Version: "x"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if bytes.Equal(b, proof) {
			return
		}
		if c, _, err := tr.check(b, id.Keys(), roleDialer); err == nil {
			t.Errorf("%x proves %+v", b, c)
		}
		var open openFrame
		if exactly(b, &open, 128) == nil && !bytes.Equal(encode(open), b) {
			t.Errorf("%x has two forms", b)
		}
		var content proofContent
		if exactly(b, &content, 512) == nil && !bytes.Equal(encode(content), b) {
			t.Errorf("%x has two forms", b)
		}
	})
}
