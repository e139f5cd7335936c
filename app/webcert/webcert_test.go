package webcert

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"encoding/xml"
	"errors"
	"math/big"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	now   = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	names = Names("NAS-Keller.fritz.box", "4f1c09aa")
	addr  = netip.MustParseAddr("192.168.1.7")
)

func authority(t testing.TB) *Authority {
	t.Helper()
	a, err := NewAuthority("Inselnetz nas-keller 4f1c09aa", Limits(names), now)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestNames(t *testing.T) {
	want := []string{"nas-keller.local", "nas-keller", "nas-keller.4f1c09aa.inselnetz.internal"}
	if !slices.Equal(names, want) {
		t.Errorf("names = %q", names)
	}
	if got, want := Limits(names), []string{"nas-keller.local", "nas-keller", "4f1c09aa.inselnetz.internal"}; !slices.Equal(got, want) {
		t.Errorf("limits = %q", got)
	}
	for in, want := range map[string]string{"Müller’s Praxis": "muellers-praxis", "  ": "x", "日本": "x", "--a--": "a", strings.Repeat("ab ", 40): strings.Repeat("ab-", 13) + "a"} {
		if got := Slug(in, "x"); got != want {
			t.Errorf("Slug(%q) = %q, want %q", in, got, want)
		}
	}
}

// forge signs whatever is asked, as whoever stole the authority's key would.
func forge(t *testing.T, a *Authority, dns []string, ips []net.IP) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := template("forged", now, leafLife)
	c.KeyUsage, c.DNSNames, c.IPAddresses = x509.KeyUsageDigitalSignature, dns, ips
	raw, err := x509.CreateCertificate(rand.Reader, c, a.Cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func verify(a *Authority, c *x509.Certificate, host string, at time.Time) error {
	roots := x509.NewCertPool()
	roots.AddCert(a.Cert)
	_, err := c.Verify(x509.VerifyOptions{Roots: roots, DNSName: host, CurrentTime: at})
	return err
}

func TestAuthorityIsLimited(t *testing.T) {
	a := authority(t)
	leaf, fresh, err := a.Leaf(names, []netip.Addr{addr}, now)
	if err != nil || !fresh {
		t.Fatal(fresh, err)
	}
	for _, host := range append(slices.Clone(names), "192.168.1.7") {
		if err := verify(a, leaf.Leaf, host, now); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	for what, tt := range map[string]struct {
		dns  []string
		ips  []net.IP
		host string
		good bool
	}{
		"another device of the office":   {[]string{"pc.4f1c09aa.inselnetz.internal"}, nil, "pc.4f1c09aa.inselnetz.internal", true},
		"another private address":        {nil, []net.IP{net.IPv4(10, 1, 2, 3)}, "10.1.2.3", true},
		"a private address of IPv6":      {nil, []net.IP{net.ParseIP("fd00::7")}, "fd00::7", true},
		"a public name":                  {[]string{"bank.example"}, nil, "bank.example", false},
		"another office":                 {[]string{"pc.praxis-nord.inselnetz.internal"}, nil, "pc.praxis-nord.inselnetz.internal", false},
		"another computer":               {[]string{"laptop.local"}, nil, "laptop.local", false},
		"a name that ends alike":         {[]string{"evil-nas-keller.local"}, nil, "evil-nas-keller.local", false},
		"a public name beside a good":    {[]string{"nas-keller.local", "bank.example"}, nil, "nas-keller.local", false},
		"a wildcard":                     {[]string{"*.example"}, nil, "bank.example", false},
		"a public address":               {nil, []net.IP{net.IPv4(93, 184, 216, 34)}, "93.184.216.34", false},
		"a public address of IPv6":       {nil, []net.IP{net.ParseIP("2001:db8::1")}, "2001:db8::1", false},
		"this computer from the outside": {nil, []net.IP{net.IPv4(127, 0, 0, 1)}, "127.0.0.1", false},
	} {
		t.Run(what, func(t *testing.T) {
			if err := verify(a, forge(t, a, tt.dns, tt.ips), tt.host, now); (err == nil) != tt.good {
				t.Errorf("verify: %v", err)
			}
		})
	}
}

// TestAuthorityMakesNoOther: a certificate the authority signs is none by which
// to sign, and what it signs is for servers.
func TestAuthorityMakesNoOther(t *testing.T) {
	a := authority(t)
	if a.Cert.MaxPathLen != 0 || !a.Cert.MaxPathLenZero || a.Cert.KeyUsage != x509.KeyUsageCertSign {
		t.Errorf("authority: path %d, usage %b", a.Cert.MaxPathLen, a.Cert.KeyUsage)
	}
	leaf, _, err := a.Leaf(names, nil, now)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.Cert)
	if _, err := leaf.Leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}}); err == nil {
		t.Error("a leaf signs code")
	}
	if leaf.Leaf.IsCA {
		t.Error("a leaf is an authority")
	}
}

