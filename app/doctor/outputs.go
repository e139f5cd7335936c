package doctor

import (
	"bufio"
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"
)

// These read what systems print. They take anything: what makes no sense is passed
// over, so that a system that says it differently is one that was not looked at.

// maxLines bounds what is read of any output.
const maxLines = 20000

func eachLine(text string, f func(line string)) {
	s := bufio.NewScanner(strings.NewReader(text))
	for n := 0; n < maxLines && s.Scan(); n++ {
		f(strings.TrimSpace(s.Text()))
	}
}

// procRoutes reads /proc/net/route: the gateways of default routes.
func procRoutes(text string) (gateways []netip.Addr) {
	eachLine(text, func(line string) {
		f := strings.Fields(line)
		if len(f) < 8 || f[1] != "00000000" || f[7] != "00000000" || f[2] == "00000000" {
			return
		}
		b, err := hex.DecodeString(f[2])
		if err != nil || len(b) != 4 {
			return
		}
		gateways = append(gateways, netip.AddrFrom4([4]byte{b[3], b[2], b[1], b[0]})) // the kernel's byte order on all we build for
	})
	return gateways
}

// ufwEnabled reads /etc/ufw/ufw.conf.
func ufwEnabled(text string) (enabled, known bool) {
	eachLine(text, func(line string) {
		if v, ok := strings.CutPrefix(line, "ENABLED="); ok {
			switch strings.ToLower(strings.Trim(v, `"' `)) {
			case "yes":
				enabled, known = true, true
			case "no":
				enabled, known = false, true
			}
		}
	})
	return enabled, known
}

// nftDrops reads "nft list ruleset": whether a chain of what comes in drops or
// rejects anything, and whether the ports are named in a rule that accepts.
func nftDrops(text string, ports ...int) (drops, accepts bool) {
	input := false
	eachLine(text, func(line string) {
		switch {
		case strings.HasPrefix(line, "chain "):
			input = false
		case strings.HasPrefix(line, "type ") && strings.Contains(line, "hook input"):
			input = true
			drops = drops || strings.Contains(line, "policy drop")
		case input && (strings.Contains(line, "drop") || strings.Contains(line, "reject")):
			drops = true
		case input && strings.HasSuffix(line, "accept") && strings.Contains(line, "dport"):
			for _, p := range ports {
				accepts = accepts || strings.Contains(line, strconv.Itoa(p))
			}
		}
	})
	return drops, accepts
}

// windowsRoutes reads "route print -4": the gateways of default routes.
func windowsRoutes(text string) (gateways []netip.Addr) {
	eachLine(text, func(line string) {
		f := strings.Fields(line)
		if len(f) < 4 || f[0] != "0.0.0.0" || f[1] != "0.0.0.0" {
			return
		}
		if a, err := netip.ParseAddr(f[2]); err == nil && a.Is4() {
			gateways = append(gateways, a)
		}
	})
	return gateways
}

// windowsNeighbours reads "netsh interface ipv4 show neighbors", in German or
// English; states of other languages count as unsure.
func windowsNeighbours(text string) (out []Neighbour) {
	eachLine(text, func(line string) {
		f := strings.Fields(line)
		if len(f) < 2 {
			return
		}
		a, err := netip.ParseAddr(f[0])
		if err != nil || a.IsMulticast() {
			return
		}
		n := Neighbour{Addr: a}
		rest := strings.ToLower(strings.Join(f[1:], " "))
		switch {
		case strings.Contains(rest, "unreachable"), strings.Contains(rest, "nicht erreichbar"), strings.Contains(rest, "00-00-00-00-00-00"),
			strings.Contains(rest, "incomplete"), strings.Contains(rest, "unvollst"):
			n.State = Silent
		case strings.Contains(rest, "reachable"), strings.Contains(rest, "erreichbar"):
			n.State = Answered
		}
		out = append(out, n)
	})
	return out
}

// A profile is a Windows network and what Windows takes it for.
type profile struct{ iface, category string }

// windowsProfiles reads lines "INTERFACE|CATEGORY" of Get-NetConnectionProfile,
// whose categories are not translated.
func windowsProfiles(text string) (out []profile) {
	eachLine(text, func(line string) {
		if name, category, ok := strings.Cut(line, "|"); ok {
			switch category {
			case "Public", "Private", "DomainAuthenticated":
				out = append(out, profile{name, category})
			}
		}
	})
	return out
}

