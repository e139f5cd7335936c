package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"inselnetz/app/api"
	"inselnetz/mesh/meshtest"
)

// TestLabRemoved: the office is cut in two. A device is removed in one half while
// it writes in the other. After healing its earlier work is there, its later work
// is in quarantine on every device, it receives nothing new, and an admin adopts
// the late work.
func TestLabRemoved(t *testing.T) {
	lab := meshtest.NewLab(t)
	lab.Bridge("left")
	lab.Bridge("right")
	cut := lab.Uplink("left", "right")
	bin := build(t)
	var pcs []*pc
	for i, name := range []string{"a", "b", "c", "d"} {
		p := newPC(t, bin, lab, []string{"left", "left", "right", "right"}[i], name, fmt.Sprintf("10.78.0.%d/24", i+1))
		p.start()
		pcs = append(pcs, p)
	}
	a, b, c, d := pcs[0], pcs[1], pcs[2], pcs[3]
	cli[api.Status](a, "found", "--office", "Kanzlei", "--person", "Anna", "--device", "a")
	for i, person := range []string{"Bernd", "Cem", "Dora"} {
		join(t, a, pcs[i+1], person)
	}
	main := a.mainChannel()
	c.post("vor der Trennung")
	for _, p := range pcs {
		within(t, 10*time.Second, p.name+" has the first message", func() bool { return p.has(main, "vor der Trennung") })
	}
	cut(true)
	cli[api.People](a, "remove", "--device", "c")
	a.post("ohne Cem")
	c.post("zu spät geschrieben")
	within(t, 15*time.Second, "d, beside c, has what c wrote", func() bool { return d.has(main, "zu spät geschrieben") })
	cut(false)

	rest := []*pc{a, b, d}
	start := time.Now()
	for _, p := range rest {
		within(t, 60*time.Second, p.name+" has the late work in quarantine", func() bool {
			late := must[api.Late](p, "late", api.Empty{}).Late
			return len(late) == 1 && late[0].Entries == 1 && len(late[0].Messages) == 1 &&
				late[0].Messages[0].Text == "zu spät geschrieben" && p.has(main, "ohne Cem") && !p.has(main, "zu spät geschrieben")
		})
		if !p.has(main, "vor der Trennung") {
			t.Errorf("%s lost what the removed device wrote before", p.name)
		}
	}
	t.Logf("late work in quarantine on all three %v after healing", time.Since(start))

	known := must[api.Audit](c, "audit", api.AuditAsk{}).Total
	before := c.received()
	for i := range 100 {
		a.post(fmt.Sprintf("Geheimnis %d %s", i, strings.Repeat("nach der Entfernung ", 500)))
	}
	for _, p := range rest {
		within(t, 10*time.Second, p.name+" has it", func() bool { return p.total() == 102 })
	}
	time.Sleep(5 * time.Second) // c tries again and again meanwhile
	if n := c.received() - before; n > 400_000 {
		t.Errorf("the removed device received %d bytes while 1 MB was written", n)
	} else {
		t.Logf("the removed device received %d bytes (beacons and failed hellos) while 1 MB was written", n)
	}
	if n := must[api.Audit](c, "audit", api.AuditAsk{}).Total; n != known {
		t.Errorf("the removed device holds %d control records, had %d: keys come with those", n, known)
	}
	if f := c.filesWith("Geheimnis", "ohne Cem"); f != "" {
		t.Errorf("the removed device has new text in %s", f)
	}

	cli[api.Late](a, "late", "--adopt", "c")
	for _, p := range rest {
		within(t, 15*time.Second, p.name+" shows what was adopted", func() bool {
			return p.total() == 103 && len(must[api.Late](p, "late", api.Empty{}).Late) == 0
		})
	}
}

// received is how many bytes the network card of the host has received.
func (p *pc) received() int {
	p.t.Helper()
	out, err := p.host.Command(context.Background(), "cat", "/proc/net/dev").Output()
	if err != nil {
		p.t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if dev, counts, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(dev) == "eth0" {
			n, err := strconv.Atoi(strings.Fields(counts)[0])
			if err != nil {
				p.t.Fatal(err)
			}
			return n
		}
	}
	p.t.Fatal("no eth0")
	return 0
}

// TestLabSpaces: a space's text is on its members' disks alone, and after erasing
// on nobody's. A carrier keeps it all and can read none of it.
func TestLabSpaces(t *testing.T) {
	lab := meshtest.NewLab(t)
	lab.Bridge("lan")
	bin := build(t)
	var pcs []*pc
	for i, name := range []string{"a", "b", "c", "nas"} {
		p := newPC(t, bin, lab, "lan", name, fmt.Sprintf("10.79.0.%d/24", i+1))
		p.start()
		pcs = append(pcs, p)
	}
	a, b, c, nas := pcs[0], pcs[1], pcs[2], pcs[3]
	cli[api.Status](a, "found", "--office", "Praxis", "--person", "Anna", "--device", "a")
	join(t, a, b, "Bernd")
	join(t, a, c, "Cem")
	joinByLink(t, a, nas, "NAS", "--role", "carrier")
	cli[api.Space](b, "spaces", "--create", "Akte Wunderlich", "--add", "Cem")
	var sent api.Message
	within(t, 15*time.Second, "c is in the space", func() bool { return len(must[api.Spaces](c, "spaces", api.Empty{}).Spaces) == 2 })
	sent = cli[api.Message](b, "send", "--channel", "Akte Wunderlich", "Befund Quitzow")
	must[api.Message](b, "edit", api.Edit{Message: sent.ID, Text: "Befund Quitzow berichtigt"})
	must[api.Message](b, "post", api.Post{Text: "für alle Drosselweg"})
	channel := sent.Channel
	within(t, 15*time.Second, "c reads it", func() bool { return c.has(channel, "Befund Quitzow berichtigt") })
	within(t, 15*time.Second, "all devices hold all of b", func() bool {
		for _, p := range must[api.People](b, "people", api.Empty{}).People {
			for _, d := range p.Devices {
				if d.Behind > 0 {
					return false
				}
			}
		}
		return true
	})
	if f := c.filesWith("Quitzow"); f == "" {
		t.Fatal("the test searches in the wrong place")
	}
	for p, words := range map[*pc][]string{a: {"Quitzow", "Wunderlich"}, nas: {"Quitzow", "Wunderlich", "Drosselweg"}} {
		if f := p.filesWith(words...); f != "" {
			t.Errorf("%s has text that it may not read in %s", p.name, f)
		}
	}
	cli[api.Empty](b, "erase", sent.ID)
	if f := b.filesWith("Quitzow"); f != "" {
		t.Errorf("after erasing the text is still in %s", f)
	}
	within(t, 15*time.Second, "the text is on no disk", func() bool {
		for _, p := range pcs {
			if p.filesWith("Quitzow") != "" {
				return false
			}
		}
		return true
	})
}

// joinByLink lets guest into the office of host by a link.
func joinByLink(t *testing.T, host, guest *pc, person string, invite ...string) {
	t.Helper()
	link := cli[api.InviteState](host, append([]string{"invite", "--link"}, invite...)...).Link
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := guest.command(ctx, "join", "--link", link, "--person", person, "--device", guest.name, "--yes")
	cmd.Stdin = strings.NewReader("")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), `"step":"done"`) && !strings.Contains(string(out), `"step": "done"`) {
		t.Fatalf("%s did not get in by link: %v: %s", guest.name, err, out)
	}
}