func TestLeafIsKeptAndRenewed(t *testing.T) {
	a := authority(t)
	get := func(at time.Time, addrs ...string) (*x509.Certificate, bool) {
		var ips []netip.Addr
		for _, s := range addrs {
			ips = append(ips, netip.MustParseAddr(s))
		}
		leaf, fresh, err := a.Leaf(append(slices.Clone(names), "nas.example"), ips, at)
		if err != nil {
			t.Fatal(err)
		}
		return leaf.Leaf, fresh
	}
	first, _ := get(now, "192.168.1.7", "8.8.8.8")
	if slices.Contains(first.DNSNames, "nas.example") || len(first.IPAddresses) != 1 {
		t.Errorf("leaf is for %q %v", first.DNSNames, first.IPAddresses)
	}
	if life := first.NotAfter.Sub(first.NotBefore); life > 397*24*time.Hour {
		t.Errorf("leaf lives %v", life)
	}
	if _, fresh := get(now.AddDate(0, 11, 0), "192.168.1.7"); fresh {
		t.Error("a leaf that does was replaced")
	}
	moved, fresh := get(now, "192.168.1.8")
	if !fresh || !covers(moved, nil, []netip.Addr{addr, netip.MustParseAddr("192.168.1.8")}) {
		t.Errorf("after a move: fresh %v, addresses %v", fresh, moved.IPAddresses)
	}
	later := now.Add(leafLife - 29*24*time.Hour - clockSlack)
	renewed, fresh := get(later, "192.168.1.8")
	if !fresh || verify(a, renewed, "192.168.1.8", later.AddDate(0, 12, 0)) != nil {
		t.Error("a leaf that ends soon was not renewed")
	}
	end := a.Cert.NotAfter.AddDate(0, -1, 0)
	if last, _ := get(end); last.NotAfter.After(a.Cert.NotAfter) {
		t.Error("a leaf outlives its authority")
	}
	if a.Valid(a.Cert.NotAfter) || !a.Valid(now) || a.Valid(now.AddDate(-1, 0, 0)) {
		t.Error("Valid")
	}
}

