package lan

import (
	"net"
	"net/netip"
	"testing"
	"time"
)

func TestOrphan(t *testing.T) {
	own := map[netip.Addr]bool{netip.MustParseAddr("10.77.0.1"): true, netip.MustParseAddr("fe80::1"): true}
	for ip, want := range map[string]bool{
		"10.77.0.1": false, "10.77.0.2": true, "fe80::1": false, "fe80::2": true,
		"0.0.0.0": false, "::": false, "::ffff:10.77.0.1": false,
	} {
		if got := orphan(net.ParseIP(ip), own); got != want {
			t.Errorf("orphan(%s) = %v, want %v", ip, got, want)
		}
	}
}

// Notices bring the next look forward, and many at once bring one.
func TestLookSoon(t *testing.T) {
	now := time.Now()
	tr := &Transport{kick: make(chan struct{}, 1), looked: now}
	tr.air.nextLook = now.Add(lookEvery)
	tr.lookSoon()
	if got := tr.air.nextLook.Sub(now); got != lookPause {
		t.Errorf("the next look is after %v, want %v", got, lookPause)
	}
	tr.lookSoon()
	if got := tr.air.nextLook.Sub(now); got != lookPause {
		t.Errorf("with another notice it is after %v", got)
	}
	tr.looked = now.Add(-time.Minute)
	tr.air.nextLook = now.Add(lookEvery)
	tr.lookSoon()
	if tr.air.nextLook.After(time.Now()) {
		t.Error("after a quiet minute it is not at once")
	}
}
