package mesh

import (
	"time"

	"inselnetz/crdt/log"
)

// How a peer that is not here left.
const (
	LeftUnknown = ""        // not seen since this program started
	LeftGoodbye = "goodbye" // it said so
	LeftBroke   = "broke"   // the connection ended without a goodbye
)

// A Peer is another device as this one sees it now. A device whose data was
// copied may be here more than once, each with its own Instance.
type Peer struct {
	Device   log.DeviceID // zero for a member not met since the start
	Instance [16]byte
	PeerID   PeerID
	Here     bool
	Since    time.Time     // when Here became so; zero if never seen
	LastSeen time.Time     // last sign of it; zero if never seen
	Left     string        // if not here: LeftGoodbye, LeftBroke or LeftUnknown
	Path     string        // where it is reached, for people
	Via      log.DeviceID  // the member that carries between us; zero: direct
	Hops     int           // members in between; 0: direct
	RTT      time.Duration // zero until measured
	Behind   uint64        // entries held here that it has not said to hold
	Clock    time.Duration // its wall clock minus ours, at the hello
	Version  string        // its program version, as it says
	Stranger bool          // proved the key but is not known as a member yet
}
