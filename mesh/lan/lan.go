// Package lan is the real network: devices find each other by beacons and mDNS
// and talk over libp2p connections, with no server and no internet.
package lan

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/transport"

	"inselnetz/mesh"
)

// Ports used unless Options say otherwise.
const (
	DefaultPort       = 21960 // TCP and QUIC
	DefaultBeaconPort = 21961 // UDP, the same for every device of a network
)

const (
	acceptQueue   = 32
	sightingQueue = 256
	maxKnown      = 1024 // peers whose addresses are remembered for Dial
)

// Options tunes a Transport. Only Key is required.
type Options struct {
	Key        ed25519.PrivateKey // behind PeerID; another key than the device's signing key
	Port       int                // 0 means DefaultPort; a free one is used if it is taken
	BeaconPort int                // 0 means DefaultBeaconPort
	Log        *slog.Logger       // nil discards
	Loopback   bool               // talk over 127.0.0.1 alone, for tests
}

// A Transport is this device's place on the local network.
type Transport struct {
	host      *host
	radio     *radio
	mdns      *responders
	guard     *guard
	log       *slog.Logger
	loopback  bool
	instance  [16]byte
	ctx       context.Context // ends with Close; bounds what outlives the call that began it
	cancel    context.CancelFunc
	accepted  chan *conn
	sightings chan mesh.Sighting
	kick      chan struct{} // the caller has something to announce
	notes     notes         // for whoever asks why a device is not seen

	mu      sync.Mutex // guards the rest
	wg      sync.WaitGroup
	closed  bool
	conns   map[*conn]bool
	known   map[mesh.PeerID][]string
	ifs     []iface
	looked  time.Time // at the interfaces
	outside []string  // where others reach this device from afar
	air     air
}

// New opens the sockets and begins to listen; ctx bounds the opening alone.
// Nothing is sent before Announce or ShowDoor.
func New(ctx context.Context, opts Options) (*Transport, error) {
	if opts.Port == 0 {
		opts.Port = DefaultPort
	}
	if opts.BeaconPort == 0 {
		opts.BeaconPort = DefaultBeaconPort
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	t := &Transport{
		guard:     &guard{},
		log:       opts.Log,
		loopback:  opts.Loopback,
		accepted:  make(chan *conn, acceptQueue),
		sightings: make(chan mesh.Sighting, sightingQueue),
		kick:      make(chan struct{}, 1),
		conns:     map[*conn]bool{},
		known:     map[mesh.PeerID][]string{},
		ifs:       interfaces(opts.Loopback),
	}
	rand.Read(t.instance[:])
	var err error
	if t.host, err = newHost(opts.Key, t.guard); err != nil {
		return nil, err
	}
	if err := t.host.listen(ctx, opts.Port, opts.Loopback); err != nil {
		t.host.close()
		return nil, err
	}
	if t.radio, err = newRadio(ctx, opts.BeaconPort, opts.Loopback); err != nil {
		t.host.close()
		return nil, err
	}
	t.radio.notes = &t.notes
	t.radio.tune(t.ifs)
	t.mdns = &responders{record: func() ([]byte, int) { return t.memberPacket(false), t.host.port }}
	if !t.loopback {
		t.mdns.tune(t.ifs)
	}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	t.radio.run(t.heard)
	t.spawn(t.announcer)
	if !t.loopback {
		t.spawn(func() { watch(t.ctx, t.lookSoon) })
	}
	l := t.host.listener
	t.spawn(func() { t.acceptTCP(l) })
	for _, l := range t.host.listeners {
		t.spawn(func() { t.acceptQUIC(l) })
	}
	if t.radio.deaf != nil {
		t.log.Warn("beacons of others are not heard", "err", t.radio.deaf)
	}
	t.log.Info("listening", "peer", t.Self(), "addr", t.Addrs())
	return t, nil
}

// spawn runs f in a goroutine that Close waits for; not after Close has begun.
func (t *Transport) spawn(f func()) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.wg.Go(f)
	return true
}

