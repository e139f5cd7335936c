package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
	"inselnetz/crdt/store"
	"inselnetz/mesh"
)

// holdings is the Workspace as the mesh sees it.
type holdings Workspace

func (h *holdings) w() *Workspace { return (*Workspace)(h) }

// Member says whether a device is admitted, and its name on the network.
func (h *holdings) Member(dev log.DeviceID) (mesh.PeerID, bool) {
	d, ok := h.w().snapshot().Devices[dev]
	return mesh.PeerID(d.Card.Peer), ok && !h.w().expired(d)
}

// expired reports whether a guest's time is over, by the clock of this device.
func (w *Workspace) expired(d access.Device) bool {
	return d.Until != 0 && w.opts.Now().UnixMilli() >= d.Until
}

// removed reports whether a device was in the workspace and is not any more.
func (w *Workspace) removed(dev log.DeviceID) bool {
	st := w.snapshot()
	if d, ok := st.Devices[dev]; ok {
		return w.expired(d)
	}
	_, gone := st.Gone[dev]
	return gone
}

const metaReached = "reached/" // + PeerID: where a member last answered, as JSON

// Members returns the other devices and the ways to them.
func (h *holdings) Members() map[mesh.PeerID][]string {
	out := map[mesh.PeerID][]string{}
	for id, d := range h.w().snapshot().Devices {
		if id != h.self {
			out[mesh.PeerID(d.Card.Peer)] = h.w().waysTo(d.Card.Peer)
		}
	}
	return out
}

// maxAddrs is how many addresses are kept for a device.
const maxAddrs = 8

// Reached keeps where a member answered.
func (h *holdings) Reached(peer mesh.PeerID, addrs []string) {
	if _, ok := h.w().snapshot().Peer(string(peer)); ok {
		h.w().reached(peer, addrs)
		h.w().told(peer, without(addrs, h.w().addrs(metaTyped+string(peer))))
	}
}

func (w *Workspace) reached(peer mesh.PeerID, addrs []string) {
	raw, err := json.Marshal(addrs[:min(len(addrs), maxAddrs)])
	if err != nil {
		return
	}
	key := metaReached + string(peer)
	if old, err := w.store.Get(key); err == nil && string(old) == string(raw) {
		return
	}
	if err := w.store.Put(key, raw); err != nil {
		w.log.Warn("keep address", "peer", peer, "err", err)
	}
}

// Spaces returns what is shared with a device: the control space, and those
// that it may read and this device has. Carriers hold all spaces, as ciphertext.
// With those not known yet it is the control space alone.
func (h *holdings) Spaces(with log.DeviceID) []log.SpaceID {
	w := h.w()
	st := w.snapshot()
	out := []log.SpaceID{log.Control}
	if _, ok := h.Member(with); !ok {
		return out
	}
	all := slices.SortedFunc(maps.Keys(st.Spaces), func(a, b log.SpaceID) int { return slices.Compare(a[:], b[:]) })
	for _, space := range slices.Insert(all, 0, w.everyone()) {
		if keeps(st, space, w.self) && keeps(st, space, with) {
			out = append(out, space)
		}
	}
	return out
}

// keeps reports whether a device has the entries of a space.
func keeps(st *access.State, space log.SpaceID, dev log.DeviceID) bool {
	return st.Level(space, dev) != access.None || st.Devices[dev].Role == access.Carrier
}

// Heights returns what is on disk of a space.
func (h *holdings) Heights(space log.SpaceID) log.Heights { return h.store.Heights(space) }

// Card returns the identity of a log held here.
func (h *holdings) Card(id log.LogID) (log.Card, bool) { return h.store.Card(id) }

// Entries reads entries for sending.
func (h *holdings) Entries(ctx context.Context, id log.LogID, from, to uint64, max int) ([][]byte, error) {
	return h.store.Entries(ctx, id, from, to, max)
}

