package main

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// A netCase is a network as it may be. Its hosts have no route out. What is
// measured is told as rows of mesh/lan/MEASURED.md; the bounds are for slow and
// busy machines.
type netCase struct {
	name  string
	hosts int
	ipv6  bool
	run   func(r *room)
}

const (
	startBound = 15 * time.Second
	newsBound  = 15 * time.Second
)

// atStart measures an office whose PCs are started where none knows the others'
// addresses.
func atStart(r *room) {
	r.Helper()
	r.start()
	since := time.Now()
	r.together("started", since, startBound)
	r.meet(since)
}

// Cases that wait long come first.
var netCases = []netCase{
	{"30 s cable pull", 3, false, cablePull},
	{"flapping link, 1 Hz", 2, false, flapping},
	{"asymmetric loss, 25 % one way", 2, false, func(r *room) {
		r.plug("eth0", "lan", "10.77.0.%d/24")
		r.pcs[1].rules("iifname eth0 numgen random mod 100 < 25 drop")
		r.start()
		r.together("started", time.Now(), 40*time.Second)
		r.together("posted later", time.Now(), 40*time.Second)
	}},
	{"inbound blocked on all but one, known address", 4, false, inboundBlocked},
	{"plain IPv4", 4, false, func(r *room) {
		r.plug("eth0", "lan", "10.77.0.%d/24")
		atStart(r)
	}},
	{"169.254 only", 3, false, func(r *room) {
		r.plug("eth0", "lan", "169.254.10.%d/16")
		atStart(r)
	}},
	{"IPv6 link-local only", 3, true, func(r *room) {
		r.plug("eth0", "lan", "")
		atStart(r)
	}},
	{"ULA only", 3, true, func(r *room) {
		r.plug("eth0", "lan", "")
		for i, p := range r.pcs {
			p.on("ip", "-6", "addr", "flush", "dev", "eth0")
			p.on("ip", "-6", "addr", "add", fmt.Sprintf("fd00:77::%d/64", i+1), "dev", "eth0", "nodad")
		}
		atStart(r)
	}},
	{"two interfaces, one cable pulled", 3, false, func(r *room) {
		r.plug("eth0", "lan", "10.77.0.%d/24")
		r.plug("eth1", "attic", "192.168.9.%d/24")
		atStart(r)
		r.settled()
		r.pcs[1].host.Cable("eth0", "lan", false)
		r.together("one of two cables pulled", time.Now(), 30*time.Second)
	}},
	{"late interface", 2, false, func(r *room) {
		r.start()
		time.Sleep(3 * time.Second)
		r.plug("eth0", "lan", "10.77.0.%d/24")
		r.together("plugged in", time.Now(), newsBound)
	}},
	{"address change while connected", 3, false, func(r *room) {
		r.plug("eth0", "lan", "10.77.0.%d/24")
		atStart(r)
		r.settled()
		r.pcs[1].host.Addr("eth0", "10.77.0.77/24")
		r.together("another address", time.Now(), 30*time.Second)
	}},
	{"restart at another address", 3, false, func(r *room) {
		r.plug("eth0", "lan", "10.77.0.%d/24")
		atStart(r)
		r.pcs[1].kill()
		r.pcs[1].host.Addr("eth0", "10.77.0.77/24")
		r.pcs[1].start()
		r.together("killed, started elsewhere", time.Now(), newsBound)
	}},
	{"multicast blocked", 3, false, func(r *room) {
		r.plug("eth0", "lan", "10.77.0.%d/24")
		for _, p := range r.pcs {
			p.rules("ip daddr 224.0.0.0/4 drop")
		}
		atStart(r)
	}},
	{"broadcast blocked", 3, false, func(r *room) {
		r.plug("eth0", "lan", "10.77.0.%d/24")
		for _, p := range r.pcs {
			p.rules("fib daddr type broadcast drop")
		}
		atStart(r)
	}},
	{"multicast and broadcast blocked, known address", 2, false, func(r *room) {
		r.plug("eth0", "lan", mouldNet)
		for _, p := range r.pcs {
			p.rules("ip daddr 224.0.0.0/4 drop", "fib daddr type broadcast drop")
		}
		atStart(r)
	}},
	{"two subnets joined by one device", 3, false, func(r *room) {
		a, b, c := r.pcs[0], r.pcs[1], r.pcs[2]
		a.host.Plug("eth0", "lan", "10.77.0.1/24")
		b.host.Plug("eth0", "lan", "10.77.0.2/24")
		b.host.Plug("eth1", "attic", "192.168.9.2/24")
		c.host.Plug("eth0", "attic", "192.168.9.3/24")
		atStart(r)
	}},
	{"MTU 1280", 2, true, func(r *room) {
		r.plug("eth0", "lan", "10.77.0.%d/24")
		for _, p := range r.pcs {
			p.on("ip", "link", "set", "eth0", "mtu", "1280")
		}
		r.start()
		since := time.Now()
		for i := range 100 { // more than one packet in a frame
			r.pcs[0].post(fmt.Sprintf("%d %s", i, strings.Repeat("long ", 200)))
		}
		r.together("started, 100 long messages", since, startBound)
	}},
	{"two interfaces both in 169.254/16", 3, true, func(r *room) {
		a, b, c := r.pcs[0], r.pcs[1], r.pcs[2]
		a.host.Plug("eth0", "lan", "169.254.1.1/16")
		b.host.Plug("eth0", "lan", "169.254.1.2/16")
		b.host.Plug("eth1", "attic", "169.254.2.2/16")
		c.host.Plug("eth0", "attic", "169.254.2.3/16")
		atStart(r)
	}},
	{"avahi on a fourth host", 3, false, besideAvahi},
	{"VPN that takes the default route", 3, false, func(r *room) {
		r.plug("eth0", "lan", "10.77.0.%d/24")
		r.pcs[1].tunnel("tun0", "10.8.0.2/24")
		atStart(r)
	}},
}

