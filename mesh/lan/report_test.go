package lan

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"inselnetz/crdt/log"
	"inselnetz/mesh"
)

// loop opens a Transport on loopback.
func loop(t *testing.T, beacon int) *Transport {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := New(t.Context(), Options{Key: key, BeaconPort: beacon, Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close() })
	return tr
}

func TestTry(t *testing.T) {
	a, b := loop(t, 25961), loop(t, 25961)
	go func() {
		for {
			c, err := b.Accept(t.Context())
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	free, err := net.Listen("tcp4", "127.0.0.1:0") // an address at which nobody listens
	if err != nil {
		t.Fatal(err)
	}
	nobody := free.Addr().String()
	free.Close()
	web, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer web.Close()
	go func() {
		for {
			c, err := web.Accept()
			if err != nil {
				return
			}
			c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
			c.Close()
		}
	}()
	at := fmt.Sprintf("127.0.0.1:%d", b.host.port)
	for name, tt := range map[string]struct {
		peer mesh.PeerID
		addr string
		want TryResult
	}{
		"the device":      {b.Self(), at, TryAnswers},
		"another device":  {a.Self(), at, TryOther},
		"nobody":          {b.Self(), nobody, TryRefused},
		"another program": {b.Self(), web.Addr().String(), TryForeign},
	} {
		got := a.Try(t.Context(), tt.peer, []string{"no address", tt.addr, tt.addr})
		if len(got) != 1 || got[0].Result != tt.want {
			t.Errorf("%s: %v, want %s", name, got, tt.want)
		}
	}
	ctx, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	if got := a.Try(ctx, b.Self(), []string{at}); got[0].Result != TryTimeout {
		t.Errorf("out of time: %v", got)
	}
}

func TestTryResult(t *testing.T) {
	of := func(err error) error { return &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", err)} }
	for _, tt := range []struct {
		err  error
		want TryResult
	}{
		{of(syscall.ECONNREFUSED), TryRefused},
		{of(syscall.Errno(10061)), TryRefused},
		{of(syscall.ENETUNREACH), TryNoRoute},
		{of(syscall.Errno(10051)), TryNoRoute},
		{of(syscall.EHOSTUNREACH), TryUnreachable},
		{of(syscall.Errno(10065)), TryUnreachable},
		{of(os.ErrDeadlineExceeded), TryTimeout},
		{context.DeadlineExceeded, TryTimeout},
		{foreign("x", errors.New("garbled")), TryForeign},
		{errors.New("who knows"), TryFailed},
	} {
		if got := tryResult("x", "", tt.err); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.err, got, tt.want)
		}
	}
}

// TestReport: two devices that hear each other say so, by which way, and that
// their own beacons come back.
func TestReport(t *testing.T) {
	a, b := loop(t, 25962), loop(t, 25962)
	if r := a.Report(); len(r.Heard) != 0 || !r.Loopback || r.BeaconPort != 25962 || r.Deaf != nil || r.Port == 0 {
		t.Errorf("before anything was said: %+v", r)
	}
	keys := []log.Key{{1}}
	a.Announce(keys)
	b.Announce(keys)
	end := time.After(10 * time.Second)
	for {
		r := a.Report()
		p := r.Peers[b.Self()]
		if !latestOf(r.Heard).IsZero() && !latestOf(r.Echo).IsZero() && !p.Heard.IsZero() && len(p.Addrs) > 0 && !p.Gone &&
			!slices.ContainsFunc(r.Interfaces, func(i InterfaceReport) bool { return i.At.IsZero() }) { // a packet may be heard before it is noted as sent
			break
		}
		select {
		case <-b.Sightings():
		case <-a.Sightings():
		case <-time.After(20 * time.Millisecond):
		case <-end:
			t.Fatalf("not heard: %+v", r)
		}
	}
	for _, i := range a.Report().Interfaces {
		if i.Failed != nil {
			t.Errorf("interface %+v", i)
		}
	}
	b.Close()
	for !a.Report().Peers[b.Self()].Gone {
		select {
		case <-a.Sightings():
		case <-time.After(20 * time.Millisecond):
		case <-end:
			t.Fatal("the goodbye was not heard")
		}
	}
}

func latestOf(times map[Way]time.Time) (last time.Time) {
	for _, at := range times {
		if at.After(last) {
			last = at
		}
	}
	return last
}

func TestNotes(t *testing.T) {
	eth, far := netip.MustParsePrefix("192.168.1.7/24"), netip.MustParseAddr("255.255.255.255")
	r := func(n *notes) InterfaceReport {
		r := Report{Interfaces: []InterfaceReport{{Name: "eth0", Addrs: []netip.Prefix{eth}}}, Heard: map[Way]time.Time{}, Echo: map[Way]time.Time{}}
		n.report(&r)
		return r.Interfaces[0]
	}
	gone := errors.New("network is down")
	var n notes
	n.sent(eth.Addr(), far, gone)
	if got := r(&n); got.Failed == nil || got.At.IsZero() {
		t.Errorf("a packet that did not leave: %+v", got)
	}
	n.sent(eth.Addr(), far, nil)
	n.sent(eth.Addr(), far, gone) // another target of the same turn
	if got := r(&n); got.Failed != nil {
		t.Errorf("one target of three was reached: %+v", got)
	}
	n = notes{}
	n.sent(netip.IPv6Unspecified().WithZone("eth0"), netip.Addr{}, nil)
	n.sent(eth.Addr(), far, gone)
	if got := r(&n); got.Failed != nil {
		t.Errorf("IPv6 works: %+v", got)
	}
	for i := range 3 * maxSends {
		n.sent(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), far, nil)
	}
	if len(n.sends) > maxSends+1 {
		t.Errorf("%d addresses are remembered", len(n.sends))
	}
	if got := wayOf(netip.MustParseAddr("fe80::1"), nil); got != ByMulticast6 {
		t.Errorf("IPv6 came by %s", got)
	}
	if got := wayOf(eth.Addr(), []byte(strings.Repeat("x", 7))); got != ByIPv4 {
		t.Errorf("garbled words of the system: %s", got)
	}
}
