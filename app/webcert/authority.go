// Package webcert makes and judges the certificates by which browsers of the
// local network reach this device's page: a certificate authority of the
// device's own, limited to its names, and certificates a company brings.
package webcert

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Lives of certificates. Browsers accept a leaf of at most 398 days (CA/Browser
// Forum, Baseline Requirements 6.3.2); Apple holds private authorities to 825.
const (
	authorityLife = 10 * 365 * 24 * time.Hour
	leafLife      = 397 * 24 * time.Hour
	renewBefore   = 30 * 24 * time.Hour
	clockSlack    = 24 * time.Hour // clocks of phones and PCs differ
)

// maxAddrs bounds the addresses of one leaf.
const maxAddrs = 24

// privateRanges are all the addresses an authority may speak for: RFC 1918,
// RFC 3927, RFC 4193, RFC 4291.
var privateRanges = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("fc00::/7"),
	netip.MustParsePrefix("fe80::/10"),
}

// Private reports whether an authority may speak for an address.
func Private(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return slices.ContainsFunc(privateRanges, func(p netip.Prefix) bool { return p.Contains(a) })
}

// An Authority signs certificates for one device's page and for nothing else:
// its own certificate names, critically, the only names and addresses for which
// a browser may believe it.
type Authority struct {
	Cert *x509.Certificate
	key  *ecdsa.PrivateKey
	leaf tls.Certificate // the last one issued; empty: none
}

// ErrDamaged: stored certificates are not what this package wrote.
var ErrDamaged = errors.New("stored certificates are damaged")

// NewAuthority makes an authority limited to these DNS names and all below them.
// The title is what people find it by among others; everybody sees it.
func NewAuthority(title string, names []string, now time.Time) (*Authority, error) {
	if len(names) == 0 {
		return nil, errors.New("an authority needs a name to be limited to")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	t := template(shorten(title, 60), now, authorityLife)
	t.IsCA, t.BasicConstraintsValid, t.MaxPathLenZero = true, true, true
	t.KeyUsage = x509.KeyUsageCertSign
	t.PermittedDNSDomainsCritical = true // one flag for the whole extension
	t.PermittedDNSDomains = names
	for _, p := range privateRanges {
		t.PermittedIPRanges = append(t.PermittedIPRanges, &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())})
	}
	raw, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make authority: %w", err)
	}
	cert, err := x509.ParseCertificate(raw)
	return &Authority{Cert: cert, key: key}, err
}

// template is what all our certificates have in common. The use for servers
// alone stands in the authority too: programs that look hold the leaf to it.
func template(name string, now time.Time, life time.Duration) *x509.Certificate {
	var serial [16]byte
	_, _ = rand.Read(serial[:]) // never fails since Go 1.24
	serial[0] &= 0x7f           // RFC 5280, 4.1.2.2: positive
	return &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial[:]),
		Subject:      pkix.Name{CommonName: name, Organization: []string{"Inselnetz"}},
		NotBefore:    now.Add(-clockSlack).UTC(), NotAfter: now.Add(life - clockSlack).UTC(),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
}

// shorten keeps a name within what fits a common name (64 characters).
func shorten(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}

// Permits reports whether the authority may speak for a DNS name.
func (a *Authority) Permits(name string) bool {
	return slices.ContainsFunc(a.Cert.PermittedDNSDomains, func(p string) bool {
		return strings.EqualFold(name, p) || strings.HasSuffix(strings.ToLower(name), "."+strings.ToLower(p))
	})
}

// Valid reports whether the authority can be used at a time.
func (a *Authority) Valid(now time.Time) bool {
	return !now.Before(a.Cert.NotBefore) && now.Before(a.Cert.NotAfter.Add(-clockSlack))
}

