package app

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"inselnetz/mesh/sim"
)

func TestWayOf(t *testing.T) {
	own := []netip.Prefix{netip.MustParsePrefix("192.168.2.0/24"), netip.MustParsePrefix("2003:e7:1::/64")}
	for path, want := range map[string]Way{
		"192.168.2.9:21960":          WayNear,
		"[::ffff:192.168.2.9]:21960": WayNear,
		"169.254.7.7:21960":          WayNear,
		"[fe80::1%eth0]:21960":       WayNear,
		"[2003:e7:1::9]:21960":       WayNear, // a public address, in our own network
		"[2003:e7:2::9]:21960":       WayInternet,
		"93.184.216.34:21960":        WayInternet,
		"192.168.3.9:21960":          WayRouted,
		"10.8.0.2:21960":             WayRouted,
		"100.101.2.3:21960":          WayRouted,
		"[fd12::9]:21960":            WayRouted,
		"127.0.0.1:21960":            WayInside,
		"[::1]:21960":                WayInside,
		"sim:pc1":                    WayUnknown,
		"":                           WayUnknown,
	} {
		if got := wayOf(path, own); got != want {
			t.Errorf("%q is %q, want %q", path, got, want)
		}
	}
}

// TestStandings: what a device that is away lacks is counted in both directions,
// and nothing of it outlasts that the two meet again.
func TestStandings(t *testing.T) {
	sim.Run(t, 5, func(w *sim.World) {
		t := w.T
		o := newOffice(w, 3)
		defer o.close()
		a, b, c := o.devices[0], o.devices[1], o.devices[2]
		stand := func(of, at *device) Standing {
			all, err := of.ws.Standings(t.Context())
			must(t, err)
			if len(all) != 2 {
				t.Fatalf("%d others, want 2", len(all))
			}
			return all[at.self]
		}
		equal := func() bool {
			for _, of := range o.devices {
				for _, at := range o.devices {
					if of == at {
						continue
					}
					if l := stand(of, at).Lag; l.Entries+l.Owed > 0 {
						return false
					}
				}
			}
			return true
		}
		a.post("vorher")
		o.agree(time.Minute)
		if !w.Until(time.Minute, equal) {
			for _, of := range o.devices {
				for _, at := range o.devices {
					if of != at {
						t.Logf("%s of %s: %+v", of.name, at.name, stand(of, at))
					}
				}
			}
			t.Fatal("equal devices do not know that they are")
		}

		b.halt()
		before := a.ws.Now().UnixMilli()
		for i := range 3 {
			a.post(fmt.Sprint("ohne b ", i))
		}
		w.Until(time.Minute, func() bool { return stand(a, c).Lag.Entries == 0 })
		if got := stand(a, b).Lag; got.Messages != 3 || got.Entries < 3 || got.Since < before {
			t.Errorf("b lacks %+v, want three messages since %d", got, before)
		}
		if got := stand(a, c).Lag; got.Entries != 0 {
			t.Errorf("c lacks %+v", got)
		}

		b.start()
		if !w.Until(time.Minute, equal) {
			t.Errorf("after b is back: %+v, %+v", stand(a, b), stand(b, a))
		}

		// That devices come and go is written in no log.
		entries := a.entries()
		for range 3 {
			b.halt()
			w.Until(time.Minute, func() bool { return stand(a, b).Way == WayUnknown && a.sees(b) == Away })
			b.start()
			w.Until(time.Minute, func() bool { return a.sees(b) == Here })
		}
		if now := a.entries(); now != entries {
			t.Errorf("b came and went: %d entries, before it were %d", now, entries)
		}
	})
}

// entries counts what lies in all logs on a device.
func (d *device) entries() (n uint64) {
	for _, space := range d.ws.store.Spaces() {
		for _, at := range d.ws.store.Heights(space) {
			n += at.Seq
		}
	}
	return n
}

// sees is the presence of another device as this one shows it.
func (d *device) sees(other *device) Presence {
	people, _ := d.ws.People()
	for _, p := range people {
		for _, dev := range p.Devices {
			if dev.ID == other.self {
				return dev.Presence
			}
		}
	}
	return ""
}
