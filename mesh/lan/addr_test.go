package lan

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"inselnetz/mesh"
)

func TestCheckAddr(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.7":              "192.0.2.7:21960",
		" 192.0.2.7:4000 ":       "192.0.2.7:4000",
		"2001:db8::7":            "[2001:db8::7]:21960",
		"[2001:db8::7]:4000":     "[2001:db8::7]:4000",
		"::ffff:192.0.2.7":       "192.0.2.7:21960",
		"Buero.Example.org":      "buero.example.org:21960",
		"buero.example.org.:443": "buero.example.org:443",
		"nas":                    "nas:21960",
		"1und1.example:1":        "1und1.example:1",
	} {
		if got, err := CheckAddr(in); err != nil || got != want {
			t.Errorf("CheckAddr(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", ":", ":21960", "host:", "host:0", "host:70000", "host:x", "a b", "-a", "a-", "a..b", "192.0.2", "192.0.2.700",
		"0.0.0.0", "[::]:1", "239.1.1.1", "https://a.example", "büro.example", "a.example/x",
		strings.Repeat("a", 64) + ".example", strings.Repeat("a.", 60) + "example",
	} {
		if got, err := CheckAddr(in); err == nil {
			t.Errorf("CheckAddr(%q) = %q", in, got)
		}
	}
}

// FuzzCheckAddr: what is accepted can be dialed, and is its own form.
func FuzzCheckAddr(f *testing.F) {
	for _, s := range []string{"192.0.2.7", "[2001:db8::7]:4000", "buero.example.org:1", "fe80::1%eth0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		a, err := CheckAddr(in)
		if err != nil {
			return
		}
		if again, err := CheckAddr(a); err != nil || again != a {
			t.Fatalf("CheckAddr(%q) = %q, and of that %q, %v", in, a, again, err)
		}
		if len(parseAddrs([]string{a}))+len(parseNames([]string{a})) != 1 {
			t.Fatalf("%q cannot be dialed", a)
		}
		if len(a) > 128 && !strings.Contains(a, "%") {
			t.Fatalf("%q is too long to be told", a)
		}
	})
}

func TestParseNames(t *testing.T) {
	got := parseNames([]string{"10.0.0.1:5", "a.example:5", "A.example:5", "nonsense", "b:0", "b:x", "[::1]:6", "c:7", "d:8", "e:9", "f:10"})
	if want := []string{"a.example:5", "c:7", "d:8", "e:9"}; !slices.Equal(got, want) {
		t.Errorf("parseNames = %q, want %q", got, want)
	}
}

// TestDialName reaches a device by a name that the system knows.
func TestDialName(t *testing.T) {
	beacons := freeUDP(t)
	ann, bob := open(t, "ann", beacons), open(t, "bob", beacons)
	_, port, err := net.SplitHostPort(bob.Addrs()[0])
	if err != nil {
		t.Fatal(err)
	}
	c, err := ann.Dial(t.Context(), bob.Self(), []string{"localhost:" + port}, mesh.ProtoSync)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if a, err := netip.ParseAddrPort(c.Path()); err != nil || !a.Addr().IsLoopback() {
		t.Errorf("reached at %q", c.Path())
	}
	tries := ann.Try(t.Context(), bob.Self(), []string{"localhost:" + port, "nobody.invalid:1"})
	if len(tries) < 2 || tries[0].Name != "localhost:"+port || tries[len(tries)-1].Result != TryNoName {
		t.Errorf("tries: %+v", tries)
	}
	if err := bob.SetOutside([]string{"Buero.Example", "192.0.2.1:5"}); err != nil {
		t.Fatal(err)
	}
	if got := bob.Addrs(); !slices.Equal(got[1:], []string{"buero.example:21960", "192.0.2.1:5"}) {
		t.Errorf("addresses: %q", got)
	}
	if bob.SetOutside([]string{"a", "b", "c", "d", "e"}) == nil || bob.SetOutside([]string{"a b"}) == nil {
		t.Error("nonsense is taken as an address from outside")
	}
}
