package doctor

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of what is worth a word.
const (
	clockOff  = 5 * time.Minute
	longAway  = 7 * 24 * time.Hour
	soon      = 40 * time.Second // after the start: a beacon of everybody may still be to come
	lostAfter = 10 * time.Second // a session that hears nothing for so long has ended
	heardLate = 3                // beacons missed
	heardMost = 90 * time.Second // the same where it is not known how often they come
)

// Diagnose returns what is to be said: first what was asked about, then what is
// wrong, then what is in order and what could not be looked at.
func Diagnose(f Facts) []Finding {
	e := &exam{Facts: f}
	if p := f.Peer; p != nil && (p.Self || p.Removed) {
		if p.Removed {
			e.add("removed", LevelInfo, p.Name)
		} else {
			e.add("self", LevelInfo, p.Name)
		}
		return e.out
	}
	if f.Peer != nil {
		e.peer(f.Peer)
	} else {
		e.office()
	}
	e.network()
	e.hearing()
	e.firewall()
	e.ports()
	e.clocks()
	slices.SortStableFunc(e.out, func(a, b Finding) int { return cmp.Compare(rank(a.Level), rank(b.Level)) })
	e.lead()
	return e.out
}

func rank(level string) int {
	return slices.Index([]string{LevelDanger, LevelWarn, LevelInfo, LevelUnknown, LevelOK}, level)
}

// An exam gathers findings.
type exam struct {
	Facts
	out  []Finding
	main string // code of what is said of the device in question
}

func (e *exam) add(code, level string, args ...any) {
	e.out = append(e.out, Finding{code, level, args})
}

// lead puts what was asked about first. A computer with no network at all is the
// reason of everything, and stays before it.
func (e *exam) lead() {
	i := slices.IndexFunc(e.out, func(f Finding) bool { return f.Code == e.main })
	if e.main == "" || i < 0 || e.out[0].Code == "none" {
		return
	}
	f := e.out[i]
	e.out = slices.Insert(slices.Delete(e.out, i, i+1), 0, f)
}

// office says who is here.
func (e *exam) office() {
	switch {
	case e.Others == 0:
		e.main = "alone"
		e.add(e.main, LevelInfo)
	case e.Here >= e.Others:
		e.main = "all-here"
		e.add(e.main, LevelOK, e.Others)
	case e.Here == 0:
		e.main = "nobody-here"
		e.add(e.main, LevelInfo, e.Others)
	default:
		e.main = "some-here"
		e.add(e.main, LevelInfo, e.Here, e.Others)
	}
}

// peer says what is known of the device in question.
func (e *exam) peer(p *Peer) {
	say := func(code, level string, args ...any) {
		e.main = code
		e.add(code, level, append([]any{p.Name}, args...)...)
	}
	if p.Here {
		if p.Via != "" {
			say("via", LevelOK, p.Via)
		} else {
			say("here", LevelOK)
		}
		e.versions(p)
		return
	}
	e.reach(p, say)
	code := e.main
	switch away := e.Now.Sub(p.Seen); {
	case code == "answers", code == "heard-only":
	case p.Seen.IsZero():
		e.add("never", LevelInfo, p.Name)
	case away > longAway:
		e.add("long", LevelInfo, p.Name, int(away/(24*time.Hour)))
	}
	if p.Left && code != "answers" {
		e.add("goodbye", LevelInfo, p.Name)
	}
}

// reach says why the device is not reached, by the try that says most.
func (e *exam) reach(p *Peer, say func(code, level string, args ...any)) {
	if len(p.Tries) == 0 {
		if e.recent(p.Heard) {
			say("heard-only", LevelWarn)
		} else {
			say("no-address", LevelWarn)
		}
		return
	}
	code, where := "", ""
	for _, t := range p.Tries {
		if c := e.try(t); code == "" || tell(c) < tell(code) {
			code, where = c, t.Addr.Addr().WithZone("").String()
			if t.Name != "" {
				where = t.Name
			}
		}
	}
	if (code == "timeout" || code == "other-part") && e.alive(p) {
		code = "firewall-there"
	}
	say(code, LevelWarn, where)
}

