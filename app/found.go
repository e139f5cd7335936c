package app

import (
	"context"
	"crypto/rand"
	"errors"

	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
	"inselnetz/crdt/store"
)

// Found begins a new workspace with this device as its first. Its recovery kit is
// on disk, sealed, before the workspace names it.
func (w *Workspace) Found(ctx context.Context, office, person, device string) error {
	if st := w.snapshot(); st != nil {
		return problem("already-member", access.ShowName(st.Office))
	}
	office, err := cleanName("office", office)
	if err != nil {
		return err
	}
	offer, err := w.offer(person, device)
	if err != nil {
		return err
	}
	w.own.mu.Lock()
	defer w.own.mu.Unlock()
	if w.snapshot() != nil {
		return problem("already-member", office)
	}
	kit, err := w.newKit()
	if err != nil {
		return err
	}
	deputy := kit.Deputy()
	payload, err := access.Found(rand.Reader, access.FoundInput{Office: office, Person: offer.Person, Device: offer.Device, Kit: &deputy})
	if err != nil {
		return err
	}
	card := log.Card{Device: w.self} // no workspace yet: it is named after the entry
	_, _ = rand.Read(card.Incarnation[:])
	if err := w.takeUp(card); err != nil {
		return storeProblem(err, w.dir)
	}
	var ws log.WorkspaceID
	_, err = w.store.Append(ctx, card, "", func(n store.Next) (*log.Entry, error) {
		e, err := log.New(w.id.key(), log.Header{
			Log: card.ID(), Seq: n.Height.Seq + 1, Prev: n.Height.Hash, Kind: log.KindControl,
			HLC: log.Tick(w.opts.Now().UnixMilli(), n.Last, n.Seen),
		}, payload)
		if err == nil {
			ws = log.WorkspaceID(e.Hash())
		}
		return e, err
	})
	if err != nil {
		return storeProblem(err, w.dir)
	}
	if err := w.store.Put(metaWorkspace, ws[:]); err != nil {
		return storeProblem(err, w.dir)
	}
	_ = w.own.guard.set(w.ownMark()) // advisory
	return w.enter(ctx, ws)
}

// cleanName gives the faults of a name, in a field of the request, their sentence.
func cleanName(field, s string) (string, error) {
	s, err := access.CleanName(s)
	var n *access.NameError
	if !errors.As(err, &n) {
		return s, err
	}
	code, ok := map[string]string{
		"empty": "name-empty", "too-long": "name-long", "control": "name-control",
		"direction": "name-direction", "invisible": "name-control", "not-text": "not-text",
	}[n.Code]
	if !ok {
		code = "name-control"
	}
	return "", &Problem{Code: code, Field: field, Err: err}
}
