package lan

import (
	"net/netip"
	"slices"
	"time"

	"inselnetz/mesh"
)

const (
	maxSeen   = 512 // peers
	maxRuns   = 4   // instances remembered of one peer
	maxSource = 4   // addresses an instance was heard from

	// heardFor is how long what was heard holds: two beacons may be lost even where
	// they are rarest. A source not heard for so long is no longer named.
	heardFor = 5 * time.Minute
)

// seen remembers which beacons were heard, so that none counts twice.
type seen struct {
	peers map[mesh.PeerID]*seenPeer
}

type seenPeer struct {
	runs []*run // the one heard last comes last
}

// A run is one start of a peer's program.
type run struct {
	instance [16]byte
	counter  uint64
	burst    uint32
	gone     bool
	port     uint16
	claims   []netip.Addr
	sources  []source // the one heard last comes first
	stale    bool     // this device's network changed since it was heard
}

type source struct {
	addr netip.Addr
	at   time.Time
}

// hear takes a beacon that was opened and says what it means; not ok is a
// beacon heard before.
func (s *seen) hear(now time.Time, peer mesh.PeerID, b beacon, from netip.Addr) (sight mesh.Sighting, ok bool) {
	p := s.peers[peer]
	if p == nil {
		if s.peers == nil {
			s.peers = map[mesh.PeerID]*seenPeer{}
		}
		s.makeRoom()
		p = &seenPeer{}
		s.peers[peer] = p
	}
	i := slices.IndexFunc(p.runs, func(r *run) bool { return r.instance == b.Instance })
	news := false
	if i < 0 {
		if len(p.runs) == maxRuns {
			p.runs = p.runs[1:]
		}
		p.runs = append(p.runs, &run{instance: b.Instance})
		i = len(p.runs) - 1
		news = true
	}
	r := p.runs[i]
	if !news && b.Counter <= r.counter {
		return sight, false
	}
	p.runs = append(slices.Delete(p.runs, i, i+1), r)
	news = news || r.gone || r.stale || r.burst != b.Burst || r.port != b.Port
	r.counter, r.burst, r.gone, r.port, r.claims, r.stale = b.Counter, b.Burst, b.Gone, b.Port, b.Claims, false
	if r.heardFrom(now, from) {
		news = true
	}
	return mesh.Sighting{Peer: peer, Addrs: r.addrs(), New: news && !b.Gone, Gone: b.Gone}, true
}

// heardFrom notes a source address and reports whether it is a new one.
func (r *run) heardFrom(now time.Time, from netip.Addr) bool {
	r.sources = slices.DeleteFunc(r.sources, func(s source) bool { return now.Sub(s.at) > heardFor })
	i := slices.IndexFunc(r.sources, func(s source) bool { return s.addr == from })
	if i >= 0 {
		r.sources = slices.Delete(r.sources, i, i+1)
	}
	r.sources = slices.Insert(r.sources, 0, source{from, now})
	r.sources = r.sources[:min(len(r.sources), maxSource)]
	return i < 0
}

// addrs lists where the run can be dialed: where it was heard from, then where
// it says to be.
func (r *run) addrs() []string {
	var all []string
	add := func(a netip.Addr) {
		if text := netip.AddrPortFrom(a, r.port).String(); !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	for _, s := range r.sources {
		add(s.addr)
	}
	for _, a := range r.claims {
		add(a)
	}
	return all
}

// renew says that this device's network changed: everybody who was here is
// worth a try at once, and their next beacon is news.
func (s *seen) renew() []mesh.Sighting {
	var all []mesh.Sighting
	for peer, p := range s.peers {
		for _, r := range p.runs {
			r.stale = true
		}
		if r := p.runs[len(p.runs)-1]; !r.gone {
			all = append(all, mesh.Sighting{Peer: peer, Addrs: r.addrs(), New: true})
		}
	}
	return all
}

// last returns where a peer was heard last.
func (s *seen) last(peer mesh.PeerID) []string {
	p := s.peers[peer]
	if p == nil {
		return nil
	}
	return p.runs[len(p.runs)-1].addrs()
}

// lately counts the peers heard lately that did not say goodbye.
func (s *seen) lately(now time.Time) (n int) {
	for _, p := range s.peers {
		if r := p.runs[len(p.runs)-1]; !r.gone && now.Sub(r.sources[0].at) < heardFor {
			n++
		}
	}
	return n
}

func (s *seen) makeRoom() {
	if len(s.peers) < maxSeen {
		return
	}
	var oldest mesh.PeerID
	var at time.Time
	for id, p := range s.peers {
		heard := p.runs[len(p.runs)-1].sources[0].at
		if oldest == "" || heard.Before(at) {
			oldest, at = id, heard
		}
	}
	delete(s.peers, oldest)
}

const (
	maxDoors       = 32
	maxDoorsSource = 4 // from one address
	doorAge        = 6 * time.Second
)

// doors are those heard lately.
type doors struct {
	list []heardDoor
}

type heardDoor struct {
	mesh.Door
	from netip.Addr
}

func (d *doors) hear(now time.Time, peer mesh.PeerID, n notice, from netip.Addr) {
	d.sweep(now)
	addr := netip.AddrPortFrom(from, n.Port).String()
	same := 0
	for i := range d.list {
		if h := &d.list[i]; h.Peer == peer {
			h.Name, h.Seen, h.from = n.Name, now, from
			if !slices.Contains(h.Addrs, addr) {
				h.Addrs = append([]string{addr}, h.Addrs[:min(len(h.Addrs), maxSource-1)]...)
			}
			return
		} else if h.from == from {
			same++
		}
	}
	if len(d.list) < maxDoors && same < maxDoorsSource {
		d.list = append(d.list, heardDoor{mesh.Door{Name: n.Name, Peer: peer, Addrs: []string{addr}, Seen: now}, from})
	}
}

func (d *doors) all(now time.Time) []mesh.Door {
	d.sweep(now)
	var all []mesh.Door
	for _, h := range d.list {
		door := h.Door
		door.Addrs = slices.Clone(door.Addrs)
		all = append(all, door)
	}
	return all
}

func (d *doors) sweep(now time.Time) {
	d.list = slices.DeleteFunc(d.list, func(h heardDoor) bool { return now.Sub(h.Seen) > doorAge })
}
