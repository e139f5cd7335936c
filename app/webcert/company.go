package webcert

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// MaxCompany bounds the texts of a company's certificate and of its key.
const MaxCompany = 64 << 10

const maxChain = 8

// Errors of ParseCompany; each says what the person can mend.
var (
	ErrTooLarge    = errors.New("certificate file is too large")
	ErrNoPEM       = errors.New("no certificate in PEM form")
	ErrPKCS12      = errors.New("a PKCS#12 file, not PEM")
	ErrNoKey       = errors.New("no private key in PEM form")
	ErrKeyLocked   = errors.New("the private key is locked with a password")
	ErrKeyOther    = errors.New("the private key belongs to another certificate")
	ErrKeyWeak     = errors.New("the private key is too weak or of an unknown kind")
	ErrNotYet      = errors.New("the certificate is not valid yet")
	ErrExpired     = errors.New("the certificate has expired")
	ErrNoNames     = errors.New("the certificate names no host")
	ErrNotServer   = errors.New("the certificate is not for servers")
	ErrChain       = errors.New("the chain is out of order or broken")
	ErrIsAuthority = errors.New("the first certificate is an authority")
)

// A Company is a certificate that was not made here.
type Company struct {
	TLS   tls.Certificate
	Names []string // hosts it is for; may begin with "*."
}

// ParseCompany reads a chain, the host's certificate first, and its key, both
// PEM; the key may be in the chain's text. The chain is checked as far as it
// goes: whether browsers trust its end, only they know. With a zero time it may
// have expired.
func ParseCompany(chain, key []byte, now time.Time) (*Company, error) {
	if len(chain) > MaxCompany || len(key) > MaxCompany {
		return nil, ErrTooLarge
	}
	certs, err := parseChain(chain)
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(key)) == 0 {
		key = chain
	}
	private, err := parseKey(key)
	if err != nil {
		return nil, err
	}
	leaf := certs[0]
	if leaf.IsCA {
		return nil, ErrIsAuthority
	}
	if err := fits(private, leaf); err != nil {
		return nil, err
	}
	if err := judge(leaf, now); err != nil {
		return nil, err
	}
	for i, c := range certs[1:] {
		if err := certs[i].CheckSignatureFrom(c); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrChain, err)
		}
	}
	c := &Company{TLS: tls.Certificate{PrivateKey: private, Leaf: leaf}, Names: slices.Clone(leaf.DNSNames)}
	for _, cert := range certs {
		c.TLS.Certificate = append(c.TLS.Certificate, cert.Raw)
	}
	for _, ip := range leaf.IPAddresses {
		c.Names = append(c.Names, ip.String())
	}
	return c, nil
}

func parseChain(raw []byte) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for rest := raw; ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
		if b.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNoPEM, err)
		}
		if certs = append(certs, c); len(certs) > maxChain {
			return nil, fmt.Errorf("%w: more than %d certificates", ErrChain, maxChain)
		}
	}
	if len(certs) == 0 && len(raw) > 4 && raw[0] == 0x30 && raw[1] >= 0x80 { // a DER sequence
		if _, err := x509.ParseCertificate(raw); err != nil {
			return nil, ErrPKCS12
		}
	}
	if len(certs) == 0 {
		return nil, ErrNoPEM
	}
	return certs, nil
}

func parseKey(raw []byte) (crypto.Signer, error) {
	for rest := raw; ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			return nil, ErrNoKey
		}
		if b.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(b.Headers["Proc-Type"], "ENCRYPTED") {
			return nil, ErrKeyLocked
		}
		var key any
		var err error
		switch b.Type {
		case "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(b.Bytes)
		case "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(b.Bytes)
		case "RSA PRIVATE KEY":
			key, err = x509.ParsePKCS1PrivateKey(b.Bytes)
		default:
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNoKey, err)
		}
		s, ok := key.(crypto.Signer)
		if !ok {
			return nil, ErrKeyWeak
		}
		return s, nil
	}
}

// fits holds a key to its certificate, and to a strength browsers accept.
func fits(key crypto.Signer, c *x509.Certificate) error {
	type public interface{ Equal(crypto.PublicKey) bool }
	switch p := key.Public().(type) {
	case *rsa.PublicKey:
		if p.N.BitLen() < 2048 || p.N.BitLen() > 8192 {
			return ErrKeyWeak
		}
	case *ecdsa.PublicKey:
		if n := p.Curve.Params().BitSize; n != 256 && n != 384 { // what all browsers know
			return ErrKeyWeak
		}
	case ed25519.PublicKey:
		return ErrKeyWeak // no browser takes it
	}
	if p, ok := key.Public().(public); !ok || !p.Equal(c.PublicKey) {
		return ErrKeyOther
	}
	return nil
}

func judge(c *x509.Certificate, now time.Time) error {
	switch {
	case !now.IsZero() && now.After(c.NotAfter):
		return ErrExpired
	case !now.IsZero() && now.Before(c.NotBefore):
		return ErrNotYet
	case len(c.DNSNames)+len(c.IPAddresses) == 0:
		return ErrNoNames
	case len(c.ExtKeyUsage) > 0 && !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth) && !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny):
		return ErrNotServer
	}
	return nil
}

// Speaks reports whether the certificate is valid for a host now.
func (c *Company) Speaks(host string, now time.Time) bool {
	return c != nil && host != "" && judge(c.TLS.Leaf, now) == nil && c.TLS.Leaf.VerifyHostname(host) == nil
}

// Bytes is the certificate with its key, for ParseCompany's chain. It is secret.
func (c *Company) Bytes() ([]byte, error) {
	var out bytes.Buffer
	for _, raw := range c.TLS.Certificate {
		_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: raw}) // a buffer takes all
	}
	raw, err := x509.MarshalPKCS8PrivateKey(c.TLS.PrivateKey)
	if err != nil {
		return nil, err
	}
	_ = pem.Encode(&out, &pem.Block{Type: "PRIVATE KEY", Bytes: raw})
	return out.Bytes(), nil
}
