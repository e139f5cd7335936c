package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"inselnetz/app/api"
	"inselnetz/mesh/lan"
	"inselnetz/mesh/meshtest"
)

const strangerEnv = "INSELNETZ_LAB_VICTIM"

// attack is what the stranger does.
func attack(ctx context.Context, addr string) error {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	tr, err := lan.New(ctx, lan.Options{Key: key, Port: 30000, BeaconPort: 30001})
	if err != nil {
		return err
	}
	defer tr.Close()
	door, err := tr.Ask(ctx, addr)
	if err != nil {
		return err
	}
	host, _, _ := strings.Cut(addr, ":")
	r := meshtest.Attack{Stranger: tr, Victim: door.Peer, Addr: addr, Beacons: fmt.Sprintf("%s:%d", host, lan.DefaultBeaconPort)}.Run(ctx, 10_000)
	if r.Tries != 10_000 {
		return fmt.Errorf("made %d attempts", r.Tries)
	}
	fmt.Printf("%+v\n", r)
	return nil
}

// TestLabStranger runs twice: once to look after the office, and, started by that
// on a fourth host, once to be the stranger.
func TestLabStranger(t *testing.T) {
	if addr := os.Getenv(strangerEnv); addr != "" {
		if err := attack(t.Context(), addr); err != nil {
			t.Error(err)
		}
		return
	}
	lab := meshtest.NewLab(t)
	lab.Bridge("lan")
	overheard := lab.Overhear("lan", "Kanzlei", "Geheimnis", "Anna", "Bernd", "nur für uns", "insel\x01\x01")
	pcs := office(t, lab, [3]string{"lan", "lan", "lan"}, labNets[0].addrs)
	stranger := newPC(t, pcs[0].bin, lab, "lan", "d", "10.77.0.66/24")
	stranger.start()
	a := pcs[0]
	a.post("nur für uns")

	t.Run("sees a door with a made-up name", func(t *testing.T) {
		door := cli[api.InviteState](a, "invite", "--open").Door
		var doors api.Doors
		within(t, 5*time.Second, "the door is heard", func() bool {
			doors = must[api.Doors](stranger, "doors", api.Empty{})
			return len(doors.Doors) == 1
		})
		if doors.Doors[0].Name != door || strings.Contains(door, "Kanzlei") || strings.Contains(door, "Geheimnis") {
			t.Errorf("doors %+v, open is %q", doors, door)
		}
		cli[api.InviteState](a, "invite", "--close")
		within(t, 10*time.Second, "the door is gone", func() bool {
			return len(must[api.Doors](stranger, "doors", api.Empty{}).Doors) == 0
		})
	})
	t.Run("reads and writes nothing", func(t *testing.T) {
		if st := must[api.Status](stranger, "status", api.Empty{}); st.Phase != api.PhaseNew || st.Office != "" || st.Devices > 1 {
			t.Errorf("status %+v", st)
		}
		for _, args := range [][]string{{"read"}, {"send", "hello"}, {"search", "uns"}} {
			if out, err := stranger.command(t.Context(), args...).Output(); err == nil && strings.Contains(string(out), "uns") || err == nil && args[0] == "send" {
				t.Errorf("%v: %s", args, out)
			}
		}
		if got := stranger.filesWith("nur für uns", "Geheimnis"); got != "" {
			t.Errorf("on the stranger's disk: %s", got)
		}
		if st := must[api.Status](a, "status", api.Empty{}); st.Devices != 3 {
			t.Errorf("%d devices in the office", st.Devices)
		}
	})
	t.Run("overhears nothing", func(t *testing.T) {
		passed, found := overheard()
		// the head of a beacon shows that the ear works
		if len(found) != 1 || found[0] != "insel\x01\x01" {
			t.Errorf("overheard %q", found)
		}
		t.Logf("%d bytes passed the switch", passed)
	})
	t.Run("10,000 hostile attempts", func(t *testing.T) { attacked(t, pcs, stranger) })
}

// filesWith returns the first of the words that is in a file of the pc.
func (p *pc) filesWith(words ...string) string {
	p.t.Helper()
	found := ""
	for _, name := range []string{"data", "state"} {
		root, err := os.OpenRoot(p.dir)
		if err != nil {
			p.t.Fatal(err)
		}
		walk(p.t, root, name, func(file string, content []byte) {
			for _, w := range words {
				if bytes.Contains(content, []byte(w)) {
					found = file + " holds " + w
				}
			}
		})
		root.Close()
	}
	return found
}

func walk(t *testing.T, root *os.Root, dir string, f func(string, []byte)) {
	t.Helper()
	d, err := root.Open(dir)
	if err != nil {
		return // not there
	}
	defer d.Close()
	entries, err := d.ReadDir(-1)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name := dir + "/" + e.Name()
		if e.IsDir() {
			walk(t, root, name, f)
		} else if b, err := root.ReadFile(name); err == nil {
			f(name, b)
		}
	}
}

// attacked: while a stranger attacks A, messages go from everybody to everybody
// within a second, and A's memory stays.
func attacked(t *testing.T, pcs [3]*pc, stranger *pc) {
	a := pcs[0]
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	before := a.rss()
	cmd := stranger.host.Command(t.Context(), exe, "-test.run=^TestLabStranger$")
	cmd.Env = append(os.Environ(), strangerEnv+"=10.77.0.1:"+fmt.Sprint(lan.DefaultPort))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var slowest, slowestCall time.Duration
	peak, rounds := before, 0
	for over := false; !over; rounds++ {
		for i, from := range pcs {
			text := fmt.Sprintf("attack %d %d", rounds, i)
			start := time.Now()
			from.post(text)
			slowestCall = max(slowestCall, time.Since(start))
			for _, p := range pcs {
				ch := p.mainChannel()
				within(t, time.Second-min(time.Since(start), time.Second), p.name+" has "+text, func() bool { return p.has(ch, text) })
			}
			slowest = max(slowest, time.Since(start))
		}
		peak = max(peak, a.rss())
		select {
		case err := <-ended:
			if err != nil {
				t.Fatalf("the stranger: %v\n%s", err, out.String())
			}
			over = true
		case <-time.After(100 * time.Millisecond):
		}
	}
	after := a.rss()
	t.Logf("the attack: %s", out.String())
	t.Logf("%d messages during it: slowest on all three after %v, slowest call %v", 3*rounds, slowest, slowestCall)
	t.Logf("memory of the attacked: %d KiB before, %d at most seen, %d after", before, peak, after)
	if peak > before+64<<10 || after > before+32<<10 {
		t.Errorf("memory grew from %d KiB to %d, at most seen %d", before, after, peak)
	}
	for _, p := range pcs[1:] {
		st := must[api.Status](p, "status", api.Empty{})
		if st.DevicesHere != 3 {
			raw, _ := json.Marshal(st)
			t.Errorf("%s after the attack: %s", p.name, raw)
		}
	}
}