// Import checks offered entries against the control space and stores them.
func (h *holdings) Import(ctx context.Context, card log.Card, raw [][]byte, live bool) (log.Height, error) {
	w := h.w()
	st := w.snapshot()
	if err := w.mayHold(card); err != nil {
		return log.Height{}, err
	}
	// Control entries of all whom anybody ever let in are kept and passed on, whether
	// that counts or not: the deputies' approvals may be among them.
	_, known := st.Known(card.Device)
	if card.Space == log.Control {
		known = st.Admitted(card.Device)
	}
	if !known && !w.isGenesisLog(card, raw) {
		return log.Height{}, mesh.ErrNeedControl
	}
	if card.Space != log.Control && !keeps(st, card.Space, w.self) {
		return log.Height{}, mesh.ErrNeedControl // the other device may know that this one is in that space
	}
	entries := make([]*log.Entry, len(raw))
	for i, b := range raw {
		e, err := log.Decode(b)
		if err != nil {
			return log.Height{}, fmt.Errorf("%w: %w", mesh.ErrHostile, err)
		}
		if control := card.Space == log.Control; control != (e.Kind == log.KindControl) || control != (e.Key == nil) {
			return log.Height{}, fmt.Errorf("%w: kind %d does not belong in this space", mesh.ErrHostile, e.Kind)
		}
		if card.Space != log.Control && slices.ContainsFunc(e.Ctl, func(r log.Ref) bool { return !st.Knows(r) }) {
			if i == 0 {
				return log.Height{}, mesh.ErrNeedControl
			}
			entries = entries[:i] // the rest once the control space has caught up
			break
		}
		entries[i] = e
	}
	applied, err := w.store.Import(ctx, card, entries, live)
	if err != nil {
		return applied.Height, w.importProblem(card, err)
	}
	if applied.Entries > 0 {
		if err := w.follow(ctx, card.Space, applied); err != nil {
			return applied.Height, err
		}
		if _, ended := w.snapshot().Limit(card); ended {
			w.countLate(ctx)
		}
	}
	return applied.Height, nil
}

// mayHold refuses logs of other workspaces and of devices without a usable key.
func (w *Workspace) mayHold(card log.Card) error {
	genesis := card.Workspace == (log.WorkspaceID{}) && card.Space == log.Control
	switch {
	case card.Workspace != w.ws && !genesis:
		return fmt.Errorf("%w: log of another workspace", mesh.ErrHostile)
	case card.Device.Check() != nil:
		return fmt.Errorf("%w: weak device key", mesh.ErrHostile)
	}
	return nil
}

// isGenesisLog reports whether entries begin the log that this workspace is
// named after, whose author is known by nothing else.
func (w *Workspace) isGenesisLog(card log.Card, raw [][]byte) bool {
	if card.Workspace != (log.WorkspaceID{}) || len(raw) == 0 {
		return false
	}
	e, err := log.Decode(raw[0])
	return err == nil && e.Seq == 1 && log.WorkspaceID(e.Hash()) == w.ws
}

// importProblem tells the mesh what a store's refusal means.
func (w *Workspace) importProblem(card log.Card, err error) error {
	switch {
	case errors.Is(err, store.ErrBehind):
		return mesh.ErrBehind
	case errors.Is(err, store.ErrStripped):
		return mesh.ErrNeedControl // that it was erased may still be on its way
	case errors.Is(err, store.ErrFork):
		w.forked(card)
		return mesh.ErrBehind
	case errors.Is(err, log.ErrSignature), errors.Is(err, log.ErrChain), errors.Is(err, log.ErrMalformed), errors.Is(err, log.ErrTooLarge):
		return fmt.Errorf("%w: %w", mesh.ErrHostile, err)
	case errors.Is(err, store.ErrFull):
		w.note("disk-full")
	}
	return err
}

// forked tells people of a device that exists twice.
func (w *Workspace) forked(card log.Card) {
	if d, ok := w.snapshot().Devices[card.Device]; ok {
		w.note("twice", access.ShowName(d.Card.Name))
	}
}

// Holds notes what a device says it has on disk.
func (h *holdings) Holds(dev log.DeviceID, heights log.Heights) {
	w := h.w()
	if dev == w.self {
		return // a copy of this device is no second device
	}
	for id, theirs := range heights {
		card, ok := w.store.Card(id)
		if ok && card.Device == w.self && theirs.Seq > w.store.Heights(card.Space)[id].Seq {
			w.surpassed(id)
		}
	}
	w.store.SetHeld(dev, heights)
	w.held.want(100*time.Millisecond, func() { w.changed("delivery", "") })
}
