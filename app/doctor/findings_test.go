package doctor

import (
	"net/netip"
	"slices"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// healthy is an office PC among two others, all of them here.
func healthy() Facts {
	return Facts{
		Now: noon, Up: time.Hour, Others: 2, Here: 2,
		System: System{
			Interfaces: []Interface{{Name: "eth0", Kind: Wired, Up: true}},
			Out:        "eth0",
			Gateways:   []netip.Addr{netip.MustParseAddr("192.168.1.1")},
			Neighbours: []Neighbour{{netip.MustParseAddr("192.168.1.1"), Answered}},
			Firewall:   Firewall{State: Off},
		},
		Net: Net{
			Known: true, Port: 21960, WantedPort: 21960, BeaconPort: 21961,
			Interfaces: []Used{{Name: "eth0", Addrs: []netip.Prefix{netip.MustParsePrefix("192.168.1.7/24")}}},
			Heard:      noon.Add(-10 * time.Second), Echo: noon.Add(-5 * time.Second),
		},
		Peers: []Met{{"PC Empfang", time.Second}, {"Laptop Wolf", -time.Second}},
	}
}

// lonely is the same PC when it sees nobody.
func lonely(f *Facts) { f.Here, f.Peers, f.Net.Heard = 0, nil, time.Time{} }

// petra is a device that is not here, tried at an address with this result.
func petra(result Result, addr string, change func(*Facts)) func(*Facts) {
	return func(f *Facts) {
		f.Peer = &Peer{Name: "PC Petra", Seen: noon.Add(-time.Hour), Own: "1.4.0"}
		if result != "" {
			f.Peer.Tries = []Try{{Addr: netip.MustParseAddrPort(addr + ":21960"), Result: result}}
		}
		if change != nil {
			change(f)
		}
	}
}

func here(change func(*Peer)) func(*Facts) {
	return func(f *Facts) {
		f.Peer = &Peer{Name: "PC Petra", Here: true, Seen: noon, Version: "1.4.2", Own: "1.4.0"}
		change(f.Peer)
	}
}

func neighbour(addr string, s NeighbourState) func(*Facts) {
	return func(f *Facts) {
		f.System.Neighbours = append(f.System.Neighbours, Neighbour{netip.MustParseAddr(addr), s})
	}
}

const near, far = "192.168.1.9", "10.4.0.9"

func TestDiagnose(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Facts)
		first  string   // the sentence above all
		also   []string // further codes
		not    []string
	}{
		"everything is fine":      {func(*Facts) {}, "all-here", []string{"network", "heard", "fw-off", "port", "clocks"}, []string{"vpn", "several"}},
		"some are here":           {func(f *Facts) { f.Here = 1 }, "some-here", nil, []string{"isolated"}},
		"an office of one device": {func(f *Facts) { lonely(f); f.Others = 0 }, "alone", nil, []string{"isolated", "silence", "echo-missing"}},
		"no cable and no Wi-Fi":   {func(f *Facts) { lonely(f); f.Net.Interfaces = nil }, "none", []string{"nobody-here"}, []string{"isolated", "heard"}},
		"no network, one asked":   {petra(NoRoute, near, func(f *Facts) { f.Net.Interfaces = nil }), "none", []string{"no-route"}, nil},
		"virtual machines alone":  {func(f *Facts) { lonely(f); f.Net.Interfaces[0].Name = "docker0"; f.System.Interfaces = nil }, "none", []string{"virtual"}, nil},
		"addresses of its own":    {func(f *Facts) { f.Net.Interfaces[0].Addrs[0] = netip.MustParsePrefix("169.254.3.4/16") }, "all-here", []string{"self-assigned"}, []string{"network"}},
		"several networks": {func(f *Facts) {
			f.Net.Interfaces = append(f.Net.Interfaces, Used{Name: "wlan0", Addrs: f.Net.Interfaces[0].Addrs})
		}, "all-here", []string{"several"}, []string{"network"}},
		"Docker beside it":         {func(f *Facts) { f.Net.Interfaces = append(f.Net.Interfaces, Used{Name: "vEthernet (Default Switch)"}) }, "all-here", []string{"virtual", "network"}, []string{"several"}},
		"VPN leads outside":        {func(f *Facts) { lonely(f); f.System.Out = "wg0" }, "nobody-here", []string{"vpn"}, nil},
		"VPN without harm":         {func(f *Facts) { f.System.Out = "utun4" }, "all-here", []string{"vpn"}, nil},
		"VPN beside it":            {func(f *Facts) { f.Net.Interfaces = append(f.Net.Interfaces, Used{Name: "tun0"}) }, "all-here", []string{"network"}, []string{"vpn", "several"}},
		"loopback":                 {func(f *Facts) { lonely(f); f.Net.Loopback = true }, "nobody-here", []string{"loopback"}, []string{"none", "isolated", "fw-off"}},
		"no real network at all":   {func(f *Facts) { f.Net = Net{} }, "all-here", []string{"clocks"}, []string{"none", "port", "fw-off"}},
		"port taken":               {func(f *Facts) { f.Net.Port = 40000 }, "all-here", []string{"port-taken"}, []string{"port"}},
		"beacon port taken":        {func(f *Facts) { lonely(f); f.Net.Deaf = true }, "nobody-here", []string{"deaf"}, []string{"isolated", "echo-missing"}},
		"packets do not leave":     {func(f *Facts) { f.Net.Interfaces[0].Failed = true }, "all-here", []string{"send"}, nil},
		"nobody heard, cable":      {lonely, "nobody-here", []string{"isolated"}, []string{"isolated-wifi"}},
		"nobody heard, Wi-Fi":      {func(f *Facts) { lonely(f); f.System.Interfaces[0].Kind = WiFi }, "nobody-here", []string{"isolated-wifi"}, []string{"isolated"}},
		"nobody heard, no gateway": {func(f *Facts) { lonely(f); f.System.Neighbours[0].State = Silent }, "nobody-here", []string{"silence"}, []string{"isolated"}},
		"gateway not looked at":    {func(f *Facts) { lonely(f); f.System.Neighbours = nil }, "nobody-here", []string{"silence"}, []string{"isolated"}},
		"just started":             {func(f *Facts) { lonely(f); f.Up = 5 * time.Second }, "nobody-here", []string{"early"}, []string{"isolated", "silence"}},
		"own beacons do not come":  {func(f *Facts) { lonely(f); f.Net.Echo = time.Time{} }, "nobody-here", []string{"echo-missing"}, []string{"isolated"}},
		"quiet but connected":      {func(f *Facts) { f.Net.Heard = time.Time{} }, "all-here", nil, []string{"isolated", "silence", "heard"}},
		"firewall not looked at":   {func(f *Facts) { f.System.Firewall = Firewall{} }, "all-here", []string{"fw-unknown"}, []string{"fw-off"}},
		"firewall open":            {func(f *Facts) { f.System.Firewall = Firewall{"firewalld", Open} }, "all-here", []string{"fw-open"}, nil},
		"firewall closed":          {func(f *Facts) { f.System.Firewall = Firewall{"Windows", Closed} }, "all-here", []string{"fw-closed"}, nil},
		"firewall, rules unknown":  {func(f *Facts) { lonely(f); f.System.Firewall = Firewall{"ufw", Guarded} }, "nobody-here", []string{"fw-guarded"}, nil},
		"Windows: public network":  {func(f *Facts) { lonely(f); f.System.Firewall = Firewall{"Windows", Public} }, "nobody-here", []string{"fw-public"}, nil},
		"clock ahead":              {func(f *Facts) { f.Peers[0].Clock = 6 * time.Minute }, "all-here", []string{"clock-ahead"}, []string{"clocks"}},
		"clock behind":             {func(f *Facts) { f.Peers[1].Clock = -time.Hour }, "all-here", []string{"clock-behind"}, []string{"clocks", "clock-ahead"}},
		"clock within bounds":      {func(f *Facts) { f.Peers[0].Clock = 4 * time.Minute }, "all-here", []string{"clocks"}, []string{"clock-ahead"}},

		"here":                       {here(func(*Peer) {}), "here", []string{"clocks"}, []string{"older", "newer", "all-here"}},
		"here through another":       {here(func(p *Peer) { p.Via = "Anna-PC" }), "via", nil, []string{"here"}},
		"here, older":                {here(func(p *Peer) { p.Version = "1.3.9" }), "here", []string{"older"}, nil},
		"here, newer":                {here(func(p *Peer) { p.Version = "v2.0.0-rc1" }), "here", []string{"newer"}, nil},
		"here, a version of no kind": {here(func(p *Peer) { p.Version = "dev" }), "here", nil, []string{"older", "newer"}},
		"here, its clock is off":     {here(func(p *Peer) { p.Clock = -20 * time.Minute }), "here", []string{"clock-behind"}, nil},
		"this device":                {func(f *Facts) { f.Peer = &Peer{Name: "x", Self: true} }, "self", nil, []string{"network"}},
		"removed":                    {func(f *Facts) { f.Peer = &Peer{Name: "x", Removed: true} }, "removed", nil, []string{"never", "network"}},

		"program not running there": {petra(Refused, near, nil), "refused", nil, []string{"never", "long", "timeout"}},
		"refused in another part":   {petra(Refused, far, nil), "refused", nil, []string{"other-part"}},
		"firewall there":            {petra(Timeout, near, neighbour(near, Answered)), "firewall-there", nil, []string{"off"}},
		"firewall there says so":    {petra(Unreachable, near, neighbour(near, Answered)), "firewall-there", nil, nil},
		"off":                       {petra(Timeout, near, neighbour(near, Silent)), "off", nil, []string{"firewall-there"}},
		"off, by the network":       {petra(Unreachable, near, neighbour(near, Silent)), "off", nil, nil},
		"not told from off":         {petra(Timeout, near, nil), "timeout", nil, []string{"off", "firewall-there"}},
		"its beacon comes":          {petra(Timeout, near, func(f *Facts) { f.Peer.Heard = noon.Add(-20 * time.Second) }), "firewall-there", nil, nil},
		"off since a moment": {petra(Timeout, near, func(f *Facts) {
			f.Peer.Heard, f.Peer.Seen = noon.Add(-20*time.Second), noon.Add(-15*time.Second)
		}), "timeout", nil, []string{"firewall-there"}},
		"nobody has its address": {petra(Timeout, near, func(f *Facts) { neighbour(near, Silent)(f); f.Peer.Heard = noon.Add(-20 * time.Second) }), "off", nil, nil},
		"its beacon came once":   {petra(Timeout, near, func(f *Facts) { f.Peer.Heard = noon.Add(-20 * time.Minute) }), "timeout", nil, nil},
		"beacons are rare among many": {petra(Timeout, near, func(f *Facts) {
			f.Net.Every, f.Peer.Heard = 100*time.Second, noon.Add(-4*time.Minute)
		}), "firewall-there", nil, nil},
		"at home, from outside": {petra(Timeout, "203.0.113.7", nil), "afar", nil, []string{"other-part"}},
		"outside and in the office": {petra(Timeout, far, func(f *Facts) {
			f.Peer.Tries = append(f.Peer.Tries, Try{Name: "buero.example.org:21960", Result: NoName}, Try{Addr: netip.MustParseAddrPort("203.0.113.7:1"), Result: Timeout})
		}), "afar", nil, []string{"other-part", "no-name"}},
		"a name that nobody knows": {petra("", "", func(f *Facts) {
			f.Peer.Tries = []Try{{Name: "buero.example.org:21960", Result: NoName}}
		}), "no-name", nil, []string{"failed"}},
		"another network part":     {petra(Timeout, far, nil), "other-part", nil, []string{"timeout"}},
		"no way there":             {petra(NoRoute, far, nil), "no-route", nil, nil},
		"its address is another's": {petra(Other, near, nil), "another", nil, nil},
		"another program there":    {petra(Foreign, near, nil), "foreign", nil, nil},
		"it answers":               {petra(Answers, near, nil), "answers", nil, []string{"goodbye"}},
		"who knows":                {petra(Failed, near, nil), "failed", nil, nil},
		"no address known":         {petra("", "", nil), "no-address", nil, nil},
		"heard, no address":        {petra("", "", func(f *Facts) { f.Peer.Heard = noon }), "heard-only", nil, nil},
		"never seen":               {petra("", "", func(f *Facts) { f.Peer.Seen = time.Time{} }), "no-address", []string{"never"}, []string{"long"}},
		"away for long":            {petra(Timeout, near, func(f *Facts) { f.Peer.Seen = noon.AddDate(0, 0, -9) }), "timeout", []string{"long"}, []string{"never"}},
		"it said goodbye":          {petra(Refused, near, func(f *Facts) { f.Peer.Left = true }), "refused", []string{"goodbye"}, nil},
		"the surest try counts": {petra(Timeout, near, func(f *Facts) {
			f.Peer.Tries = append(f.Peer.Tries, Try{Addr: netip.MustParseAddrPort("192.168.1.44:21960"), Result: Refused}, Try{Addr: netip.MustParseAddrPort(far + ":21960"), Result: NoRoute})
		}), "refused", nil, []string{"timeout", "no-route"}},
		"one asked, own firewall": {petra(Timeout, near, func(f *Facts) { lonely(f); f.System.Firewall = Firewall{"Windows", Public} }), "timeout", []string{"fw-public", "isolated"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := healthy()
			tt.change(&f)
			var codes []string
			for _, found := range Diagnose(f) {
				codes = append(codes, found.Code)
				if !slices.Contains(Codes, found.Code) {
					t.Errorf("%s is not among the codes", found.Code)
				}
			}
			if codes[0] != tt.first {
				t.Errorf("first is %s, want %s: %v", codes[0], tt.first, codes)
			}
			for _, c := range tt.also {
				if !slices.Contains(codes, c) {
					t.Errorf("%s is not said: %v", c, codes)
				}
			}
			for _, c := range tt.not {
				if slices.Contains(codes, c) {
					t.Errorf("%s is said: %v", c, codes)
				}
			}
			sorted := slices.Compact(slices.Sorted(slices.Values(codes)))
			if len(sorted) != len(codes) {
				t.Errorf("something is said twice: %v", codes)
			}
		})
	}
}