// alive reports whether the device was heard after it was lost: it is on, and in
// this network. A beacon from before says nothing.
func (e *exam) alive(p *Peer) bool {
	return !p.Left && e.recent(p.Heard) && p.Heard.Sub(p.Seen) > lostAfter
}

func (e *exam) recent(at time.Time) bool {
	return !at.IsZero() && e.Now.Sub(at) < max(heardMost, heardLate*e.Net.Every)
}

// tell orders what a try may say: the surer, the lower.
func tell(code string) int {
	return slices.Index([]string{
		"answers", "refused", "firewall-there", "another", "foreign", "off", "timeout", "afar", "other-part", "no-route", "no-name", "failed",
	}, code)
}

// try says what a try tells.
func (e *exam) try(t Try) string {
	at := t.Addr.Addr()
	switch t.Result {
	case Answers:
		return "answers"
	case Refused:
		return "refused"
	case Other:
		return "another"
	case Foreign:
		return "foreign"
	case NoRoute:
		return "no-route"
	case NoName:
		return "no-name"
	case Timeout, Unreachable:
		if !e.onLink(at) {
			if at.IsGlobalUnicast() && !at.IsPrivate() {
				return "afar"
			}
			return "other-part"
		}
		switch e.neighbour(at) {
		case Answered:
			return "firewall-there"
		case Silent:
			return "off"
		}
		return "timeout"
	}
	return "failed"
}

func (e *exam) neighbour(a netip.Addr) NeighbourState {
	for _, n := range e.System.Neighbours {
		if n.Addr.WithZone("") == a.WithZone("") {
			return n.State
		}
	}
	return Unsure
}

// onLink reports whether an address is of a network this computer is in.
func (e *exam) onLink(a netip.Addr) bool {
	if a.IsLinkLocalUnicast() || a.IsLoopback() {
		return true
	}
	for _, u := range e.Net.Interfaces {
		for _, p := range u.Addrs {
			if p.Masked().Contains(a) {
				return true
			}
		}
	}
	return false
}

// versions compares program versions such as "1.4.0"; others are not compared.
func (e *exam) versions(p *Peer) {
	switch theirs, ours := numbers(p.Version), numbers(p.Own); {
	case theirs == nil || ours == nil:
	case slices.Compare(theirs, ours) < 0:
		e.add("older", LevelInfo, p.Name, p.Version, p.Own)
	case slices.Compare(theirs, ours) > 0:
		e.add("newer", LevelInfo, p.Name, p.Version, p.Own)
	}
}

// numbers are major and minor of a version: what follows does not matter between
// devices.
func numbers(version string) []int {
	parts := strings.Split(strings.TrimPrefix(version, "v"), ".")
	if len(parts) < 2 {
		return nil
	}
	var out []int
	for _, p := range parts[:2] {
		n, err := strconv.Atoi(p)
		if err != nil {
			return nil
		}
		out = append(out, n)
	}
	return out
}

// network looks at this computer's own interfaces.
func (e *exam) network() {
	if !e.Net.Known {
		return
	}
	if e.Net.Loopback {
		e.add("loopback", LevelInfo)
		return
	}
	var real, unreal, assigned []string
	given := 0 // addresses that somebody gave
	for _, u := range e.Net.Interfaces {
		switch e.kind(u.Name) {
		case Virtual:
			unreal = append(unreal, u.Name)
			continue
		case VPN:
			continue
		}
		real = append(real, u.Name)
		for _, p := range u.Addrs {
			switch a := p.Addr(); {
			case !a.IsLinkLocalUnicast():
				given++
			case a.Is4():
				assigned = append(assigned, a.String())
			}
		}
	}
	switch {
	case len(real) == 0:
		e.add("none", LevelDanger)
	case given == 0 && len(assigned) > 0:
		e.add("self-assigned", LevelInfo, assigned[0])
	case len(real) > 1:
		e.add("several", LevelInfo, strings.Join(real, ", "))
	default:
		e.add("network", LevelOK, real[0])
	}
	if len(unreal) > 0 {
		e.add("virtual", LevelOK, strings.Join(unreal, ", "))
	}
	if e.System.Out != "" && e.kind(e.System.Out) == VPN {
		level := LevelInfo
		if e.Others > 0 && e.Here == 0 {
			level = LevelWarn
		}
		e.add("vpn", level, e.System.Out)
	}
}

