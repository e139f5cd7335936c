package app

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"

	"inselnetz/app/stick"
	"inselnetz/crdt/access"
	"inselnetz/crdt/log"
	"inselnetz/crdt/store"
	"inselnetz/mesh"
)

// Imported is what a file brought.
type Imported struct {
	By      FileBy // who made it, as it says
	At      int64  // when it was made, ms since 1970
	For     string // name of the device it was made for; empty: all
	New     store.Span
	Known   uint64 // entries that were here
	Refused []Refused
	Closed  int      // spaces that are not for this device
	Why     *Problem // why it ended early; what came before is here
}

// Refused are entries that were not taken.
type Refused struct {
	Why     string // "members", "gap", "space", "wrong"
	Entries uint64
	Device  string // whose they are
}

// maxWaiting bounds, in bytes, the control entries that are kept back until their
// author is known.
const maxWaiting = 8 << 20

// maxRefused bounds the logs of a file that are not taken.
const maxRefused = 10_000

// An importing is a file on its way in.
type importing struct {
	w       *Workspace
	before  map[log.LogID]uint64 // heights of the logs that grew
	refused map[log.LogID]*Refused
	waiting []*stick.Part // of the control space
	bytes   int
	out     Imported
}

// Import takes in a file, part by part as a session would. The same file may come
// again: what is here is passed over.
func (w *Workspace) Import(ctx context.Context, from io.Reader) (Imported, error) {
	st := w.snapshot()
	if st == nil {
		return Imported{}, problem("not-member")
	}
	ctx, end, err := w.beginExchange(ctx, "import")
	if err != nil {
		return Imported{}, err
	}
	defer end()
	file, err := stick.NewReader(from, stick.Keys{Box: access.BoxSecret(w.id.Box), Network: w.heldKeys(access.Network), Space: w.heldKeys})
	if err != nil {
		return Imported{}, stickProblem(err)
	}
	w.exchange.all.Store(file.About.Entries)
	in := &importing{w: w, before: map[log.LogID]uint64{}, refused: map[log.LogID]*Refused{}}
	if err := in.read(ctx, file); err != nil {
		in.out.Why = importStopped(ctx, err, w.dir)
	}
	return in.result(context.WithoutCancel(ctx), file)
}

// read takes everything, the control space first.
func (in *importing) read(ctx context.Context, file *stick.Reader) error {
	settled := false
	for {
		rec, err := file.Next()
		if !settled && (err != nil || rec.Space != log.Control) {
			settled = true
			if err := in.settle(ctx); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case rec.Part != nil:
			if err := in.part(ctx, rec.Part, !settled); err != nil {
				return err
			}
			in.w.exchanged(len(rec.Part.Entries))
		case rec.Holds != nil:
			in.w.saidToHold(rec.Holds)
		}
	}
}

