//go:build linux && diagnose

package main

import (
	"context"
	"os/exec"
	"testing"
	"time"

	"inselnetz/app/api"
	"inselnetz/mesh/meshtest"
)

// TestLabDiagnose (make diagnose: two minutes of waiting for what networks notice
// late) takes a PC away in one way after the other, and wants the right
// sentence from the one that misses it.
func TestLabDiagnose(t *testing.T) {
	if _, err := exec.LookPath("nft"); err != nil {
		t.Skip("needs the command nft (apt-get install nftables)")
	}
	lab := meshtest.NewLab(t)
	lab.Bridge("lan")
	bin := build(t)
	a, b := newPC(t, bin, lab, "lan", "a", "10.77.0.1/24"), newPC(t, bin, lab, "lan", "b", "10.77.0.2/24")
	a.start()
	b.start()
	cli[api.Status](a, "found", "--office", "Kanzlei Geheimnis", "--person", "Anna", "--device", "PC Anna")
	join(t, a, b, "Petra")
	here := func(n int) func() bool {
		return func() bool { return must[api.Status](a, "status", api.Empty{}).DevicesHere == n }
	}
	within(t, 20*time.Second, "both are here", here(2))
	is := func(name, code string) {
		t.Helper()
		args := []string{"diagnose"}
		if name != "" {
			args = append(args, name)
		}
		started := time.Now()
		d := cli[api.Diagnosis](a, args...)
		t.Logf("%s after %v: %s", code, time.Since(started).Round(10*time.Millisecond), d.Findings[0].Sentence)
		if d.Findings[0].Code != code {
			t.Errorf("said %s, want %s:\n%s", d.Findings[0].Code, code, d.Text)
		}
	}
	becomes := func(code, name string) {
		t.Helper()
		took := within(t, 90*time.Second, code, func() bool {
			return cli[api.Diagnosis](a, "diagnose", name).Findings[0].Code == code
		})
		t.Logf("%s after %v", code, took.Round(10*time.Millisecond))
	}
	is("Petra", "here")
	is("", "all-here")

	onHost(t, b, "nft", "add table inet lab; add chain inet lab in { type filter hook input priority 0; }; add rule inet lab in iifname eth0 drop")
	within(t, 40*time.Second, "the wall is noticed", here(1))
	becomes("firewall-there", "Petra")
	onHost(t, b, "nft", "delete table inet lab")
	within(t, 60*time.Second, "the wall is down", here(2))

	b.kill()
	within(t, 40*time.Second, "the end is noticed", here(1))
	is("Petra", "refused")

	onHost(t, b, "ip", "link", "set", "eth0", "down")
	becomes("off", "Petra") // the kernel believes in a neighbour for up to 45 s
	is("", "nobody-here")

	onHost(t, a, "ip", "link", "set", "eth0", "down")
	within(t, 20*time.Second, "the pulled cable is noticed", func() bool {
		d, err := call[api.Diagnosis](a, "diagnose", api.DiagnoseAsk{})
		return err == nil && d.Findings[0].Code == "none"
	})
	is("Petra", "none")
}

// onHost runs a command of the system on a PC's host.
func onHost(t *testing.T, p *pc, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if out, err := p.host.Command(ctx, name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", name, err, out)
	}
}