func TestAuthorityIsStored(t *testing.T) {
	a := authority(t)
	for range 2 { // without a leaf, and with one
		raw, err := a.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		b, err := ParseAuthority(raw)
		if err != nil {
			t.Fatal(err)
		}
		if !b.Cert.Equal(a.Cert) || (b.leaf.Leaf == nil) != (a.leaf.Leaf == nil) {
			t.Error("read back another one")
		}
		if _, _, err := a.Leaf(names, nil, now); err != nil {
			t.Fatal(err)
		}
	}
	raw, _ := a.Bytes()
	b, err := ParseAuthority(raw)
	if err != nil {
		t.Fatal(err)
	}
	if _, fresh, _ := b.Leaf(names, nil, now); fresh {
		t.Error("a stored leaf was replaced")
	}
	other, _ := authority(t).Bytes()
	for what, bad := range map[string][]byte{"nothing": nil, "half": raw[:len(raw)/2], "mixed": append(slices.Clone(other), raw...), "a leaf alone": raw[len(raw)/2:]} {
		if what == "mixed" {
			block, rest := pem.Decode(raw) // another's key beside this certificate
			_, rest = pem.Decode(rest)
			_, otherRest := pem.Decode(other)
			bad = append(append(pem.EncodeToMemory(block), otherRest...), rest...)
		}
		if _, err := ParseAuthority(bad); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestProfile(t *testing.T) {
	a := authority(t)
	raw := a.Profile("Inselnetz <Kanzlei & Co>", "Nur für diese Namen")
	d := xml.NewDecoder(strings.NewReader(string(raw)))
	texts := ""
	for {
		tok, err := d.Token()
		if err != nil {
			if err.Error() != "EOF" {
				t.Fatal(err)
			}
			break
		}
		if c, ok := tok.(xml.CharData); ok {
			texts += string(c)
		}
	}
	if !strings.Contains(texts, "Inselnetz <Kanzlei & Co>") || !strings.Contains(texts, "com.apple.security.root") {
		t.Errorf("profile says %q", texts)
	}
	if string(raw) != string(a.Profile("Inselnetz <Kanzlei & Co>", "Nur für diese Namen")) {
		t.Error("a second profile would be installed beside the first")
	}
}

// TestOpenSSL has another program judge the chain and its limits.
func TestOpenSSL(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("no openssl")
	}
	a := authority(t)
	dir := t.TempDir()
	write := func(name string, c *x509.Certificate) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	root := write("root.pem", a.Cert)
	leaf, _, err := a.Leaf(names, []netip.Addr{addr}, now)
	if err != nil {
		t.Fatal(err)
	}
	check := func(file, kind, host string) (string, error) {
		out, err := exec.CommandContext(t.Context(), openssl, "verify", "-x509_strict", "-purpose", "sslserver", "-attime", "1795348800",
			"-CAfile", root, kind, host, file).CombinedOutput()
		return string(out), err
	}
	good := write("leaf.pem", leaf.Leaf)
	if out, err := check(good, "-verify_hostname", "nas-keller.local"); err != nil {
		t.Errorf("openssl refuses: %s", out)
	}
	if out, err := check(good, "-verify_ip", "192.168.1.7"); err != nil {
		t.Errorf("openssl refuses the address: %s", out)
	}
	for host, c := range map[string]*x509.Certificate{
		"bank.example":  forge(t, a, []string{"bank.example"}, nil),
		"93.184.216.34": forge(t, a, nil, []net.IP{net.IPv4(93, 184, 216, 34)}),
	} {
		kind := "-verify_hostname"
		if net.ParseIP(host) != nil {
			kind = "-verify_ip"
		}
		if out, err := check(write("forged.pem", c), kind, host); err == nil || !strings.Contains(out, "permitted subtree violation") {
			t.Errorf("openssl on %s: %v %s", host, err, out)
		}
	}
}

// bring makes a company's certificate with an authority above it.
func bring(t testing.TB, key crypto.Signer, change func(*x509.Certificate)) (chain, keyPEM []byte) {
	t.Helper()
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Root"}, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(9, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	rootRaw, err := x509.CreateCertificate(rand.Reader, root, root, rootKey.Public(), rootKey)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(0, 2, 0), BasicConstraintsValid: true,
		DNSNames: []string{"nas.kanzlei.example", "*.intern.kanzlei.example"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	if change != nil {
		change(c)
	}
	raw, err := x509.CreateCertificate(rand.Reader, c, root, key.Public(), rootKey)
	if err != nil {
		t.Fatal(err)
	}
	keyRaw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	enc := func(kind string, b []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}) }
	return append(enc("CERTIFICATE", raw), enc("CERTIFICATE", rootRaw)...), enc("PRIVATE KEY", keyRaw)
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestCompany(t *testing.T) {
	key := newKey(t)
	chain, keyPEM := bring(t, key, nil)
	c, err := ParseCompany(chain, keyPEM, now)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.TLS.Certificate) != 2 || !slices.Equal(c.Names, []string{"nas.kanzlei.example", "*.intern.kanzlei.example"}) {
		t.Errorf("chain of %d for %q", len(c.TLS.Certificate), c.Names)
	}
	for host, want := range map[string]bool{"nas.kanzlei.example": true, "a.intern.kanzlei.example": true, "a.b.intern.kanzlei.example": false, "evil.example": false, "": false} {
		if c.Speaks(host, now) != want {
			t.Errorf("Speaks(%q) = %v", host, !want)
		}
	}
	if c.Speaks("nas.kanzlei.example", now.AddDate(0, 3, 0)) || (*Company)(nil).Speaks("x", now) {
		t.Error("an expired or missing certificate speaks")
	}
	raw, err := c.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if back, err := ParseCompany(raw, nil, now); err != nil || !back.TLS.Leaf.Equal(c.TLS.Leaf) {
		t.Errorf("read back: %v", err)
	}
}

