package mesh

import (
	"context"
	"io"
	"time"

	"inselnetz/crdt/log"
)

// PeerID is a device's name on the network: on the real one its libp2p peer id.
// It is another key than the DeviceID; a device's card binds the two.
type PeerID string

// Protocols a Conn can be opened for.
const (
	ProtoSync   = "/inselnetz/sync/1"
	ProtoJoin   = "/inselnetz/join/1"
	ProtoBlocks = "/inselnetz/blocks/1"
	ProtoRelay  = "/inselnetz/relay/1"
	ProtoSeen   = "/inselnetz/seen/1" // the accepter tells the dialer's Path, as it sees it
)

// MaxFrame is the longest frame a Conn carries, in bytes.
const MaxFrame = log.MaxBatch + 16<<10

// A Conn carries frames to one peer, in order, until it breaks. The transport
// has checked that the other end holds the key behind Peer; it has not checked
// membership. One goroutine may send while another receives.
type Conn interface {
	Peer() PeerID
	Proto() string
	Path() string // where the peer is reached, such as "192.168.1.7:4001"; for people
	Send(frame []byte) error
	Recv() ([]byte, error)
	Close() error // unblocks Send and Recv, both ends
}

// A StreamConn is a Conn that can hand out a frame while it comes: its length, and
// a Reader of its bytes, to be read whole before the next call of any method that
// receives. What is long then goes straight to where it belongs.
type StreamConn interface {
	Conn
	RecvStream() (int, io.Reader, error)
}

// A Sighting says that a member's device was noticed on the network just now.
type Sighting struct {
	Peer  PeerID
	Addrs []string // as Dial takes them
	New   bool     // it just started, or came back, or has a new address: forget backoff
	Gone  bool     // it said goodbye
}

// A Door is a workspace that lets a new device in just now, under a name made
// up for this occasion.
type Door struct {
	Name  string
	Peer  PeerID
	Addrs []string
	Seen  time.Time
}

// A Transport carries Conns between devices and notices who is near. mesh/lan is
// the real network, mesh/sim the simulated one.
type Transport interface {
	Self() PeerID
	// Dial opens a Conn for a protocol. addrs may be empty when the transport
	// knows the peer or is connected to it.
	Dial(ctx context.Context, to PeerID, addrs []string, proto string) (Conn, error)
	// DialPunched opens a Conn in the one manner that can pass routers and firewalls
	// which both ends have something in front of: from the port that is listened on,
	// to addresses where the other end sees to it that it comes through, by Punch at
	// the same moment or because they talk already.
	DialPunched(ctx context.Context, to PeerID, addrs []string, proto string) (Conn, error)
	// Punch lets a DialPunched from these addresses of a peer come through, until
	// ctx ends or it came. The Conn goes to Accept.
	Punch(ctx context.Context, from PeerID, addrs []string)
	// Secure makes a Conn of one that a third device carries: both ends prove the
	// keys behind their PeerIDs to each other, and the third sees nothing of what
	// is said. The dialer names the protocol; the other hears it. It takes no
	// longer than ctx. Closing the Conn closes the carrier; on error the caller does.
	Secure(ctx context.Context, carrier Conn, peer PeerID, dialed bool, proto string) (Conn, error)
	// Accept returns the next Conn opened by another device, of any protocol.
	Accept(ctx context.Context) (Conn, error)
	// Sightings reports members' devices. The transport drops old ones rather
	// than wait for a slow reader.
	Sightings() <-chan Sighting
	// Announce sets the keys that authenticate beacons, newest first; with none
	// the device stays silent and hears no members.
	Announce(keys []log.Key)
	// ShowDoor announces a door under this name until it is called with "".
	ShowDoor(name string)
	// Doors returns the doors heard within the last few seconds.
	Doors() []Door
	// Addrs returns where this device can be reached, as Dial takes them.
	Addrs() []string
	Close() error
}
