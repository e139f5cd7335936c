package lan

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"net"
	"testing"

	"inselnetz/mesh"
	"inselnetz/mesh/meshtest"
)

// key makes a private key of a name.
func key(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// freeUDP finds a port for beacons no other test uses.
func freeUDP(t *testing.T) int {
	t.Helper()
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).Port
}

// open makes a transport on the loopback interface.
func open(t *testing.T, name string, beaconPort int) *Transport {
	t.Helper()
	tr, err := New(context.Background(), Options{Key: key(name), BeaconPort: beaconPort, Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close() })
	return tr
}

func TestTransport(t *testing.T) {
	meshtest.Transport(t, func(t *testing.T) (a, b mesh.Transport) {
		port := freeUDP(t)
		return open(t, "ann", port), open(t, "bob", port)
	})
}
