package lan

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"golang.org/x/net/ipv4"

	"inselnetz/mesh"
)

// A Way is how a beacon came.
type Way string

// Ways. ByIPv4 is broadcast or multicast, where the system does not say which.
const (
	ByBroadcast  Way = "broadcast"
	ByMulticast4 Way = "multicast-ipv4"
	ByMulticast6 Way = "multicast-ipv6"
	ByIPv4       Way = "ipv4"
	ByMDNS       Way = "mdns"
)

// A Report is what a Transport knows of the network just now.
type Report struct {
	Loopback   bool // it talks within this computer alone
	Port       int  // TCP and QUIC
	WantedPort int  // another than Port: that one was taken
	BeaconPort int
	Deaf       error // why beacons cannot be heard at all; nil if they can
	Interfaces []InterfaceReport
	Heard      map[Way]time.Time // beacons of others, the latest of each way
	Echo       map[Way]time.Time // own beacons that came back
	Every      time.Duration     // between regular beacons of one device, as many as there are
	Refused    int               // connections the guard refused since the start
	Peers      map[mesh.PeerID]PeerReport
}

// An InterfaceReport is an interface the Transport uses.
type InterfaceReport struct {
	Name   string
	Addrs  []netip.Prefix
	Failed error     // of the last packet sent there; nil if it went out
	At     time.Time // of that packet; zero before the first
}

// A PeerReport is what was heard of a peer.
type PeerReport struct {
	Heard time.Time // its last beacon; zero if none since the start
	Gone  bool      // it said goodbye
	Addrs []string  // where it was noticed or reached, as Dial takes them
}

// notes are kept for Report alone.
type notes struct {
	mu    sync.Mutex // guards the rest
	from  map[Way]time.Time
	echo  map[Way]time.Time
	sends map[netip.Addr]sending
}

// A sending is how the last packet left by one address; IPv6 has one for each
// interface, under its zone.
type sending struct {
	at  time.Time
	err error
}

// maxSends bounds addresses remembered; those of an office PC are a handful.
const maxSends = 64

// heard notes a beacon that was opened.
func (n *notes) heard(now time.Time, by Way, own bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.from == nil {
		n.from, n.echo = map[Way]time.Time{}, map[Way]time.Time{}
	}
	if own {
		n.echo[by] = now
	} else {
		n.from[by] = now
	}
}

// sent notes how a packet left. One that went out to any target of an address
// counts: a missing route for one kind of broadcast is normal.
func (n *notes) sent(from, _ netip.Addr, err error) {
	now := time.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.sends == nil || len(n.sends) > maxSends {
		n.sends = map[netip.Addr]sending{}
	}
	if old := n.sends[from]; err != nil && old.err == nil && now.Sub(old.at) < 100*time.Millisecond {
		return
	}
	n.sends[from] = sending{now, err}
}

// wayOf tells broadcast from multicast by what the system says beside a packet.
func wayOf(from netip.Addr, side []byte) Way {
	if from.Is6() {
		return ByMulticast6
	}
	var cm ipv4.ControlMessage
	if len(side) == 0 || cm.Parse(side) != nil || cm.Dst == nil {
		return ByIPv4
	}
	if cm.Dst.IsMulticast() {
		return ByMulticast4
	}
	return ByBroadcast
}

// Report returns what is known of the network. It asks nobody.
func (t *Transport) Report() Report {
	r := Report{
		Loopback: t.loopback, Port: t.host.port, WantedPort: t.host.wanted,
		BeaconPort: t.radio.port, Deaf: t.radio.deaf,
		Heard: map[Way]time.Time{}, Echo: map[Way]time.Time{}, Peers: map[mesh.PeerID]PeerReport{},
	}
	t.guard.mu.Lock()
	r.Refused = t.guard.refused
	t.guard.mu.Unlock()
	t.mu.Lock()
	r.Every = every(t.air.seen.lately(time.Now()))
	for _, f := range t.ifs {
		r.Interfaces = append(r.Interfaces, InterfaceReport{Name: f.Name, Addrs: slices.Clone(f.Addrs)})
	}
	for p, addrs := range t.known {
		r.Peers[p] = PeerReport{Addrs: slices.Clone(addrs)}
	}
	for p, s := range t.air.seen.peers {
		known := r.Peers[p]
		last := s.runs[len(s.runs)-1]
		known.Gone = last.gone
		for _, src := range last.sources {
			if src.at.After(known.Heard) {
				known.Heard = src.at
			}
		}
		r.Peers[p] = known
	}
	t.mu.Unlock()
	t.notes.report(&r)
	return r
}

