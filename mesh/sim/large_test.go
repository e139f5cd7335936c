package sim_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"inselnetz/crdt/log"
	"inselnetz/mesh/meshtest"
	"inselnetz/mesh/sim"
)

// whole reports whether tests that grow with their figures run with the whole ones
// (see MEASURED.md). CI runs smaller ones.
func whole() bool { return os.Getenv("SIM_WHOLE") == "1" }

// TestConvergeLarge is TestConverge with an office of fifty. CI lets fewer things
// happen to it; make soak lets more.
func TestConvergeLarge(t *testing.T) {
	acts := 8
	if whole() {
		acts = 40
	}
	began := time.Now()
	sim.Run(t, 1, func(w *sim.World) { officeOf(w, 50).liveFor(acts) })
	t.Logf("took %v by the clock on the wall", time.Since(began).Round(time.Millisecond))
}

// TestLongPartition: an office of 25 that was cut in two, both halves at work, is
// one again within 5 s of the cable's return. Whole: 8 hours with 50,000 entries;
// else twenty minutes with 2,000.
func TestLongPartition(t *testing.T) {
	span, entries := 20*time.Minute, 2000
	if whole() {
		span, entries = 8*time.Hour, 50_000
	}
	began := time.Now()
	sim.Run(t, 1, func(w *sim.World) { partition(w, 25, span, entries) })
	t.Logf("%v with %d entries took %v by the clock on the wall", span, entries, time.Since(began).Round(time.Millisecond))
}

func partition(w *sim.World, devices int, span time.Duration, entries int) {
	var names []string
	for i := range devices {
		names = append(names, fmt.Sprintf("n%02d", i))
	}
	o, ms := members(names...)
	for _, m := range ms {
		m.Disk = func(list [][]byte) time.Duration {
			return 5*time.Millisecond + time.Duration(len(list))*20*time.Microsecond
		}
	}
	run(w, ms, func(nodes []*meshtest.Node) {
		met := func() bool {
			for _, n := range nodes {
				if len(n.Here()) < devices-1 {
					return false
				}
			}
			return true
		}
		if !w.Until(time.Minute, met) {
			w.T.Fatal("they do not meet")
		}
		half := devices / 2
		w.Partition(names[:half], names[half:])
		const together = 20 // entries, as who edits a document or adds files writes them
		for i := 0; i < entries; i += together {
			n := nodes[w.Rand.IntN(devices)]
			for j := range min(together, entries-i) {
				n.Post(o.Space(), fmt.Sprintf("%d %0120d", i+j, w.Rand.Uint64()))
			}
			time.Sleep(span * together / time.Duration(entries))
		}
		if meshtest.Equal(o.Space(), ms[0], ms[devices-1]) || !meshtest.Equal(o.Space(), ms[half:]...) {
			w.T.Error("it is no partition, or one half differs within")
		}
		w.HealAll()
		healed := time.Now()
		equal := func() bool { return meshtest.Equal(o.Space(), ms...) && meshtest.Equal(log.Control, ms...) }
		if !w.Until(5*time.Minute, equal) {
			w.T.Fatal("the halves never become equal")
		}
		took := time.Since(healed)
		_, frames := w.Trace()
		w.T.Logf("equal after %v; %d frames and beacons in all", took, frames)
		if n := len(ms[0].Payloads(o.Space())); took > 5*time.Second || n != entries {
			w.T.Errorf("equal after %v with %d entries, %d were written", took, n, entries)
		}
	})
}
