package app

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"

	"inselnetz/app/stick"
	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
	"inselnetz/crdt/store"
)

// ExportAsk says what a file is to hold.
type ExportAsk struct {
	For   log.DeviceID // what this device lacks, as far as it said; zero: what any of the others lacks
	Whole bool         // everything from the beginning on
}

// An exporting is what goes into a file: the heights at one moment, and where to
// begin below them.
type exporting struct {
	space   log.SpaceID
	heights log.Heights
	logs    []log.Range
}

// ExportSize returns how much a file would hold.
func (w *Workspace) ExportSize(ctx context.Context, ask ExportAsk) (store.Span, error) {
	var sum store.Span
	plan, err := w.exports(ask)
	if err != nil {
		return sum, err
	}
	for _, e := range plan {
		for _, r := range e.logs {
			s, err := w.store.Span(ctx, r)
			if err != nil {
				return sum, storeProblem(err, w.dir)
			}
			sum.Add(s)
		}
	}
	return sum, nil
}

// exports works out what a file is to hold, the control space first.
func (w *Workspace) exports(ask ExportAsk) ([]exporting, error) {
	st := w.snapshot()
	if st == nil {
		return nil, problem("not-member")
	}
	with := w.self
	if ask.For != (log.DeviceID{}) {
		if _, ok := st.Devices[ask.For]; !ok || ask.For == w.self {
			return nil, problem("no-such-person")
		}
		with = ask.For
	}
	var plan []exporting
	for _, space := range (*holdings)(w).Spaces(with) {
		e := exporting{space: space, heights: w.store.Heights(space)}
		for id, at := range e.heights {
			from := uint64(1)
			if card, ok := w.store.Card(id); ok && !ask.Whole {
				from = w.lackedFrom(st, card, ask.For)
			}
			if from <= at.Seq {
				e.logs = append(e.logs, log.Range{Log: id, From: from, To: at.Seq})
			}
		}
		slices.SortFunc(e.logs, func(a, b log.Range) int { return slices.Compare(a.Log[:], b.Log[:]) })
		plan = append(plan, e)
	}
	return plan, nil
}

// lackedFrom is the first entry of a log that a device did not say to hold; with
// none named, that any other did not. Whoever wrote a log need not say so.
func (w *Workspace) lackedFrom(st *access.State, card log.Card, dev log.DeviceID) uint64 {
	if dev != (log.DeviceID{}) {
		if card.Device == dev {
			return log.MaxSeq + 1
		}
		return w.store.HeldBy(dev, card.ID()) + 1
	}
	least := uint64(log.MaxSeq)
	for id, d := range st.Devices {
		if id == w.self || id == card.Device || w.expired(d) || card.Space != log.Control && !keeps(st, card.Space, id) {
			continue
		}
		least = min(least, w.store.HeldBy(id, card.ID()))
	}
	return least + 1
}

// Export writes a file. Nothing is written if the error is a *Problem that says
// why nothing can be.
func (w *Workspace) Export(ctx context.Context, ask ExportAsk, to io.Writer) (err error) {
	ctx, end, err := w.beginExchange(ctx, "export")
	if err != nil {
		return err
	}
	defer end()
	defer func() { w.exported(err) }()
	plan, err := w.exports(ask)
	if err != nil {
		return err
	}
	if err := w.admissionsFirst(ctx, plan); err != nil {
		return storeProblem(err, w.dir)
	}
	about := stick.About{By: w.self, At: w.opts.Now().UnixMilli(), For: ask.For}
	for _, e := range plan {
		for _, r := range e.logs {
			about.Entries += r.To - r.From + 1
		}
	}
	w.exchange.all.Store(about.Entries)
	st := w.snapshot()
	file, err := stick.NewWriter(to, w.members(st), about)
	if err != nil {
		return err
	}
	for _, e := range plan {
		if e.space != log.Control {
			if err := file.Space(e.space, w.readers(st, e.space)); err != nil {
				return err
			}
		}
		if err := w.exportSpace(ctx, file, e); err != nil {
			return err
		}
	}
	return file.Close()
}

// members are whom a file is for: who is in now. One who was away and lacks the
// newest key opens it as a device, one who came and is not known here by the key.
func (w *Workspace) members(st *access.State) stick.Locks {
	out := stick.Locks{Keys: w.currentNetwork(st)}
	for _, d := range st.Devices {
		if !w.expired(d) {
			out.Boxes = append(out.Boxes, d.Card.Box)
		}
	}
	return out
}

// readers are who gets the entries of a space, as in a session.
func (w *Workspace) readers(st *access.State, space log.SpaceID) stick.Locks {
	out := stick.Locks{Keys: w.currentKeys(st, space)}
	for id, d := range st.Devices {
		if keeps(st, space, id) && !w.expired(d) {
			out.Boxes = append(out.Boxes, d.Card.Box)
		}
	}
	return out
}

// admissionsFirst puts the logs of the control space in the order in which they
// began: who was let in comes after whoever let them in, so that a reader rarely
// has to keep something back.
func (w *Workspace) admissionsFirst(ctx context.Context, plan []exporting) error {
	began := map[log.LogID]log.HLC{}
	logs := plan[0].logs
	for _, r := range logs {
		first, err := w.store.Entries(ctx, r.Log, 1, 1, log.MaxEntry)
		if err != nil {
			return err
		}
		if e, err := log.Decode(first[0]); err == nil {
			began[r.Log] = e.HLC
		}
	}
	slices.SortStableFunc(logs, func(a, b log.Range) int { return cmp.Compare(began[a.Log], began[b.Log]) })
	return nil
}

// exportSpace writes the entries of a space, and what this device holds of it.
func (w *Workspace) exportSpace(ctx context.Context, file *stick.Writer, e exporting) error {
	for _, r := range e.logs {
		card, ok := w.store.Card(r.Log)
		if !ok {
			continue
		}
		for from := r.From; from <= r.To; {
			raw, err := w.store.Entries(ctx, r.Log, from, r.To, log.MaxBatch)
			if errors.Is(err, store.ErrNotFound) {
				break // the log has become shorter meanwhile
			}
			if err != nil {
				return storeProblem(err, w.dir)
			}
			if err := file.Part(stick.Part{Card: card, Entries: raw}); err != nil {
				return err
			}
			from += uint64(len(raw))
			w.exchanged(len(raw))
		}
	}
	for _, h := range stick.NewHolds(w.id.key(), w.opts.Now().UnixMilli(), e.heights) {
		if err := file.Holds(h); err != nil {
			return err
		}
	}
	return nil
}