// Self returns this device's libp2p peer id as text.
func (t *Transport) Self() mesh.PeerID { return mesh.PeerID(t.host.self.String()) }

// Dial opens a fresh connection to a peer for one protocol. addrs are
// "host:port" texts with an IP address or a name as host; with none, the addresses
// the peer was last noticed at are tried.
func (t *Transport) Dial(ctx context.Context, to mesh.PeerID, addrs []string, proto string) (mesh.Conn, error) {
	id, err := peer.Decode(string(to))
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	if len(addrs) == 0 {
		addrs = t.lastAddrs(to)
	}
	c, err := t.begin(ctx, t.host.attempts(id, t.others(parseAddrs(addrs)), parseNames(addrs)), proto)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", to, err)
	}
	t.mu.Lock()
	t.learn(to, []string{c.path})
	t.mu.Unlock()
	return c, nil
}

// others leaves out the addresses of this device itself. Networks far away may have
// the same ones.
func (t *Transport) others(addrs []netip.AddrPort) []netip.AddrPort {
	if t.loopback {
		return addrs
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.DeleteFunc(addrs, func(a netip.AddrPort) bool {
		return int(a.Port()) == t.host.port && slices.ContainsFunc(t.ifs, func(f iface) bool {
			return slices.ContainsFunc(f.Addrs, func(p netip.Prefix) bool { return p.Addr() == a.Addr().WithZone("") })
		})
	})
}

// begin makes the first of several attempts that succeeds a Conn.
func (t *Transport) begin(ctx context.Context, tries []attempt, proto string) (*conn, error) {
	if len(tries) == 0 {
		return nil, errors.New("no address known")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(t.ctx, cancel)()
	muxed, err := first(ctx, tries)
	if err != nil {
		return nil, err
	}
	stream, err := openStream(ctx, muxed, proto)
	if err != nil {
		muxed.Close()
		return nil, err
	}
	c := newConn(t, muxed, stream, proto, nil)
	if !t.keep(c) {
		muxed.Close()
		return nil, net.ErrClosed
	}
	return c, nil
}

// keep remembers an open Conn so that Close can end it.
func (t *Transport) keep(c *conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.conns[c] = true
	return true
}

func (t *Transport) forget(c *conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.conns, c)
}

// learn remembers addresses of a peer, the newest first. The caller holds mu.
func (t *Transport) learn(p mesh.PeerID, addrs []string) {
	all := slices.Clone(addrs)
	for _, a := range t.known[p] {
		if !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	if _, ok := t.known[p]; !ok && len(t.known) >= maxKnown {
		for other := range t.known {
			delete(t.known, other)
			break
		}
	}
	t.known[p] = all[:min(len(all), maxDialAddrs)]
}

func (t *Transport) lastAddrs(p mesh.PeerID) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	addrs := slices.Clone(t.known[p])
	for _, d := range t.air.doors.list {
		if d.Peer == p {
			addrs = append(addrs, d.Addrs...)
		}
	}
	return addrs
}

// acceptTCP takes connections until Close. What the guard refuses costs nothing
// but the accept.
func (t *Transport) acceptTCP(l net.Listener) {
	for {
		raw, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of descriptors, most likely
			select {
			case <-time.After(100 * time.Millisecond):
				continue
			case <-t.ctx.Done():
				return
			}
		}
		from, ok := addrOf(raw.RemoteAddr())
		var p *pass
		if ok {
			p = t.guard.admit(time.Now(), from.Addr())
		}
		if p == nil || !t.spawn(func() { t.take(raw, p) }) {
			raw.(*net.TCPConn).SetLinger(0)
			raw.Close()
			if p != nil {
				p.release()
			}
		}
	}
}

func (t *Transport) take(raw net.Conn, p *pass) {
	muxed, err := t.host.secure(t.ctx, raw)
	if err != nil {
		p.release()
		t.log.Debug("connection refused", "addr", raw.RemoteAddr(), "err", err)
		return
	}
	t.serve(muxed, p)
}

