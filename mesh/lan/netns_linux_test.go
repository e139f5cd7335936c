package lan

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"inselnetz/crdt/log"
	"inselnetz/mesh"
	"inselnetz/mesh/meshtest"
)

const nodeEnv = "INSELNETZ_LAN_NODE"

func TestMain(m *testing.M) {
	if name := os.Getenv(nodeEnv); name != "" {
		run := node
		if who, office, ok := strings.Cut(strings.TrimPrefix(name, "member "), " "); ok && strings.HasPrefix(name, "member ") {
			run = func(string) error { return member(who, strings.Split(office, ",")) }
		}
		if rest, ok := strings.CutPrefix(name, "nosy "); ok {
			addr, of, _ := strings.Cut(rest, " ")
			out := json.NewEncoder(os.Stdout)
			run = func(string) error {
				return nosy(addr, mesh.PeerID(of), func(e event) { e.At = time.Now(); out.Encode(e) })
			}
		}
		if err := run(name); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// An event is a line a node prints.
type event struct {
	Ev    string
	Peer  mesh.PeerID
	New   bool
	Gone  bool
	Addrs []string
	At    time.Time
}

// node is a program on a host of the lab: it dials whom it notices for the first
// time or anew, and tells what happens, until its input ends.
func node(name string) error {
	var mu sync.Mutex
	out := json.NewEncoder(os.Stdout)
	say := func(e event) {
		mu.Lock()
		defer mu.Unlock()
		e.At = time.Now()
		out.Encode(e)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	name, beacons, _ := strings.Cut(name, "@")
	port, _ := strconv.Atoi(beacons)
	t, err := New(ctx, Options{Key: key(name), BeaconPort: port, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := t.Accept(ctx)
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				if f, err := c.Recv(); err == nil {
					c.Send(f)
					c.Recv()
				}
			})
		}
	})
	wg.Go(func() {
		for {
			select {
			case s := <-t.Sightings():
				say(event{Ev: "sighting", Peer: s.Peer, New: s.New, Gone: s.Gone, Addrs: s.Addrs})
				if s.New {
					wg.Go(func() { greet(ctx, t, s, say) })
				}
			case <-ctx.Done():
				return
			}
		}
	})
	if rest, ok := strings.CutPrefix(name, "stranger "); ok {
		victim, addr, _ := strings.Cut(rest, " ")
		host, _, _ := strings.Cut(addr, ":")
		say(event{Ev: "ready", Peer: t.Self()})
		r := meshtest.Attack{Stranger: t, Victim: mesh.PeerID(victim), Addr: addr, Beacons: fmt.Sprintf("%s:%d", host, DefaultBeaconPort)}.Run(ctx, 10_000)
		say(event{Ev: fmt.Sprintf("attacked: %+v", r)})
	} else {
		t.Announce([]log.Key{{1}})
	}
	say(event{Ev: "ready", Peer: t.Self(), Addrs: t.Addrs()})
	io.Copy(io.Discard, os.Stdin)
	cancel()
	err = t.Close()
	wg.Wait()
	return err
}

func greet(ctx context.Context, t *Transport, s mesh.Sighting, say func(event)) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	c, err := t.Dial(ctx, s.Peer, s.Addrs, mesh.ProtoSync)
	if err != nil {
		say(event{Ev: "dial failed: " + err.Error(), Peer: s.Peer})
		return
	}
	defer c.Close()
	if c.Send([]byte("hi")) == nil {
		if _, err := c.Recv(); err == nil {
			say(event{Ev: "met", Peer: s.Peer, Addrs: []string{c.Path()}})
		}
	}
}

// A labNode is a node as its test sees it.
type labNode struct {
	t      *testing.T
	name   string
	self   mesh.PeerID
	stdin  io.Closer
	cmd    *exec.Cmd
	events chan event
	once   sync.Once
}

func startNode(t *testing.T, h *meshtest.LabHost, name string) *labNode {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := h.Command(t.Context(), exe)
	cmd.Env = append(os.Environ(), nodeEnv+"="+name)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	n := &labNode{t: t, name: name, stdin: in, cmd: cmd, events: make(chan event, 1000)}
	go func() {
		defer close(n.events)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			var e event
			if json.Unmarshal(lines.Bytes(), &e) == nil {
				n.events <- e
			}
		}
	}()
	t.Cleanup(func() {
		n.stop()
		if t.Failed() {
			t.Logf("%s said:\n%s", name, stderr.String())
		}
	})
	n.self = n.await(5*time.Second, func(e event) bool { return e.Ev == "ready" }).Peer
	return n
}