// TestEveryCode holds the table above to all codes: one that no facts lead to is
// one that nobody tested.
func TestEveryCode(t *testing.T) {
	said := map[string]bool{}
	for _, change := range []func(*Facts){
		func(*Facts) {}, func(f *Facts) { f.Here = 1 }, lonely, func(f *Facts) { f.Others = 0 },
		func(f *Facts) { f.Net.Interfaces = nil }, func(f *Facts) { f.Net.Interfaces[0].Addrs[0] = netip.MustParsePrefix("169.254.3.4/16") },
		func(f *Facts) {
			f.Net.Interfaces = append(f.Net.Interfaces, Used{Name: "wlan0"}, Used{Name: "docker0"})
			f.System.Out = "tun0"
		},
		func(f *Facts) { f.Net.Loopback = true }, func(f *Facts) { f.Net.Port = 1 }, func(f *Facts) { f.Net.Deaf = true },
		func(f *Facts) { f.Net.Interfaces[0].Failed = true }, func(f *Facts) { lonely(f); f.Up = 0 }, func(f *Facts) { lonely(f); f.Net.Echo = time.Time{} },
		func(f *Facts) { lonely(f); f.System.Interfaces[0].Kind = WiFi }, func(f *Facts) { lonely(f); f.System.Gateways = nil },
		func(f *Facts) { f.System.Firewall.State = NotLooked }, func(f *Facts) { f.System.Firewall.State = Open }, func(f *Facts) { f.System.Firewall.State = Closed },
		func(f *Facts) { f.System.Firewall.State = Guarded }, func(f *Facts) { f.System.Firewall.State = Public },
		func(f *Facts) { f.Peers = []Met{{"a", time.Hour}, {"b", -time.Hour}} },
		here(func(*Peer) {}), here(func(p *Peer) { p.Via = "x" }), here(func(p *Peer) { p.Version = "0.1" }), here(func(p *Peer) { p.Version = "9.1" }),
		func(f *Facts) { f.Peer = &Peer{Self: true} }, func(f *Facts) { f.Peer = &Peer{Removed: true} },
		petra(Answers, near, nil), petra(Refused, near, func(f *Facts) { f.Peer.Left = true }), petra(Timeout, near, neighbour(near, Answered)),
		petra(Timeout, near, neighbour(near, Silent)), petra(Timeout, near, nil), petra(Timeout, far, nil), petra(NoRoute, far, nil), petra(Other, near, nil),
		petra(Timeout, "203.0.113.7", nil), petra(NoName, far, nil),
		petra(Foreign, near, nil), petra(Failed, near, nil), petra("", "", nil), petra("", "", func(f *Facts) { f.Peer.Heard = noon }),
		petra(Timeout, near, func(f *Facts) { f.Peer.Seen = time.Time{} }), petra(Timeout, near, func(f *Facts) { f.Peer.Seen = noon.AddDate(-1, 0, 0) }),
	} {
		f := healthy()
		change(&f)
		for _, found := range Diagnose(f) {
			said[found.Code] = true
		}
	}
	for _, c := range Codes {
		if !said[c] {
			t.Errorf("nothing leads to %s", c)
		}
	}
}

func TestKindOf(t *testing.T) {
	for name, want := range map[string]Kind{
		"eth0": Wired, "enp3s0": Wired, "Ethernet 2": Wired, "wlan0": WiFi, "wlp2s0": WiFi, "WLAN": WiFi, "Wi-Fi": WiFi, "en0": Plain,
		"tun0": VPN, "wg0": VPN, "utun3": VPN, "ppp0": VPN, "tailscale0": VPN, "Firmen-VPN": VPN, "OpenVPN TAP-Windows6": VPN,
		"docker0": Virtual, "br-12ab": Virtual, "vEthernet (WSL)": Virtual, "VirtualBox Host-Only Network": Virtual, "awdl0": Virtual,
		"lo": Loopback, "lo0": Loopback, "Loopback Pseudo-Interface 1": Loopback,
	} {
		if got := KindOf(name); got != want {
			t.Errorf("KindOf(%q) = %d, want %d", name, got, want)
		}
	}
}
