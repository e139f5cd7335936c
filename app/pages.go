package app

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"sync"
	"time"

	"inselnetz/crdt/automerge"
	"inselnetz/crdt/document"
	"inselnetz/crdt/log"
)

// pages are who has a document open, here and elsewhere, and where their cursors
// are. Nothing of it is stored.
type pages struct {
	mu   sync.Mutex
	here map[DocRef]map[pageID]*page
}

type pageID struct {
	device log.DeviceID
	editor [8]byte
}

type page struct {
	pageNote
	heard time.Time
	told  time.Time // of own pages: when others were told last
}

// A pageNote is what pages tell each other.
type pageNote struct {
	gone, typing, shown bool
	anchor, head        automerge.Cursor
}

// A page that is not heard of for pageRest is gone; those that are there say so
// every pageEvery.
const (
	pageEvery = 15 * time.Second
	pageRest  = 50 * time.Second
	maxPages  = 256 // of a document: what is said of more is passed over
	mostOpen  = 64  // of a device
)

// PagePlace is what a page says of its person.
type PagePlace struct {
	Typing       bool
	Shown        bool // Anchor and Head are said
	Anchor, Head int  // of the selection
}

// PageHere is another page that has the document open.
type PageHere struct {
	Page   string
	By     FileBy
	Typing bool
	Shown  bool // Anchor and Head are known
	Anchor int
	Head   int
}

// id is the page of an editor.
func (e *editor) page(self log.DeviceID) (id pageID) {
	id.device = self
	_, _ = hex.Decode(id.editor[:], []byte(e.id)) // made by newEditorID
	return id
}

// pageMoved notes where the person of an editor is, and tells others if that is
// new. The caller holds the editor.
func (w *Workspace) pageMoved(e *editor, at PagePlace) {
	note := pageNote{typing: at.Typing, shown: at.Shown}
	if body, err := document.Body(e.doc.Reader); err == nil && at.Shown {
		size, _ := e.doc.Len(body)
		place := func(pos int) automerge.Cursor {
			c, err := e.doc.Cursor(body, min(max(pos, 0), size), automerge.MoveAfter)
			if err != nil {
				note.shown = false
			}
			return c
		}
		note.anchor, note.head = place(at.Anchor), place(at.Head)
	}
	w.pageIs(e, note)
}

func (w *Workspace) pageIs(e *editor, note pageNote) {
	id, now := e.page(w.self), w.opts.Now()
	w.pages.mu.Lock()
	old := w.pages.put(e.ref, id, note, now)
	tell := old == nil || old.pageNote != note || now.Sub(old.told) > pageEvery
	if p := w.pages.here[e.ref][id]; p != nil {
		if old != nil {
			p.told = old.told
		}
		if tell {
			p.told = now
		}
	}
	w.pages.mu.Unlock()
	if !tell {
		return
	}
	if m := w.network(); m != nil {
		m.Whisper(e.ref.Space, whisperPage, encodePage(e.ref.ID, id.editor, note))
	}
	if old == nil || old.pageNote != note {
		w.toldPage(e.ref)
	}
	if old == nil || old.typing != note.typing || note.gone {
		w.changed("documents", e.ref.Space.String())
	}
}

// pageGone says that a page was closed.
func (w *Workspace) pageGone(e *editor) { w.pageIs(e, pageNote{gone: true}) }

// toldPage has the pages of a document ask again.
func (w *Workspace) toldPage(ref DocRef) { w.changed("document", DocText(ref)) }

// put notes a page and returns what was known of it.
func (ps *pages) put(ref DocRef, id pageID, note pageNote, now time.Time) *page {
	if ps.here == nil {
		ps.here = map[DocRef]map[pageID]*page{}
	}
	all := ps.here[ref]
	old := all[id]
	if note.gone {
		delete(all, id)
		if len(all) == 0 {
			delete(ps.here, ref)
		}
		return old
	}
	if old == nil && (len(all) >= maxPages || ps.full(id.device, now)) {
		return nil
	}
	if all = ps.here[ref]; all == nil {
		all = map[pageID]*page{}
		ps.here[ref] = all
	}
	all[id] = &page{pageNote: note, heard: now}
	return old
}

// full reports whether a device has as many pages as it may, and forgets those of
// it that were not heard of.
func (ps *pages) full(device log.DeviceID, now time.Time) bool {
	n := 0
	for ref, all := range ps.here {
		for id, p := range all {
			switch {
			case id.device != device:
			case now.Sub(p.heard) > pageRest:
				delete(all, id)
			default:
				n++
			}
		}
		if len(all) == 0 {
			delete(ps.here, ref)
		}
	}
	return n >= mostOpen
}

