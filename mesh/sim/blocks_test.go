package sim_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"inselnetz/crdt/log"
	"inselnetz/mesh"
	"inselnetz/mesh/meshtest"
	"inselnetz/mesh/sim"
)

// shelf is a device with contents.
type shelf struct {
	*meshtest.Node
	has *meshtest.Contents
}

// shelves starts devices that know each other, with empty contents, and waits
// until all met.
func shelves(w *sim.World, change func(i int, o *mesh.Options, tr mesh.Transport) mesh.Transport, names ...string) (*meshtest.Office, []*shelf, func()) {
	o, ms := members(names...)
	var list []*shelf
	for i, m := range ms {
		name := string(m.Device.Peer)
		s := &shelf{has: meshtest.NewContents()}
		opts := mesh.Options{Rand: w.Entropy(name), Now: w.Clock(name), Contents: s.has}
		tr := w.Node(name)
		if change != nil {
			tr = change(i, &opts, tr)
		}
		s.Node = meshtest.Start(m, tr, 1, opts)
		list = append(list, s)
	}
	if !w.Until(30*time.Second, func() bool {
		for _, s := range list {
			if len(s.Here()) < len(list)-1 {
				return false
			}
		}
		return true
	}) {
		w.T.Error("they do not meet")
	}
	return o, list, func() {
		for _, s := range list {
			if err := s.Stop(); err != nil {
				w.T.Error(err)
			}
		}
	}
}

// stock puts pieces onto a shelf.
func (s *shelf) stock(pieces []mesh.Piece, data [][]byte) {
	for i, p := range pieces {
		s.has.Put(p, data[i])
	}
}

// TestFetch: pieces of all sizes come, from whoever has them, and what nobody has
// is missing.
func TestFetch(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		o, s, stop := shelves(w, nil, "a", "b", "c", "d")
		defer stop()
		var pieces []mesh.Piece
		var data [][]byte
		for i, size := range []int{1, 100, 4096, 70_000, 128 << 10, 512 << 10, mesh.MaxFrame, 3 << 20} {
			p, d := meshtest.Made(fmt.Sprint("part ", i), 5, size)
			pieces, data = append(pieces, p...), append(data, d...)
		}
		for i, p := range pieces { // each on one, some on two
			s[1+i%3].has.Put(p, data[i])
			if i%4 == 0 {
				s[1+(i+1)%3].has.Put(p, data[i])
			}
		}
		none, nothing := meshtest.Made("nowhere", 7, 5000)
		pieces, data = append(pieces, none...), append(data, nothing...)
		for _, prefer := range [][]log.DeviceID{nil, {s[2].Device.ID}, {s[1].Device.ID, s[2].Device.ID, s[3].Device.ID}} {
			got, err := meshtest.Fetch(w.T.Context(), s[0].Mesh, o.Space(), pieces, data, prefer, nil)
			if err != nil {
				w.T.Error(err)
			}
			if err := got.Check(len(pieces), len(none)); err != nil {
				w.T.Errorf("prefer %d: %v", len(prefer), err)
			}
		}
	})
}

// TestFetchUnknown: what a carrier takes in without knowing size and hash.
func TestFetchUnknown(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		o, s, stop := shelves(w, nil, "a", "b")
		defer stop()
		var pieces []mesh.Piece
		var data [][]byte
		for i, size := range []int{1, 4096, mesh.MaxFrame, mesh.MaxPiece} {
			p, d := meshtest.Made(fmt.Sprint("part ", i), 3, size)
			s[1].stock(p, d)
			for i := range p {
				p[i].Hash = [32]byte{}
				if i != 1 {
					p[i].Size = 0
				}
			}
			pieces, data = append(pieces, p...), append(data, d...)
		}
		pieces, data = append(pieces, mesh.Piece{Index: 7}), append(data, nil)
		got, err := meshtest.Fetch(w.T.Context(), s[0].Mesh, o.Space(), pieces, data, nil, nil)
		if err = errors.Join(err, got.Check(len(pieces), 1)); err != nil {
			w.T.Error(err)
		}
	})
}

