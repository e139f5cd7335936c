package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"inselnetz/mesh/meshtest"
)

// An avahi is Debian's mDNS daemon on a host of its own, with a D-Bus of its own.
type avahi struct {
	r    *room
	host *meshtest.LabHost
	bus  string
}

const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=%s</listen><auth>EXTERNAL</auth><policy context="default">
<allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>`

const avahiConfig = "[server]\nhost-name=fourth\nuse-ipv4=yes\nuse-ipv6=no\nallow-interfaces=eth0\n[publish]\npublish-hinfo=no\npublish-workstation=no\n"

func newAvahi(r *room, addr string) *avahi {
	r.Helper()
	for _, tool := range []string{"avahi-daemon", "avahi-browse", "avahi-publish", "dbus-daemon"} {
		if _, err := exec.LookPath(tool); err != nil {
			r.Skip("needs the programs of avahi (apt-get install avahi-daemon avahi-utils dbus)")
		}
	}
	dir := r.TempDir()
	a := &avahi{r: r, host: r.lab.Host(false), bus: filepath.Join(dir, "bus")}
	a.host.Plug("eth0", "lan", addr)
	for name, text := range map[string]string{"bus.conf": fmt.Sprintf(busConfig, a.bus), "avahi.conf": avahiConfig} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			r.Fatal(err)
		}
	}
	a.run("dbus-daemon", "--nofork", "--nopidfile", "--config-file="+filepath.Join(dir, "bus.conf"))
	within(r.T, 10*time.Second, "D-Bus listens", func() bool { _, err := os.Stat(a.bus); return err == nil })
	// The daemon's own directory is fixed, and the computer may have an avahi too:
	// a host of the lab sees its own mounts.
	a.run("sh", "-c", "mkdir -p /run/avahi-daemon && mount -t tmpfs tmpfs /run/avahi-daemon && exec avahi-daemon --no-drop-root --no-chroot --no-rlimits --file="+filepath.Join(dir, "avahi.conf"))
	return a
}

func (a *avahi) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := a.host.Command(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "DBUS_SYSTEM_BUS_ADDRESS=unix:path="+a.bus, "LC_ALL=C.UTF-8")
	return cmd
}

// run starts a program that goes on until the test ends, or until it is stopped.
func (a *avahi) run(args ...string) (stop func()) {
	a.r.Helper()
	cmd := a.command(context.Background(), args...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		a.r.Fatal(err)
	}
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			cmd.Process.Kill()
			cmd.Wait()
		}
	}
	a.r.Cleanup(func() {
		stop()
		if a.r.Failed() {
			a.r.Logf("%s said:\n%s", args[0], tailOf(said.Bytes(), 4000))
		}
	})
	return stop
}

// A service as avahi resolved it.
type service struct {
	name, addr string
	port       int
	txt        []string
}

// browse asks avahi once for our services.
func (a *avahi) browse() (found []service) {
	ctx, cancel := context.WithTimeout(a.r.Context(), 5*time.Second)
	defer cancel()
	out, _ := a.command(ctx, "avahi-browse", "--resolve", "--parsable", "--terminate", "_inselnetz._udp").Output() // fails until the daemon is up
	for line := range strings.Lines(string(out)) {
		f := strings.SplitN(strings.TrimSpace(line), ";", 10)
		if len(f) < 10 || f[0] != "=" {
			continue
		}
		s := service{name: f[3], addr: f[7]}
		s.port, _ = strconv.Atoi(f[8])
		s.txt = strings.Split(strings.Trim(f[9], `"`), `" "`)
		slices.Reverse(s.txt) // avahi-browse prints the last first
		found = append(found, s)
	}
	return found
}

// packet is what a service's TXT carries: a member packet (mesh/lan/FORMAT.md).
func (s service) packet() ([]byte, error) {
	raw, err := base64.RawStdEncoding.Strict().DecodeString(strings.Join(s.txt, ""))
	if err != nil {
		return nil, err
	}
	if len(raw) != 335 || string(raw[:5]) != "insel" || raw[5] != 1 || raw[6] != 1 {
		return nil, fmt.Errorf("%d bytes that are no member packet: %x", len(raw), raw[:min(len(raw), 8)])
	}
	return raw, nil
}

