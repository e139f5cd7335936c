package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"inselnetz/crdt/access"
	"inselnetz/crdt/automerge"
	"inselnetz/crdt/document"
	"inselnetz/crdt/log"
	"inselnetz/crdt/store"
)

// papers are the documents of this device's spaces, folded from entries when
// somebody asks for them.
type papers struct {
	mu     sync.Mutex
	shelfs map[log.SpaceID]*shelf
	seen   map[DocRef]seenState
}

// A shelf is the documents of one space.
type shelf struct {
	w     *Workspace
	space log.SpaceID

	mu     sync.Mutex // guards the rest, and the documents
	upto   map[log.LogID]uint64
	writes map[log.LogID]bool // logs that count
	aside  bool               // some entries could not be read yet
	turn   int                // of the store, see store.DocumentsTurn
	fresh  int                // entries taken in since documents were kept
	docs   map[document.ID]*paper
}

// A paper is one document.
type paper struct {
	doc     *automerge.Doc
	changed log.HLC // of the newest entry
	by      log.DeviceID
	devices map[automerge.ActorID]log.DeviceID
	last    map[log.LogID]uint64 // the newest entry of each log
	kept    bool                 // as it is, or will be in a moment
	face    *face                // what lists show; nil: not made since the last change
}

// A DocRef names a document.
type DocRef struct {
	Space log.SpaceID
	ID    document.ID
}

// DocText is how the API names a document.
func DocText(r DocRef) string { return r.Space.String() + "." + r.ID.String() }

// ParseDocRef reads what DocText wrote.
func ParseDocRef(s string) (r DocRef, err error) {
	space, id, _ := strings.Cut(s, ".")
	if r.Space, err = log.ParseSpaceID(space); err == nil {
		r.ID, err = document.ParseID(id)
	}
	if err != nil {
		return DocRef{}, because("no-document", err)
	}
	return r, nil
}

// A DocRow is a document in a list.
type DocRow struct {
	Ref      DocRef
	Meta     document.Meta
	Changed  int64  // ms since 1970
	By       FileBy // who changed it last
	Size     int    // characters
	Waiting  int    // changes that wait for others
	Write    bool   // this person may change it
	Start    string // the first lines
	New      bool   // others changed it since somebody last closed it here
	Mentions int    // open comments that name this person
	Writers  []PageHere
}

// mostHeld is how many changes of a document may wait for others. What came is not
// read again, so none may be dropped; entries come after what their author knew, so
// few ever wait.
const mostHeld = 100_000

var docOptions = automerge.Options{Unit: automerge.UTF16, Queue: mostHeld}

func newPaper() *paper {
	return &paper{doc: automerge.New(docOptions), devices: map[automerge.ActorID]log.DeviceID{}, last: map[log.LogID]uint64{}}
}

// shelf is the documents of a space that this person may read.
func (w *Workspace) shelf(space log.SpaceID) (*shelf, error) {
	st := w.snapshot()
	switch {
	case st == nil:
		return nil, problem("not-member")
	case st.Level(space, w.self) == access.None || space == log.Control:
		return nil, problem("no-document")
	}
	w.papers.mu.Lock()
	s := w.papers.shelfs[space]
	if s == nil {
		s = &shelf{w: w, space: space, docs: map[document.ID]*paper{}}
		if w.papers.shelfs == nil {
			w.papers.shelfs = map[log.SpaceID]*shelf{}
		}
		w.papers.shelfs[space] = s
	}
	w.papers.mu.Unlock()
	return s, nil
}

// forgetPapers drops the documents of spaces that this person reads no more.
func (w *Workspace) forgetPapers(st *access.State) {
	w.papers.mu.Lock()
	defer w.papers.mu.Unlock()
	maps.DeleteFunc(w.papers.shelfs, func(id log.SpaceID, _ *shelf) bool { return st.Level(id, w.self) == access.None })
}

// load takes in the entries that count and that the shelf does not have. If some
// count no more, it begins anew, with what is kept. The caller holds mu.
func (s *shelf) load(ctx context.Context) error {
	st := s.w.snapshot()
	turn := s.w.store.DocumentsTurn(s.space) // before anything is read
	writes, fell := s.w.counting(st, s.space, s.upto, s.writes)
	after := s.upto
	if fell || s.aside || after == nil || turn != s.turn {
		s.docs, s.fresh = map[document.ID]*paper{}, 0
		after = s.fromKept(ctx, writes)
	}
	r := &reader{ws: s.w.ws, state: st, keys: s.w.keyring()}
	aside := false
	got := map[document.ID][]*automerge.Change{}
	upto, err := s.w.store.Documents(ctx, s.space, after, func(card log.Card, e *log.Entry) error {
		if !writes[card.ID()] {
			return nil
		}
		plain, err := r.Plain(card, e)
		if err != nil {
			aside = aside || errors.Is(err, store.ErrNoKey)
			return nil
		}
		s.take(card, e, plain, got)
		return nil
	})
	if err != nil {
		s.upto = nil // half taken in: anew next time
		s.aside = true
		return storeProblem(err, s.w.dir)
	}
	for id, changes := range got {
		p := s.docs[id]
		p.face = nil
		if err := p.doc.Apply(changes...); err != nil {
			s.w.log.Warn("changes of a document that do not count", "document", id, "err", err)
		}
	}
	s.upto, s.writes, s.aside, s.turn = upto, writes, aside, turn
	return nil
}