func (e *exam) kind(name string) Kind {
	for _, i := range e.System.Interfaces {
		if i.Name == name {
			return i.Kind
		}
	}
	return KindOf(name)
}

// hearing looks at whether beacons arrive.
func (e *exam) hearing() {
	n := e.Net
	if !n.Known || n.Loopback || !e.connected() {
		return
	}
	switch {
	case n.Deaf: // said with the ports
	case e.recent(n.Heard):
		e.add("heard", LevelOK)
	case e.Up < soon:
		e.add("early", LevelInfo)
	case e.Here > 0 || e.Others == 0: // nothing to explain
	case n.Echo.IsZero():
		e.add("echo-missing", LevelWarn)
	case e.gateway() && e.wireless():
		e.add("isolated-wifi", LevelWarn)
	case e.gateway():
		e.add("isolated", LevelWarn)
	default:
		e.add("silence", LevelInfo)
	}
}

// connected reports whether there is any network but those of virtual machines.
func (e *exam) connected() bool {
	return slices.ContainsFunc(e.Net.Interfaces, func(u Used) bool {
		k := e.kind(u.Name)
		return k != Virtual && k != VPN
	})
}

func (e *exam) wireless() bool {
	return slices.ContainsFunc(e.Net.Interfaces, func(u Used) bool { return e.kind(u.Name) == WiFi })
}

// gateway reports whether the way out answered a moment ago.
func (e *exam) gateway() bool {
	return slices.ContainsFunc(e.System.Gateways, func(a netip.Addr) bool { return e.neighbour(a) == Answered })
}

func (e *exam) firewall() {
	if !e.Net.Known || e.Net.Loopback {
		return
	}
	f, worry := e.System.Firewall, LevelInfo
	if e.Others > 0 && e.Here == 0 {
		worry = LevelWarn
	}
	switch f.State {
	case NotLooked:
		e.add("fw-unknown", LevelUnknown)
	case Off:
		e.add("fw-off", LevelOK)
	case Open:
		e.add("fw-open", LevelOK, f.Name)
	case Closed:
		e.add("fw-closed", LevelWarn, f.Name, e.Net.Port, e.Net.BeaconPort)
	case Guarded:
		e.add("fw-guarded", worry, f.Name, e.Net.Port, e.Net.BeaconPort)
	case Public:
		e.add("fw-public", LevelWarn)
	}
}

func (e *exam) ports() {
	n := e.Net
	if !n.Known {
		return
	}
	switch {
	case n.Deaf:
		e.add("deaf", LevelWarn, n.BeaconPort)
	case n.Port != n.WantedPort:
		e.add("port-taken", LevelInfo, n.WantedPort, n.Port)
	default:
		e.add("port", LevelOK, n.Port)
	}
	var failed []string
	for _, u := range n.Interfaces {
		if k := e.kind(u.Name); u.Failed && k != VPN && k != Virtual {
			failed = append(failed, u.Name)
		}
	}
	if len(failed) > 0 {
		e.add("send", LevelWarn, strings.Join(failed, ", "))
	}
}

// clocks compares this clock with those of devices connected now.
func (e *exam) clocks() {
	met := e.Peers
	if e.Peer != nil {
		met = nil
		if e.Peer.Here {
			met = []Met{{e.Peer.Name, e.Peer.Clock}}
		}
	}
	off := false
	for _, m := range met {
		code, by := "clock-ahead", m.Clock
		if by < 0 {
			code, by = "clock-behind", -by
		}
		if by > clockOff {
			off = true
			e.add(code, LevelWarn, m.Name, int(by/time.Minute))
		}
	}
	if !off && len(met) > 0 {
		e.add("clocks", LevelOK)
	}
}
