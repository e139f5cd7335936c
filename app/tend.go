package app

import (
	"bytes"
	"context"
	"slices"
	"time"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
)

// Tending is what devices do by themselves so that the control space stays in
// order: keys for whoever may read and lacks them, ends of removed devices' logs
// in spaces that the remover did not read, guests whose time is over.

const (
	tendPause = 300 * time.Millisecond // after a change of the control space
	tendTurn  = 700 * time.Millisecond // more for each device here that is senior and may do the same
	tendEvery = time.Minute
	maxTends  = 60 // a minute: whatever goes wrong, devices do not fill the control space
)

// tendSoon arranges for tending after others, more senior, had their turn.
func (w *Workspace) tendSoon() {
	w.tending.want(tendPause+time.Duration(w.turn())*tendTurn, func() {
		w.job(func(ctx context.Context) { w.tend(ctx, false) })
	})
}

// turn is how many devices here come before this one.
func (w *Workspace) turn() int {
	w.mu.RLock()
	st, m := w.state, w.mesh
	w.mu.RUnlock()
	if st == nil || m == nil {
		return 0
	}
	own, n := st.Devices[w.self].Rank, 0
	for _, p := range m.Peers() {
		if d, ok := st.Devices[p.Device]; ok && p.Here && d.Rank < own {
			n++
		}
	}
	return min(n, 20)
}

// keepTending tends now and then, for what no change announces.
func (w *Workspace) keepTending(ctx context.Context) error {
	select {
	case <-w.member:
	case <-ctx.Done():
		return nil
	}
	w.tendSoon()
	tick := time.NewTicker(tendEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			w.tend(ctx, true)
		case <-ctx.Done():
			return nil
		}
	}
}

// tend does what is due. Everything here is tried again later, and others do it
// too: errors are for the log. patient says that devices had a minute to bring
// what is missing.
func (w *Workspace) tend(ctx context.Context, patient bool) {
	st := w.snapshot()
	if st == nil || st.Stopped {
		return
	}
	if _, in := st.Devices[w.self]; !in {
		return
	}
	if patient {
		w.tends.Store(0)
	} else if w.tends.Add(1) > maxTends {
		return
	}
	for _, job := range []func(context.Context, *access.State) error{w.repair, w.endLogs, w.showOut, w.tellFacts} {
		if err := job(ctx, w.snapshot()); err != nil && ctx.Err() == nil {
			w.log.Debug("tend", "err", err)
		}
	}
	if !patient {
		return
	}
	if err := w.dropLeft(ctx, w.snapshot()); err != nil && ctx.Err() == nil {
		w.log.Warn("drop a space that this device is not in any more", "err", err)
	}
	st = w.snapshot()
	if payload, ok := st.Ask(w.self, w.keyring()); ok {
		if err := w.control(ctx, payload); err != nil {
			w.log.Debug("ask for keys", "err", err)
		}
	}
}

// repair hands keys to whoever may read and lacks them.
func (w *Workspace) repair(ctx context.Context, st *access.State) error {
	payloads, err := st.Repair(w.self, w.keyring())
	if err != nil {
		return err
	}
	return w.control(ctx, payloads...)
}

// endLogs says where the logs of removed devices end in spaces of this device
// that the remover did not read.
func (w *Workspace) endLogs(ctx context.Context, st *access.State) error {
	for _, d := range sortedGone(st) {
		var cuts []access.Cut
		for _, space := range w.readable(st) {
			if !mayWrite(st.Level(space, w.self)) || !wasIn(st, space, d.Person) {
				continue
			}
			if _, ended := st.Limit(log.Card{Workspace: w.ws, Space: space, Device: d.Card.Sign}); !ended {
				cuts = append(cuts, w.cutsIn(space, d.Card.Sign)...)
			}
		}
		if len(cuts) == 0 {
			continue
		}
		payload, err := st.Cut(w.self, d.Card.Sign, cuts)
		if err != nil {
			return err
		}
		if err := w.control(ctx, payload); err != nil {
			return err
		}
		st = w.snapshot()
	}
	return nil
}

// dropLeft takes spaces off this device that it is not in any more, once other
// devices that keep them are known to have all of it: neither a mistaken removal
// nor a control space that is not whole here, as after damage, costs anything.
func (w *Workspace) dropLeft(ctx context.Context, st *access.State) error {
	for _, space := range w.store.Spaces() {
		if _, known := st.Spaces[space]; !known && space != w.everyone() {
			continue
		}
		if keeps(st, space, w.self) || !w.heldByOthers(st, space) {
			continue
		}
		w.own.mu.Lock()
		err := w.giveUp(space) // first: a log that was dropped must not be continued
		if err == nil {
			err = w.store.Drop(ctx, space)
		}
		w.own.mu.Unlock()
		if err != nil {
			return err
		}
		w.log.Info("dropped a space that this device is not in any more")
		w.forget(space)
		w.changed("channels", "")
	}
	return nil
}

// forget tells the mesh that logs of a space are gone or end earlier.
func (w *Workspace) forget(space log.SpaceID) {
	w.mu.RLock()
	m := w.mesh
	w.mu.RUnlock()
	if m != nil {
		m.Forget(space)
	}
}

// heldByOthers reports whether each log of a space is with another device that
// keeps the space: with its author, or with one that said it has all of it.
func (w *Workspace) heldByOthers(st *access.State, space log.SpaceID) bool {
	heights := w.store.Heights(space)
	for _, c := range w.store.Cards(space) {
		holds := func(d log.DeviceID) bool { return d != w.self && keeps(st, space, d) }
		if id := c.ID(); !holds(c.Device) && !slices.ContainsFunc(w.store.Held(id, heights[id].Seq), holds) {
			return false
		}
	}
	return true
}

func sortedGone(st *access.State) []access.Device {
	out := make([]access.Device, 0, len(st.Gone))
	for _, d := range st.Gone {
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b access.Device) int { return bytes.Compare(a.Card.Sign[:], b.Card.Sign[:]) })
	return out
}

// wasIn reports whether a person is or was in a space.
func wasIn(st *access.State, space log.SpaceID, p access.PersonID) bool {
	s, ok := st.Spaces[space]
	if !ok {
		return true // the space of all
	}
	_, in := s.Members[p]
	return in
}

// showOut removes guests whose time is over.
func (w *Workspace) showOut(ctx context.Context, st *access.State) error {
	if !st.CanInvite(w.self) {
		return nil
	}
	for _, d := range st.Seniority() {
		if d.Role == access.Guest && w.expired(d) && st.MayRemove(w.self, d.Card.Sign) == nil {
			if err := w.Remove(ctx, d.Person, d.Card.Sign, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// tellFacts says what others should know of this device.
func (w *Workspace) tellFacts(ctx context.Context, st *access.State) error {
	payload, differs := st.Facts(w.self, w.disk(), w.StaysOn())
	if !differs {
		return nil
	}
	return w.control(ctx, payload)
}

// disk looks at the encryption of this device's disk, once a run; 0 is unknown.
func (w *Workspace) disk() uint64 {
	if w.opts.Disk == nil {
		return w.snapshot().Devices[w.self].Disk // what it said before stands
	}
	w.diskOnce.Do(func() { w.diskState = w.opts.Disk(w.dir) })
	return w.diskState
}