// heardPage takes what a page elsewhere says.
func (w *Workspace) heardPage(from log.DeviceID, space log.SpaceID, data []byte) error {
	doc, editor, note, err := decodePage(data)
	if err != nil {
		return err
	}
	ref := DocRef{space, doc}
	w.pages.mu.Lock()
	old := w.pages.put(ref, pageID{from, editor}, note, w.opts.Now())
	w.pages.mu.Unlock()
	if old == nil || old.pageNote != note {
		w.toldPage(ref)
	}
	if old == nil && !note.gone || old != nil && (old.typing != note.typing || note.gone) {
		w.changed("documents", space.String())
	}
	return nil
}

// sayPages tells a device that came of the pages open here.
func (w *Workspace) sayPages(to log.DeviceID) {
	m := w.network()
	if m == nil {
		return
	}
	w.pages.mu.Lock()
	defer w.pages.mu.Unlock()
	for ref, all := range w.pages.here {
		for id, p := range all {
			if id.device == w.self {
				m.WhisperTo(to, ref.Space, whisperPage, encodePage(ref.ID, id.editor, p.pageNote))
			}
		}
	}
}

// fresh are the pages of a document that are still there, but not the one named.
func (ps *pages) fresh(ref DocRef, but pageID, now time.Time) map[pageID]page {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	out := map[pageID]page{}
	for id, p := range ps.here[ref] {
		switch {
		case now.Sub(p.heard) > pageRest:
			delete(ps.here[ref], id)
		case id != but:
			out[id] = *p
		}
	}
	if len(ps.here[ref]) == 0 {
		delete(ps.here, ref)
	}
	return out
}

// pagesHere are the other pages of an editor's document, with their cursors where
// they are in the editor's copy.
func (w *Workspace) pagesHere(e *editor) []PageHere {
	return w.showPages(e.ref, e.page(w.self), &e.doc.Reader)
}

// writers are the pages that have a document open elsewhere.
func (w *Workspace) writers(ref DocRef) []PageHere {
	return slices.DeleteFunc(w.showPages(ref, pageID{}, nil), func(p PageHere) bool { return p.By.Self })
}

func (w *Workspace) showPages(ref DocRef, but pageID, r *automerge.Reader) []PageHere {
	st := w.snapshot()
	var out []PageHere
	for id, p := range w.pages.fresh(ref, but, w.opts.Now()) {
		if _, ok := st.Devices[id.device]; !ok {
			continue
		}
		h := PageHere{Page: hex.EncodeToString(id.editor[:]), By: w.fileBy(st, id.device), Typing: p.typing}
		if r != nil && p.shown {
			if body, err := document.Body(*r); err == nil {
				a, err1 := r.Position(body, p.anchor)
				b, err2 := r.Position(body, p.head)
				if err1 == nil && err2 == nil {
					h.Shown, h.Anchor, h.Head = true, a, b
				}
			}
		}
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b PageHere) int { return cmp.Or(cmp.Compare(a.By.Name, b.By.Name), cmp.Compare(a.Page, b.Page)) })
	return out
}

const (
	pageFlagGone   = 1
	pageFlagTyping = 2
	pageFlagShown  = 4
)

// encodePage is document(16) ‖ page(8) ‖ flags, and if the selection is shown
// length as uvarint ‖ cursor, twice: anchor and head.
func encodePage(doc document.ID, editor [8]byte, n pageNote) []byte {
	b := append(slices.Clone(doc[:]), editor[:]...)
	var flags byte
	for _, f := range []struct {
		on  bool
		bit byte
	}{{n.gone, pageFlagGone}, {n.typing, pageFlagTyping}, {n.shown, pageFlagShown}} {
		if f.on {
			flags |= f.bit
		}
	}
	b = append(b, flags)
	if n.shown {
		for _, c := range []automerge.Cursor{n.anchor, n.head} {
			raw, err := c.MarshalBinary()
			if err != nil {
				raw = nil
			}
			b = append(binary.AppendUvarint(b, uint64(len(raw))), raw...)
		}
	}
	return b
}

// decodePage reads what encodePage wrote.
func decodePage(b []byte) (doc document.ID, editor [8]byte, n pageNote, err error) {
	if len(b) < len(doc)+len(editor)+1 {
		return doc, editor, n, errWhisper
	}
	b = b[copy(doc[:], b):]
	b = b[copy(editor[:], b):]
	flags := b[0]
	b = b[1:]
	n = pageNote{gone: flags&pageFlagGone != 0, typing: flags&pageFlagTyping != 0, shown: flags&pageFlagShown != 0}
	if n.shown {
		for _, c := range []*automerge.Cursor{&n.anchor, &n.head} {
			size, k := binary.Uvarint(b)
			if k <= 0 || size > uint64(len(b)-k) {
				return doc, editor, n, errWhisper
			}
			if err := c.UnmarshalBinary(b[k : k+int(size)]); err != nil {
				return doc, editor, n, errWhisper
			}
			b = b[k+int(size):]
		}
	}
	if len(b) > 0 || flags > pageFlagGone|pageFlagTyping|pageFlagShown {
		return doc, editor, n, errWhisper
	}
	return doc, editor, n, nil
}
