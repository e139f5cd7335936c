package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"inselnetz/crdt/access"
	"inselnetz/crdt/automerge"
	"inselnetz/crdt/document"
	"inselnetz/crdt/log"
)

// editors are the pages of this device that have a document open.
//
// A page shows what its editor's own copy of the document says, and on top of that
// what it has not sent yet. Edits of the page are done on this copy, which others'
// changes do not reach before: so they mean what the person saw. Then the copy takes
// in what others did, and the page gets the difference.
type editors struct {
	mu      sync.Mutex
	open    map[string]*editor
	numbers map[DocRef]*numbers
}

// numbers are those that the editors of a document write under. One is used again
// only after its page said that it closes: a page that comes back after its editor
// ended, or the program, is told by its number whether its last edits arrived.
type numbers struct {
	free []uint64
	next uint64
}

const metaEditors = "editors/" // + DocText: the number after the largest used, as JSON

// Bounds of editors.
const (
	maxEditors = 64               // the one unused for longest gives way
	editorRest = 10 * time.Minute // without a call ends an editor
)

// An editor is a page that has a document open.
type editor struct {
	id  string
	ref DocRef

	mu     sync.Mutex // one call at a time
	doc    *automerge.Doc
	log    log.LogID // whose actor writes
	n      uint64    // the nth of this log that writes now
	batch  int       // the last one
	answer *EditorNews

	used time.Time // guarded by editors.mu
}

// EditorState is what an opened page begins with.
type EditorState struct {
	Editor  string
	Row     DocRow
	Resumed bool            // the page goes on with what it shows
	Edits   []document.Edit // from there
	Text    EditorText      // if not Resumed
	Arrived bool            // the edits that it got no answer to are before Edits
	Seen    []automerge.Hash
	SeenAt  int64
	EditorPlace
}

// EditorText is a text as a page begins with it.
type EditorText struct {
	Blocks   []document.Block
	Unmarked bool // the first block takes no position
}

// EditorPlace is where an editor stands.
type EditorPlace struct {
	Heads   []automerge.Hash
	Length  int
	Actor   automerge.ActorID
	Next    uint64 // number of this actor's next change
	Devices int    // that hold all of the document that is here
	Of      int
}

// EditorEdits is what a page brings.
type EditorEdits struct {
	Batch int // counts from 1; the last one again is answered as it was
	Edits []document.Edit
	More  bool // what others did waits
	Page  PagePlace
}

// EditorNews is the answer. What was brought is on this device's disk.
type EditorNews struct {
	Edits []document.Edit // Length is that before them
	Meta  bool            // title, folder or comments changed
	Write bool
	Here  []PageHere
	EditorPlace
}

// An EditorResume is where a page stood whose editor is gone.
type EditorResume struct {
	Heads []automerge.Hash
	Actor automerge.ActorID
	Next  uint64
}

// OpenEditor opens a document in a page. A page that lost its editor says where it
// stood; if that is known here, it goes on.
func (w *Workspace) OpenEditor(ctx context.Context, ref DocRef, was EditorResume) (out EditorState, err error) {
	err = w.with(ctx, ref, func(s *shelf, p *paper) error {
		e := &editor{id: newEditorID(), ref: ref}
		if e.log, err = w.ownLog(s.space); err != nil {
			return err
		}
		if e.n, err = w.number(ref); err != nil {
			return err
		}
		before := e.resume(p, was, &out)
		if e.doc == nil {
			if e.doc, err = p.doc.Fork(e.actor()); err != nil {
				return err
			}
		}
		if err := e.doc.Merge(p.doc); err != nil {
			return err
		}
		if out.Resumed {
			out.Edits, _, err = document.Patches(e.doc, before, e.doc.Heads())
		} else {
			out.Text, err = textOf(e.doc.Reader)
		}
		if err != nil {
			return err
		}
		out.Editor, out.EditorPlace = e.id, w.place(s, p, e)
		out.Row, _ = s.row(ref.ID, p)
		out.Seen, out.SeenAt = w.seenDocument(ref, p)
		w.editors.add(e, w.opts.Now())
		return nil
	})
	if err == nil {
		w.toldPage(ref)
	}
	return out, err
}