// A fwRule is what a rule of the Windows firewall says of a program.
type fwRule struct {
	allow    bool
	profiles string // "Private", "Public", "Domain", joined by "|"; empty: all
}

// windowsRules reads "reg query" of the firewall's rules: those for what comes in
// that are active and name the program.
func windowsRules(text, program string) (out []fwRule) {
	program = strings.ToLower(program)
	eachLine(text, func(line string) {
		_, rule, ok := strings.Cut(line, "REG_SZ")
		if !ok || !strings.Contains(strings.ToLower(rule), program) {
			return
		}
		r := fwRule{}
		in, active, names := false, false, false
		var profiles []string
		for part := range strings.SplitSeq(rule, "|") {
			switch key, value, _ := strings.Cut(part, "="); key {
			case "Action":
				r.allow = value == "Allow"
			case "Dir":
				in = value == "In"
			case "Active":
				active = value == "TRUE"
			case "App":
				names = strings.HasSuffix(strings.ToLower(value), program)
			case "Profile":
				profiles = append(profiles, value)
			}
		}
		if in && active && names {
			r.profiles = strings.Join(profiles, "|")
			out = append(out, r)
		}
	})
	return out
}

// windowsSwitch reads "reg query … /v EnableFirewall".
func windowsSwitch(text string) (on, known bool) {
	eachLine(text, func(line string) {
		f := strings.Fields(line)
		if len(f) == 3 && f[0] == "EnableFirewall" && f[1] == "REG_DWORD" {
			on, known = f[2] != "0x0", true
		}
	})
	return on, known
}

// windowsFirewall joins what was read: the state for the networks there are.
func windowsFirewall(profiles []profile, on map[string]bool, rules []fwRule) Firewall {
	fw := Firewall{Name: "Windows", State: Off}
	if len(profiles) == 0 || len(on) == 0 {
		return Firewall{Name: "Windows"}
	}
	worst := func(s FirewallState) {
		if order := []FirewallState{Off, Open, Guarded, Closed, Public}; indexOf(order, s) > indexOf(order, fw.State) {
			fw.State = s
		}
	}
	for _, p := range profiles {
		key := map[string]string{"Public": "Public", "Private": "Private", "DomainAuthenticated": "Domain"}[p.category]
		if k := KindOf(p.iface); k == Virtual || k == VPN {
			continue
		}
		enabled, known := on[key]
		allowed, blocked, elsewhere := false, false, false
		for _, r := range rules {
			covers := r.profiles == "" || strings.Contains(r.profiles, key)
			allowed = allowed || covers && r.allow
			blocked = blocked || covers && !r.allow
			elsewhere = elsewhere || r.allow
		}
		switch {
		case !known:
			worst(Guarded)
		case !enabled:
		case allowed && !blocked:
			worst(Open)
		case key == "Public" && elsewhere:
			worst(Public)
		default:
			worst(Closed)
		}
	}
	return fw
}

func indexOf(list []FirewallState, s FirewallState) int {
	for i, v := range list {
		if v == s {
			return i
		}
	}
	return -1
}

// bsdRoutes reads "netstat -rn -f inet": the gateways of default routes.
func bsdRoutes(text string) (gateways []netip.Addr) {
	eachLine(text, func(line string) {
		f := strings.Fields(line)
		if len(f) < 4 || f[0] != "default" {
			return
		}
		if a, err := netip.ParseAddr(f[1]); err == nil && a.Is4() {
			gateways = append(gateways, a)
		}
	})
	return gateways
}

// bsdNeighbours reads "arp -an". It does not say how old an answer is.
func bsdNeighbours(text string) (out []Neighbour) {
	eachLine(text, func(line string) {
		_, rest, ok := strings.Cut(line, "(")
		if !ok {
			return
		}
		addr, rest, ok := strings.Cut(rest, ")")
		a, err := netip.ParseAddr(addr)
		if !ok || err != nil || a.IsMulticast() {
			return
		}
		n := Neighbour{Addr: a}
		if strings.Contains(rest, "(incomplete)") {
			n.State = Silent
		}
		out = append(out, n)
	})
	return out
}

// macFirewall reads "socketfilterfw --getglobalstate".
func macFirewall(text string) FirewallState {
	switch {
	case strings.Contains(text, "State = 0"):
		return Off
	case strings.Contains(text, "State = 1"), strings.Contains(text, "State = 2"):
		return Guarded
	}
	return NotLooked
}
