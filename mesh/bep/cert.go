package bep

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"

	"github.com/syncthing/syncthing/lib/protocol"
)

// certName is what Syncthing expects in a certificate.
const certName = "syncthing"

// NewCertificate makes the certificate that names this device for Syncthing
// devices, and its key, as PEM blocks for tls.X509KeyPair. It is made once and
// kept: with another one this is another device.
func NewCertificate(now time.Time) (cert, key []byte, err error) {
	priv, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 63))
	if err != nil {
		return nil, nil, err
	}
	from := now.UTC().Truncate(24 * time.Hour)
	t := x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: certName},
		DNSNames:              []string{certName},
		NotBefore:             from,
		NotAfter:              from.AddDate(40, 0, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, &t, &t, priv.Public(), priv)
	if err != nil {
		return nil, nil, fmt.Errorf("make certificate: %w", err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(priv)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), nil
}

// IDOf returns the id of the device that has a certificate.
func IDOf(cert tls.Certificate) DeviceID { return protocol.NewDeviceID(cert.Certificate[0]) }
