package lan

import (
	"net"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"inselnetz/mesh"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

func TestCompare(t *testing.T) {
	eth := func(addrs ...string) iface {
		f := iface{Index: 2, Name: "eth0"}
		for _, a := range addrs {
			f.Addrs = append(f.Addrs, netip.MustParsePrefix(a))
		}
		return f
	}
	wifi := iface{Index: 3, Name: "wlan0", Addrs: []netip.Prefix{netip.MustParsePrefix("192.168.1.5/24")}}
	for name, tt := range map[string]struct {
		was, is       []iface
		changed, news bool
	}{
		"nothing":                  {nil, nil, false, false},
		"same":                     {[]iface{eth("10.0.0.1/24")}, []iface{eth("10.0.0.1/24")}, false, false},
		"first":                    {nil, []iface{eth("10.0.0.1/24")}, true, true},
		"cable pulled":             {[]iface{eth("10.0.0.1/24"), wifi}, []iface{wifi}, true, false},
		"cable plugged":            {[]iface{wifi}, []iface{eth("10.0.0.1/24"), wifi}, true, true},
		"last cable pulled":        {[]iface{wifi}, nil, true, false},
		"other address":            {[]iface{eth("10.0.0.1/24")}, []iface{eth("10.0.0.2/24")}, true, true},
		"one more address":         {[]iface{eth("10.0.0.1/24")}, []iface{eth("10.0.0.1/24", "10.0.1.1/24")}, true, true},
		"one address less":         {[]iface{eth("10.0.0.1/24", "10.0.1.1/24")}, []iface{eth("10.0.0.1/24")}, true, false},
		"other prefix length":      {[]iface{eth("10.0.0.1/24")}, []iface{eth("10.0.0.1/16")}, true, true},
		"made anew, another index": {[]iface{eth("10.0.0.1/24")}, []iface{{Index: 9, Name: "eth0", Addrs: eth("10.0.0.1/24").Addrs}}, true, true},
	} {
		if changed, news := compare(tt.was, tt.is); changed != tt.changed || news != tt.news {
			t.Errorf("%s: changed %v, news %v; want %v, %v", name, changed, news, tt.changed, tt.news)
		}
	}
}

func TestSlept(t *testing.T) {
	now := time.Now()
	if slept(now, now.Add(lookEvery+time.Second)) {
		t.Error("a busy moment taken for sleep")
	}
	if !slept(now, now.Add(time.Minute)) {
		t.Error("a minute's sleep not noticed")
	}
	if !slept(now.Round(0), now.Add(time.Minute).Round(0)) {
		t.Error("a minute's sleep not noticed by the wall clock")
	}
}

func TestUsableFlags(t *testing.T) {
	const ether = net.FlagUp | net.FlagRunning | net.FlagBroadcast | net.FlagMulticast
	for name, tt := range map[string]struct {
		flags          net.Flags
		loopback, want bool
	}{
		"ethernet":             {ether, false, true},
		"ethernet, no carrier": {ether &^ net.FlagRunning, false, false},
		"ethernet, down":       {ether &^ net.FlagUp, false, false},
		"tunnel":               {net.FlagUp | net.FlagRunning | net.FlagPointToPoint, false, false},
		"loopback":             {net.FlagUp | net.FlagRunning | net.FlagLoopback, false, false},
		"loopback in tests":    {net.FlagUp | net.FlagRunning | net.FlagLoopback, true, true},
		"ethernet in tests":    {ether, true, false},
	} {
		if got := usableFlags(tt.flags, tt.loopback); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestClaims(t *testing.T) {
	ifs := []iface{{Index: 1, Name: "a", Addrs: []netip.Prefix{
		netip.MustParsePrefix("2001:db8::1/64"), netip.MustParsePrefix("fe80::1/64"),
		netip.MustParsePrefix("169.254.1.1/16"), netip.MustParsePrefix("192.168.1.1/24"),
	}}}
	want := []netip.Addr{ip("192.168.1.1"), ip("169.254.1.1"), ip("2001:db8::1")}
	if got := claims(ifs); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestBroadcast(t *testing.T) {
	for in, want := range map[string]string{
		"10.77.0.1/24": "10.77.0.255", "169.254.3.4/16": "169.254.255.255", "192.168.1.130/25": "192.168.1.255", "172.16.5.5/20": "172.16.15.255",
	} {
		if got, ok := broadcast(netip.MustParsePrefix(in)); !ok || got != ip(want) {
			t.Errorf("broadcast(%s) = %v, %v", in, got, ok)
		}
	}
	for _, in := range []string{"10.0.0.1/32", "10.0.0.1/31", "fe80::1/64"} {
		if got, ok := broadcast(netip.MustParsePrefix(in)); ok {
			t.Errorf("broadcast(%s) = %v", in, got)
		}
	}
}

func TestSeen(t *testing.T) {
	a, b := [16]byte{1}, [16]byte{2}
	type step struct {
		name    string
		after   time.Duration
		renew   bool
		beacon  beacon
		from    string
		ok, new bool
		gone    bool
		addrs   []string
	}
	var s seen
	now := noon
	for _, st := range []step{
		{name: "first", beacon: beacon{Instance: a, Counter: 1, Burst: 1, Port: 5}, from: "10.0.0.1", ok: true, new: true, addrs: []string{"10.0.0.1:5"}},
		{name: "the same packet by another way", beacon: beacon{Instance: a, Counter: 1, Burst: 1, Port: 5}, from: "10.0.0.1"},
		{name: "regular", after: 30 * time.Second, beacon: beacon{Instance: a, Counter: 2, Burst: 1, Port: 5}, from: "10.0.0.1", ok: true, addrs: []string{"10.0.0.1:5"}},
		{name: "replayed from elsewhere", beacon: beacon{Instance: a, Counter: 2, Burst: 1, Port: 5}, from: "10.0.0.66"},
		{name: "it has news", beacon: beacon{Instance: a, Counter: 3, Burst: 2, Port: 5}, from: "10.0.0.1", ok: true, new: true, addrs: []string{"10.0.0.1:5"}},
		{name: "second interface", beacon: beacon{Instance: a, Counter: 4, Burst: 2, Port: 5}, from: "fe80::1%eth0", ok: true, new: true, addrs: []string{"[fe80::1%eth0]:5", "10.0.0.1:5"}},
		{name: "first again", beacon: beacon{Instance: a, Counter: 5, Burst: 2, Port: 5}, from: "10.0.0.1", ok: true, addrs: []string{"10.0.0.1:5", "[fe80::1%eth0]:5"}},
		{name: "our network changed", renew: true, beacon: beacon{Instance: a, Counter: 6, Burst: 2, Port: 5}, from: "10.0.0.1", ok: true, new: true, addrs: []string{"10.0.0.1:5", "[fe80::1%eth0]:5"}},
		{name: "old sources are forgotten", after: heardFor + time.Second, beacon: beacon{Instance: a, Counter: 7, Burst: 2, Port: 5}, from: "10.0.0.2", ok: true, new: true, addrs: []string{"10.0.0.2:5"}},
		{name: "claims come last", beacon: beacon{Instance: a, Counter: 8, Burst: 2, Port: 5, Claims: []netip.Addr{ip("10.0.0.2"), ip("10.9.9.9")}}, from: "10.0.0.2", ok: true, addrs: []string{"10.0.0.2:5", "10.9.9.9:5"}},
		{name: "goodbye", beacon: beacon{Instance: a, Counter: 9, Burst: 2, Gone: true, Port: 5}, from: "10.0.0.2", ok: true, gone: true, addrs: []string{"10.0.0.2:5"}},
		{name: "back after goodbye", beacon: beacon{Instance: a, Counter: 10, Burst: 2, Port: 5}, from: "10.0.0.2", ok: true, new: true, addrs: []string{"10.0.0.2:5"}},
		{name: "started again", beacon: beacon{Instance: b, Counter: 1, Burst: 1, Port: 6}, from: "10.0.0.2", ok: true, new: true, addrs: []string{"10.0.0.2:6"}},
		{name: "replay of the former start", beacon: beacon{Instance: a, Counter: 10, Burst: 2, Port: 5}, from: "10.0.0.66"},
	} {
		now = now.Add(st.after)
		if st.renew {
			if got := s.renew(); len(got) != 1 || !got[0].New || got[0].Peer != "ann" {
				t.Errorf("%s: renew gives %+v", st.name, got)
			}
		}
		got, ok := s.hear(now, "ann", st.beacon, ip(st.from))
		want := mesh.Sighting{Peer: "ann", Addrs: st.addrs, New: st.new, Gone: st.gone}
		if ok != st.ok || ok && !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v; want %+v, %v", st.name, got, ok, want, st.ok)
		}
	}
}

func TestSeenIsBounded(t *testing.T) {
	var s seen
	for i := range 3 * maxSeen {
		peer := mesh.PeerID(string(rune('a' + i)))
		s.hear(noon.Add(time.Duration(i)*time.Second), peer, beacon{Counter: 1, Port: 1}, ip("10.0.0.1"))
		for j := range 3 * maxRuns {
			s.hear(noon, "x", beacon{Instance: [16]byte{byte(j), byte(i)}, Counter: 1, Port: 1}, netip.AddrFrom4([4]byte{10, 0, byte(i), byte(j)}))
		}
	}
	if len(s.peers) > maxSeen || len(s.peers["x"].runs) > maxRuns {
		t.Errorf("%d peers, %d runs", len(s.peers), len(s.peers["x"].runs))
	}
}

func TestDoorsAreBounded(t *testing.T) {
	var d doors
	for i := range 200 { // one host floods
		d.hear(noon, mesh.PeerID(string(rune('a'+i))), notice{Name: "x", Port: 1}, ip("10.0.0.66"))
	}
	d.hear(noon, "real", notice{Name: "Birke 7", Port: 1}, ip("10.0.0.1"))
	all := d.all(noon)
	if len(all) != maxDoorsSource+1 || all[len(all)-1].Name != "Birke 7" {
		t.Errorf("got %d doors: %+v", len(all), all)
	}
	if got := d.all(noon.Add(doorAge + time.Second)); len(got) != 0 {
		t.Errorf("doors stay open: %+v", got)
	}
}

func TestGuard(t *testing.T) {
	var g guard
	hostile, member := ip("10.0.0.66"), ip("10.0.0.1")
	var held []*pass
	now := noon
	passed := 0
	for range 10_000 { // within a second, none of them ended
		now = now.Add(100 * time.Microsecond)
		if p := g.admit(now, hostile); p != nil {
			passed++
			held = append(held, p)
		}
	}
	if passed != strangerOpen {
		t.Errorf("%d open connections of one stranger, want %d", passed, strangerOpen)
	}
	if p := g.admit(now, member); p == nil {
		t.Error("a stranger's flood keeps others out")
	} else {
		p.release()
	}

	passed = 0
	other := ip("10.0.0.67")
	for range 10_000 { // each one ended at once
		now = now.Add(100 * time.Microsecond)
		if p := g.admit(now, other); p != nil {
			passed++
			p.release()
			p.release()
		}
	}
	if limit := strangerBurst + int(time.Second/strangerRate); passed > limit || passed < strangerBurst {
		t.Errorf("%d connections in a second, want up to %d", passed, limit)
	}

	g.befriend(now, member)
	for i := range 255 { // strangers from everywhere take all there is for them
		for range strangerOpen {
			g.admit(now, netip.AddrFrom4([4]byte{10, 1, 0, byte(i)}))
		}
	}
	if g.open != strangersOpen {
		t.Errorf("%d open connections of strangers, want %d", g.open, strangersOpen)
	}
	p := g.admit(now, member)
	if p == nil {
		t.Fatal("strangers keep a member out")
	}
	g.befriend(now, hostile) // it turns out to be one: its connections were no strangers'
	if want := strangersOpen - strangerOpen; g.open != want {
		t.Errorf("%d open connections of strangers, want %d", g.open, want)
	}
	p.release()
	p.release()
	for _, p := range held {
		p.release()
	}
	if g.sources[member].open != 0 || g.sources[hostile].open != 0 || g.open != strangersOpen-strangerOpen {
		t.Errorf("after release: %+v, %+v, %d", g.sources[member], g.sources[hostile], g.open)
	}
}

func TestGuardIsBounded(t *testing.T) {
	var g guard
	for i := range 3 * maxGuarded {
		now := noon.Add(time.Duration(i) * time.Millisecond)
		a := netip.AddrFrom16([16]byte{0xfe, 0x80, 14: byte(i >> 8), 15: byte(i)})
		if p := g.admit(now, a); p != nil {
			p.release()
		}
	}
	if len(g.sources) > maxGuarded {
		t.Errorf("%d addresses remembered", len(g.sources))
	}
	if g.open != 0 {
		t.Errorf("%d open", g.open)
	}
}

func TestToDo(t *testing.T) {
	var a air
	now := noon
	if do, _ := a.toDo(now); do != (duty{look: true}) {
		t.Errorf("silent: %+v", do)
	}
	a.keys = [][]byte{{1}}
	a.news(now)
	var at []time.Duration
	for now.Before(noon.Add(3 * time.Minute)) {
		do, next := a.toDo(now)
		if do.announce {
			at = append(at, now.Sub(noon))
		}
		if !next.After(now) {
			t.Fatalf("at %v comes %v", now, next)
		}
		now = next
	}
	if len(at) < 3 || !slices.Equal(at[:3], fastAnnounces) {
		t.Fatalf("first announces at %v", at)
	}
	for i := 3; i < len(at); i++ {
		if gap := at[i] - at[i-1]; gap < announceEvery*5/6 || gap > announceEvery*7/6+time.Second {
			t.Errorf("gap of %v", gap)
		}
	}
	a.answer = now.Add(100 * time.Millisecond)
	if do, next := a.toDo(now); do.announce || next.After(a.answer) {
		t.Errorf("answer is not awaited: %+v, %v", do, next)
	}
	if do, _ := a.toDo(a.answer); !do.announce || !a.answer.IsZero() {
		t.Error("no answer")
	}
}

// Where many are heard each is rarer, so that all together send no more.
func TestEvery(t *testing.T) {
	for others, want := range map[int]time.Duration{
		0: 30 * time.Second, 9: 30 * time.Second, 14: 30 * time.Second, 24: 50 * time.Second,
		49: 100 * time.Second, 59: 2 * time.Minute, maxSeen: 2 * time.Minute,
	} {
		if got := every(others); got != want {
			t.Errorf("every(%d) = %v, want %v", others, got, want)
		}
	}
	if most := announceMost * 7 / 6; heardFor < 2*most {
		t.Errorf("with a beacon every %v one lost is too many for %v", most, heardFor)
	}

	a := air{keys: [][]byte{{1}}}
	heard := func(n int, now time.Time, gone bool, counter uint64) {
		for i := range n {
			a.seen.hear(now, mesh.PeerID(string(rune('a'+i))), beacon{Counter: counter, Port: 1, Gone: gone}, ip("10.0.0.1"))
		}
	}
	gap := func(what string, now time.Time, want time.Duration) {
		t.Helper()
		for range 100 {
			if got := a.regular(now).Sub(now); got < want*5/6 || got > want*7/6 {
				t.Fatalf("%s: the next after %v, want about %v", what, got, want)
			}
		}
	}
	gap("alone", noon, announceEvery)
	heard(49, noon, false, 1)
	gap("with 49", noon.Add(time.Minute), 100*time.Second)
	gap("they fell silent", noon.Add(heardFor), announceEvery)
	heard(49, noon.Add(time.Minute), true, 2)
	gap("they said goodbye", noon.Add(time.Minute), announceEvery)
}

// News is asked about at once; otherwise who hears beacons does not ask.
func TestAsks(t *testing.T) {
	for name, tt := range map[string]struct {
		radio time.Duration // how often a beacon is heard; 0 is never
		want  int           // questions in an hour
	}{
		"nobody is heard": {0, 12},
		"beacons come":    {time.Minute, 1},
		"rarely":          {queryEvery - time.Second, 1},
	} {
		a := air{keys: [][]byte{{1}}}
		now, asked := noon, 0
		a.news(now)
		for now.Before(noon.Add(time.Hour)) {
			if tt.radio > 0 {
				a.radio = now.Truncate(tt.radio)
			}
			do, next := a.toDo(now)
			if do.ask {
				asked++
			}
			now = next
		}
		if asked != tt.want {
			t.Errorf("%s: asked %d times in an hour, want %d", name, asked, tt.want)
		}
		a.news(now)
		if do, _ := a.toDo(now); !do.ask {
			t.Errorf("%s: news is not asked about", name)
		}
	}
}

func TestParseAddrs(t *testing.T) {
	got := parseAddrs([]string{"10.0.0.1:5", "nonsense", "10.0.0.1:5", "[::ffff:10.0.0.2]:6", "10.0.0.1:0", "[fe80::1%eth0]:7", "239.1.1.1:8", "0.0.0.0:9", "host:1"})
	want := []netip.AddrPort{netip.MustParseAddrPort("10.0.0.1:5"), netip.MustParseAddrPort("10.0.0.2:6"), netip.MustParseAddrPort("[fe80::1%eth0]:7")}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestSplitTyped(t *testing.T) {
	for in, want := range map[string][2]string{
		"192.168.1.7":      {"192.168.1.7", "21960"},
		"192.168.1.7:4001": {"192.168.1.7", "4001"},
		"nas":              {"nas", "21960"},
		"nas:1":            {"nas", "1"},
		"::1":              {"::1", "21960"},
		"[::1]:5":          {"::1", "5"},
	} {
		if host, port := splitTyped(in, DefaultPort); host != want[0] || port != want[1] {
			t.Errorf("splitTyped(%q) = %q, %q", in, host, port)
		}
	}
}