// part takes entries of one log. early says that control entries may yet come that
// make them understood.
func (in *importing) part(ctx context.Context, p *stick.Part, early bool) error {
	id := p.Card.ID()
	if r := in.refused[id]; r != nil {
		r.Entries += uint64(len(p.Entries))
		return nil
	}
	held := in.w.store.Heights(p.Card.Space)[id].Seq
	first, last, ok := seqs(p)
	if ok && p.Card.Device == in.w.self && last > held && ownWord(p) {
		in.w.surpassed(id)
	}
	at, err := (*holdings)(in.w).Import(ctx, p.Card, p.Entries, false)
	if at.Seq > held {
		if _, ok := in.before[id]; !ok {
			in.before[id] = held
		}
		if m := in.w.network(); m != nil {
			m.Advanced(p.Card.Space, id)
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	short := err == nil && ok && at.Seq < last // names control entries that are not here
	switch {
	case err == nil && !short:
		if ok && held >= first {
			in.out.Known += min(held, last) - first + 1
		}
		return nil
	case early && (short || errors.Is(err, mesh.ErrNeedControl)) && in.bytes < maxWaiting:
		in.waiting = append(in.waiting, p)
		for _, e := range p.Entries {
			in.bytes += len(e)
		}
		return nil
	case short, errors.Is(err, mesh.ErrNeedControl), errors.Is(err, mesh.ErrBehind), errors.Is(err, mesh.ErrHostile):
		if len(in.refused) >= maxRefused {
			return stick.ErrDamaged // no honest file is like that
		}
		in.refuse(p, err, last, at)
		return nil
	}
	return err
}

// ownWord reports whether the device itself wrote a part's last entry.
func ownWord(p *stick.Part) bool {
	e, err := log.Decode(p.Entries[len(p.Entries)-1])
	return err == nil && e.Log == p.Card.ID() && e.Verify(p.Card.Device) == nil
}

// seqs are the numbers of a part's entries.
func seqs(p *stick.Part) (first, last uint64, ok bool) {
	e, err := log.Decode(p.Entries[0])
	if err != nil {
		return 0, 0, false
	}
	return e.Seq, e.Seq + uint64(len(p.Entries)) - 1, true
}

// refuse notes why a log is not taken; the rest of it would not fit either.
func (in *importing) refuse(p *stick.Part, err error, last uint64, at log.Height) {
	st := in.w.snapshot()
	why, n := "members", uint64(len(p.Entries))
	switch {
	case errors.Is(err, mesh.ErrBehind):
		why = "gap"
	case errors.Is(err, mesh.ErrHostile):
		why = "wrong"
	case p.Card.Space != log.Control && !keeps(st, p.Card.Space, in.w.self):
		why = "space"
	}
	if at.Seq > 0 && at.Seq < last {
		n = min(n, last-at.Seq)
	}
	d, _ := st.Known(p.Card.Device)
	in.refused[p.Card.ID()] = &Refused{Why: why, Entries: n, Device: access.ShowName(d.Card.Name)}
}

// settle tries what was kept back again, as long as the control space grows by it.
func (in *importing) settle(ctx context.Context) error {
	for grown := true; grown && len(in.waiting) > 0; {
		before := in.w.store.Heights(log.Control).Digest()
		again := in.waiting
		in.waiting, in.bytes = nil, 0
		for _, p := range again {
			if err := in.part(ctx, p, true); err != nil {
				return err
			}
		}
		grown = in.w.store.Heights(log.Control).Digest() != before
	}
	last := in.waiting
	in.waiting = nil
	for _, p := range last {
		if err := in.part(ctx, p, false); err != nil {
			return err
		}
	}
	return nil
}

// saidToHold takes a device's signed word of what it holds. It may be old: it
// never takes back what is known.
func (w *Workspace) saidToHold(h *stick.Holds) {
	if _, member := w.snapshot().Devices[h.Device]; !member || !h.True() {
		return
	}
	more := h.All()
	maps.DeleteFunc(more, func(id log.LogID, at log.Height) bool { return at.Seq <= w.store.HeldBy(h.Device, id) })
	if len(more) > 0 {
		(*holdings)(w).Holds(h.Device, more)
	}
}

// result sums up what a file brought.
func (in *importing) result(ctx context.Context, file *stick.Reader) (Imported, error) {
	out, w := in.out, in.w
	st := w.snapshot()
	out.By, out.At, out.Closed = w.fileBy(st, file.About.By), file.About.At, file.Closed
	if d, ok := st.Known(file.About.For); ok {
		out.For = access.ShowName(d.Card.Name)
	}
	for id, before := range in.before {
		card, ok := w.store.Card(id)
		if !ok {
			continue
		}
		s, err := w.store.Span(ctx, log.Range{Log: id, From: before + 1, To: w.store.Heights(card.Space)[id].Seq})
		if err != nil {
			return out, storeProblem(err, w.dir)
		}
		out.New.Add(s)
	}
	sums := map[Refused]uint64{}
	for _, r := range in.refused {
		sums[Refused{Why: r.Why, Device: r.Device}] += r.Entries
	}
	for r, n := range sums {
		out.Refused = append(out.Refused, Refused{Why: r.Why, Device: r.Device, Entries: n})
	}
	slices.SortFunc(out.Refused, func(a, b Refused) int {
		return slices.Compare([]string{a.Why, a.Device}, []string{b.Why, b.Device})
	})
	w.log.Info("took in a file", "new", out.New.Entries, "known", out.Known, "refused", len(out.Refused))
	return out, nil
}

// stickProblem says why a file is not read.
func stickProblem(err error) *Problem {
	switch {
	case errors.Is(err, stick.ErrNotStick):
		return because("stick-other", err)
	case errors.Is(err, stick.ErrNewer):
		return because("stick-newer", err)
	case errors.Is(err, stick.ErrForeign):
		return because("stick-foreign", err)
	case errors.Is(err, stick.ErrDamaged):
		return because("stick-damaged", err)
	}
	return because("stick-unread", err)
}

// importStopped says why an import ended early.
func importStopped(ctx context.Context, err error, dir string) *Problem {
	if ctx.Err() != nil {
		return because("stick-stopped", ctx.Err())
	}
	var p *Problem
	if errors.As(storeProblem(err, dir), &p) {
		return p
	}
	return stickProblem(err)
}