// take notes the changes of an entry.
func (s *shelf) take(card log.Card, e *log.Entry, plain []byte, got map[document.ID][]*automerge.Change) {
	pay, err := document.DecodePayload(plain)
	var changes []*automerge.Change
	if err == nil {
		changes, err = pay.Changes(card.ID(), nil)
	}
	if err != nil {
		s.w.log.Warn("entry of a document that does not count", "log", e.Log, "seq", e.Seq, "err", err)
		return
	}
	p := s.docs[pay.Doc]
	if p == nil {
		p = newPaper()
		s.docs[pay.Doc] = p
	}
	p.devices[document.ActorOf(card.ID(), pay.Doc, pay.N)] = card.Device
	p.last[card.ID()] = max(p.last[card.ID()], e.Seq)
	p.kept = false
	s.fresh++
	if e.HLC > p.changed {
		p.changed, p.by = e.HLC, card.Device
	}
	got[pay.Doc] = append(got[pay.Doc], changes...)
}

// Documents are the documents of a space, by name.
func (w *Workspace) Documents(ctx context.Context, space log.SpaceID) ([]DocRow, error) {
	s, err := w.shelf(space)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.load(ctx); err != nil {
		return nil, err
	}
	var out []DocRow
	for id, p := range s.docs {
		if row, ok := s.row(id, p); ok {
			out = append(out, row)
		}
	}
	slices.SortFunc(out, func(a, b DocRow) int {
		if c := strings.Compare(strings.ToLower(a.Meta.Title), strings.ToLower(b.Meta.Title)); c != 0 {
			return c
		}
		return slices.Compare(a.Ref.ID[:], b.Ref.ID[:])
	})
	return out, nil
}

// row shows a document; ok is false while its beginning is not here yet.
func (s *shelf) row(id document.ID, p *paper) (DocRow, bool) {
	f, ok := s.look(p)
	if !ok {
		return DocRow{}, false
	}
	st, ref := s.w.snapshot(), DocRef{s.space, id}
	row := DocRow{
		Ref: ref, Meta: f.meta, Changed: int64(p.changed >> 16), By: s.w.fileBy(st, p.by), Size: f.size, Start: f.start,
		Waiting: p.doc.Held(), Write: mayWrite(st.Level(s.space, s.w.self)), Writers: s.w.writers(ref), Mentions: f.named,
	}
	seen := s.w.lastSeen(ref)
	row.New = len(seen.heads) > 0 && !row.By.Self && !slices.Equal(seen.heads, p.doc.Heads())
	return row, true
}

// with has f read a document, up to date.
func (w *Workspace) with(ctx context.Context, ref DocRef, f func(s *shelf, p *paper) error) error {
	s, err := w.shelf(ref.Space)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.load(ctx); err != nil {
		return err
	}
	p, ok := s.docs[ref.ID]
	if !ok {
		return problem("no-document")
	}
	if _, err := document.Body(p.doc.Reader); err != nil {
		return problem("document-incomplete")
	}
	return f(s, p)
}

// DocumentSpaces are the spaces whose documents this person reads, that of all
// first.
func (w *Workspace) DocumentSpaces() ([]log.SpaceID, error) {
	st := w.snapshot()
	if st == nil {
		return nil, problem("not-member")
	}
	return w.readable(st), nil
}

// FileName is a title as the name of a file.
func FileName(title string) string { return fileName(title) }

// Document is one row.
func (w *Workspace) Document(ctx context.Context, ref DocRef) (row DocRow, err error) {
	err = w.with(ctx, ref, func(s *shelf, p *paper) error {
		row, _ = s.row(ref.ID, p)
		return nil
	})
	return row, err
}

