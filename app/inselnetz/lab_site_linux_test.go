package main

import (
	"fmt"
	"testing"
	"time"

	"inselnetz/app/api"
	"inselnetz/mesh/meshtest"
)

// TestLabSecondOffice: an office in two towns, each behind a router as those sold
// are, one of which forwards a port. The second town joins over the internet, all
// four PCs have what any of them writes, and find each other again after a power cut
// everywhere.
func TestLabSecondOffice(t *testing.T) {
	const outside = "198.51.100.1"
	lab := meshtest.NewLab(t)
	for _, b := range []string{"world", "husum", "kiel"} {
		lab.Bridge(b)
	}
	lab.Router("husum", "world", outside+"/24", meshtest.KeepsPort,
		"add rule ip nat pre iifname wan tcp dport 21960 dnat to 192.168.178.20",
		"add rule ip nat pre iifname wan udp dport 21960 dnat to 192.168.178.20")
	lab.Router("kiel", "world", "198.51.100.2/24", meshtest.AnyPort)
	bin := build(t)
	var pcs []*pc
	for i, name := range []string{"anke", "petra", "emre", "frida"} {
		site := []string{"husum", "kiel"}[i/2]
		p := newPC(t, bin, lab, site, name, fmt.Sprintf("192.168.178.%d/24", 20+i%2))
		p.host.Behind()
		p.start()
		pcs = append(pcs, p)
	}
	anke, petra, emre, frida := pcs[0], pcs[1], pcs[2], pcs[3]
	cli[api.Status](anke, "found", "--office", "Kanzlei", "--person", "Anke", "--device", "anke")
	cli[api.Places](anke, "address", "--outside", outside)
	join(t, anke, petra, "Petra")
	join(t, anke, emre, "Emre", outside)
	join(t, anke, frida, "Frida", outside)

	all := func() bool { return hereOf(pcs) == len(pcs) }
	t.Logf("all see each other after %v", within(t, time.Minute, "all four see each other", all))
	for _, p := range pcs {
		p.post("von " + p.name)
	}
	have := func() bool {
		for _, p := range pcs {
			for _, q := range pcs {
				if !p.has(p.mainChannel(), "von "+q.name) {
					return false
				}
			}
		}
		return true
	}
	t.Logf("all have all after %v", within(t, 30*time.Second, "all four have what each wrote", have))
	if places := cli[api.Places](petra, "address"); len(places.Devices) != 1 || len(places.Devices[0].Told) == 0 {
		t.Errorf("petra was not told where the first office is reached: %+v", places)
	}

	for _, p := range pcs {
		p.kill()
	}
	for _, p := range pcs {
		p.start()
	}
	t.Logf("all see each other again after %v", within(t, time.Minute, "all four see each other after a power cut", all))
	frida.post("wieder da")
	t.Logf("the other town has it after %v", within(t, 10*time.Second, "what frida wrote after it", func() bool {
		return petra.has(petra.mainChannel(), "wieder da")
	}))
}