func (t *Transport) acceptQUIC(l interface {
	Accept() (transport.CapableConn, error)
}) {
	for {
		muxed, err := l.Accept()
		if err != nil {
			if t.ctx.Err() != nil {
				return
			}
			select {
			case <-time.After(100 * time.Millisecond):
				continue
			case <-t.ctx.Done():
				return
			}
		}
		if !t.spawn(func() { t.serve(muxed, nil) }) {
			muxed.Close()
		}
	}
}

// serve waits for a connection's stream and queues it for Accept.
func (t *Transport) serve(muxed transport.CapableConn, p *pass) {
	refuse := func() {
		muxed.Close()
		if p != nil {
			p.release()
		}
	}
	stop := context.AfterFunc(t.ctx, func() { muxed.Close() })
	stream, proto, err := acceptStream(muxed)
	stop()
	if err != nil {
		t.log.Debug("connection refused", "addr", pathText(muxed.RemoteMultiaddr()), "err", err)
		refuse()
		return
	}
	c := newConn(t, muxed, stream, proto, p)
	if !t.keep(c) {
		refuse()
		return
	}
	select {
	case t.accepted <- c:
	default:
		c.Close()
	}
}

// Accept returns the next Conn opened by another device.
func (t *Transport) Accept(ctx context.Context) (mesh.Conn, error) {
	select {
	case c := <-t.accepted:
		return c, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-t.ctx.Done():
		return nil, net.ErrClosed
	}
}

// Ask finds out which device answers at an address typed by a person, "host" or
// "host:port". The door's Name is empty unless it was heard as a beacon too.
func (t *Transport) Ask(ctx context.Context, addr string) (mesh.Door, error) {
	host, service := splitTyped(addr, DefaultPort)
	id, at, err := t.host.ask(ctx, net.JoinHostPort(host, service))
	if err != nil {
		return mesh.Door{}, fmt.Errorf("ask at %s: %w", addr, err)
	}
	door := mesh.Door{Peer: mesh.PeerID(id.String()), Addrs: []string{at.String()}, Seen: time.Now()}
	for _, d := range t.Doors() {
		if d.Peer == door.Peer {
			door.Name = d.Name
		}
	}
	return door, nil
}

// Sightings reports members' devices as they are noticed.
func (t *Transport) Sightings() <-chan mesh.Sighting { return t.sightings }

// Addrs returns "host:port" texts at which this device can be reached: its own
// addresses, then those from outside.
func (t *Transport) Addrs() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []string
	own := claims(t.ifs)
	for _, a := range own[:min(len(own), maxClaims-len(t.outside))] {
		all = append(all, netip.AddrPortFrom(a, uint16(t.host.port)).String())
	}
	return append(all, t.outside...)
}

// SetOutside says where this device is reached from outside its networks, such as
// by a port that a router forwards: at most four texts as CheckAddr takes them.
// They are told to members and in invitations, never in beacons.
func (t *Transport) SetOutside(addrs []string) error {
	if len(addrs) > maxOutside {
		return fmt.Errorf("%w: more than %d", errAddr, maxOutside)
	}
	var all []string
	for _, text := range addrs {
		a, err := CheckAddr(text)
		if err != nil {
			return err
		}
		if !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.outside = all
	return nil
}

// Close says goodbye, ends all connections and releases everything.
func (t *Transport) Close() error {
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return nil
	}
	conns := make([]*conn, 0, len(t.conns))
	for c := range t.conns {
		conns = append(conns, c)
	}
	t.mu.Unlock()
	for _, c := range conns { // while goroutines may still be started, so that they can linger
		c.Close()
	}
	t.announce(true)
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.cancel()
	t.host.deafen()
	t.wg.Wait()
	t.mu.Lock()
	late := t.conns
	t.conns = nil
	t.mu.Unlock()
	for c := range late {
		c.Close()
	}
	t.radio.close()
	t.mdns.close()
	t.host.close()
	return nil
}