// change has f edit a document. What f commits is on this device's disk, and on
// its way to others, when change returns. f may be called twice.
func (s *shelf) change(ctx context.Context, id document.ID, p *paper, f func(d *automerge.Doc, commit func() error) error) error {
	if !mayWrite(s.w.snapshot().Level(s.space, s.w.self)) {
		return problem("only-reading")
	}
	for range 2 {
		to, err := s.w.ownLog(s.space)
		if err != nil {
			return err
		}
		p.face = nil
		err = s.edit(ctx, to, id, 0, p.doc, f)
		if err == nil {
			return nil
		}
		// What is in memory and not on disk must not be seen: read all again.
		s.upto, s.aside = nil, true
		if !errors.Is(err, errOtherLog) {
			return err
		}
		if err := s.load(ctx); err != nil {
			return err
		}
		if q, ok := s.docs[id]; ok {
			p = q
		} else {
			p = newPaper()
		}
	}
	return errOtherLog
}

// edit has f edit a copy of a document as the nth page of a log does; n is 0
// without a page.
func (s *shelf) edit(ctx context.Context, to log.LogID, id document.ID, n uint64, d *automerge.Doc, f func(*automerge.Doc, func() error) error) error {
	if err := d.SetActor(document.ActorOf(to, id, n)); err != nil {
		return err
	}
	since := d.Heads()
	commit := func() error {
		if !d.Commit(automerge.CommitOptions{Time: s.w.opts.Now().Unix()}) {
			return nil
		}
		chunks, err := d.SaveSince(since)
		if err != nil {
			return err
		}
		since = d.Heads()
		pay := document.Payload{Doc: id, N: n, Chunks: chunks}
		_, err = s.w.appendTo(ctx, to, s.space, log.KindDocument, pay.Encode(), "")
		return err
	}
	if err := f(d, commit); err != nil {
		d.Rollback()
		return err
	}
	return commit()
}

// CreateDocument makes a document with a beginning.
func (w *Workspace) CreateDocument(ctx context.Context, space log.SpaceID, m document.Meta, blocks []document.Block) (DocRow, error) {
	return w.createDocument(ctx, space, document.NewID(), m, blocks)
}