// TestLabMatrix: in each network all PCs of an office come to hold the same within
// a stated time.
func TestLabMatrix(t *testing.T) {
	m := newMould(t)
	tables := make([][]string, len(netCases))
	var wg sync.WaitGroup
	slots := make(chan bool, 4) // cases side by side: most of their time they wait
	for i, c := range netCases {
		slots <- true
		wg.Go(func() {
			defer func() { <-slots }()
			t.Run(c.name, func(t *testing.T) {
				r := newRoom(t, m, c.hosts, c.ipv6)
				c.run(r)
				for _, row := range r.rows {
					tables[i] = append(tables[i], fmt.Sprintf("| %s | %d %s", c.name, c.hosts, row))
				}
				t.Log(strings.Join(tables[i], "\n"))
			})
		})
	}
	wg.Wait()
	var all []string
	for _, rows := range tables {
		all = append(all, rows...)
	}
	t.Logf("in sync after:\n%s", strings.Join(all, "\n"))
}

// cablePull: what was written meanwhile is everywhere soon after.
func cablePull(r *room) {
	r.plug("eth0", "lan", "10.77.0.%d/24")
	atStart(r)
	r.settled()
	b := r.pcs[1]
	b.host.Cable("eth0", "lan", false)
	pulled := time.Now()
	r.measured("pulled: its own PC notices", r.noticed(b, 1, pulled, 15*time.Second), 15*time.Second)
	r.measured("pulled: the others notice", r.noticed(r.pcs[0], 2, pulled, 15*time.Second), 15*time.Second)
	w := r.write("apart")
	time.Sleep(30*time.Second - time.Since(pulled))
	b.host.Cable("eth0", "lan", true)
	back := time.Now()
	r.measured("plugged in: in sync", r.synced(w, back, newsBound), newsBound)
	r.measured("plugged in: all see each other", r.whole(back, newsBound), newsBound)
}

// flapping: the link is up for half a second and down for half a second.
func flapping(r *room) {
	r.plug("eth0", "lan", "10.77.0.%d/24")
	atStart(r)
	b := r.pcs[1]
	var over sync.WaitGroup
	start := time.Now()
	down := make(chan bool, 1)
	over.Go(func() {
		defer close(down)
		for i := range 20 {
			b.host.Cable("eth0", "lan", i%2 == 1)
			if i == 4 {
				down <- true
			}
			time.Sleep(500 * time.Millisecond)
		}
	})
	<-down
	w, wrote := r.write("while it flaps"), time.Now()
	r.measured("written while it flaps", r.synced(w, wrote, 30*time.Second), 30*time.Second)
	over.Wait()
	r.Logf("flapped for %v", time.Since(start).Round(time.Second))
	r.together("written after it flapped", time.Now(), newsBound)
}

// inboundBlocked: all but the first can only dial out. They knew the first one's
// address when they were let in.
func inboundBlocked(r *room) {
	r.plug("eth0", "lan", mouldNet)
	for _, p := range r.pcs[1:] {
		p.rules("ct state established,related accept", "iifname lo accept", "icmp type != echo-request accept", "drop")
	}
	atStart(r)
}
