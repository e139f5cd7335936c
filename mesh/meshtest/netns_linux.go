package meshtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const labPrefix = "insellab"

// A Lab is a room of hosts, each a network namespace of Linux, on bridges. There
// is no route out of it, no DNS and no DHCP.
type Lab struct {
	t      *testing.T
	prefix string
	hosts  int
}

// A LabHost is one host of a Lab.
type LabHost struct {
	lab *Lab
	ns  string
	id  int
}

// NewLab needs root and skips the test without. The namespaces go
// when the test ends; those of a test that was killed go now.
func NewLab(t *testing.T) *Lab {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("network namespaces need the command ip")
	}
	sweep(t)
	l := &Lab{t: t, prefix: fmt.Sprintf("%s-%d-%s", labPrefix, os.Getpid(), strings.ToLower(rand.Text()[:4]))}
	if out, err := exec.Command("ip", "netns", "add", l.prefix+"-x").CombinedOutput(); err != nil {
		t.Skipf("network namespaces cannot be made here: %s", out)
	}
	run(t, "ip", "netns", "del", l.prefix+"-x")
	return l
}

// sweep deletes what tests left behind whose process is gone.
func sweep(t *testing.T) {
	out, err := exec.Command("ip", "netns", "list").Output()
	if err != nil {
		t.Skipf("network namespaces cannot be listed: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		parts := strings.Split(name, "-")
		if len(parts) < 3 || parts[0] != labPrefix {
			continue
		}
		if pid, err := strconv.Atoi(parts[1]); err == nil && syscall.Kill(pid, 0) == syscall.ESRCH {
			exec.Command("ip", "netns", "del", name).Run()
		}
	}
}

func run(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// Bridge makes a switch that hosts can be plugged into.
func (l *Lab) Bridge(name string) {
	l.t.Helper()
	ns := l.prefix + "-" + name
	run(l.t, "ip", "netns", "add", ns)
	l.t.Cleanup(func() { exec.Command("ip", "netns", "del", ns).Run() })
	run(l.t, "ip", "-n", ns, "link", "add", "br0", "type", "bridge", "mcast_snooping", "0", "forward_delay", "0", "stp_state", "0")
	exec.Command("ip", "netns", "exec", ns, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1").Run()
	run(l.t, "ip", "-n", ns, "link", "set", "br0", "up")
}

// Uplink lays a cable between two bridges; cutting it is seen by no host.
func (l *Lab) Uplink(from, to string) (cut func(bool)) {
	l.t.Helper()
	near, far := l.prefix+"-"+from, l.prefix+"-"+to
	run(l.t, "ip", "-n", near, "link", "add", "up-"+to, "type", "veth", "peer", "name", "up-"+from, "netns", far)
	run(l.t, "ip", "-n", near, "link", "set", "up-"+to, "master", "br0", "up")
	run(l.t, "ip", "-n", far, "link", "set", "up-"+from, "master", "br0", "up")
	return func(cut bool) {
		l.t.Helper()
		run(l.t, "ip", "-n", near, "link", "set", "up-"+to, map[bool]string{true: "down", false: "up"}[cut])
	}
}

// Host makes a host without any cable. Without ipv6 it speaks IPv4 alone.
func (l *Lab) Host(ipv6 bool) *LabHost {
	l.t.Helper()
	l.hosts++
	if _, err := os.Stat("/proc/net/if_inet6"); ipv6 && err != nil {
		l.t.Skip("there is no IPv6 here")
	}
	h := &LabHost{lab: l, id: l.hosts, ns: fmt.Sprintf("%s-h%d", l.prefix, l.hosts)}
	run(l.t, "ip", "netns", "add", h.ns)
	l.t.Cleanup(func() { exec.Command("ip", "netns", "del", h.ns).Run() })
	run(l.t, "ip", "-n", h.ns, "link", "set", "lo", "up")
	args := []string{"net.ipv6.conf.default.accept_dad=0", "net.ipv6.conf.all.accept_dad=0"}
	if !ipv6 {
		args = []string{"net.ipv6.conf.default.disable_ipv6=1", "net.ipv6.conf.all.disable_ipv6=1"}
	}
	exec.Command("ip", append([]string{"netns", "exec", h.ns, "sysctl", "-qw"}, args...)...).Run() // fails where there is no IPv6
	return h
}

// Plug lays a cable from the host's interface to a bridge. addr is an IPv4
// address with its prefix length, or empty for none.
func (h *LabHost) Plug(dev, bridge, addr string) {
	t := h.lab.t
	t.Helper()
	br, port := h.bridge(bridge), h.port(dev)
	run(t, "ip", "-n", h.ns, "link", "add", dev, "type", "veth", "peer", "name", port, "netns", br)
	exec.Command("ip", "netns", "exec", br, "sysctl", "-qw", "net.ipv6.conf."+port+".disable_ipv6=1").Run()
	run(t, "ip", "-n", br, "link", "set", port, "master", "br0")
	run(t, "ip", "-n", br, "link", "set", port, "up")
	run(t, "ip", "-n", h.ns, "link", "set", dev, "up")
	if addr != "" {
		h.Addr(dev, addr)
	}
}

// Addr gives an interface this IPv4 address and no other.
func (h *LabHost) Addr(dev, addr string) {
	h.lab.t.Helper()
	run(h.lab.t, "ip", "-n", h.ns, "-4", "addr", "flush", "dev", dev)
	run(h.lab.t, "ip", "-n", h.ns, "addr", "add", addr, "dev", dev, "brd", "+")
}

// Cable pulls the cable of an interface at the bridge's end, or puts it back.
func (h *LabHost) Cable(dev, bridge string, in bool) {
	h.lab.t.Helper()
	state := "down"
	if in {
		state = "up"
	}
	run(h.lab.t, "ip", "-n", h.bridge(bridge), "link", "set", h.port(dev), state)
}

func (h *LabHost) bridge(name string) string { return h.lab.prefix + "-" + name }

func (h *LabHost) port(dev string) string { return fmt.Sprintf("p%d%s", h.id, dev) }

// Command prepares a program to run on the host; its process is the program's own
// and ends with the test, however that ends.
func (h *LabHost) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", h.ns, name}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// How a router names the packets that leave a site.
const (
	KeepsPort = "masquerade"                     // by the port they came from, where it is free
	AnyPort   = "masquerade random,fully-random" // by another one for each destination
)

// Router joins the bridge of a site to that of a larger network, where it has an
// IPv4 address. As those sold do it lets in answers and nothing else. Inside it is
// 192.168.178.1/24, whatever the site: routers of one maker are alike. rules are
// more rules of nft for its table nat, with the chains pre and post.
func (l *Lab) Router(site, world, addr, leaves string, rules ...string) {
	l.t.Helper()
	r := l.Host(false)
	r.Plug("wan", world, addr)
	r.Plug("lan", site, "192.168.178.1/24")
	run(l.t, "ip", "netns", "exec", r.ns, "sysctl", "-qw", "net.ipv4.ip_forward=1")
	for _, rule := range append([]string{
		"add table ip nat",
		"add chain ip nat post { type nat hook postrouting priority 100; }",
		"add chain ip nat pre { type nat hook prerouting priority -100; }",
		"add rule ip nat post oifname wan " + leaves,
		"add table ip filter",
		"add chain ip filter in { type filter hook input priority 0; }",
		"add chain ip filter through { type filter hook forward priority 0; }",
		"add rule ip filter in iifname wan ct state established,related accept",
		"add rule ip filter in iifname wan drop",
		"add rule ip filter through iifname wan ct state established,related accept",
		"add rule ip filter through iifname wan ct status dnat accept",
		"add rule ip filter through iifname wan drop",
	}, rules...) {
		if out, err := exec.Command("ip", "netns", "exec", r.ns, "nft", rule).CombinedOutput(); err != nil {
			l.t.Skipf("no router can be made here: %v: %s", err, out)
		}
	}
}

// Behind has a host reach what is not on its bridge through the bridge's Router.
func (h *LabHost) Behind() {
	h.lab.t.Helper()
	run(h.lab.t, "ip", "-n", h.ns, "route", "add", "default", "via", "192.168.178.1")
}

// Dial connects from the host, as a program on it would. The address is an IP
// address, so that one socket made by this thread is all it takes.
func (h *LabHost) Dial(ctx context.Context, network, addr string) (c net.Conn, err error) {
	inside(h.ns, func() { c, err = (&net.Dialer{}).DialContext(ctx, network, addr) }, &err)
	return c, err
}

// inside runs f on a thread that is in a namespace.
func inside(ns string, f func(), err *error) {
	there, e := os.Open("/run/netns/" + ns)
	if e != nil {
		*err = e
		return
	}
	defer there.Close()
	runtime.LockOSThread()
	here, e := os.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()))
	if e != nil {
		runtime.UnlockOSThread()
		*err = e
		return
	}
	defer here.Close()
	if e := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); e != nil {
		runtime.UnlockOSThread()
		*err = e
		return
	}
	f()
	if e := unix.Setns(int(here.Fd()), unix.CLONE_NEWNET); e != nil {
		*err = e // the thread stays locked and ends with its goroutine
		return
	}
	runtime.UnlockOSThread()
}

// Overhear listens to everything that passes a bridge. The function it returns
// ends that and says how many bytes passed and which of the words were in a
// packet.
func (l *Lab) Overhear(bridge string, words ...string) func() (passed int, found []string) {
	l.t.Helper()
	const all = unix.ETH_P_ALL
	fd, err := -1, error(nil)
	inside(l.prefix+"-"+bridge, func() {
		fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, all>>8|all<<8&0xff00)
	}, &err)
	if err != nil {
		l.t.Fatalf("overhear: %v", err)
	}
	unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 100_000})
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 32<<20)
	var over atomic.Bool
	var passed int
	heard := map[string]bool{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 64<<10)
		for !over.Load() {
			n, _, err := unix.Recvfrom(fd, buf, 0)
			if err != nil {
				continue // nothing for a while
			}
			passed += n
			for _, w := range words {
				if bytes.Contains(buf[:n], []byte(w)) {
					heard[w] = true
				}
			}
		}
		unix.Close(fd)
	}()
	end := sync.OnceFunc(func() { over.Store(true); <-done })
	l.t.Cleanup(end)
	return func() (int, []string) {
		end()
		return passed, slices.Sorted(maps.Keys(heard))
	}
}