// createDocument is CreateDocument with an id; one that is there already stays as
// it is.
func (w *Workspace) createDocument(ctx context.Context, space log.SpaceID, id document.ID, m document.Meta, blocks []document.Block) (DocRow, error) {
	if m.Title = strings.TrimSpace(m.Title); m.Title == "" {
		return DocRow{}, &Problem{Code: "document-title", Field: "title"}
	}
	s, err := w.shelf(space)
	if err != nil {
		return DocRow{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.load(ctx); err != nil {
		return DocRow{}, err
	}
	if _, ok := s.docs[id]; !ok {
		err = s.change(ctx, id, newPaper(), func(d *automerge.Doc, commit func() error) error {
			return document.Create(d, m, blocks, commit)
		})
		if err != nil {
			return DocRow{}, w.docProblem(err)
		}
		if err := s.load(ctx); err != nil {
			return DocRow{}, err
		}
	}
	q, ok := s.docs[id]
	if !ok {
		return DocRow{}, problem("internal", "the document is not there")
	}
	row, _ := s.row(id, q)
	return row, nil
}

// CopyDocument makes a document with the present text of another, beside it.
func (w *Workspace) CopyDocument(ctx context.Context, ref DocRef, title string) (DocRow, error) {
	var meta document.Meta
	var blocks []document.Block
	err := w.ReadDocument(ctx, ref, nil, func(_ *automerge.Doc, r automerge.Reader) (err error) {
		meta = document.ReadMeta(r)
		blocks, err = document.Blocks(r)
		return err
	})
	if err != nil {
		return DocRow{}, err
	}
	for _, b := range blocks {
		for _, s := range b.Spans { // comments stay with the text they are about
			maps.DeleteFunc(s.Marks, func(name string, _ any) bool { return strings.HasPrefix(name, "comment:") })
		}
	}
	meta.Title, meta.Archived = title, false
	return w.CreateDocument(ctx, ref.Space, meta, blocks)
}

// ChangeDocument has f edit a document; see shelf.change.
func (w *Workspace) ChangeDocument(ctx context.Context, ref DocRef, f func(d *automerge.Doc, commit func() error) error) (row DocRow, err error) {
	err = w.with(ctx, ref, func(s *shelf, p *paper) error {
		if err := s.change(ctx, ref.ID, p, f); err != nil {
			return w.docProblem(err)
		}
		if err := s.load(ctx); err != nil {
			return err
		}
		row, _ = s.row(ref.ID, s.docs[ref.ID])
		return nil
	})
	return row, err
}

// ReadDocument has f read a document as it is, or as it was at some heads.
func (w *Workspace) ReadDocument(ctx context.Context, ref DocRef, heads []automerge.Hash, f func(d *automerge.Doc, r automerge.Reader) error) error {
	return w.with(ctx, ref, func(_ *shelf, p *paper) error {
		r := p.doc.Reader
		if len(heads) > 0 {
			var err error
			if r, err = p.doc.At(heads); err != nil {
				return because("no-version", err)
			}
		}
		return f(p.doc, r)
	})
}

// A DocState is how a document was, and what differs from an earlier state.
type DocState struct {
	Title          string
	Heads          []automerge.Hash
	Blocks         []document.Compared
	Added, Removed int                          // characters
	By             map[automerge.ActorID]FileBy // of all that is marked
}

// DocumentState is a document as it was at some heads, by default now. With since,
// what is different from then is marked.
func (w *Workspace) DocumentState(ctx context.Context, ref DocRef, heads, since []automerge.Hash) (out DocState, err error) {
	err = w.with(ctx, ref, func(_ *shelf, p *paper) error {
		if out.Heads = heads; len(heads) == 0 {
			out.Heads = p.doc.Heads()
		}
		r, err := p.doc.At(out.Heads)
		if err != nil {
			return because("no-version", err)
		}
		out.Title = document.ReadMeta(r).Title
		if len(since) == 0 {
			blocks, err := document.Blocks(r)
			for _, b := range blocks {
				c := document.Compared{Block: b}
				for _, s := range b.Spans {
					c.Parts = append(c.Parts, document.ComparedSpan{Span: s})
				}
				out.Blocks = append(out.Blocks, c)
			}
			return err
		}
		if out.Blocks, out.Added, out.Removed, err = document.Compare(p.doc, since, out.Heads); err != nil {
			return because("no-version", err)
		}
		st := w.snapshot()
		out.By = map[automerge.ActorID]FileBy{}
		note := func(a automerge.ActorID) {
			if _, ok := out.By[a]; !ok && a != "" {
				out.By[a] = w.fileBy(st, p.devices[a])
			}
		}
		for _, b := range out.Blocks {
			note(b.By)
			for _, s := range b.Parts {
				note(s.By)
			}
		}
		return nil
	})
	return out, err
}

// A DocSession is what was written without a longer pause, and by whom: who did most
// first.
type DocSession struct {
	document.Session
	By []FileBy
}

// DocumentHistory is the life of a document, oldest first.
func (w *Workspace) DocumentHistory(ctx context.Context, ref DocRef) (out []DocSession, err error) {
	err = w.with(ctx, ref, func(s *shelf, p *paper) error {
		st := w.snapshot()
		for _, h := range document.History(p.doc) {
			x := DocSession{Session: h}
			for _, a := range h.Actors {
				by := w.fileBy(st, p.devices[a])
				if !slices.ContainsFunc(x.By, func(o FileBy) bool { return o.Person == by.Person }) {
					x.By = append(x.By, by)
				}
			}
			out = append(out, x)
		}
		return nil
	})
	return out, err
}

// SetDocument changes name, folder or archive.
func (w *Workspace) SetDocument(ctx context.Context, ref DocRef, change func(*document.Meta)) (DocRow, error) {
	return w.ChangeDocument(ctx, ref, func(d *automerge.Doc, _ func() error) error {
		return document.SetMeta(d, func(m *document.Meta) {
			change(m)
			m.Title = strings.TrimSpace(m.Title)
		})
	})
}

// RestoreDocument makes a state of the past the present one, by a new edit.
func (w *Workspace) RestoreDocument(ctx context.Context, ref DocRef, heads []automerge.Hash) (DocRow, error) {
	return w.ChangeDocument(ctx, ref, func(d *automerge.Doc, commit func() error) error {
		edits, _, err := document.Patches(d, d.Heads(), heads)
		if err != nil {
			return because("no-version", err)
		}
		return document.Apply(d, edits, commit)
	})
}

// docProblem gives the errors of documents their sentence.
func (w *Workspace) docProblem(err error) error {
	var p *Problem
	switch {
	case err == nil, errors.As(err, &p):
		return err
	case errors.Is(err, errOtherLog):
		return err
	case errors.Is(err, document.ErrText):
		return &Problem{Code: "document-title", Field: "title", Err: err}
	case errors.Is(err, document.ErrEdit):
		return because("bad-request", err, err.Error())
	case errors.Is(err, automerge.ErrLimit):
		return because("document-large", err)
	case errors.Is(err, automerge.ErrRange), errors.Is(err, automerge.ErrKind), errors.Is(err, automerge.ErrValue), errors.Is(err, automerge.ErrNoObject):
		return because("bad-request", err, err.Error())
	}
	return fmt.Errorf("document: %w", err)
}