// stop ends the node as a user would, with a goodbye.
func (n *labNode) stop() {
	n.once.Do(func() {
		n.stdin.Close()
		for range n.events {
		}
		n.cmd.Wait()
	})
}

// await returns the next event that fits.
func (n *labNode) await(limit time.Duration, fits func(event) bool) event {
	n.t.Helper()
	deadline := time.After(limit)
	var passed []string
	for {
		select {
		case e, ok := <-n.events:
			if !ok {
				n.t.Fatalf("%s ended", n.name)
			}
			if fits(e) {
				return e
			}
			passed = append(passed, fmt.Sprintf("%+v", e))
		case <-deadline:
			n.t.Fatalf("%s waited %v in vain; meanwhile:\n%s", n.name, limit, strings.Join(passed, "\n"))
		}
	}
}

func met(p mesh.PeerID) func(event) bool {
	return func(e event) bool { return e.Ev == "met" && e.Peer == p }
}

func TestLabDiscovery(t *testing.T) {
	for name, tt := range map[string]struct {
		ipv6  bool
		addrs [2]string
	}{
		"IPv4":                                 {false, [2]string{"10.77.0.1/24", "10.77.0.2/24"}},
		"169.254":                              {false, [2]string{"169.254.10.1/16", "169.254.10.2/16"}},
		"IPv6 link-local only":                 {true, [2]string{"", ""}},
		"different IPv4 nets, IPv6 link-local": {true, [2]string{"10.77.0.1/24", "192.168.7.2/24"}},
	} {
		t.Run(name, func(t *testing.T) {
			lab := meshtest.NewLab(t)
			lab.Bridge("a")
			first, second := lab.Host(tt.ipv6), lab.Host(tt.ipv6)
			first.Plug("eth0", "a", tt.addrs[0])
			second.Plug("eth0", "a", tt.addrs[1])
			ann := startNode(t, first, "ann")
			time.Sleep(1500 * time.Millisecond) // ann's first beacons have passed, unheard
			start := time.Now()
			bob := startNode(t, second, "bob")
			here := ann.await(3*time.Second, met(bob.self))
			there := bob.await(3*time.Second, met(ann.self))
			t.Logf("ann met bob at %v after %v, bob met ann at %v after %v (program start included)",
				here.Addrs, here.At.Sub(start), there.Addrs, there.At.Sub(start))
			bob.stop()
			ann.await(2*time.Second, func(e event) bool { return e.Peer == bob.self && e.Gone })
		})
	}
}

// Where nothing hears the beacon, mDNS must do: each listens on another port.
func TestLabMDNS(t *testing.T) {
	for name, addrs := range map[string][2]string{
		"IPv4":            {"10.77.0.1/24", "10.77.0.2/24"},
		"169.254":         {"169.254.10.1/16", "169.254.10.2/16"},
		"IPv6 link-local": {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			lab := meshtest.NewLab(t)
			lab.Bridge("a")
			first, second := lab.Host(addrs[0] == ""), lab.Host(addrs[0] == "")
			first.Plug("eth0", "a", addrs[0])
			second.Plug("eth0", "a", addrs[1])
			ann := startNode(t, first, "ann@21971")
			time.Sleep(1500 * time.Millisecond) // ann's own question has passed, unheard
			start := time.Now()
			bob := startNode(t, second, "bob@21972")
			e := bob.await(4*time.Second, met(ann.self))
			t.Logf("bob met ann at %v after %v", e.Addrs, e.At.Sub(start))
		})
	}
}

func TestLabTwoInterfaces(t *testing.T) {
	lab := meshtest.NewLab(t)
	lab.Bridge("a")
	lab.Bridge("b")
	left, middle, right := lab.Host(false), lab.Host(false), lab.Host(false)
	left.Plug("eth0", "a", "10.77.0.1/24")
	middle.Plug("eth0", "a", "10.77.0.2/24")
	middle.Plug("eth1", "b", "169.254.10.2/16")
	right.Plug("eth0", "b", "169.254.10.3/16")
	ann, bob, cem := startNode(t, left, "ann"), startNode(t, middle, "bob"), startNode(t, right, "cem")
	ann.await(3*time.Second, met(bob.self))
	cem.await(3*time.Second, met(bob.self))
}

