//go:build linux && swarm

package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/mdns"

	"inselnetz/app/api"
	"inselnetz/mesh/meshtest"
)

// `make swarm` runs this: many real programs on one bridge, each in a namespace of
// its own, and beside them hashicorp/mdns alone on the same hosts.

func swarmSize(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("INSELNETZ_SWARM"))
	if err != nil || n < 3 {
		t.Fatal("INSELNETZ_SWARM is the number of hosts, 3 or more")
	}
	return n
}

// roomForNeighbours: the kernel has one table of neighbours for all namespaces.
func roomForNeighbours(t *testing.T) {
	for _, family := range []string{"ipv4", "ipv6"} {
		for i, want := range []string{"8192", "16384", "32768"} {
			file := fmt.Sprintf("/proc/sys/net/%s/neigh/default/gc_thresh%d", family, i+1)
			was, err := os.ReadFile(file)
			if err != nil {
				continue
			}
			if err := os.WriteFile(file, []byte(want), 0); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.WriteFile(file, was, 0) })
		}
	}
}

const discoveryPackets = "add table inet count; add chain inet count out { type filter hook output priority 0; }; " +
	"add rule inet count out udp dport { 21961, 5353 } counter; add rule inet count out udp sport 5353 udp dport != 5353 counter"

var counted = regexp.MustCompile(`counter packets (\d+)`)

// packets are those for discovery that the hosts sent since they were counted, each
// once however many heard it.
func packets(t *testing.T, hosts []*meshtest.LabHost) (n int) {
	for _, h := range hosts {
		out, err := h.Command(t.Context(), "nft", "list", "table", "inet", "count").Output()
		if err != nil {
			t.Fatalf("count packets: %v", err)
		}
		for _, m := range counted.FindAllSubmatch(out, -1) {
			k, err := strconv.Atoi(string(m[1]))
			if err != nil {
				t.Fatal(err)
			}
			n += k
		}
	}
	return n
}

func count(t *testing.T, h *meshtest.LabHost) {
	if out, err := h.Command(t.Context(), "nft", discoveryPackets).CombinedOutput(); err != nil {
		t.Fatalf("count packets: %v: %s", err, out)
	}
}

// pss is a process's share of memory in KiB, what several use divided among them.
func pss(t *testing.T, pid int) (rss, pss int) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		n, _ := strconv.Atoi(f[1])
		switch f[0] {
		case "Rss:":
			rss = n
		case "Pss:":
			pss = n
		}
	}
	return rss, pss
}

func processorOf(t *testing.T, pid int) time.Duration {
	return (&pc{t: t, cmd: &exec.Cmd{Process: &os.Process{Pid: pid}}}).cpu()
}

// An idleRow is what programs cost while nothing happens.
type idleRow struct{ packets, cpuMean, cpuMost, rss, pss float64 }

func idle(t *testing.T, hosts []*meshtest.LabHost, pids []int, over time.Duration) (r idleRow) {
	sent, start := packets(t, hosts), time.Now()
	var before []time.Duration
	for _, pid := range pids {
		before = append(before, processorOf(t, pid))
	}
	time.Sleep(over)
	took := time.Since(start)
	for i, pid := range pids {
		share := 100 * float64(processorOf(t, pid)-before[i]) / float64(took)
		r.cpuMean += share / float64(len(pids))
		r.cpuMost = max(r.cpuMost, share)
		rss, pss := pss(t, pid)
		r.rss, r.pss = max(r.rss, float64(rss)/1024), max(r.pss, float64(pss)/1024)
	}
	r.packets = float64(packets(t, hosts)-sent) / time.Since(start).Minutes()
	return r
}

func (r idleRow) String() string {
	return fmt.Sprintf("%.0f discovery packets a minute in all, %.2f %% of a core each on average, %.2f %% at most, at most %.0f MiB RSS, %.0f MiB PSS", r.packets, r.cpuMean, r.cpuMost, r.rss, r.pss)
}

func TestSwarm(t *testing.T) {
	n := swarmSize(t)
	roomForNeighbours(t)
	lab := meshtest.NewLab(t)
	lab.Bridge("lan")
	bin := build(t)
	var pcs []*pc
	var hosts []*meshtest.LabHost
	for i := range n { // each is let in alone, so that it knows nobody's new address
		p := newPC(t, bin, lab, "lan", fmt.Sprintf("pc%d", i), fmt.Sprintf("10.50.0.%d/24", i+1))
		p.start()
		if i == 0 {
			cli[api.Status](p, "found", "--office", "Kanzlei", "--person", "Anna", "--device", p.name)
		} else {
			join(t, pcs[0], p, fmt.Sprintf("Person %d", i))
			p.stop()
		}
		pcs, hosts = append(pcs, p), append(hosts, p.host)
	}
	pcs[0].stop()
	for i, p := range pcs {
		p.host.Addr("eth0", fmt.Sprintf("10.77.0.%d/24", i+1))
		count(t, p.host)
	}
	start := time.Now()
	for _, p := range pcs {
		p.start()
	}
	ran := time.Since(start)
	within(t, 2*time.Minute, "all see all", func() bool {
		least := hereOf(pcs)
		time.Sleep(200 * time.Millisecond) // asking many is work too
		return least == n
	})
	t.Logf("%d programs started in %v; all %d pairs %v after the last", n, ran.Round(time.Second), n*(n-1)/2, (time.Since(start) - ran).Round(10*time.Millisecond))
	time.Sleep(20 * time.Second)
	arrivals(t, pcs)
	time.Sleep(20 * time.Second)
	var pids []int
	for _, p := range pcs {
		pids = append(pids, p.cmd.Process.Pid)
	}
	t.Logf("idle for a minute: %v", idle(t, hosts, pids, time.Minute))
}