func TestCompanyRefused(t *testing.T) {
	key := newKey(t)
	chain, keyPEM := bring(t, key, nil)
	with := func(change func(*x509.Certificate)) func() ([]byte, []byte) {
		return func() ([]byte, []byte) { return bring(t, key, change) }
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		weak = nil // this Go makes none
	}
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	block, rest := pem.Decode(chain)
	reversed := append(slices.Clone(rest), pem.EncodeToMemory(block)...)
	otherChain, otherKey := bring(t, newKey(t), nil)
	_, otherRoot := pem.Decode(otherChain)
	for what, tt := range map[string]struct {
		get  func() ([]byte, []byte)
		want error
	}{
		"expired":       {with(func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Hour) }), ErrExpired},
		"not yet":       {with(func(c *x509.Certificate) { c.NotBefore = now.Add(time.Hour) }), ErrNotYet},
		"no names":      {with(func(c *x509.Certificate) { c.DNSNames = nil }), ErrNoNames},
		"for clients":   {with(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }), ErrNotServer},
		"another's key": {func() ([]byte, []byte) { return chain, otherKey }, ErrKeyOther},
		"no key":        {func() ([]byte, []byte) { return chain, nil }, ErrNoKey},
		"locked key": {func() ([]byte, []byte) {
			return chain, pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte{1}})
		}, ErrKeyLocked},
		"broken key": {func() ([]byte, []byte) {
			return chain, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1}})
		}, ErrNoKey},
		"authority first": {func() ([]byte, []byte) { return reversed, keyPEM }, ErrIsAuthority},
		"another's chain": {func() ([]byte, []byte) { return append(pem.EncodeToMemory(block), otherRoot...), keyPEM }, ErrChain},
		"much too long":   {func() ([]byte, []byte) { return make([]byte, MaxCompany+1), keyPEM }, ErrTooLarge},
		"many":            {func() ([]byte, []byte) { return []byte(strings.Repeat(string(pem.EncodeToMemory(block)), 9)), keyPEM }, ErrChain},
		"nothing":         {func() ([]byte, []byte) { return nil, keyPEM }, ErrNoPEM},
		"PKCS#12":         {func() ([]byte, []byte) { return []byte{0x30, 0x82, 9, 9, 2, 1, 3}, nil }, ErrPKCS12},
		"key of Ed25519":  {func() ([]byte, []byte) { return bring(t, ed, nil) }, ErrKeyWeak},
		"weak key":        {func() ([]byte, []byte) { return bring(t, weak, nil) }, ErrKeyWeak},
		"broken, but PEM": {func() ([]byte, []byte) {
			return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{1}}), keyPEM
		}, ErrNoPEM},
		"key before chain": {func() ([]byte, []byte) { return append(slices.Clone(keyPEM), chain...), nil }, nil},
	} {
		t.Run(what, func(t *testing.T) {
			if what == "weak key" && weak == nil {
				return
			}
			c, k := tt.get()
			if _, err := ParseCompany(c, k, now); !errors.Is(err, tt.want) || (tt.want == nil) != (err == nil) {
				t.Errorf("%v, want %v", err, tt.want)
			}
		})
	}
}

func FuzzParseCompany(f *testing.F) {
	chain, key := bring(f, newKey(f), nil)
	f.Add(chain, key)
	f.Add(append(chain, key...), []byte(nil))
	f.Add([]byte{0x30, 0x82}, []byte("-----BEGIN"))
	f.Fuzz(func(t *testing.T, chain, key []byte) {
		c, err := ParseCompany(chain, key, now)
		if err != nil {
			return
		}
		raw, err := c.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if back, err := ParseCompany(raw, nil, now); err != nil || !back.TLS.Leaf.Equal(c.TLS.Leaf) {
			t.Errorf("read back: %v", err)
		}
	})
}

func FuzzParseAuthority(f *testing.F) {
	a := authority(f)
	raw, _ := a.Bytes()
	f.Add(raw)
	_, _, _ = a.Leaf(names, []netip.Addr{addr}, now)
	raw, _ = a.Bytes()
	f.Add(raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := ParseAuthority(raw)
		if err != nil {
			return
		}
		if _, _, err := a.Leaf(names, []netip.Addr{addr}, now); err != nil {
			t.Error(err)
		}
	})
}