// Leaf returns the certificate for these names and addresses, and whether it is
// a new one, to be stored. What the authority may not speak for is left out.
// The last one is kept as long as it will do, so that a browser that was told to
// trust it need not be asked again; addresses it had stay in a new one.
func (a *Authority) Leaf(names []string, addrs []netip.Addr, now time.Time) (_ tls.Certificate, fresh bool, err error) {
	names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !a.Permits(n) })
	addrs = slices.DeleteFunc(slices.Clone(addrs), func(ip netip.Addr) bool { return !Private(ip) })
	if len(addrs) > maxAddrs {
		addrs = addrs[:maxAddrs]
	}
	if old := a.leaf.Leaf; old != nil {
		if now.After(old.NotBefore) && now.Before(old.NotAfter.Add(-renewBefore)) && covers(old, names, addrs) {
			return a.leaf, false, nil
		}
		for _, ip := range addresses(old) {
			if len(addrs) < maxAddrs && !slices.Contains(addrs, ip) {
				addrs = append(addrs, ip)
			}
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return a.leaf, false, err
	}
	t := template("Inselnetz", now, leafLife)
	if t.NotAfter.After(a.Cert.NotAfter) {
		t.NotAfter = a.Cert.NotAfter
	}
	t.KeyUsage, t.BasicConstraintsValid = x509.KeyUsageDigitalSignature, true
	t.DNSNames = names
	for _, ip := range addrs {
		t.IPAddresses = append(t.IPAddresses, ip.Unmap().AsSlice())
	}
	raw, err := x509.CreateCertificate(rand.Reader, t, a.Cert, key.Public(), a.key)
	if err != nil {
		return a.leaf, false, fmt.Errorf("make certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		return a.leaf, false, err
	}
	a.leaf = tls.Certificate{Certificate: [][]byte{raw, a.Cert.Raw}, PrivateKey: key, Leaf: cert}
	return a.leaf, true, nil
}

func covers(c *x509.Certificate, names []string, addrs []netip.Addr) bool {
	has := addresses(c)
	return !slices.ContainsFunc(names, func(n string) bool { return !slices.Contains(c.DNSNames, n) }) &&
		!slices.ContainsFunc(addrs, func(ip netip.Addr) bool { return !slices.Contains(has, ip.Unmap()) })
}

func addresses(c *x509.Certificate) []netip.Addr {
	var out []netip.Addr
	for _, ip := range c.IPAddresses {
		if a, ok := netip.AddrFromSlice(ip); ok {
			out = append(out, a.Unmap())
		}
	}
	return out
}

// Bytes is the authority with its key and its last leaf, for ParseAuthority. It
// is secret.
func (a *Authority) Bytes() ([]byte, error) {
	var out bytes.Buffer
	add := func(cert []byte, key any) error {
		raw, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return err
		}
		_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: cert}) // a buffer takes all
		return pem.Encode(&out, &pem.Block{Type: "PRIVATE KEY", Bytes: raw})
	}
	err := add(a.Cert.Raw, a.key)
	if err == nil && a.leaf.Leaf != nil {
		err = add(a.leaf.Certificate[0], a.leaf.PrivateKey)
	}
	return out.Bytes(), err
}

// ParseAuthority reads what Bytes wrote. The error is ErrDamaged.
func ParseAuthority(raw []byte) (*Authority, error) {
	cert, key, rest, err := pair(raw)
	if err != nil {
		return nil, err
	}
	if !cert.IsCA || !cert.PermittedDNSDomainsCritical || len(cert.PermittedDNSDomains) == 0 || len(cert.PermittedIPRanges) == 0 {
		return nil, fmt.Errorf("%w: not a limited authority", ErrDamaged)
	}
	a := &Authority{Cert: cert, key: key}
	if len(bytes.TrimSpace(rest)) == 0 {
		return a, nil
	}
	leaf, leafKey, _, err := pair(rest)
	if err != nil {
		return nil, err
	}
	if err := leaf.CheckSignatureFrom(cert); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	a.leaf = tls.Certificate{Certificate: [][]byte{leaf.Raw, cert.Raw}, PrivateKey: leafKey, Leaf: leaf}
	return a, nil
}

// pair reads one certificate and its key.
func pair(raw []byte) (*x509.Certificate, *ecdsa.PrivateKey, []byte, error) {
	bad := func(err error) (*x509.Certificate, *ecdsa.PrivateKey, []byte, error) {
		return nil, nil, nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	c, rest := pem.Decode(raw)
	if c == nil || c.Type != "CERTIFICATE" {
		return bad(errors.New("no certificate"))
	}
	k, rest := pem.Decode(rest)
	if k == nil || k.Type != "PRIVATE KEY" {
		return bad(errors.New("no key"))
	}
	cert, err := x509.ParseCertificate(c.Bytes)
	if err != nil {
		return bad(err)
	}
	key, err := x509.ParsePKCS8PrivateKey(k.Bytes)
	if err != nil {
		return bad(err)
	}
	own, ok := key.(*ecdsa.PrivateKey)
	if !ok || !own.PublicKey.Equal(cert.PublicKey) {
		return bad(errors.New("the key is not the certificate's"))
	}
	return cert, own, rest, nil
}

// PEM is the authority's certificate, which is public.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Cert.Raw})
}

// Fingerprint is the SHA-256 of a certificate as browsers show it: pairs of
// hexadecimal digits with colons.
func Fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return colons(sum[:])
}

// Fingerprint1 is the SHA-1, which the dialog of Windows shows and nothing else.
func Fingerprint1(c *x509.Certificate) string {
	sum := sha1.Sum(c.Raw)
	return colons(sum[:])
}

func colons(b []byte) string {
	parts := make([]string, len(b))
	for i := range b {
		parts[i] = strings.ToUpper(hex.EncodeToString(b[i : i+1]))
	}
	return strings.Join(parts, ":")
}
