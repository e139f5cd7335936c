// Package sim is the simulated network: delay, loss, partition, crash and clock
// in one process, in virtual time, the same for the same seed.
package sim

import (
	"testing"
	"time"

	"inselnetz/mesh"
)

// A World is one simulated network inside a testing/synctest bubble.
type World struct{ T *testing.T }

// Run runs f in a bubble with a World made from seed, and stops the World when f
// returns. Everything f started must have ended by then.
func Run(t *testing.T, seed uint64, f func(w *World)) {}

// Node connects a node under its name, which is also its PeerID and, behind
// "sim:", its address. A node that crashed or was closed may come back.
func (w *World) Node(name string) mesh.Transport { return nil }

// Clock returns the wall clock of a node: virtual time plus its offset.
func (w *World) Clock(name string) func() time.Time { return nil }

// SetClock moves a node's wall clock.
func (w *World) SetClock(name string, offset time.Duration) {}

// Crash ends a node's transport as killing the process does: every Conn breaks
// at the other end too, nothing more is sent.
func (w *World) Crash(name string) {}

// Cut pulls the cable between two nodes: frames wait, dials go nowhere.
func (w *World) Cut(a, b string) {}

// Heal undoes Cut.
func (w *World) Heal(a, b string) {}

// Partition cuts every pair that is not in one group, and heals all others.
func (w *World) Partition(groups ...[]string) {}

// HealAll heals every pair.
func (w *World) HealAll() {}

// Until waits until cond holds, looking every step of virtual time, and reports
// whether it did within limit.
func (w *World) Until(limit time.Duration, cond func() bool) bool { return false }

// Trace returns a hash over all deliveries so far.
func (w *World) Trace() [32]byte { return [32]byte{} }