// TestFetchPrefers: who is said to have it is asked, the others only when it lacks.
func TestFetchPrefers(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		o, s, stop := shelves(w, nil, "a", "b", "c")
		defer stop()
		pieces, data := meshtest.Made("x", 300, 4096)
		s[1].stock(pieces[:200], data)
		s[2].stock(pieces, data)
		got, err := meshtest.Fetch(w.T.Context(), s[0].Mesh, o.Space(), pieces, data, []log.DeviceID{s[1].Device.ID}, nil)
		if err = errors.Join(err, got.Check(300, 0)); err != nil {
			w.T.Error(err)
		}
		if b, _ := s[1].has.Reads(s[0].Device.ID); b != 200 {
			w.T.Errorf("b was read %d times", b)
		}
		if c, _ := s[2].has.Reads(s[0].Device.ID); c != 100 {
			w.T.Errorf("c was read %d times", c)
		}
	})
}

// TestFetchSpreads: what several have comes from all of them at once.
func TestFetchSpreads(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		w.SetLinks(sim.Link{Rate: 10 << 20})
		o, s, stop := shelves(w, nil, "a", "b", "c", "d")
		defer stop()
		pieces, data := meshtest.Made("x", 480, 128<<10)
		for _, o := range s[1:] {
			o.stock(pieces, data)
		}
		began := time.Now()
		got, err := meshtest.Fetch(w.T.Context(), s[0].Mesh, o.Space(), pieces, data, nil, nil)
		if err = errors.Join(err, got.Check(480, 0)); err != nil {
			w.T.Error(err)
		}
		if took := time.Since(began); took > 3*time.Second { // 2 s at three times 10 MiB/s
			w.T.Errorf("60 MiB from three took %v", took)
		}
		for i, o := range s[1:] {
			if n, _ := o.has.Reads(s[0].Device.ID); n < 100 {
				w.T.Errorf("device %d sent %d pieces", i+1, n)
			}
		}
	})
}

// TestFetchNobody: with nobody here all is missing at once.
func TestFetchNobody(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		o, s, stop := shelves(w, nil, "a")
		pieces, data := meshtest.Made("x", 3, 10)
		got, err := meshtest.Fetch(w.T.Context(), s[0].Mesh, o.Space(), pieces, data, nil, nil)
		if err = errors.Join(err, got.Check(3, 3)); err != nil {
			w.T.Error(err)
		}
		stop()
		got, err = meshtest.Fetch(w.T.Context(), s[0].Mesh, o.Space(), pieces, data, nil, nil)
		if err = errors.Join(err, got.Check(3, 3)); err != nil {
			w.T.Errorf("after the Mesh ended: %v", err)
		}
		ctx, cancel := context.WithCancel(w.T.Context())
		cancel()
		if _, err := meshtest.Fetch(ctx, s[0].Mesh, o.Space(), pieces, data, nil, nil); !errors.Is(err, context.Canceled) {
			w.T.Errorf("cancelled before: %v", err)
		}
	})
}

// TestFetchUrgent: a small file does not wait for a large one.
func TestFetchUrgent(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		w.SetLinks(sim.Link{Rate: 10 << 20})
		o, s, stop := shelves(w, nil, "a", "b")
		defer stop()
		large, much := meshtest.Made("large", 100, 1<<20)
		small, few := meshtest.Made("small", 1, 10<<10)
		s[1].stock(large, much)
		s[1].stock(small, few)
		var wg sync.WaitGroup
		wg.Go(func() {
			got, err := meshtest.Fetch(w.T.Context(), s[0].Mesh, o.Space(), large, much, nil, nil)
			if err = errors.Join(err, got.Check(100, 0)); err != nil {
				w.T.Error(err)
			}
		})
		var slowest time.Duration
		for range 10 {
			time.Sleep(500 * time.Millisecond)
			began := time.Now()
			got, err := meshtest.Fetch(w.T.Context(), s[0].Mesh, o.Space(), small, few, nil, nil)
			if err = errors.Join(err, got.Check(1, 0)); err != nil {
				w.T.Error(err)
			}
			slowest = max(slowest, time.Since(began))
		}
		wg.Wait()
		w.T.Logf("the slowest took %v", slowest)
		if slowest > 300*time.Millisecond {
			w.T.Errorf("a small file took %v beside a large one", slowest)
		}
	})
}