func (n *notes) report(r *Report) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for by, at := range n.from {
		r.Heard[by] = at
	}
	for by, at := range n.echo {
		r.Echo[by] = at
	}
	for i := range r.Interfaces {
		f := &r.Interfaces[i]
		for from, s := range n.sends {
			mine := from.Zone() == f.Name && from.Is6()
			for _, a := range f.Addrs {
				mine = mine || a.Addr() == from
			}
			switch {
			case !mine:
			case f.At.IsZero(), s.err == nil && f.Failed != nil: // one way out is enough
				f.At, f.Failed = s.at, s.err
			}
		}
	}
}

// A TryResult is what became of a connection tried.
type TryResult string

// Results of a try.
const (
	TryAnswers     TryResult = "answers"     // the device, by its key
	TryOther       TryResult = "other"       // another device of ours, by another key
	TryForeign     TryResult = "foreign"     // something that does not speak as we do
	TryRefused     TryResult = "refused"     // the computer is there, nothing listens
	TryTimeout     TryResult = "timeout"     // not a word
	TryUnreachable TryResult = "unreachable" // the network says that nobody is there, or that it is not allowed
	TryNoRoute     TryResult = "no-route"    // no network of this computer leads there
	TryNoName      TryResult = "no-name"     // a name, and nobody knows its address
	TryFailed      TryResult = "failed"
)

// A Try is one address of a peer, tried just now.
type Try struct {
	Addr   netip.AddrPort // zero with TryNoName
	Name   string         // with its port, if it was found by a name
	Result TryResult
	Err    error
}

// tryTime bounds one try. A device of the same network answers in milliseconds.
const tryTime = 3 * time.Second

// Try connects to every address once, learns who answers, and hangs up. Results
// are in order of the addresses that make sense, at most 16 and those of 4 names.
func (t *Transport) Try(ctx context.Context, p mesh.PeerID, addrs []string) []Try {
	ctx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	defer context.AfterFunc(t.ctx, cancel)()
	var out []Try
	for _, a := range parseAddrs(addrs) {
		out = append(out, Try{Addr: a})
	}
	for _, name := range parseNames(addrs) {
		all, err := lookup(ctx, name)
		if len(all) == 0 {
			out = append(out, Try{Name: name, Result: TryNoName, Err: err})
		}
		for _, a := range all {
			out = append(out, Try{Addr: a, Name: name})
		}
	}
	var wg sync.WaitGroup
	for i := range out {
		try := &out[i]
		if try.Result == TryNoName {
			continue
		}
		wg.Go(func() {
			id, _, err := t.host.ask(ctx, try.Addr.String())
			if err != nil && ctx.Err() != nil { // whatever it broke off
				err = context.DeadlineExceeded
			}
			try.Result, try.Err = tryResult(p, id, err), err
		})
	}
	wg.Wait()
	return out
}

// tryResult classes how a try ended. Windows has numbers of its own for these.
func tryResult(want mesh.PeerID, got peer.ID, err error) TryResult {
	is := func(unix, windows syscall.Errno) bool { return errors.Is(err, unix) || errors.Is(err, windows) }
	var timeout interface{ Timeout() bool }
	switch {
	case err == nil && mesh.PeerID(got.String()) == want:
		return TryAnswers
	case err == nil:
		return TryOther
	case is(syscall.ECONNREFUSED, 10061):
		return TryRefused
	case is(syscall.ENETUNREACH, 10051):
		return TryNoRoute
	case is(syscall.EHOSTUNREACH, 10065):
		return TryUnreachable
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return TryTimeout
	case errors.Is(err, errForeign):
		return TryForeign
	}
	return TryFailed
}

// errForeign is of an end that does not answer as a device of ours would.
var errForeign = errors.New("does not answer as a device of ours would")

// foreign wraps what went wrong with the handshake at an address.
func foreign(at string, err error) error {
	return fmt.Errorf("%s %w: %w", at, errForeign, err)
}
