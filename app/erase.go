package app

import (
	"context"

	"inselnetz/crdt/access"
	"inselnetz/crdt/chat"
	"inselnetz/crdt/log"
	"inselnetz/crdt/store"
)

// mayErase reports whether this person may erase a message: its author, and who
// manages the space, but not in a direct one.
func (w *Workspace) mayErase(st *access.State, r store.Row) bool {
	level := st.Level(r.Space, w.self)
	if r.Author == w.me() {
		return mayWrite(level)
	}
	return level == access.Manage && st.Spaces[r.Space].Kind != access.Direct
}

// Erase takes a message and all its versions off every device that hears of it,
// for good. When it returns, the text is not on this device any more.
func (w *Workspace) Erase(ctx context.Context, id chat.MsgID) error {
	row, err := w.row(ctx, id)
	if err != nil {
		return err
	}
	st := w.snapshot()
	if !w.mayErase(st, row) {
		return problem("not-yours")
	}
	related, err := w.store.Related(ctx, id)
	if err != nil {
		return storeProblem(err, w.dir)
	}
	refs := make([]access.ErasedRef, len(related))
	for i, r := range related {
		refs[i] = access.ErasedRef{Card: r.Card, Seq: r.Seq, Hash: r.Hash}
	}
	for len(refs) > 0 {
		n := min(len(refs), maxErased)
		payload, err := w.snapshot().Erase(w.self, row.Space, refs[:n])
		if err != nil {
			return accessProblem(err)
		}
		if err := w.control(ctx, payload); err != nil {
			return err
		}
		refs = refs[n:]
	}
	w.changed("channel", w.ChannelText(ChannelRef{row.Space, row.Channel}))
	w.changed("channels", "")
	return nil
}

// maxErased is how many entries one operation erases; each takes about 100 bytes.
const maxErased = 200

// Limit says where a log ends, for the store.
func (r *reader) Limit(c log.Card) (log.Height, bool) {
	cut, ok := r.state.Limit(c)
	return log.Height{Seq: cut.Seq, Hash: cut.Hash}, ok
}

// Erased reports whether an entry's payload is to be dropped.
func (r *reader) Erased(c log.Card, seq uint64, hash log.Hash) bool {
	return r.state.Erased(c, seq, hash)
}

// Stripped reports whether an entry may come without its payload.
func (r *reader) Stripped(c log.Card, seq uint64, hash log.Hash) bool {
	return r.state.ErasedOnce(c, seq, hash)
}

// ErasedRefs lists all entries whose payload is to be dropped.
func (r *reader) ErasedRefs() []store.Ref {
	refs := r.state.ErasedRefs()
	out := make([]store.Ref, len(refs))
	for i, e := range refs {
		out[i] = store.Ref{Card: e.Card, Seq: e.Seq, Hash: e.Hash}
	}
	return out
}
