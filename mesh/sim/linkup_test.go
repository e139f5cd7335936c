package sim_test

import (
	"fmt"
	"testing"
	"time"

	"inselnetz/mesh/meshtest"
	"inselnetz/mesh/sim"
)

// TestLinkUp: whose cable is plugged in again is met by all within a second, also
// where a dial was under way that goes nowhere. Those who heard of it by beacon do
// not wait for that to fail.
func TestLinkUp(t *testing.T) {
	var worst time.Duration
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			sim.Run(t, seed, func(w *sim.World) {
				_, ms := members("a", "b", "c")
				run(w, ms, func(nodes []*meshtest.Node) {
					whole := func() bool {
						for _, n := range nodes {
							if len(n.Here()) != 2 {
								return false
							}
						}
						return true
					}
					if !w.Until(30*time.Second, whole) {
						w.T.Fatal("they do not meet")
					}
					time.Sleep(12 * time.Second) // so that the end of their sessions is no failure
					w.Partition([]string{"a", "c"}, []string{"b"})
					time.Sleep(30*time.Second + time.Duration(w.Rand.IntN(int(10*time.Second))))
					w.HealAll()
					up := time.Now()
					if !w.Until(30*time.Second, whole) {
						w.T.Fatal("they do not meet again")
					}
					took := time.Since(up)
					worst = max(worst, took)
					if took > time.Second {
						w.T.Errorf("all see each other after %v", took)
					}
				})
			})
		})
	}
	t.Logf("at most %v", worst)
}
