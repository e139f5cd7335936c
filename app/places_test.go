package app

import (
	"context"
	"crypto/ed25519"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"inselnetz/crdt/access"
	"inselnetz/crdt/pairing"
	"inselnetz/mesh"
	"inselnetz/mesh/lan"
	"inselnetz/mesh/sim"
)

// A site is a device on the real network of this computer which hears the beacons
// of nobody: as one in another office does.
type site struct {
	t    *testing.T
	dir  string
	port int // it listens on
	ws   *Workspace
	stop func()
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir()}
	s.start()
	t.Cleanup(s.halt)
	return s
}

func (s *site) start() {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	beacon, err := net.ListenPacket("udp4", "127.0.0.1:0") // a port that nobody else has
	must(s.t, err)
	own := beacon.LocalAddr().(*net.UDPAddr).Port
	must(s.t, beacon.Close())
	free, err := net.Listen("tcp4", "127.0.0.1:0") // another one than before
	must(s.t, err)
	s.port = free.Addr().(*net.TCPAddr).Port
	must(s.t, free.Close())
	ws, err := Open(ctx, filepath.Join(s.dir, "data"), Options{
		State: filepath.Join(s.dir, "state"), Unsafe: true,
		Net: func(ctx context.Context, key ed25519.PrivateKey) (mesh.Transport, error) {
			return lan.New(ctx, lan.Options{Key: key, Port: s.port, BeaconPort: own, Loopback: true})
		},
	})
	must(s.t, err)
	ended := make(chan error, 1)
	go func() { ended <- ws.Run(ctx) }()
	s.ws = ws
	s.stop = func() {
		cancel()
		must(s.t, <-ended)
		must(s.t, ws.Close())
	}
}

func (s *site) halt() {
	if s.stop != nil {
		s.stop()
		s.stop = nil
	}
}

// name is the address of a site by a name that the system looks up.
func (s *site) name() string { return net.JoinHostPort("localhost", strconv.Itoa(s.port)) }

// wait waits until something holds; the machine may be busy.
func (s *site) wait(what string, is func() bool) {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("not within a minute: %s", what)
		}
	}
}

// sees says whether another device is here, as people are shown.
func (s *site) sees(o *site) bool {
	people, _ := s.ws.People()
	for _, p := range people {
		for _, d := range p.Devices {
			if d.ID == o.ws.self && d.Presence == Here {
				return true
			}
		}
	}
	return false
}

// TestSecondOffice: a device of another office joins by a name, is found again at
// another address once someone types it, and forgets it when it is taken away.
func TestSecondOffice(t *testing.T) {
	a, b := newSite(t), newSite(t)
	must(t, a.ws.Found(t.Context(), "Kanzlei", "Anke", "PC Husum"))
	_, err := a.ws.OpenInvite(InviteAsk{Role: access.Member})
	must(t, err)
	must(t, b.ws.Join(t.Context(), JoinAsk{Addr: a.name(), Person: "Emre", Device: "PC Kiel"}))
	b.wait("a number", func() bool { return b.ws.JoinState().Step == StepNumber })
	a.wait("someone at the door", func() bool { return len(a.ws.InviteState().Waiting) == 1 })
	_, err = a.ws.TypeNumber(t.Context(), b.ws.JoinState().Number)
	must(t, err)
	b.wait("the words", func() bool { return b.ws.JoinState().Step == StepWords })
	must(t, b.ws.ConfirmJoin(true))
	b.wait("to be here", func() bool { return b.sees(a) && a.sees(b) })
	if ways := b.ws.waysTo(string(a.ws.net.Self())); !slices.Contains(ways, a.name()) {
		t.Errorf("the name it joined by is not kept: %v", ways)
	}

	// Both come back at other addresses: nobody finds anybody, until one is typed.
	self := b.ws.self
	a.halt()
	b.halt()
	a.start()
	b.start()
	must(t, a.ws.SetPlace(self, []string{b.name()}))
	a.wait("to be here again", func() bool { return a.sees(b) && b.sees(a) })
	p, err := a.ws.Places()
	must(t, err)
	if len(p.Devices) != 1 || p.Devices[0].Device.ID != self || !slices.Equal(p.Devices[0].Typed, []string{b.name()}) || p.Port != uint16(a.port) {
		t.Errorf("places %+v", p)
	}
	must(t, a.ws.SetPlace(self, nil))
	if ways := a.ws.waysTo(string(b.ws.net.Self())); slices.Contains(ways, b.name()) {
		t.Errorf("what was taken away is still there: %v", ways)
	}
}

