package sim

import (
	"context"
	"slices"
	"time"

	"inselnetz/mesh"
)

// punchEvery is how often a dial that does not come through a wall is sent again.
const punchEvery = 50 * time.Millisecond

func known(proto string) bool {
	return slices.Contains([]string{mesh.ProtoSync, mesh.ProtoJoin, mesh.ProtoBlocks, mesh.ProtoRelay, mesh.ProtoSeen}, proto)
}

// passes reports whether a call comes through what stands between two nodes. Who
// has a connection through a wall keeps the way open.
func (w *World) passes(n *node, c call) bool {
	wall, walled := w.walls[pairOf(n.name, c.to)]
	if !walled {
		return true
	}
	other := w.nodes[c.to]
	if !wall.punch || !c.punched || other == nil {
		return false
	}
	return other.opened[n.name] > 0 || slices.ContainsFunc(n.ends, func(e *end) bool { return e.peer.n == other })
}

// DialPunched dials as Dial does, and comes through a wall.
func (n *node) DialPunched(ctx context.Context, to mesh.PeerID, addrs []string, proto string) (mesh.Conn, error) {
	return n.open(ctx, call{to: string(to), addrs: addrs, proto: proto, punched: true})
}

// Punch lets a node come through a wall.
func (n *node) Punch(ctx context.Context, from mesh.PeerID, _ []string) {
	set := func(by int) {
		n.w.mu.Lock()
		defer n.w.mu.Unlock()
		n.opened[string(from)] += by
	}
	set(1)
	defer set(-1)
	select {
	case <-ctx.Done():
	case <-n.done:
	}
}