// TestFetchEnds: a Fetch that is given up, or fails, calls nobody any more, and
// the next one finds the link free.
func TestFetchEnds(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		w.SetLinks(sim.Link{Rate: 10 << 20})
		o, s, stop := shelves(w, nil, "a", "b")
		defer stop()
		pieces, data := meshtest.Made("large", 60, 1<<20)
		s[1].stock(pieces, data)
		ctx, cancel := context.WithTimeout(w.T.Context(), time.Second)
		defer cancel()
		got, err := meshtest.Fetch(ctx, s[0].Mesh, o.Space(), pieces, data, nil, nil)
		if !errors.Is(err, context.DeadlineExceeded) || len(got.Got) < 5 || len(got.Got) > 12 {
			w.T.Errorf("%d pieces in a second, %v", len(got.Got), err)
		}
		full := errors.New("disk full")
		err = s[0].Fetch(w.T.Context(), o.Space(), pieces, nil, func(int, []byte) error { return full }, func(int) {})
		if !errors.Is(err, full) {
			w.T.Errorf("a failing taker: %v", err)
		}
		began := time.Now()
		got, err = meshtest.Fetch(w.T.Context(), s[0].Mesh, o.Space(), pieces[:5], data, nil, nil)
		if err = errors.Join(err, got.Check(5, 0)); err != nil {
			w.T.Error(err)
		}
		if took := time.Since(began); took > 2*time.Second {
			w.T.Errorf("five more took %v: what was given up was sent all the same", took)
		}
		if n, _ := s[1].has.Reads(s[0].Device.ID); n > 30 {
			w.T.Errorf("%d pieces were read", n)
		}
	})
}

// TestFetchLiars: bytes that are wrong are asked of another, and never handed out.
func TestFetchLiars(t *testing.T) {
	for name, spoil := range map[string]func([]byte) []byte{
		"wrong":   func(b []byte) []byte { b[0] ^= 1; return b },
		"short":   func(b []byte) []byte { return b[:len(b)-1] },
		"empty":   func(b []byte) []byte { return nil },
		"long":    func(b []byte) []byte { return append(b, 0) },
		"endless": func(b []byte) []byte { return append(b, make([]byte, 5000)...) },
	} {
		t.Run(name, func(t *testing.T) {
			sim.Run(t, 1, func(w *sim.World) {
				o, s, stop := shelves(w, nil, "a", "b", "c")
				defer stop()
				pieces, data := meshtest.Made("x", 300, 4096)
				long, more := meshtest.Made("y", 20, 1<<20)
				pieces, data = append(pieces, long...), append(data, more...)
				s[1].has.Spoil = spoil
				s[1].stock(pieces, data)
				s[2].stock(pieces[:310], data)
				got, err := meshtest.Fetch(w.T.Context(), s[0].Mesh, o.Space(), pieces, data, []log.DeviceID{s[1].Device.ID}, nil)
				if err = errors.Join(err, got.Check(len(pieces), 10)); err != nil {
					w.T.Error(err)
				}
			})
		})
	}
}

// TestFetchLeaver: who has half of it and leaves in the middle, or falls silent,
// costs time and nothing else.
func TestFetchLeaver(t *testing.T) {
	for name, leave := range map[string]func(*sim.World, *shelf){
		"goodbye": func(_ *sim.World, s *shelf) { s.Stop() },
		"crash":   func(w *sim.World, s *shelf) { w.Crash("b"); s.Stop() },
		"silence": func(w *sim.World, s *shelf) { w.Cut("a", "b"); w.Cut("b", "c") },
	} {
		t.Run(name, func(t *testing.T) {
			sim.Run(t, 1, func(w *sim.World) {
				w.SetLinks(sim.Link{Rate: 10 << 20})
				o, s, stop := shelves(w, nil, "a", "b", "c")
				pieces, data := meshtest.Made("x", 400, 128<<10)
				s[1].stock(pieces, data)
				s[2].stock(pieces[:390], data)
				var wg sync.WaitGroup
				wg.Go(func() {
					got, err := meshtest.Fetch(w.T.Context(), s[0].Mesh, o.Space(), pieces, data, []log.DeviceID{s[1].Device.ID}, nil)
					if err = errors.Join(err, got.Check(400, 10)); err != nil {
						w.T.Error(err)
					}
				})
				time.Sleep(2 * time.Second)
				began := time.Now()
				leave(w, s[1])
				wg.Wait()
				if took := time.Since(began); took > 20*time.Second {
					w.T.Errorf("took %v", took)
				}
				if name == "silence" {
					stop()
				} else {
					s[0].Stop()
					s[2].Stop()
				}
			})
		})
	}
}