// resume makes the editor's copy stand where the page does, and returns its heads;
// none if the page has to begin anew.
func (e *editor) resume(p *paper, was EditorResume, out *EditorState) []automerge.Hash {
	if len(was.Heads) == 0 {
		return nil
	}
	at, arrived := was.Heads, false
	if c, ok := p.doc.ChangeBy(was.Actor, was.Next); ok {
		if _, more := p.doc.ChangeBy(was.Actor, was.Next+1); more {
			return nil // a batch of several changes, perhaps not all of them
		}
		at, arrived = []automerge.Hash{c.Hash()}, true
	}
	d, err := p.doc.ForkAt(at, e.actor())
	if err != nil {
		return nil
	}
	e.doc, out.Resumed, out.Arrived = d, true, arrived
	return at
}

func newEditorID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // cannot fail
	return hex.EncodeToString(b[:])
}

func (e *editor) actor() automerge.ActorID { return document.ActorOf(e.log, e.ref.ID, e.n) }

// number is what a new editor writes under; 0 is for edits without a page.
func (w *Workspace) number(ref DocRef) (uint64, error) {
	es := &w.editors
	es.mu.Lock()
	defer es.mu.Unlock()
	ns := es.numbers[ref]
	if ns == nil {
		ns = &numbers{next: 1}
		if raw, err := w.store.Get(metaEditors + DocText(ref)); err == nil {
			_ = json.Unmarshal(raw, &ns.next) // ours
		}
		if es.numbers == nil {
			es.numbers = map[DocRef]*numbers{}
		}
		es.numbers[ref] = ns
	}
	if len(ns.free) > 0 {
		n := ns.free[0]
		ns.free = ns.free[1:]
		return n, nil
	}
	raw, err := json.Marshal(ns.next + 1)
	if err == nil {
		err = w.store.Put(metaEditors+DocText(ref), raw)
	}
	if err != nil {
		return 0, storeProblem(err, w.dir)
	}
	ns.next++
	return ns.next - 1, nil
}

// freeNumber lets a number be used again.
func (w *Workspace) freeNumber(ref DocRef, n uint64) {
	w.editors.mu.Lock()
	defer w.editors.mu.Unlock()
	if ns := w.editors.numbers[ref]; ns != nil {
		ns.free = append(ns.free, n)
	}
}

func (es *editors) add(e *editor, now time.Time) {
	es.mu.Lock()
	defer es.mu.Unlock()
	if es.open == nil {
		es.open = map[string]*editor{}
	}
	for id, o := range es.open {
		if now.Sub(o.used) > editorRest {
			delete(es.open, id)
		}
	}
	if len(es.open) >= maxEditors {
		delete(es.open, slices.MinFunc(slices.Collect(maps.Values(es.open)), func(a, b *editor) int { return a.used.Compare(b.used) }).id)
	}
	e.used = now
	es.open[e.id] = e
}

func (es *editors) get(id string, now time.Time) (*editor, error) {
	es.mu.Lock()
	defer es.mu.Unlock()
	e, ok := es.open[id]
	if !ok {
		return nil, problem("no-editor")
	}
	e.used = now
	return e, nil
}

// of are the documents of a space that pages have open.
func (es *editors) of(space log.SpaceID) map[DocRef]bool {
	es.mu.Lock()
	defer es.mu.Unlock()
	out := map[DocRef]bool{}
	for _, e := range es.open {
		if e.ref.Space == space {
			out[e.ref] = true
		}
	}
	return out
}