// besideAvahi: avahi on a fourth host finds our services, and what avahi announces
// is heard and judged by us.
func besideAvahi(r *room) {
	r.plug("eth0", "lan", "10.77.0.%d/24")
	a, b := r.pcs[0], r.pcs[2]
	others := newAvahi(r, "10.77.0.66/24")
	a.start()
	r.pcs[1].start()
	since := time.Now()
	found := map[string]service{}
	within(r.T, 30*time.Second, "avahi finds two services", func() bool {
		for _, s := range others.browse() {
			found[s.addr] = s
		}
		return found["10.77.0.1"].port != 0 && found["10.77.0.2"].port != 0
	})
	r.measured("avahi browses both", time.Since(since), 30*time.Second)
	for _, s := range found {
		packet, err := s.packet()
		if err != nil {
			r.Fatalf("service %+v: %v", s, err)
		}
		if s.port != a.port(r) || bytes.Contains(packet, []byte("Kanzlei")) || strings.Contains(strings.ToLower(s.name), "anna") {
			r.Errorf("service %+v", s)
		}
	}
	// b hears nothing of the others but what avahi says, and they nothing of b
	b.rules("ip saddr { 10.77.0.1, 10.77.0.2 } meta l4proto udp drop")
	for _, p := range r.pcs[:2] {
		p.rules("ip saddr 10.77.0.3 meta l4proto udp drop")
	}
	real := found["10.77.0.1"]
	forged := bytes.Clone(mustPacket(r, real))
	forged[100] ^= 1
	stop := others.publish("forged", forged)
	b.start()
	time.Sleep(3 * time.Second) // b asks as it starts
	if here := b.here(); here != 1 {
		r.Errorf("with a forged packet %d devices are here", here)
	}
	stop()
	b.stop()
	others.publish("real", mustPacket(r, real))
	// A device asks once as it starts and listens for a second. Where everything is
	// slow that can be too short.
	for try := range 3 {
		b.start()
		since = time.Now()
		for b.here() == 1 && time.Since(since) < 8*time.Second {
			time.Sleep(20 * time.Millisecond)
		}
		if b.here() > 1 {
			break
		}
		r.Logf("nothing came of start %d", try+1)
		b.stop()
	}
	if b.cmd == nil {
		r.Fatal("what avahi announces is not heard")
	}
	r.measured("reached by what avahi announces", time.Since(since), 20*time.Second)
	r.together("in sync", time.Now(), 20*time.Second)
}

func mustPacket(r *room, s service) []byte {
	r.Helper()
	p, err := s.packet()
	if err != nil {
		r.Fatal(err)
	}
	return p
}

// publish has avahi announce a packet as ours and waits until avahi itself finds it.
func (a *avahi) publish(name string, packet []byte) (stop func()) {
	a.r.Helper()
	text := base64.RawStdEncoding.EncodeToString(packet)
	args := []string{"avahi-publish", "--service", name, "_inselnetz._udp", "21960"}
	for len(text) > 255 {
		args, text = append(args, text[:255]), text[255:]
	}
	stop = a.run(append(args, text)...)
	within(a.r.T, 20*time.Second, "avahi announces "+name, func() bool {
		for _, s := range a.browse() {
			if s.name == name {
				return true
			}
		}
		return false
	})
	return stop
}

// port is the node's, as it told when it started.
func (p *pc) port(r *room) int {
	r.Helper()
	raw, err := os.ReadFile(p.logFile())
	if err != nil {
		r.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(raw), "msg=listening")
	if !ok {
		r.Fatalf("%s did not say that it listens", p.name)
	}
	line, _, _ := strings.Cut(rest, "]")
	port, err := strconv.Atoi(line[strings.LastIndex(line, ":")+1:])
	if err != nil {
		r.Fatalf("%s listens at %q", p.name, line)
	}
	return port
}