// TestOutsideAddressIsTold: what someone says of a device at the device itself
// comes to the others, and outlives their restart and its address in the office.
func TestOutsideAddressIsTold(t *testing.T) {
	a, b := newSite(t), newSite(t)
	must(t, a.ws.Found(t.Context(), "Kanzlei", "Anke", "PC Husum"))
	must(t, a.ws.SetOutside([]string{" Buero.Example.org ", a.name()}))
	outside := []string{net.JoinHostPort("buero.example.org", strconv.Itoa(a.port)), a.name()}
	in, err := a.ws.OpenInvite(InviteAsk{Role: access.Member, Link: true})
	must(t, err)
	link, err := pairing.ParseLink(in.Link)
	must(t, err)
	if !slices.Equal(link.Addrs[:2], outside) {
		t.Errorf("the link leads to %v", link.Addrs)
	}
	link.Addrs = link.Addrs[:2] // from afar the others lead nowhere
	must(t, b.ws.Join(t.Context(), JoinAsk{Link: link.String(), Person: "Emre", Device: "PC Kiel"}))
	b.wait("the words", func() bool { return b.ws.JoinState().Step == StepWords })
	must(t, b.ws.ConfirmJoin(true))
	b.wait("to be here", func() bool { return b.sees(a) })

	next := []string{a.name(), "203.0.113.7:4000"}
	peer := a.ws.net.Self()
	told := func() []string { return b.ws.addrs(metaTold + string(peer)) }
	b.halt() // who is here hears of a change within a minute, who comes at once
	must(t, a.ws.SetOutside(next))
	b.start()
	b.wait("the new addresses", func() bool { return slices.Contains(told(), "203.0.113.7:4000") })
	b.halt()
	a.halt()
	a.start()
	b.start()
	p, err := b.ws.Places()
	must(t, err)
	if len(p.Devices) != 1 || !slices.Contains(p.Devices[0].Told, "203.0.113.7:4000") {
		t.Errorf("after a restart: %+v", p.Devices)
	}
	if own, err := a.ws.Places(); err != nil || !slices.Equal(own.Outside, next) || !slices.Contains(a.ws.net.Addrs(), "203.0.113.7:4000") {
		t.Errorf("the device itself: %+v, %v, %v", own, a.ws.net.Addrs(), err)
	}
}

// TestPlacesAreKeptApart: however often a device is reached in its office, where it
// is reached from outside is not pushed out.
func TestPlacesAreKeptApart(t *testing.T) {
	sim.Run(t, 12, func(w *sim.World) {
		t := w.T
		o := newOffice(w, 2)
		defer o.close()
		a, b := o.devices[0].ws, o.devices[1]
		peer := b.ws.net.Self()
		must(t, a.SetPlace(b.self, []string{"kiel.example.org"}))
		h := (*holdings)(a)
		h.Reached(peer, []string{"192.168.1.7:21960", "buero.example.org:21960", "203.0.113.7:21960"})
		var many []string
		for i := range 20 {
			many = append(many, net.JoinHostPort("192.168.1."+strconv.Itoa(100+i), "21960"))
		}
		h.Reached(peer, many)
		want := []string{"kiel.example.org:21960", "buero.example.org:21960", "203.0.113.7:21960"}
		if got := h.Members()[peer]; !slices.Equal(got[:3], want) || len(got) != 3+maxAddrs {
			t.Errorf("addresses %v", got)
		}
		h.Reached(peer, []string{"kiel.example.org:21960", "neu.example.org:21960"}) // dialed, and told
		if got := a.addrs(metaTold + string(peer)); !slices.Equal(got, []string{"neu.example.org:21960"}) {
			t.Errorf("told %v", got)
		}
		a.toldBy(peer, []string{"buero.example.org:21960", "x.org:1", "y.org:1", "z.org:1", "203.0.113.9:1"})
		if got, want := a.addrs(metaTold+string(peer)), []string{"neu.example.org:21960", "buero.example.org:21960", "x.org:1", "y.org:1"}; !slices.Equal(got, want) {
			t.Errorf("what it says of itself comes first, and no more than four are kept: %v", got)
		}
		must(t, a.SetPlace(b.self, []string{}))
		if got := h.Members()[peer]; slices.Contains(got, "kiel.example.org:21960") {
			t.Errorf("taken away, and still there: %v", got)
		}
	})
}

func TestPlacesThatAreNone(t *testing.T) {
	sim.Run(t, 13, func(w *sim.World) {
		t := w.T
		o := newOffice(w, 2)
		defer o.close()
		a, b := o.devices[0], o.devices[1]
		for text, code := range map[string]string{
			"": "no-address", "büro .de": "no-address", "192.168.1": "no-address", "0.0.0.0": "no-address", "a:0": "no-address",
			"a:99999": "no-address", "http://a.de/": "no-address", strings.Repeat("a", 300): "no-address",
		} {
			if err := a.ws.SetPlace(b.self, []string{text}); !isProblem(err, code) {
				t.Errorf("%q: %v", text, err)
			}
		}
		if err := a.ws.SetPlace(b.self, []string{"a.de", "b.de", "c.de", "d.de", "e.de"}); !isProblem(err, "many-addresses") {
			t.Errorf("five: %v", err)
		}
		if err := a.ws.SetPlace(b.self, []string{"a.de", "A.de.", "a.de:21960"}); err != nil {
			t.Errorf("one, three times: %v", err)
		}
		if got := a.ws.addrs(metaTyped + string(b.ws.net.Self())); !slices.Equal(got, []string{"a.de:21960"}) {
			t.Errorf("kept %v", got)
		}
		if err := a.ws.SetPlace(a.self, []string{"a.de"}); !isProblem(err, "own-address") {
			t.Errorf("of itself: %v", err)
		}
		if err := a.ws.SetPlace([32]byte{1}, []string{"a.de"}); !isProblem(err, "no-such-person") {
			t.Errorf("of nobody: %v", err)
		}
	})
}

func TestFromAfar(t *testing.T) {
	in := []string{
		"10.0.0.1:1", "192.168.0.1:1", "169.254.1.1:1", "127.0.0.1:1", "203.0.113.7:1", "[2001:db8::1]:1", "[fe80::1]:1",
		"a.de:1", "garbage", "A.de:1", "b.de:1", "c.de:1", "d.de:1",
	}
	if got, want := fromAfar(in), []string{"a.de:1", "b.de:1", "c.de:1", "d.de:1"}; !slices.Equal(got, want) {
		t.Errorf("names first, and no more than are kept: %v", got)
	}
	if got, want := fromAfar(in[:7]), []string{"203.0.113.7:1"}; !slices.Equal(got, want) {
		t.Errorf("only what others may reach: %v", got)
	}
}
