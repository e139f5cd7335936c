//go:build linux && swarm

package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"inselnetz/app/api"
	"inselnetz/mesh/meshtest"
)

// `make swarm` runs this: many real programs on one bridge, each in a namespace of
// its own. Its rows are those of mesh/lan/MEASURED.md.

// row prints a line of a table, to be copied as it is.
func row(cells ...string) { fmt.Println("| " + strings.Join(cells, " | ") + " |") }

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

// discoveryPackets counts what leaves for discovery, in this order of kinds. A
// question is told from an answer by the first bit behind the number.
const discoveryPackets = `add table inet count; add chain inet count out { type filter hook output priority 0; }
add rule inet count out udp dport 21961 ip daddr 239.193.73.78 counter accept
add rule inet count out udp dport 21961 ip daddr 255.255.255.255 counter accept
add rule inet count out udp dport 21961 counter accept
add rule inet count out udp dport 5353 @th,80,1 0 counter accept
add rule inet count out udp dport 5353 counter accept
add rule inet count out udp sport 5353 counter accept`

// A tally is packets of each kind.
type tally [6]float64

func (n tally) sum() (all float64) {
	for _, k := range n {
		all += k
	}
	return all
}

func (n tally) String() string {
	return fmt.Sprintf("beacons %.0f by multicast, %.0f by broadcast, %.0f by directed broadcast; mDNS %.0f questions, %.0f answers", n[0], n[1], n[2], n[3], n[4]+n[5])
}

var counted = regexp.MustCompile(`counter packets (\d+)`)

// packets are those for discovery that the hosts sent since they were counted, each
// once however many heard it.
func packets(t *testing.T, hosts []*meshtest.LabHost) (n tally) {
	for _, h := range hosts {
		out, err := h.Command(t.Context(), "nft", "list", "table", "inet", "count").Output()
		if err != nil {
			t.Fatalf("count packets: %v", err)
		}
		for i, m := range counted.FindAllSubmatch(out, len(n)) {
			k, err := strconv.Atoi(string(m[1]))
			if err != nil {
				t.Fatal(err)
			}
			n[i] += float64(k)
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

// An idleRow is what programs cost while nothing happens: packets a minute of all,
// the processor in % of a core, memory in MiB of the one that has most.
type idleRow struct {
	packets                     tally
	cpuMean, cpuMost, rss, most float64
	busy                        float64 // % of all cores, whoever used them
}

func idle(t *testing.T, hosts []*meshtest.LabHost, pids []int, over time.Duration) (r idleRow) {
	sent, start := packets(t, hosts), time.Now()
	wasBusy, was := machine(t)
	var before []time.Duration
	for _, pid := range pids {
		before = append(before, processorOf(t, pid))
	}
	counting := time.Now()
	time.Sleep(over)
	for i, pid := range pids {
		share := 100 * float64(processorOf(t, pid)-before[i]) / float64(time.Since(counting))
		r.cpuMean += share / float64(len(pids))
		r.cpuMost = max(r.cpuMost, share)
	}
	isBusy, is := machine(t)
	r.busy = 100 * (isBusy - wasBusy) / (is - was)
	r.packets = packets(t, hosts)
	for i := range r.packets {
		r.packets[i] = (r.packets[i] - sent[i]) / time.Since(start).Minutes()
	}
	for _, pid := range pids {
		rss, pss := pss(t, pid)
		r.rss, r.most = max(r.rss, float64(rss)/1024), max(r.most, float64(pss)/1024)
	}
	return r
}

// machine is the time all cores were busy, and all time, in ticks.
func machine(t *testing.T) (busy, all float64) {
	raw, err := os.ReadFile("/proc/stat")
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	for i, f := range strings.Fields(line)[1:9] {
		n, err := strconv.ParseFloat(f, 64)
		if err != nil {
			t.Fatal(err)
		}
		all += n
		if i != 3 && i != 4 { // idle, waiting for the disk
			busy += n
		}
	}
	return busy, all
}

// load says how busy the machine is beside.
func load(t *testing.T) string {
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(raw))[:3], " ")
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
	row(fmt.Sprintf("all %d pairs have a session, after the last of %d programs runs (starting them took %.0f s)", n*(n-1)/2, n, ran.Seconds()),
		fmt.Sprintf("%.1f s", (time.Since(start)-ran).Seconds()), "every pair")
	time.Sleep(20 * time.Second)
	arrivals(t, pcs)
	time.Sleep(20 * time.Second)
	var pids []int
	for _, p := range pcs {
		pids = append(pids, p.cmd.Process.Pid)
	}
	over := idleTime
	if text := os.Getenv("INSELNETZ_SWARM_IDLE"); text != "" {
		var err error
		if over, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	began := load(t)
	r := idle(t, hosts, pids, over)
	row(fmt.Sprintf("discovery packets sent, all hosts together, idle for %v (counted by nftables where they leave): %v", over, r.packets),
		fmt.Sprintf("%.0f a minute", r.packets.sum()), "≤ 200")
	row(fmt.Sprintf("processor, idle for %v with %d sessions each", over, n-1),
		fmt.Sprintf("%.2f %% of a core on average, %.2f %% at most", r.cpuMean, r.cpuMost), "≤ 0.2 %")
	row("memory of a program", fmt.Sprintf("%.0f MiB RSS, %.0f MiB PSS at most", r.rss, r.most), "≤ 80 MB")
	row(fmt.Sprintf("the machine meanwhile: load %s before, %s after", began, load(t)), fmt.Sprintf("%.0f %% of all cores busy", r.busy), "–")
}

const idleTime = 3 * time.Minute

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
	row(fmt.Sprintf("a device that comes later, at a new address: session with another, its start included (%d pairs)", len(all)),
		fmt.Sprintf("median %.2f s, at most %.1f s", all[len(all)/2].Seconds(), all[len(all)-1].Seconds()), "median ≤ 3 s")
}
