package app

import (
	"bytes"
	"cmp"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
	"inselnetz/mesh"
	"inselnetz/mesh/lan"
)

// What is kept of the ways between networks, as JSON. Addresses of these three
// kinds are kept apart from those a device was last reached at, of which there are
// few and which come and go.
const (
	metaOutside = "outside" // where this device is reached from outside its network
	metaTyped   = "typed/"  // + PeerID: what someone typed for a device
	metaTold    = "told/"   // + PeerID: from outside, as it or others told
)

// maxPlaces is how many addresses of a kind are kept of a device.
const maxPlaces = 4

// An outsider is a network on which this device may be reached from outside:
// mesh/lan is, the simulated one is not.
type outsider interface {
	SetOutside(addrs []string) error
}

// Places are the ways between this network and others.
type Places struct {
	Port    uint16       // of this device, TCP and UDP; 0: unknown
	Near    []netip.Addr // of this device in its own network: where a router has to forward to
	Outside []string     // where this device is reached from outside, as someone typed
	Devices []Place      // of others with an address typed or told, by name
}

// A Place is how another device is reached from outside its network.
type Place struct {
	Person string // name
	Device Device
	Typed  []string // on this device
	Told   []string // by itself or by others
}

// Places returns the ways between this network and others.
func (w *Workspace) Places() (Places, error) {
	w.mu.RLock()
	st, m := w.state, w.mesh
	w.mu.RUnlock()
	if st == nil {
		return Places{}, problem("not-member")
	}
	out := Places{Outside: w.addrs(metaOutside)}
	out.Port, out.Near = nearAddrs(w.net.Addrs(), out.Outside)
	look := w.lookAround(st, m)
	for _, d := range st.Seniority() {
		if d.Card.Sign == w.self {
			continue
		}
		p := Place{
			Person: access.ShowName(st.People[d.Person].Name), Device: look.device(d),
			Typed: w.addrs(metaTyped + d.Card.Peer), Told: w.addrs(metaTold + d.Card.Peer),
		}
		if len(p.Typed)+len(p.Told) > 0 {
			out.Devices = append(out.Devices, p)
		}
	}
	slices.SortFunc(out.Devices, func(a, b Place) int {
		return cmp.Or(cmp.Compare(a.Device.Name, b.Device.Name), bytes.Compare(a.Device.ID[:], b.Device.ID[:]))
	})
	return out, nil
}

// nearAddrs are the IPv4 addresses of this device in its networks, with the port.
func nearAddrs(addrs, outside []string) (port uint16, near []netip.Addr) {
	for _, text := range addrs {
		a, err := netip.ParseAddrPort(text)
		if err != nil || slices.Contains(outside, text) {
			continue
		}
		port = a.Port()
		if a.Addr().Is4() {
			near = append(near, a.Addr())
		}
	}
	return port, near
}

// SetOutside says where this device is reached from outside its network: nowhere if
// there are no addresses. Other devices are told.
func (w *Workspace) SetOutside(addrs []string) error {
	if w.snapshot() == nil {
		return problem("not-member")
	}
	t, ok := w.net.(outsider)
	if !ok {
		return problem("not-reached")
	}
	port, _ := nearAddrs(w.net.Addrs(), w.addrs(metaOutside))
	addrs, err := checkAddrs(addrs, port)
	if err != nil {
		return err
	}
	if err := w.putJSON(metaOutside, addrs); err != nil {
		return storeProblem(err, w.dir)
	}
	if err := t.SetOutside(addrs); err != nil {
		return &Problem{Code: "no-address", Args: []any{strings.Join(addrs, ", ")}, Field: "addresses", Err: err}
	}
	w.placesChanged()
	return nil
}

// tellOutside tells the network what SetOutside kept.
func (w *Workspace) tellOutside() {
	t, ok := w.net.(outsider)
	if addrs := w.addrs(metaOutside); ok && len(addrs) > 0 {
		if err := t.SetOutside(addrs); err != nil {
			w.log.Warn("address from outside", "addr", addrs, "err", err)
		}
	}
}

// SetPlace says where another device is reached, beside where it is found by
// itself: nowhere else if there are no addresses. It is dialed at once.
func (w *Workspace) SetPlace(dev log.DeviceID, addrs []string) error {
	st := w.snapshot()
	if st == nil {
		return problem("not-member")
	}
	d, ok := st.Devices[dev]
	switch {
	case !ok:
		return problem("no-such-person")
	case dev == w.self:
		return problem("own-address", access.ShowName(d.Card.Name))
	}
	addrs, err := checkAddrs(addrs, lan.DefaultPort)
	if err != nil {
		return err
	}
	gone := without(w.addrs(metaTyped+d.Card.Peer), addrs)
	if err := w.putJSON(metaTyped+d.Card.Peer, addrs); err != nil {
		return storeProblem(err, w.dir)
	}
	for _, key := range []string{metaTold, metaReached} { // it may have got there by being dialed
		key += d.Card.Peer
		if had := w.addrs(key); len(without(had, gone)) < len(had) {
			if err := w.putJSON(key, without(had, gone)); err != nil {
				return storeProblem(err, w.dir)
			}
		}
	}
	w.placesChanged()
	return nil
}