// arrivals restarts some, one after the other, each at another address: the time
// from its start to a session with each of the others.
func arrivals(t *testing.T, pcs []*pc) {
	var all []time.Duration
	for k := range min(8, len(pcs)-1) {
		p := pcs[1+k*(len(pcs)-1)/8]
		p.kill()
		p.host.Addr("eth0", fmt.Sprintf("10.77.0.%d/24", 200+k))
		start := time.Now()
		p.start()
		within(t, 30*time.Second, p.name+" sees all", func() bool { return p.here() == len(pcs) })
		for _, person := range must[api.People](p, "people", api.Empty{}).People {
			for _, d := range person.Devices {
				if !d.Self && d.Presence == api.Here {
					all = append(all, time.UnixMilli(d.Since).Sub(start))
				}
			}
		}
	}
	slices.Sort(all)
	if len(all) == 0 {
		t.Fatal("nobody was found")
	}
	t.Logf("a device that comes: %d pairs, a session after %v in the median, %v at most (its start included)", len(all), all[len(all)/2].Round(time.Millisecond), all[len(all)-1].Round(time.Millisecond))
}

const rivalEnv = "INSELNETZ_SWARM_RIVAL"

// TestSwarmRivals: hashicorp/mdns as its README shows it, a responder and a question
// every 30 s, without and with a default route. Started by itself on a host it is
// one of the programs.
func TestSwarmRivals(t *testing.T) {
	if name := os.Getenv(rivalEnv); name != "" {
		rival(t, name)
		return
	}
	n := swarmSize(t)
	roomForNeighbours(t)
	for _, route := range []bool{false, true} {
		t.Run(fmt.Sprintf("default route %v", route), func(t *testing.T) { rivals(t, n, route) })
	}
}

func rival(t *testing.T, name string) {
	name, addr, _ := strings.Cut(name, " ")
	s, err := mdns.NewMDNSService(name, "_rival._tcp", "", name+".local.", 8000, []net.IP{net.ParseIP(addr)}, []string{"rival"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mdns.NewServer(&mdns.Config{Zone: s}); err != nil {
		fmt.Println("error", err)
	}
	fmt.Println("ready")
	found := map[string]bool{}
	for {
		entries := make(chan *mdns.ServiceEntry, 256)
		params := mdns.DefaultParams("_rival._tcp")
		params.Entries, params.DisableIPv6 = entries, true
		if err := mdns.Query(params); err != nil {
			fmt.Println("error", err)
		}
		close(entries)
		for e := range entries {
			if !found[e.Name] {
				found[e.Name] = true
				fmt.Println("found", len(found))
			}
		}
		time.Sleep(30 * time.Second)
	}
}

func rivals(t *testing.T, n int, route bool) {
	lab := meshtest.NewLab(t)
	lab.Bridge("lan")
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var hosts []*meshtest.LabHost
	var pids []int
	lines := make(chan string, 100*n)
	for i := range n {
		h := lab.Host(false)
		addr := fmt.Sprintf("10.77.0.%d", i+1)
		h.Plug("eth0", "lan", addr+"/24")
		if route {
			if out, err := h.Command(t.Context(), "ip", "route", "add", "default", "dev", "eth0").CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		}
		count(t, h)
		cmd := h.Command(context.Background(), exe, "-test.run=^TestSwarmRivals$")
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=host%d %s", rivalEnv, i, addr))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Signal(syscall.SIGKILL); cmd.Wait() })
		go func() {
			s := bufio.NewScanner(out)
			for s.Scan() {
				lines <- s.Text()
			}
		}()
		hosts, pids = append(hosts, h), append(pids, cmd.Process.Pid)
	}
	time.Sleep(40 * time.Second) // two questions of each
	found, last := 0, ""
	for len(lines) > 0 {
		line := <-lines
		if strings.HasPrefix(line, "found") {
			found++
		} else if rest, ok := strings.CutPrefix(line, "error "); ok {
			last = rest
		}
	}
	t.Logf("hashicorp/mdns alone, default route %v: %d of %d found (each of %d by each, itself included) in 40 s; last error %q", route, found, n*n, n, last)
	t.Logf("idle for 30 s: %v", idle(t, hosts, pids, 30*time.Second))
}
