package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"inselnetz/app/api"
	"inselnetz/mesh/meshtest"
)

// office is three PCs that belong together.
func office(t *testing.T, lab *meshtest.Lab, bridges, addrs [3]string) (pcs [3]*pc) {
	t.Helper()
	bin := build(t)
	for i, name := range []string{"a", "b", "c"} {
		pcs[i] = newPC(t, bin, lab, bridges[i], name, addrs[i])
		pcs[i].start()
	}
	a := pcs[0]
	st := cli[api.Status](a, "found", "--office", "Kanzlei Geheimnis", "--person", "Anna", "--device", "a")
	if st.Phase != api.PhaseMember {
		t.Fatalf("founded, and is %q", st.Phase)
	}
	join(t, a, pcs[1], "Bernd")
	join(t, a, pcs[2], "Cem")
	took := within(t, 10*time.Second, "all three see each other", func() bool {
		for _, p := range pcs {
			if must[api.Status](p, "status", api.Empty{}).DevicesHere != 3 {
				return false
			}
		}
		return true
	})
	t.Logf("all three see each other %v after the last joined", took)
	return pcs
}

var labNets = []struct {
	name  string
	addrs [3]string
	other string
}{
	{"IPv4", [3]string{"10.77.0.1/24", "10.77.0.2/24", "10.77.0.3/24"}, "10.77.0.33/24"},
	{"169.254", [3]string{"169.254.10.1/16", "169.254.10.2/16", "169.254.10.3/16"}, "169.254.77.3/16"},
}

func TestLabOffice(t *testing.T) {
	for _, tt := range labNets {
		t.Run(tt.name, func(t *testing.T) {
			lab := meshtest.NewLab(t)
			lab.Bridge("lan")
			pcs := office(t, lab, [3]string{"lan", "lan", "lan"}, tt.addrs)
			everywhere(t, pcs)
			cable(t, pcs)
			killed(t, pcs, tt.other)
		})
	}
}

// everywhere: a message posted anywhere is on all three within a second.
func everywhere(t *testing.T, pcs [3]*pc) {
	t.Helper()
	for round := range 3 {
		for _, from := range pcs {
			text := fmt.Sprintf("round %d from %s", round, from.name)
			start := time.Now()
			from.post(text)
			posted := time.Since(start)
			for _, p := range pcs {
				ch := p.mainChannel()
				within(t, time.Second-min(time.Since(start), time.Second), p.name+" has "+text, func() bool { return p.has(ch, text) })
			}
			t.Logf("%q saved after %v, on all three %v after it was posted", text, posted, time.Since(start))
		}
	}
}

// same reports whether all three hold n messages in the same order.
func same(pcs [3]*pc, n int) bool {
	for _, p := range pcs {
		if p.total() != n {
			return false
		}
	}
	first := pcs[0].all()
	return len(first) == n && slices.Equal(first, pcs[1].all()) && slices.Equal(first, pcs[2].all())
}

// cable: B's is pulled while A and C post 200 and B posts 50.
func cable(t *testing.T, pcs [3]*pc) {
	t.Helper()
	pulled := 30 * time.Second
	if testing.Short() {
		pulled = 5 * time.Second
	}
	had := pcs[0].total()
	b := pcs[1]
	b.host.Cable("eth0", "lan", false)
	start := time.Now()
	var wg sync.WaitGroup
	for i, n := range []int{100, 50, 100} {
		wg.Go(func() {
			for k := range n {
				if _, err := call[api.Message](pcs[i], "post", api.Post{Text: fmt.Sprintf("apart %s %d", pcs[i].name, k)}); err != nil {
					t.Error(err)
					return
				}
				time.Sleep(pulled / time.Duration(n+10))
			}
		})
	}
	wg.Wait()
	time.Sleep(pulled - time.Since(start))
	if got := b.total(); got != had+50 {
		t.Errorf("b holds %d messages with its cable pulled, want %d", got, had+50)
	}
	b.host.Cable("eth0", "lan", true)
	took := within(t, 5*time.Second, "all hold the same 250 in the same order", func() bool { return same(pcs, had+250) })
	t.Logf("the same 250 in the same order %v after plugging in (cable was out for %v)", took, pulled)
}

// killed: C is killed in the middle of an import of 10,000 messages and started
// again at another address.
func killed(t *testing.T, pcs [3]*pc, other string) {
	t.Helper()
	n := 10_000
	a, c := pcs[0], pcs[2]
	had := a.total()
	c.kill()
	var lines strings.Builder
	for i := range n {
		fmt.Fprintf(&lines, "imported %d\n", i)
	}
	start := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	send := a.command(ctx, "send", "--lines")
	send.Stdin = strings.NewReader(lines.String())
	if err := send.Run(); err != nil {
		t.Fatalf("import: %v", err)
	}
	t.Logf("a posted %d messages in %v", n, time.Since(start))
	c.start()
	at := 0
	within(t, 20*time.Second, "c imports", func() bool { at = c.total(); return at > had+n/4 })
	c.kill()
	if at == had+n {
		t.Errorf("c was killed after the import, not in the middle of it")
	}
	c.host.Addr("eth0", other)
	c.start()
	took := within(t, 20*time.Second, "all hold the same after the kill", func() bool { return same(pcs, had+n) })
	t.Logf("killed at %d of %d messages; all the same %v after the start at another address", at-had, n, took)
	seen := map[string]int{}
	for _, line := range c.all() {
		_, text, _ := strings.Cut(line, " ")
		seen[text]++
	}
	for i := range n {
		if k := seen[fmt.Sprintf("imported %d", i)]; k != 1 {
			t.Errorf("message %d is there %d times", i, k)
			break
		}
	}
}

// TestLabSwitch cuts a cable between two switches, which no PC notices.
func TestLabSwitch(t *testing.T) {
	lab := meshtest.NewLab(t)
	lab.Bridge("lan")
	lab.Bridge("attic")
	cut := lab.Uplink("lan", "attic")
	pcs := office(t, lab, [3]string{"lan", "attic", "lan"}, labNets[0].addrs)
	cut(true)
	within(t, 20*time.Second, "each notices", func() bool {
		for _, p := range pcs[:2] {
			if must[api.Status](p, "status", api.Empty{}).DevicesHere == 3 {
				return false
			}
		}
		return true
	})
	pcs[0].post("downstairs")
	pcs[1].post("upstairs")
	cut(false)
	took := within(t, 10*time.Second, "all hold the same", func() bool { return same(pcs, 2) })
	t.Logf("the same on all three %v after the switches were joined again", took)
}
