// Package lan is the real network: devices find each other by beacons and mDNS
// and talk over libp2p connections, with no server and no internet.
package lan

import (
	"context"
	"crypto/ed25519"
	"errors"
	"log/slog"

	"inselnetz/crdt/log"
	"inselnetz/mesh"
)

// Ports used unless Options say otherwise.
const (
	DefaultPort       = 21960 // TCP and QUIC
	DefaultBeaconPort = 21961 // UDP, the same for every device of a network
)

// Options tunes a Transport. Only Key is required.
type Options struct {
	Key        ed25519.PrivateKey // behind PeerID; another key than the device's signing key
	Port       int                // 0 means DefaultPort; a free one is used if it is taken
	BeaconPort int                // 0 means DefaultBeaconPort
	Log        *slog.Logger       // nil discards
	Loopback   bool               // talk over 127.0.0.1 alone, for tests
}

// A Transport is this device's place on the local network.
type Transport struct{}

// New opens the sockets and begins to listen; ctx bounds the opening alone.
// Nothing is sent before Announce or ShowDoor.
func New(ctx context.Context, opts Options) (*Transport, error) {
	return nil, errors.New("not built yet")
}

// Self returns this device's libp2p peer id as text.
func (t *Transport) Self() mesh.PeerID { return "" }

// Dial opens a fresh connection to a peer for one protocol. addrs are
// "host:port" texts; with none, the addresses the peer was last noticed at are
// tried.
func (t *Transport) Dial(ctx context.Context, to mesh.PeerID, addrs []string, proto string) (mesh.Conn, error) {
	return nil, errors.New("not built yet")
}

// Accept returns the next Conn opened by another device.
func (t *Transport) Accept(ctx context.Context) (mesh.Conn, error) {
	return nil, errors.New("not built yet")
}

// Ask finds out which device answers at an address typed by a person, "host" or
// "host:port". The door's Name is empty unless it was heard as a beacon too.
func (t *Transport) Ask(ctx context.Context, addr string) (mesh.Door, error) {
	return mesh.Door{}, errors.New("not built yet")
}

// Sightings reports members' devices as they are noticed.
func (t *Transport) Sightings() <-chan mesh.Sighting { return nil }

// Announce sets the keys that authenticate beacons, newest first, and announces
// this device at once.
func (t *Transport) Announce(keys []log.Key) {}

// ShowDoor announces a door under this name until called with "".
func (t *Transport) ShowDoor(name string) {}

// Doors returns the doors heard within the last few seconds.
func (t *Transport) Doors() []mesh.Door { return nil }

// Addrs returns "host:port" texts at which this device can be reached.
func (t *Transport) Addrs() []string { return nil }

// Close says goodbye and releases everything.
func (t *Transport) Close() error { return nil }
