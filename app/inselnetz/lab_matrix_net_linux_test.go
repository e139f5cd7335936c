package main

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"inselnetz/app/api"
	"inselnetz/mesh/meshtest"
)

// A mould is an office of four whose directories are copied for each case: letting
// devices in takes longer than most of what is measured.
type mould struct {
	bin  string
	dirs []string
}

const mouldNet = "10.50.0.%d/24" // where the devices knew each other first

func newMould(t *testing.T) *mould {
	t.Helper()
	lab := meshtest.NewLab(t)
	lab.Bridge("lan")
	m := &mould{bin: build(t)}
	var pcs []*pc
	for i, name := range []string{"a", "b", "c", "d"} {
		p := newPC(t, m.bin, lab, "lan", name, fmt.Sprintf(mouldNet, i+1))
		p.start()
		pcs = append(pcs, p)
		m.dirs = append(m.dirs, p.dir)
		if i == 0 {
			cli[api.Status](p, "found", "--office", "Kanzlei", "--person", "Anna", "--device", name)
		} else {
			join(t, pcs[0], p, "Person "+name)
		}
	}
	within(t, 30*time.Second, "all four see each other", func() bool { return hereOf(pcs) == len(pcs) })
	for _, p := range pcs {
		p.stop()
	}
	return m
}

// hereOf is the number of devices that each of the PCs reaches at least, itself
// included.
func hereOf(pcs []*pc) int {
	least := math.MaxInt
	for _, p := range pcs {
		least = min(least, p.here())
	}
	return least
}

// here is the number of devices the PC reaches, itself included; 0 if it does not
// answer.
func (p *pc) here() int {
	st, err := call[api.Status](p, "status", api.Empty{})
	if err != nil {
		return 0
	}
	return st.DevicesHere
}

// stop ends the program as a user would.
func (p *pc) stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	p.cmd.Wait()
	p.cmd = nil
	p.http.CloseIdleConnections()
}

// A room is one case of the matrix: a lab and some of the office's PCs in it,
// without a cable.
type room struct {
	*testing.T
	lab  *meshtest.Lab
	pcs  []*pc
	rows []string
}

// newRoom has n hosts, with IPv6 or without, and bridges "lan" and "attic".
func newRoom(t *testing.T, m *mould, n int, ipv6 bool) *room {
	t.Helper()
	r := &room{T: t, lab: meshtest.NewLab(t)}
	r.lab.Bridge("lan")
	r.lab.Bridge("attic")
	for i := range n {
		p := &pc{t: t, name: string(rune('a' + i)), bin: m.bin, host: r.lab.Host(ipv6), dir: t.TempDir()}
		for _, part := range []string{"data", "state"} {
			if out, err := exec.Command("cp", "-a", filepath.Join(m.dirs[i], part), p.dir).CombinedOutput(); err != nil {
				t.Fatalf("copy %s: %v: %s", part, err, out)
			}
		}
		p.http = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				return p.host.Dial(ctx, network, addr)
			},
		}}
		t.Cleanup(func() {
			p.kill()
			p.http.CloseIdleConnections()
			if t.Failed() {
				log, _ := os.ReadFile(p.logFile())
				t.Logf("%s logged:\n%s", p.name, tailOf(log, 12000))
			}
		})
		r.pcs = append(r.pcs, p)
	}
	return r
}

// plug lays a cable for every PC; format is its IPv4 address with the PC's number
// in it, or empty for none.
func (r *room) plug(dev, bridge, format string) {
	r.Helper()
	for i, p := range r.pcs {
		p.host.Plug(dev, bridge, numbered(format, i+1))
	}
}

func numbered(format string, n int) string {
	if format == "" {
		return ""
	}
	return fmt.Sprintf(format, n)
}

// on runs a system's command on a PC's host.
func (p *pc) on(args ...string) {
	p.t.Helper()
	if out, err := p.host.Command(p.t.Context(), args[0], args[1:]...).CombinedOutput(); err != nil {
		p.t.Fatalf("%s: %s: %v: %s", p.name, strings.Join(args, " "), err, out)
	}
}

// rules puts rules of nftables before what comes in.
func (p *pc) rules(lines ...string) {
	p.t.Helper()
	if _, err := exec.LookPath("nft"); err != nil {
		p.t.Skip("needs the command nft (apt-get install nftables)")
	}
	p.on("nft", "add table inet lab; add chain inet lab in { type filter hook input priority 0; }")
	for _, line := range lines {
		p.on("nft", "add rule inet lab in "+line)
	}
}

func (r *room) start() {
	r.Helper()
	for _, p := range r.pcs {
		p.start()
	}
}

// measured notes a row of the table.
func (r *room) measured(what string, took, bound time.Duration) {
	if took > bound {
		r.Errorf("%s: %v, not within %v", what, took.Round(time.Millisecond), bound)
	}
	r.rows = append(r.rows, fmt.Sprintf("| %s | %.2f s | %.0f s |", what, took.Seconds(), bound.Seconds()))
}

