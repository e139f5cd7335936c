package lan

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"inselnetz/crdt/log"
)

func drawBeacon(t *rapid.T) beacon {
	b := beacon{
		Counter: rapid.Uint64().Draw(t, "counter"),
		Burst:   rapid.Uint32().Draw(t, "burst"),
		Gone:    rapid.Bool().Draw(t, "gone"),
		Port:    rapid.Uint16Range(1, 65535).Draw(t, "port"),
		Peer:    string(rapid.SliceOfN(rapid.Byte(), 1, maxPeerBytes).Draw(t, "peer")),
	}
	copy(b.Instance[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "instance"))
	for range rapid.IntRange(0, maxClaims).Draw(t, "claims") {
		size := rapid.SampledFrom([]int{4, 16}).Draw(t, "size")
		a, _ := netip.AddrFromSlice(rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "addr"))
		b.Claims = append(b.Claims, a.Unmap())
	}
	return b
}

func TestBeaconRoundTrip(t *testing.T) {
	ours, other := beaconKey(log.Key{1}), beaconKey(log.Key{2})
	size := 0
	rapid.Check(t, func(t *rapid.T) {
		want := drawBeacon(t)
		p, err := sealBeacon(ours, want)
		if err != nil {
			t.Fatal(err)
		}
		if size == 0 {
			size = len(p)
		}
		if len(p) != size || len(p) > maxPacket {
			t.Fatalf("packet of %d bytes, others have %d", len(p), size)
		}
		got, err := openBeacon([][]byte{other, ours}, p)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, %v; want %+v", got, err, want)
		}
		if _, err := openBeacon([][]byte{other}, p); err == nil {
			t.Fatal("opened with another workspace's key")
		}
		p[rapid.IntRange(0, len(p)-1).Draw(t, "at")] ^= 1
		if _, err := openBeacon([][]byte{ours}, p); err == nil {
			t.Fatal("opened a changed packet")
		}
	})
}

// What a stranger sees of two beacons of one device must not tell that they
// belong together: no byte after the fixed head is the same in all of them.
func TestBeaconRevealsNothing(t *testing.T) {
	var packets [][]byte
	for i := range 64 {
		p, err := sealBeacon(beaconKey(log.Key{1}), beacon{Counter: uint64(i), Port: DefaultPort, Peer: "peer"})
		if err != nil {
			t.Fatal(err)
		}
		packets = append(packets, p)
	}
	for at := headerSize; at < len(packets[0]); at++ {
		same := true
		for _, p := range packets[1:] {
			same = same && p[at] == packets[0][at]
		}
		if same {
			t.Errorf("byte %d is the same in all packets", at)
		}
	}
}

func TestNotice(t *testing.T) {
	good := notice{Name: "Birke 7", Port: 21960, Peer: "peer"}
	if got, err := openNotice(sealNotice(good)); err != nil || got != good {
		t.Errorf("got %+v, %v", got, err)
	}
	for name, n := range map[string]notice{
		"no name":              {Port: 1, Peer: "p"},
		"no peer":              {Name: "a", Port: 1},
		"no port":              {Name: "a", Peer: "p"},
		"right-to-left":        {Name: "a\u202eb", Port: 1, Peer: "p"},
		"line feed":            {Name: "a\nb", Port: 1, Peer: "p"},
		"not text":             {Name: "a\xff", Port: 1, Peer: "p"},
		"long name":            {Name: strings.Repeat("a", maxDoorName+1), Port: 1, Peer: "p"},
		"spaces around":        {Name: " a ", Port: 1, Peer: "p"},
		"peer that is no peer": {Name: "a", Port: 1, Peer: strings.Repeat("p", maxPeerBytes+1)},
	} {
		if got, err := openNotice(sealNotice(n)); err == nil {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestCleanName(t *testing.T) {
	for in, want := range map[string]string{
		"Birke 7":                "Birke 7",
		" a\u202eb\n\x00 ":       "ab",
		strings.Repeat("ä", 100): strings.Repeat("ä", maxDoorName/2),
		"\xff":                   "",
	} {
		if got := cleanName(in); got != want {
			t.Errorf("cleanName(%q) = %q, want %q", in, got, want)
		}
	}
}

// FuzzBeacon feeds the decoders behind the seal: what they take, they give back.
func FuzzBeacon(f *testing.F) {
	f.Add(appendBeacon(nil, beacon{Port: 1, Peer: "p", Claims: []netip.Addr{netip.MustParseAddr("10.0.0.1")}}))
	f.Add(sealNotice(notice{Name: "Birke 7", Port: 21960, Peer: "peer"}))
	f.Fuzz(func(t *testing.T, p []byte) {
		if b, err := readBeacon(p); err == nil {
			if again := appendBeacon(nil, b); !bytes.HasPrefix(p, again) {
				t.Errorf("read %x, wrote %x", p, again)
			}
		}
		if n, err := openNotice(p); err == nil && !bytes.Equal(sealNotice(n), p) {
			t.Errorf("read %x, wrote %x", p, sealNotice(n))
		}
		openBeacon([][]byte{make([]byte, 32)}, p)
	})
}

func TestReadFrame(t *testing.T) {
	for name, tt := range map[string]struct {
		in   string
		want string
		err  error
	}{
		"empty":        {"\x00\x00\x00\x00", "", nil},
		"short":        {"\x00\x00\x00\x02hi", "hi", nil},
		"cut":          {"\x00\x00\x00\x03hi", "", io.ErrUnexpectedEOF},
		"no body":      {"\x00\x00\x00\x03", "", io.ErrUnexpectedEOF},
		"cut length":   {"\x00\x00", "", io.ErrUnexpectedEOF},
		"end":          {"", "", io.EOF},
		"too long":     {"\xff\xff\xff\xffhi", "", errFrame},
		"one too long": {"\x00\x04\x40\x01", "", errFrame},
	} {
		got, err := readFrame(strings.NewReader(tt.in))
		if string(got) != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%s: got %q, %v; want %q, %v", name, got, err, tt.want, tt.err)
		}
	}
}

func FuzzFrame(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x02hi"))
	f.Add([]byte("\xff\xff\xff\xffhi"))
	f.Fuzz(func(t *testing.T, p []byte) {
		frame, err := readFrame(bytes.NewReader(p))
		if err != nil {
			return
		}
		if cap(frame) > 2*len(p)+2*readPiece {
			t.Errorf("%d bytes allocated for %d", cap(frame), len(p))
		}
		var again bytes.Buffer
		if err := writeFrame(&again, frame); err != nil || !bytes.HasPrefix(p, again.Bytes()) {
			t.Errorf("read %x, wrote %x, %v", p, again.Bytes(), err)
		}
	})
}
