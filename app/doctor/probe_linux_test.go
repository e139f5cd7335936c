package doctor

import (
	"encoding/hex"
	"net/netip"
	"testing"
)

// TestLook runs on whatever computer the tests do: it must come back, know the
// loopback interface and send nothing.
func TestLook(t *testing.T) {
	s := Look(t.Context(), 21960, 21961)
	found := false
	for _, i := range s.Interfaces {
		found = found || i.Kind == Loopback
	}
	if !found {
		t.Errorf("no loopback interface among %v", s.Interfaces)
	}
	if s.Neighbours == nil {
		t.Error("the kernel says nothing about neighbours")
	}
}

// A neighbour 192.0.2.9 on interface 2, as the kernel tells it: ndmsg, NDA_DST,
// NDA_CACHEINFO confirmed 100 ticks ago.
const recordedNeighbour = "0200000002000000" + "0400" + "00" + "01" + "08000100c0000209" + "14000300" + "64000000" + "64000000" + "64000000" + "00000000"

func neighbourOf(t testing.TB, state string, confirmed string) []byte {
	t.Helper()
	raw := []byte(recordedNeighbour)
	copy(raw[16:], state)
	copy(raw[48:], confirmed)
	b, err := hex.DecodeString(string(raw))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestKernelNeighbour(t *testing.T) {
	for name, tt := range map[string]struct {
		state, confirmed string
		want             NeighbourState
	}{
		"reachable":         {"0200", "ffff0000", Answered},
		"stale, long ago":   {"0400", "ffff0000", Unsure},
		"stale, one second": {"0400", "64000000", Answered},
		"failed":            {"2000", "64000000", Silent},
		"incomplete":        {"0100", "ffff0000", Asked},
	} {
		n, ok := kernelNeighbour(neighbourOf(t, tt.state, tt.confirmed))
		if !ok || n.State != tt.want || n.Addr != netip.MustParseAddr("192.0.2.9") {
			t.Errorf("%s: %v, %v, want %d", name, n, ok, tt.want)
		}
	}
	if _, ok := kernelNeighbour(neighbourOf(t, "0200", "00000000")[:12]); ok {
		t.Error("a neighbour without an address")
	}
}

func FuzzKernelNeighbour(f *testing.F) {
	f.Add(neighbourOf(f, "0200", "64000000"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if n, ok := kernelNeighbour(b); ok && (!n.Addr.IsValid() || n.Addr.IsMulticast()) {
			t.Errorf("%v", n)
		}
	})
}
