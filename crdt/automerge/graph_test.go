package automerge

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// plainClock visits every change below rows.
func plainClock(g *graph, rows []uint32) clock {
	seen := map[uint32]bool{}
	var c clock
	for open := slices.Clone(rows); len(open) > 0; {
		n := open[len(open)-1]
		open = open[:len(open)-1]
		if seen[n] {
			continue
		}
		seen[n] = true
		c = c.with(g.rows[n].actor, g.rows[n].seq)
		open = g.deps(open, n)
	}
	return c
}

// The clock of any changes is the same whether or not the walk ends early.
func TestClock(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 9))
		var g graph
		g.init()
		var own [4][]uint32 // changes by actor
		for range 1 + rnd.IntN(150) {
			a := uint32(rnd.IntN(1 + rnd.IntN(4)))
			var deps []uint32
			if k := len(own[a]); k > 0 {
				deps = append(deps, own[a][k-1])
			}
			switch n := len(g.rows); {
			case rnd.IntN(4) == 0:
				for _, h := range g.heads { // follows everything
					if !slices.Contains(deps, h) {
						deps = append(deps, h)
					}
				}
			case n > 0 && rnd.IntN(2) == 0:
				if dep := uint32(rnd.IntN(n)); !slices.Contains(deps, dep) {
					deps = append(deps, dep)
				}
			}
			n := g.add(changeRow{actor: a, seq: uint32(len(own[a]) + 1)}, deps, 0, "", nil)
			own[a] = append(own[a], n)
		}
		for range 40 {
			var rows []uint32
			for range 1 + rnd.IntN(3) {
				rows = append(rows, uint32(rnd.IntN(len(g.rows))))
			}
			if rnd.IntN(3) == 0 {
				rows = g.heads
			}
			got, want := g.clock(rows), plainClock(&g, rows)
			for len(got) < len(g.last) {
				got = append(got, 0)
			}
			for len(want) < len(g.last) {
				want = append(want, 0)
			}
			if !slices.Equal(got, want) {
				t.Fatalf("seed %d: clock of %v is %v, want %v", seed, rows, got, want)
			}
		}
	}
}
