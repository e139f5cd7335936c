package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"inselnetz/app/api"
	"inselnetz/mesh/meshtest"
)

// TestLabIdle measures a node to which nothing happens, with ten peers.
func TestLabIdle(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	lab := meshtest.NewLab(t)
	bin := build(t)
	lab.Bridge("lan")
	const peers = 10
	var pcs []*pc
	for i := range 1 + peers {
		p := newPC(t, bin, lab, "lan", fmt.Sprintf("pc%d", i), fmt.Sprintf("10.77.0.%d/24", i+1))
		p.start()
		pcs = append(pcs, p)
		if i == 0 {
			cli[api.Status](p, "found", "--office", "Kanzlei", "--person", "Anna")
		} else {
			join(t, pcs[0], p, fmt.Sprintf("Person %d", i))
		}
	}
	took := within(t, 20*time.Second, "all see each other", func() bool {
		for _, p := range pcs {
			if must[api.Status](p, "status", api.Empty{}).DevicesHere != 1+peers {
				return false
			}
		}
		return true
	})
	t.Logf("all see each other %v after the last joined", took)
	time.Sleep(10 * time.Second) // the last of what joining began
	const idle = 40 * time.Second
	before := make([]time.Duration, len(pcs))
	for i, p := range pcs {
		before[i] = p.cpu()
	}
	time.Sleep(idle)
	var most, sum float64
	memory := 0
	for i, p := range pcs {
		share := 100 * float64(p.cpu()-before[i]) / float64(idle)
		most, sum, memory = max(most, share), sum+share, max(memory, p.rss())
	}
	t.Logf("idle with %d peers: %.2f %% of a core on average, %.2f %% at most, %d KiB", peers, sum/float64(len(pcs)), most, memory)
	if mean := sum / float64(len(pcs)); mean > 0.5 || memory > 80<<10 {
		t.Errorf("goal is 0.5 %% of a core and 80 MiB")
	}
}

// cpu is the processor time the program has used.
func (p *pc) cpu() time.Duration {
	p.t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	f := strings.Fields(rest)
	var ticks int64
	for _, v := range f[11:13] { // user and system time
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			p.t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / 100 // USER_HZ
}
