package mesh

import (
	"context"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A hose is a leg that gives frames as fast as they are taken, and takes as many
// as it may.
type hose struct {
	Conn
	give, take chan []byte
	done       chan struct{}
	once       sync.Once
}

func newHose() *hose {
	return &hose{give: make(chan []byte), take: make(chan []byte), done: make(chan struct{})}
}

func (h *hose) Recv() ([]byte, error) {
	select {
	case f := <-h.give:
		return f, nil
	case <-h.done:
		return nil, io.ErrClosedPipe
	}
}

func (h *hose) Send(f []byte) error {
	select {
	case h.take <- f:
		return nil
	case <-h.done:
		return io.ErrClosedPipe
	}
}

func (h *hose) Close() error {
	h.once.Do(func() { close(h.done) })
	return nil
}

func pumped(a, b *hose, gone ...<-chan struct{}) <-chan struct{} {
	over := make(chan struct{})
	go func() {
		defer close(over)
		(&relays{}).pump(context.Background(), a, b, gone...)
	}()
	return over
}

// TestPumpBounded: who is sent to and takes nothing has the other wait, with one
// frame in between; the other way goes on.
func TestPumpBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newHose(), newHose()
		never := make(chan struct{})
		over := pumped(a, b, never, never)
		taken := 0
		for range 100 {
			synctest.Wait()
			select {
			case a.give <- make([]byte, MaxFrame):
				taken++
			default:
			}
		}
		if taken != 1 {
			t.Errorf("%d frames were taken of one end while the other takes none", taken)
		}
		for range 100 {
			b.give <- []byte("x")
			if f := <-a.take; string(f) != "x" {
				t.Fatalf("%q came", f)
			}
		}
		if f := <-b.take; len(f) != MaxFrame {
			t.Errorf("a frame of %d bytes came", len(f))
		}
		a.Close()
		<-over
		if b.Send(nil) == nil {
			t.Error("the other leg is open")
		}
	})
}

// TestPumpEnds: when nothing is said, or one of the sessions ends.
func TestPumpEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		never := make(chan struct{})
		a, b := newHose(), newHose()
		over := pumped(a, b, never, never)
		for range 5 {
			time.Sleep(relayIdle - time.Second)
			a.give <- []byte("x")
			<-b.take
		}
		last := time.Now()
		<-over
		if got := time.Since(last); got != relayIdle {
			t.Errorf("ended after %v, want %v", got, relayIdle)
		}
		for i := range 2 {
			gone := [2]chan struct{}{make(chan struct{}), make(chan struct{})}
			over := pumped(newHose(), newHose(), gone[0], gone[1])
			synctest.Wait()
			last := time.Now()
			close(gone[i])
			<-over
			if time.Since(last) != 0 {
				t.Error("it outlived a session")
			}
		}
	})
}