// A round is one message from each PC.
type round struct {
	texts    []string
	channels []string
}

// write posts a message at each of the PCs.
func (r *room) write(word string) round {
	r.Helper()
	var w round
	for _, p := range r.pcs {
		text := word + " from " + p.name
		p.post(text)
		w.texts = append(w.texts, text)
		w.channels = append(w.channels, p.mainChannel())
	}
	return w
}

// synced waits until each PC has the messages of all, and returns how long after
// since that was.
func (r *room) synced(w round, since time.Time, bound time.Duration) time.Duration {
	r.Helper()
	for {
		lacking := r.lacking(w)
		took := time.Since(since)
		if len(lacking) == 0 {
			return took
		}
		if took > bound+5*time.Second { // later than it may be, but told
			r.Fatalf("not in sync after %v: %s; the fewest devices here: %d", took, strings.Join(lacking, "; "), hereOf(r.pcs))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (r *room) lacking(w round) (lacking []string) {
	for i, p := range r.pcs {
		res, err := call[api.Messages](p, "messages", api.MessagesAsk{Channel: w.channels[i], Limit: 500})
		if err != nil {
			lacking = append(lacking, err.Error())
			continue
		}
		for _, text := range w.texts {
			if !slices.ContainsFunc(res.Messages, func(m api.Message) bool { return m.Text == text }) {
				lacking = append(lacking, p.name+" lacks "+text)
			}
		}
	}
	return lacking
}

// together writes on each PC and notes how long after since all had all.
func (r *room) together(what string, since time.Time, bound time.Duration) {
	r.Helper()
	r.measured(what, r.synced(r.write(what), since, bound), bound)
}

// noticed waits until a PC sees as many devices as given, itself included, and
// returns how long after since that was.
func (r *room) noticed(p *pc, here int, since time.Time, bound time.Duration) time.Duration {
	r.Helper()
	within(r.T, bound+5*time.Second, fmt.Sprintf("%s sees %d devices", p.name, here), func() bool {
		return p.here() == here
	})
	return time.Since(since)
}

// whole waits until every PC sees every other.
func (r *room) whole(since time.Time, bound time.Duration) time.Duration {
	r.Helper()
	within(r.T, bound+5*time.Second, "all see each other", func() bool { return hereOf(r.pcs) == len(r.pcs) })
	return time.Since(since)
}

// meet notes how long after since all saw each other, directly or through others.
// It is told and not judged: what is written is everywhere without.
func (r *room) meet(since time.Time) {
	r.Helper()
	for hereOf(r.pcs) < len(r.pcs) {
		if time.Since(since) > 20*time.Second {
			r.rows = append(r.rows, "| started: all see each other | not in 20 s | |")
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	r.rows = append(r.rows, fmt.Sprintf("| started: all see each other | %.2f s | |", time.Since(since).Seconds()))
}

// settled waits until every PC sees every other, and for what comes with that: of
// connections that were dialed from both ends one is dropped.
func (r *room) settled() {
	r.Helper()
	r.whole(time.Now(), startBound)
	time.Sleep(3 * time.Second)
}

const tunnelEnv = "INSELNETZ_LAB_TUNNEL"

// TestLabTunnel is the other end of a VPN, when a case of the matrix starts it on
// a host: it opens the interface and loses all that goes into it.
func TestLabTunnel(t *testing.T) {
	name := os.Getenv(tunnelEnv)
	if name == "" {
		return
	}
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	req, err := unix.NewIfreq(name)
	if err != nil {
		t.Fatal(err)
	}
	req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, req); err != nil {
		t.Fatal(err)
	}
	fmt.Println("open")
	buf := make([]byte, 64<<10)
	for {
		if _, err := unix.Read(fd, buf); err != nil && err != unix.EINTR && err != unix.EIO { // EIO: not up yet
			t.Fatal(err)
		}
	}
}

// tunnel gives a PC an interface as a VPN does, with the route to everywhere.
func (p *pc) tunnel(name, addr string) {
	p.t.Helper()
	if _, err := os.Stat("/dev/net/tun"); err == nil {
		p.openTunnel(name)
	} else { // a container without: nothing comes back from this one either
		p.on("ip", "link", "add", name, "type", "dummy")
	}
	p.on("ip", "addr", "add", addr, "dev", name)
	p.on("ip", "link", "set", name, "up")
	p.on("ip", "route", "add", "default", "dev", name)
}

func (p *pc) openTunnel(name string) {
	p.t.Helper()
	exe, err := os.Executable()
	if err != nil {
		p.t.Fatal(err)
	}
	cmd := p.host.Command(context.Background(), exe, "-test.run=^TestLabTunnel$")
	cmd.Env = append(os.Environ(), tunnelEnv+"="+name)
	out, err := cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	if n, err := out.Read(make([]byte, 5)); n == 0 {
		p.t.Fatalf("the tunnel does not open: %v", err)
	}
}