// SyncEditor does the edits of a page and fetches what others did.
func (w *Workspace) SyncEditor(ctx context.Context, id string, in EditorEdits) (EditorNews, error) {
	e, err := w.editors.get(id, w.opts.Now())
	if err != nil {
		return EditorNews{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case in.Batch == e.batch && e.answer != nil:
		return *e.answer, nil // the answer did not arrive
	case in.Batch != e.batch+1:
		return EditorNews{}, problem("bad-request", "batch")
	}
	var out EditorNews
	err = w.with(ctx, e.ref, func(s *shelf, p *paper) error {
		for _, h := range e.doc.Heads() {
			if !p.doc.Has(h) { // it counts no more: what follows it would wait forever
				w.editors.drop(id)
				return problem("no-editor")
			}
		}
		if len(in.Edits) > 0 {
			if err := e.write(ctx, s, in.Edits); err != nil {
				return w.docProblem(err)
			}
			if p = s.docs[e.ref.ID]; p == nil {
				return problem("no-document")
			}
		}
		own := e.doc.Heads()
		body, err := document.Body(e.doc.Reader)
		if err != nil {
			return err
		}
		length, err := e.doc.Len(body)
		if err != nil {
			return err
		}
		w.pageMoved(e, in.Page)
		if !in.More {
			if err := e.doc.Merge(p.doc); err != nil {
				return err
			}
			if heads := e.doc.Heads(); !slices.Equal(heads, own) {
				if out.Edits, out.Meta, err = document.Patches(e.doc, own, heads); err != nil {
					return err
				}
			}
		}
		out.EditorPlace = w.place(s, p, e)
		out.Length = length
		out.Write = mayWrite(w.snapshot().Level(s.space, w.self))
		out.Here = w.pagesHere(e)
		return nil
	})
	if err != nil {
		return EditorNews{}, err
	}
	e.batch, e.answer = in.Batch, &out
	return out, nil
}

// write does edits on the editor's copy; they are on the disk and in the shelf
// when it returns. After an error the copy is as it was.
func (e *editor) write(ctx context.Context, s *shelf, edits []document.Edit) error {
	if !mayWrite(s.w.snapshot().Level(s.space, s.w.self)) {
		return problem("only-reading")
	}
	was := e.doc.Heads()
	for try := 0; ; try++ {
		to, err := s.w.ownLog(s.space)
		if err != nil {
			return err
		}
		e.log = to
		err = s.edit(ctx, to, e.ref.ID, e.n, e.doc, func(d *automerge.Doc, commit func() error) error {
			return document.Apply(d, edits, commit)
		})
		if loadErr := s.load(ctx); err == nil {
			return loadErr
		} else if loadErr != nil {
			s.upto, s.aside = nil, true
			return err
		}
		// What is in the copy and not on disk goes. If a part of it is on disk, the
		// page must not bring it again: it begins anew.
		p := s.docs[e.ref.ID]
		if p == nil {
			return err
		}
		if c, ok := p.doc.ChangeBy(e.actor(), e.next(p.doc)-1); ok && !knows(was, p.doc, c) {
			s.w.editors.drop(e.id)
			return problem("no-editor")
		}
		d, forkErr := p.doc.ForkAt(was, e.actor())
		if forkErr != nil {
			s.w.editors.drop(e.id)
			return errors.Join(err, forkErr)
		}
		e.doc = d
		if !errors.Is(err, errOtherLog) || try > 0 {
			return err
		}
	}
}

// next is the number of the next change of the editor's actor.
func (e *editor) next(d *automerge.Doc) uint64 { return d.NextSeq(e.actor()) }

// knows reports whether a state of a document has a change.
func knows(heads []automerge.Hash, d *automerge.Doc, c *automerge.Change) bool {
	since, err := d.Changes(heads)
	return err == nil && !slices.ContainsFunc(since, func(x *automerge.Change) bool { return x.Hash() == c.Hash() })
}

func (es *editors) drop(id string) *editor {
	es.mu.Lock()
	defer es.mu.Unlock()
	e := es.open[id]
	delete(es.open, id)
	return e
}

// CheckEditor is what a page must show when it has sent all it has.
func (w *Workspace) CheckEditor(id string) ([]automerge.Hash, EditorText, error) {
	e, err := w.editors.get(id, w.opts.Now())
	if err != nil {
		return nil, EditorText{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	text, err := textOf(e.doc.Reader)
	return e.doc.Heads(), text, err
}

func textOf(r automerge.Reader) (out EditorText, err error) {
	if out.Blocks, err = document.Blocks(r); err == nil {
		out.Unmarked, err = document.Unmarked(r)
	}
	return out, err
}

// CloseEditor ends an editor and notes what its page saw.
func (w *Workspace) CloseEditor(id string) {
	e := w.editors.drop(id)
	if e == nil {
		return
	}
	e.mu.Lock()
	heads := e.doc.Heads()
	e.mu.Unlock()
	w.freeNumber(e.ref, e.n)
	w.noteDocument(e.ref, heads)
	w.pageGone(e)
}

// place says where an editor stands and how many devices hold the document.
func (w *Workspace) place(s *shelf, p *paper, e *editor) EditorPlace {
	out := EditorPlace{Heads: e.doc.Heads(), Actor: e.actor(), Next: e.next(e.doc)}
	if body, err := document.Body(e.doc.Reader); err == nil {
		out.Length, _ = e.doc.Len(body)
	}
	out.Devices, out.Of = w.reachOf(s.space, p)
	return out
}

// reachOf counts the devices that hold all of a document that is here, and those
// that shall.
func (w *Workspace) reachOf(space log.SpaceID, p *paper) (have, of int) {
	st := w.snapshot()
	for id, d := range st.Devices {
		if !keeps(st, space, id) || w.expired(d) {
			continue
		}
		of++
		has := true
		for l, seq := range p.last {
			has = has && (id == w.self || w.store.HeldBy(id, l) >= seq)
		}
		if has {
			have++
		}
	}
	return have, of
}

// seenDoc is what was on the page when somebody last closed a document here.
type seenDoc struct {
	At    int64    `json:"at"` // ms
	Heads []string `json:"heads"`
}

const metaSeenDoc = "seen-document/" // + DocText: a seenDoc as JSON

// noteDocument writes down what was on the page.
func (w *Workspace) noteDocument(ref DocRef, heads []automerge.Hash) {
	d := seenDoc{At: w.opts.Now().UnixMilli()}
	for _, h := range heads {
		d.Heads = append(d.Heads, hex.EncodeToString(h[:]))
	}
	raw, err := json.Marshal(d)
	if err == nil {
		err = w.store.Put(metaSeenDoc+DocText(ref), raw)
	}
	if err != nil {
		w.log.Warn("note what was seen of a document", "err", err)
	}
	w.papers.mu.Lock()
	if w.papers.seen == nil {
		w.papers.seen = map[DocRef]seenState{}
	}
	w.papers.seen[ref] = seenState{d.At, heads}
	w.papers.mu.Unlock()
	w.changed("documents", ref.Space.String())
}

type seenState struct {
	at    int64
	heads []automerge.Hash
}

// lastSeen is what was on the page when somebody last closed the document here.
func (w *Workspace) lastSeen(ref DocRef) seenState {
	w.papers.mu.Lock()
	s, ok := w.papers.seen[ref]
	w.papers.mu.Unlock()
	if ok {
		return s
	}
	var d seenDoc
	if raw, err := w.store.Get(metaSeenDoc + DocText(ref)); err == nil && json.Unmarshal(raw, &d) == nil {
		for _, h := range d.Heads {
			if b, err := hex.DecodeString(h); err == nil && len(b) == len(automerge.Hash{}) {
				s.heads = append(s.heads, automerge.Hash(b))
			}
		}
		s.at = d.At
	}
	w.papers.mu.Lock()
	defer w.papers.mu.Unlock()
	if w.papers.seen == nil {
		w.papers.seen = map[DocRef]seenState{}
	}
	w.papers.seen[ref] = s
	return s
}

// seenDocument is lastSeen where it is older than what is here now.
func (w *Workspace) seenDocument(ref DocRef, p *paper) ([]automerge.Hash, int64) {
	s := w.lastSeen(ref)
	if len(s.heads) == 0 || slices.Equal(s.heads, p.doc.Heads()) {
		return nil, 0
	}
	if _, err := p.doc.At(s.heads); err != nil {
		return nil, 0 // of a backup, say
	}
	return s.heads, s.at
}

// forgetEditors ends editors of spaces that this person reads no more.
func (w *Workspace) forgetEditors(st *access.State) {
	w.editors.mu.Lock()
	defer w.editors.mu.Unlock()
	maps.DeleteFunc(w.editors.open, func(_ string, e *editor) bool { return st.Level(e.ref.Space, w.self) == access.None })
}
