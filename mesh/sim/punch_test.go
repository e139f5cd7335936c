package sim_test

import (
	"testing"
	"time"

	"inselnetz/crdt/log"
	"inselnetz/mesh/meshtest"
	"inselnetz/mesh/sim"
)

// behind runs a and b behind routers, and r, which both can dial.
func behind(w *sim.World, punch bool) (o *meshtest.Office, a, b, r *shelf, stop func()) {
	w.Wall("a", "b", punch)
	began := time.Now()
	o, list, stop := shelves(w, nil, "a", "b", "r")
	w.T.Logf("all are here after %v", time.Since(began))
	return o, list[0], list[1], list[2], stop
}

// TestPunch: two behind routers that let answers in come to a direct session, blocks
// take that way in both directions, and whoever carried is not needed any more.
func TestPunch(t *testing.T) {
	for seed := range uint64(10) {
		sim.Run(t, seed, func(w *sim.World) {
			o, a, b, r, stop := behind(w, true)
			defer stop()
			direct := func() bool {
				p, q := seen(a, "b"), seen(b, "a")
				return p.Here && q.Here && p.Via == log.DeviceID{} && q.Via == log.DeviceID{}
			}
			began := time.Now()
			if !w.Until(5*time.Second, direct) {
				w.T.Fatalf("no direct session: %+v", seen(a, "b"))
			}
			w.T.Logf("direct after another %v", time.Since(began))
			if !w.Until(time.Second, func() bool { return r.Relays() == 0 }) {
				w.T.Errorf("r still carries %d", r.Relays())
			}
			for i, pair := range [][2]*shelf{{a, b}, {b, a}} {
				pieces, data := meshtest.Made([]string{"x", "y"}[i], 10, 1000)
				pair[1].stock(pieces, data)
				got, err := meshtest.Fetch(w.T.Context(), pair[0].Mesh, o.Space(), pieces, data, nil, nil)
				if err == nil {
					err = got.Check(len(pieces), 0)
				}
				if err != nil || r.Relays() != 0 {
					w.T.Errorf("blocks %d: %v; r carries %d", i, err, r.Relays())
				}
			}
			w.Cut("a", "r")
			w.Cut("b", "r")
			time.Sleep(30 * time.Second)
			if !direct() {
				w.T.Errorf("gone with r: %+v", seen(a, "b"))
			}
		})
	}
}

// TestPunchInVain: where routers let nothing through the session stays as it is, and
// is not disturbed by trying.
func TestPunchInVain(t *testing.T) {
	sim.Run(t, 1, func(w *sim.World) {
		_, a, _, r, stop := behind(w, false)
		defer stop()
		since := seen(a, "b").Since
		time.Sleep(time.Hour)
		if p := seen(a, "b"); !p.Here || p.Via != r.Device.ID || !p.Since.Equal(since) {
			w.T.Errorf("a sees b as %+v; the session began at %v", p, since)
		}
	})
}
