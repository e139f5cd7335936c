package app

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"inselnetz/app/doctor"
	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
	"inselnetz/mesh"
	"inselnetz/mesh/lan"
)

// A reporter is a network that says what it knows and tries addresses: mesh/lan
// is, the simulated one is not.
type reporter interface {
	Report() lan.Report
	Try(ctx context.Context, p mesh.PeerID, addrs []string) []lan.Try
}

// diagnoseTime bounds a diagnosis: trying addresses, and waiting until the system
// knows whether anybody has them.
const diagnoseTime = 15 * time.Second

// A Diagnosis says why a device is not seen, or how the network is.
type Diagnosis struct {
	Facts    doctor.Facts
	Findings []doctor.Finding
}

// Diagnose looks at this computer's network, and if dev is not nil, for that
// device: its addresses are tried. It takes up to 15 seconds when nobody answers.
func (w *Workspace) Diagnose(ctx context.Context, dev *log.DeviceID) (Diagnosis, error) {
	ctx, cancel := context.WithTimeout(ctx, diagnoseTime)
	defer cancel()
	w.mu.RLock()
	st, m := w.state, w.mesh
	w.mu.RUnlock()
	if st == nil {
		return Diagnosis{}, problem("not-member")
	}
	f := doctor.Facts{Now: w.opts.Now(), Up: w.opts.Now().Sub(w.start), Others: max(0, len(st.Devices)-1)}
	peers := w.lookAround(st, m)
	w.meet(&f, st, peers)
	net, _ := w.net.(reporter)
	var report lan.Report
	if net != nil {
		report = net.Report()
		f.Net = showNet(report)
	}
	var asked mesh.PeerID
	if dev != nil {
		d, ok := st.Known(*dev)
		if !ok {
			return Diagnosis{}, problem("no-such-person")
		}
		asked = mesh.PeerID(d.Card.Peer)
		f.Peer = w.whois(d, peers, report.Peers[asked])
	}
	if net != nil {
		w.look(ctx, &f, net, report, asked)
	}
	return Diagnosis{f, doctor.Diagnose(f)}, nil
}

// look asks the system and tries the addresses of the device in question.
func (w *Workspace) look(ctx context.Context, f *doctor.Facts, net reporter, report lan.Report, asked mesh.PeerID) {
	var tries []lan.Try
	var wg sync.WaitGroup
	if p := f.Peer; p != nil && !p.Here && !p.Self && !p.Removed {
		addrs := append(report.Peers[asked].Addrs, (*holdings)(w).Members()[asked]...)
		wg.Go(func() { tries = net.Try(ctx, asked, addrs) })
	}
	if !report.Loopback {
		f.System = doctor.Look(ctx, report.Port, report.BeaconPort)
	}
	wg.Wait()
	var wait []netip.Addr
	for _, t := range tries {
		f.Peer.Tries = append(f.Peer.Tries, doctor.Try{Addr: t.Addr, Name: t.Name, Result: doctor.Result(t.Result)})
		if t.Result == lan.TryTimeout || t.Result == lan.TryUnreachable {
			wait = append(wait, t.Addr.Addr())
		}
	}
	if f.Here == 0 && f.Others > 0 {
		doctor.Nudge(f.System.Gateways)
		wait = append(wait, f.System.Gateways...)
	}
	if len(wait) > 0 && !report.Loopback {
		f.System.Neighbours = doctor.Settled(ctx, wait)
	}
}

// meet notes who is here.
func (w *Workspace) meet(f *doctor.Facts, st *access.State, v view) {
	for _, p := range slices.Sorted(maps.Keys(v.seen)) {
		s := v.seen[p]
		d, ok := st.Devices[s.Device]
		if s.Here && ok && !s.Stranger {
			f.Here++
			f.Peers = append(f.Peers, doctor.Met{Name: access.ShowName(d.Card.Name), Clock: s.Clock})
		}
	}
}

// whois says what is known of the device in question.
func (w *Workspace) whois(d access.Device, v view, heard lan.PeerReport) *doctor.Peer {
	p := &doctor.Peer{
		Name: access.ShowName(d.Card.Name), Self: d.Card.Sign == w.self, Removed: d.Removed != nil,
		Own: w.opts.Version, Heard: heard.Heard, Left: heard.Gone,
	}
	if at := w.seenAt(mesh.PeerID(d.Card.Peer)); at != 0 {
		p.Seen = time.UnixMilli(at)
	}
	if s, ok := v.seen[mesh.PeerID(d.Card.Peer)]; ok {
		p.Here, p.Clock, p.Version = s.Here && !s.Stranger, s.Clock, s.Version
		p.Left = p.Left || s.Left == mesh.LeftGoodbye
		if by, ok := v.st.Known(s.Via); ok && s.Via != (log.DeviceID{}) {
			p.Via = access.ShowName(by.Card.Name)
		}
		if s.LastSeen.After(p.Seen) {
			p.Seen = s.LastSeen
		}
	}
	return p
}

// showNet is what the network reports, as the doctor takes it.
func showNet(r lan.Report) doctor.Net {
	n := doctor.Net{
		Known: true, Loopback: r.Loopback, Port: r.Port, WantedPort: r.WantedPort, BeaconPort: r.BeaconPort, Deaf: r.Deaf != nil,
		Heard: latest(r.Heard), Echo: latest(r.Echo), Every: r.Every,
	}
	for _, i := range r.Interfaces {
		n.Interfaces = append(n.Interfaces, doctor.Used{Name: i.Name, Addrs: i.Addrs, Failed: i.Failed != nil})
	}
	return n
}

func latest(times map[lan.Way]time.Time) (last time.Time) {
	for _, at := range times {
		if at.After(last) {
			last = at
		}
	}
	return last
}