// TestFetchLoss: a network that breaks Conns all the time, and a peer that comes
// back, bring all in the end.
func TestFetchLoss(t *testing.T) {
	seeds := uint64(30)
	if testing.Short() {
		seeds = 5
	}
	for seed := range seeds {
		ok := t.Run(fmt.Sprint(seed), func(t *testing.T) {
			sim.Run(t, seed, func(w *sim.World) {
				o, s, stop := shelves(w, nil, "a", "b", "c", "d")
				defer stop()
				pieces, data := meshtest.Made("x", 2000, 1+w.Rand.IntN(30_000))
				for i, p := range pieces {
					s[1+w.Rand.IntN(3)].has.Put(p, data[i])
				}
				w.SetLinks(sim.Link{Loss: 0.05 * w.Rand.Float64(), Rate: 1<<20 + w.Rand.IntN(20<<20)})
				done := make(chan struct{})
				var meddle sync.WaitGroup
				meddle.Go(func() {
					r := rand.New(rand.NewPCG(seed, 7))
					for {
						select {
						case <-done:
							return
						case <-time.After(time.Duration(r.IntN(int(2 * time.Second)))):
							n := string(rune('b' + r.IntN(3)))
							w.Cut("a", n)
							time.Sleep(time.Duration(r.IntN(int(12 * time.Second))))
							w.Heal("a", n)
						}
					}
				})
				left, rest := pieces, data
				for try := 0; len(left) > 0 && try < 60; try++ {
					got, err := meshtest.Fetch(w.T.Context(), s[0].Mesh, o.Space(), left, rest, nil, s[0].has)
					if err = errors.Join(err, got.Check(len(left), len(got.Missing))); err != nil {
						w.T.Error(err)
						break
					}
					var again []mesh.Piece
					var much [][]byte
					for i := range left {
						if got.Missing[i] > 0 {
							again, much = append(again, left[i]), append(much, rest[i])
						}
					}
					left, rest = again, much
					time.Sleep(3 * time.Second)
				}
				if len(left) > 0 {
					w.T.Errorf("%d pieces never came", len(left))
				}
				close(done)
				meddle.Wait()
			})
		})
		if !ok {
			t.Fatalf("seed %d", seed)
		}
	}
}

// deaf is a Transport that cannot be dialed for blocks, as behind a firewall: it
// refuses them, and the other end sees a dial that fails.
type deaf struct{ mesh.Transport }

func (d deaf) Dial(ctx context.Context, to mesh.PeerID, addrs []string, proto string) (mesh.Conn, error) {
	if proto == mesh.ProtoBlocks {
		return nil, errors.New("no way")
	}
	return d.Transport.Dial(ctx, to, addrs, proto)
}

// TestFetchCalls: who cannot dial asks to be dialed.
func TestFetchCalls(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		o, s, stop := shelves(w, func(i int, _ *mesh.Options, tr mesh.Transport) mesh.Transport {
			if i == 0 {
				return deaf{tr}
			}
			return tr
		}, "a", "b")
		defer stop()
		pieces, data := meshtest.Made("x", 30, 4096)
		s[1].stock(pieces, data)
		began := time.Now()
		got, err := meshtest.Fetch(w.T.Context(), s[0].Mesh, o.Space(), pieces, data, nil, nil)
		if err = errors.Join(err, got.Check(30, 0)); err != nil {
			w.T.Error(err)
		}
		if took := time.Since(began); took > time.Second {
			w.T.Errorf("took %v", took)
		}
	})
}

// TestLinkIdles: a link nobody needs is closed.
func TestLinkIdles(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		o, s, stop := shelves(w, nil, "a", "b")
		defer stop()
		pieces, data := meshtest.Made("x", 3, 4096)
		s[1].stock(pieces, data)
		for range 3 {
			got, err := meshtest.Fetch(w.T.Context(), s[0].Mesh, o.Space(), pieces, data, nil, nil)
			if err = errors.Join(err, got.Check(3, 0)); err != nil {
				w.T.Error(err)
			}
			time.Sleep(65 * time.Second)
			if a, b := s[0].Links(), s[1].Links(); a+b != 0 {
				w.T.Errorf("%d and %d links after a minute", a, b)
			}
		}
	})
}