// keepTyped keeps the address by which someone joined as one typed for the inviter's
// device, if it leads there from other networks: a name outlives the address it
// stands for.
func (w *Workspace) keepTyped(peer, text string) {
	typed, err := lan.CheckAddr(text)
	if err != nil {
		return
	}
	if addrs := fromAfar([]string{typed}); len(addrs) > 0 {
		if err := w.putJSON(metaTyped+peer, addrs); err != nil {
			w.log.Warn("keep address", "peer", peer, "err", err)
		}
	}
}

// without leaves the addresses that are not among others.
func without(addrs, others []string) []string {
	out := []string{}
	for _, a := range addrs {
		if !slices.Contains(others, a) {
			out = append(out, a)
		}
	}
	return out
}

// placesChanged has the mesh look at the addresses again.
func (w *Workspace) placesChanged() {
	w.mu.RLock()
	m := w.mesh
	w.mu.RUnlock()
	if m != nil {
		m.Refresh()
	}
	w.changed("people", "")
}

// linkAddrs are the addresses for an invitation that may be sent far away: a link
// has room for few, so those from outside come first.
func (w *Workspace) linkAddrs() []string {
	out := w.addrs(metaOutside)
	for _, a := range w.net.Addrs() {
		if !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

// checkAddrs brings typed addresses into their one form, each once. port is meant
// where none is given.
func checkAddrs(texts []string, port uint16) ([]string, error) {
	out := []string{}
	for _, text := range texts {
		a, err := lan.CheckAddr(text)
		if _, _, e := net.SplitHostPort(strings.TrimSpace(text)); e != nil && err == nil && port != 0 {
			host, _, _ := net.SplitHostPort(a) // CheckAddr joined it
			a = net.JoinHostPort(host, strconv.Itoa(int(port)))
		}
		if err != nil {
			return nil, &Problem{Code: "no-address", Args: []any{text}, Field: "addresses", Err: err}
		}
		if !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	if len(out) > maxPlaces {
		return nil, &Problem{Code: "many-addresses", Args: []any{maxPlaces}, Field: "addresses"}
	}
	return out, nil
}

// addrs reads a note of addresses; a damaged one is none.
func (w *Workspace) addrs(key string) []string {
	var out []string
	if err := w.getJSON(key, &out); err != nil {
		w.log.Debug("note of addresses", "key", key, "err", err)
		return nil
	}
	return out
}

// waysTo returns the addresses of a member: typed ones first, then those by which
// it is reached from outside, then where it was last reached.
func (w *Workspace) waysTo(peer string) []string {
	var out []string
	for _, key := range []string{metaTyped, metaTold, metaReached} {
		for _, a := range w.addrs(key + peer) {
			if !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
	}
	return out
}

// told keeps addresses of a member by which it may be reached from outside, in place
// of those kept before. Addresses of its own network alone leave them as they are:
// that it answered there says nothing of others.
func (w *Workspace) told(peer mesh.PeerID, addrs []string) {
	if addrs = fromAfar(addrs); len(addrs) > 0 {
		w.keepTold(peer, addrs)
	}
}

func (w *Workspace) keepTold(peer mesh.PeerID, addrs []string) {
	key := metaTold + string(peer)
	if slices.Equal(w.addrs(key), addrs) {
		return
	}
	if err := w.putJSON(key, addrs); err != nil {
		w.log.Warn("keep address", "peer", peer, "err", err)
	}
}

// toldBy keeps what others say of where a member is reached, behind what it said of
// itself.
func (w *Workspace) toldBy(peer mesh.PeerID, addrs []string) {
	own := w.addrs(metaTold + string(peer))
	all := append(own, without(fromAfar(addrs), own)...)
	w.keepTold(peer, all[:min(len(all), maxPlaces)])
}

// fromAfar leaves the addresses that may lead to a device from other networks:
// names first, which stay when a line gets a new address.
func fromAfar(addrs []string) []string {
	var names, numbers []string
	for _, text := range addrs {
		a, err := netip.ParseAddrPort(text)
		if err != nil {
			if name, err := lan.CheckAddr(text); err == nil && name == text {
				names = append(names, text)
			}
			continue
		}
		if ip := a.Addr(); ip.IsGlobalUnicast() && !ip.IsPrivate() && ip.Is4() {
			numbers = append(numbers, text)
		}
	}
	all := append(names, numbers...)
	return all[:min(len(all), maxPlaces)]
}
