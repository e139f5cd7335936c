package mesh

import (
	"context"
	"errors"

	"inselnetz/crdt/log"
)

// Errors by which Holdings tell a session what to do with an offered batch.
var (
	// ErrNeedControl: an entry names control heads, or a log names a device, not
	// known here yet. The session brings the control space up to date first; the
	// batch is offered again when heights are next compared. Nothing was stored.
	ErrNeedControl = errors.New("control space is behind")
	// ErrBehind: the batch does not start where our log ends. Heights decide.
	ErrBehind = errors.New("batch does not continue the log")
	// ErrHostile: no honest device sends this. The session ends.
	ErrHostile = errors.New("hostile entry")
)

// Holdings are the logs this device keeps, and what it knows about devices, as
// far as sync needs it. Methods may be called from several goroutines.
type Holdings interface {
	// Member reports whether the device is admitted as far as is known here, and
	// which PeerID its card names.
	Member(log.DeviceID) (PeerID, bool)
	// Members returns the PeerIDs of all admitted devices but this one, with the
	// addresses they were last reached at.
	Members() map[PeerID][]string
	// Reached records an address at which a member answered.
	Reached(peer PeerID, addrs []string)

	// Spaces returns the spaces this device shares with another, control first.
	// For a device that is not (yet) known to be a member: control alone, and
	// only to be received.
	Spaces(with log.DeviceID) []log.SpaceID
	// Heights returns a copy of what is on disk here of a space.
	Heights(log.SpaceID) log.Heights
	// Card returns the identity of a log held here.
	Card(log.LogID) (log.Card, bool)
	// Entries returns encoded entries of a log from a number on, in order, at
	// least one and as many as fit in max bytes, not past to. The signature of
	// the last one returned has been checked, so the receiver can rely on it.
	Entries(ctx context.Context, id log.LogID, from, to uint64, max int) ([][]byte, error)
	// Import checks and stores encoded entries of one log, in order, and returns
	// when they are on disk. Entries already held are skipped. live asks for
	// every signature to be checked, else one a run is. It returns the log's
	// height afterwards.
	Import(ctx context.Context, card log.Card, entries [][]byte, live bool) (log.Height, error)
	// Own reports heights of this device's own logs as another device has them:
	// if that is more than is held here, this is an old copy, and a new
	// incarnation must begin before the next own entry.
	Holds(dev log.DeviceID, heights log.Heights)
}