// Two programs on one computer share the port of beacons.
func TestLabOneComputer(t *testing.T) {
	lab := meshtest.NewLab(t)
	lab.Bridge("a")
	first, second := lab.Host(false), lab.Host(false)
	first.Plug("eth0", "a", "10.77.0.1/24")
	second.Plug("eth0", "a", "10.77.0.2/24")
	ann, bob, cem := startNode(t, first, "ann"), startNode(t, first, "bob"), startNode(t, second, "cem")
	bob.await(3*time.Second, met(ann.self))
	cem.await(3*time.Second, met(bob.self))
	ann.await(3*time.Second, met(cem.self))
}

func TestLabCable(t *testing.T) {
	lab := meshtest.NewLab(t)
	lab.Bridge("a")
	first, second := lab.Host(false), lab.Host(false)
	first.Plug("eth0", "a", "10.77.0.1/24")
	second.Plug("eth0", "a", "10.77.0.2/24")
	ann, bob := startNode(t, first, "ann"), startNode(t, second, "bob")
	ann.await(3*time.Second, met(bob.self))
	bob.await(3*time.Second, met(ann.self))

	second.Cable("eth0", "a", false)
	time.Sleep(2*lookEvery + time.Second/2)
	second.Cable("eth0", "a", true)
	start := time.Now()
	here := ann.await(4*time.Second, met(bob.self))
	there := bob.await(4*time.Second, met(ann.self))
	t.Logf("after the cable was back: ann met bob after %v, bob met ann after %v", here.At.Sub(start), there.At.Sub(start))

	second.Addr("eth0", "10.77.0.9/24")
	start = time.Now()
	here = ann.await(4*time.Second, func(e event) bool {
		return met(bob.self)(e) && strings.HasPrefix(e.Addrs[0], "10.77.0.9:")
	})
	t.Logf("after another address: ann met bob after %v", here.At.Sub(start))
}

// rss is the memory of a program in KiB.
func rss(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "VmRSS:" {
			n, _ := strconv.Atoi(f[1])
			return n
		}
	}
	t.Fatal("no VmRSS")
	return 0
}

func TestLabStranger(t *testing.T) {
	lab := meshtest.NewLab(t)
	lab.Bridge("a")
	var hosts []*meshtest.LabHost
	for i := range 8 {
		h := lab.Host(false)
		h.Plug("eth0", "a", fmt.Sprintf("10.77.0.%d/24", i+1))
		hosts = append(hosts, h)
	}
	ann := startNode(t, hosts[0], "ann")
	bob := startNode(t, hosts[1], "bob")
	ann.await(3*time.Second, met(bob.self))
	before := rss(t, ann.cmd.Process.Pid)
	stranger := startNode(t, hosts[2], "stranger "+string(ann.self)+" 10.77.0.1:21960")
	over := make(chan event, 1)
	go func() {
		for e := range stranger.events {
			if strings.HasPrefix(e.Ev, "attacked") {
				over <- e
			}
		}
	}()
	peak := 0
	for i := 3; i < len(hosts); i++ { // members who come while it goes on
		start := time.Now()
		cem := startNode(t, hosts[i], fmt.Sprintf("cem%d", i))
		here := ann.await(2*time.Second, met(cem.self))
		there := cem.await(2*time.Second, met(ann.self))
		select {
		case e := <-over:
			t.Fatalf("the attack was over before member %d came: %s", i, e.Ev)
		default:
		}
		t.Logf("during the attack: met after %v and %v", here.At.Sub(start), there.At.Sub(start))
		peak = max(peak, rss(t, ann.cmd.Process.Pid))
	}
	select {
	case e := <-over:
		t.Log(e.Ev)
	case <-time.After(2 * time.Minute):
		t.Fatal("the attack does not end")
	}
	after := rss(t, ann.cmd.Process.Pid)
	t.Logf("memory of the attacked: %d KiB before, %d at most seen, %d after", before, peak, after)
	if after > 2*before+24<<10 || peak > 2*before+48<<10 { // 10,000 leaks of 10 KiB would be 100 MiB
		t.Errorf("memory grew from %d KiB to %d, at most seen %d", before, after, peak)
	}
}
