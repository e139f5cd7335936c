package app

import (
	crand "crypto/rand"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"inselnetz/crdt/access"
	"inselnetz/crdt/automerge"
	"inselnetz/crdt/document"
	"inselnetz/crdt/log"
	"inselnetz/crdt/store"
	"inselnetz/mesh/sim"
)

// A typist is a page as an editor sees it: the text, of which each block is one
// letter too, and what was not answered yet.
type typist struct {
	d      *device
	ref    DocRef
	editor string
	text   []rune // what was answered
	batch  int
	unsent []document.Edit
	place  EditorPlace
	words  []string // acknowledged
	word   string   // in unsent
}

const blockLetter = '¶'

func (y *typist) do(edits []document.Edit) {
	for _, e := range edits {
		switch e.Kind {
		case document.Splice:
			y.text = slices.Replace(y.text, e.At, e.At+e.Del, []rune(e.Text)...)
		case document.Split:
			y.text = slices.Insert(y.text, e.At, blockLetter)
		}
	}
}

func (y *typist) open() {
	t := y.d.o.t
	t.Helper()
	var was EditorResume
	if y.batch > 0 {
		was = EditorResume{y.place.Heads, y.place.Actor, y.place.Next}
	}
	st, err := y.d.ws.OpenEditor(t.Context(), y.ref, was)
	if isProblem(err, "no-document") || isProblem(err, "document-incomplete") {
		return // not here yet
	}
	must(t, err)
	if st.Resumed {
		if st.Arrived {
			y.do(y.unsent)
			y.acknowledged()
		}
	} else {
		if y.batch > 0 {
			t.Errorf("%s: a page that this device knows begins anew", y.d.name)
		}
		y.text, y.unsent, y.word = nil, nil, ""
	}
	y.do(st.Edits)
	if !st.Resumed {
		y.shows(st.Text)
	}
	y.editor, y.batch, y.place = st.Editor, 0, st.EditorPlace
	y.check()
	for i := range y.unsent { // a page moves what it has not sent
		y.unsent[i].At = y.whole(min(y.unsent[i].At, len(y.text)))
	}
	y.sync(false)
}

// whole is the next place that tears no word.
func (y *typist) whole(at int) int {
	for at < len(y.text) && y.text[at] != blockLetter && y.text[at] != '<' {
		at++
	}
	return at
}

func (y *typist) shows(text EditorText) {
	y.text = nil
	for i, b := range text.Blocks {
		if i > 0 || !text.Unmarked {
			y.text = append(y.text, blockLetter)
		}
		y.text = append(y.text, []rune(b.Text())...)
	}
}

func (y *typist) check() {
	y.d.o.t.Helper()
	if len(y.text) != y.place.Length {
		y.d.o.t.Fatalf("%s: the page has %d letters, the editor %d", y.d.name, len(y.text), y.place.Length)
	}
}

func (y *typist) acknowledged() {
	if y.word != "" {
		y.words = append(y.words, y.word)
	}
	y.unsent, y.word = nil, ""
}

// sync sends what is unsent. lost: the answer does not arrive.
func (y *typist) sync(lost bool) {
	t := y.d.o.t
	t.Helper()
	news, err := y.d.ws.SyncEditor(t.Context(), y.editor, EditorEdits{
		Batch: y.batch + 1, Edits: y.unsent, Page: PagePlace{Shown: true, Anchor: len(y.text), Head: 1},
	})
	if lost {
		return
	}
	if isProblem(err, "no-editor") {
		y.open()
		return
	}
	must(t, err)
	y.batch++
	y.do(y.unsent)
	y.acknowledged()
	if len(y.text) != news.Length {
		t.Fatalf("%s: the page has %d letters, the editor %d", y.d.name, len(y.text), news.Length)
	}
	y.do(news.Edits)
	y.place = news.EditorPlace
}

func (y *typist) write(r *rand.Rand, n int) {
	if len(y.unsent) > 0 {
		return
	}
	at := y.whole(1 + r.IntN(len(y.text)))
	if r.IntN(5) == 0 {
		y.unsent = []document.Edit{{Kind: document.Split, At: at, Block: map[string]any{"t": "bullet"}}}
		return
	}
	y.word = fmt.Sprintf("<%s.%d>", y.d.name, n)
	y.unsent = []document.Edit{{Kind: document.Splice, At: at, Text: y.word, Marks: map[string]any{}}}
}

// TestOfficesWithEditors: pages that write at once, whose programs crash and whose
// answers get lost, all come to show the same, and no word that was answered is
// lost.
func TestOfficesWithEditors(t *testing.T) {
	replayable(t, 60, 10, func(w *sim.World, seed uint64) { playEditors(w.T, w, rand.New(rand.NewPCG(seed, 5))) })
}

func playEditors(t *testing.T, w *sim.World, r *rand.Rand) {
	o := newOffice(w, 2+r.IntN(2))
	defer o.close()
	row, err := o.devices[0].ws.CreateDocument(t.Context(), o.devices[0].ws.everyone(), document.Meta{Title: "Blatt"}, []document.Block{{Kind: "paragraph"}})
	must(t, err)
	var pages []*typist
	for _, d := range o.devices {
		for range 1 + r.IntN(2) {
			pages = append(pages, &typist{d: d, ref: row.Ref})
		}
	}
	time.Sleep(2 * time.Second)
	for i := range 80 {
		y := pages[r.IntN(len(pages))]
		switch act := r.IntN(20); {
		case y.d.ws == nil:
			y.d.start()
		case y.editor == "":
			y.open()
		case act < 8:
			y.write(r, i)
			y.sync(false)
		case act < 10:
			y.write(r, i)
			y.sync(true)
		case act < 12:
			y.sync(false)
		case act < 13:
			y.d.kill()
		case act < 14:
			y.d.halt()
		case act < 15:
			if r.IntN(2) == 0 {
				y.d.ws.editors.drop(y.editor) // unused for long
				continue
			}
			y.d.ws.CloseEditor(y.editor) // and opened again, as another page
			*y = typist{d: y.d, ref: y.ref, words: y.words}
		case act < 16:
			var groups [2][]string
			for _, d := range o.devices {
				g := r.IntN(2)
				groups[g] = append(groups[g], d.name)
			}
			w.Partition(groups[:]...)
		case act < 17:
			w.HealAll()
		default:
			time.Sleep(time.Duration(r.IntN(5000)) * time.Millisecond)
		}
	}
	w.HealAll()
	for _, d := range o.devices {
		if d.ws == nil {
			d.start()
		}
	}
	o.until("all pages show the same", func() bool {
		for _, y := range pages {
			if y.editor == "" {
				y.open()
			} else {
				y.sync(false)
			}
			if y.editor == "" || !slices.Equal(y.text, pages[0].text) {
				return false
			}
		}
		return true
	})
	o.noForks()
	text := string(pages[0].text)
	for _, y := range pages {
		fresh := &typist{d: y.d, ref: y.ref}
		_, all, err := y.d.ws.CheckEditor(y.editor)
		must(t, err)
		fresh.shows(all)
		if string(fresh.text) != text {
			t.Errorf("the page shows %q, its editor %q", text, string(fresh.text))
		}
		for _, word := range y.words {
			if strings.Count(text, word) != 1 {
				t.Errorf("the word %s was acknowledged and is there %d times in %q", word, strings.Count(text, word), text)
			}
		}
	}
}

func TestPagesOfDocuments(t *testing.T) {
	f := pageNote{typing: true, shown: true, anchor: automerge.Start, head: automerge.End}
	b := encodePage(document.ID{1}, [8]byte{2}, f)
	doc, page, got, err := decodePage(b)
	if err != nil || doc != (document.ID{1}) || page != ([8]byte{2}) || got != f {
		t.Errorf("%v %v %v %v", doc, page, got, err)
	}
	for n := range b {
		if _, _, _, err := decodePage(b[:n]); err == nil {
			t.Errorf("%d of %d bytes are taken", n, len(b))
		}
	}
}

// What a device says of pages takes bounded room, and what it said before passes.
func TestPagesAreBounded(t *testing.T) {
	var ps pages
	now := time.Unix(1_000_000, 0)
	say := func(device byte, doc int, at time.Time) {
		ref := DocRef{ID: document.ID{byte(doc), byte(doc >> 8)}}
		ps.put(ref, pageID{log.DeviceID{device}, [8]byte{1}}, pageNote{}, at)
	}
	for i := range 10_000 {
		say(1, i, now)
	}
	say(2, 20_000, now)
	if len(ps.here) != mostOpen+1 {
		t.Errorf("%d documents are kept, want %d of one device and one of another", len(ps.here), mostOpen)
	}
	say(1, 30_000, now.Add(2*pageRest))
	if len(ps.here) != 2 {
		t.Errorf("later %d documents are kept, want one of each device", len(ps.here))
	}
}

func FuzzPagesOfDocuments(f *testing.F) {
	f.Add(encodePage(document.ID{1}, [8]byte{2}, pageNote{shown: true, head: automerge.End}))
	f.Add(encodePage(document.ID{1}, [8]byte{2}, pageNote{gone: true}))
	f.Fuzz(func(t *testing.T, b []byte) {
		doc, page, n, err := decodePage(b)
		if err != nil {
			return
		}
		doc2, page2, n2, err := decodePage(encodePage(doc, page, n))
		if err != nil || doc2 != doc || page2 != page || n2 != n {
			t.Errorf("%x is not read as written: %v", b, err)
		}
	})
}

// Pages see each other's people and cursors; who only reads can open a page, and
// neither it nor a program that does not ask about rights changes anything; what is
// malformed or another document's is left out and nothing else with it.
func TestEditors(t *testing.T) {
	sim.Run(t, 62, func(w *sim.World) {
		t := w.T
		o := newOffice(w, 2)
		defer o.close()
		a, b := o.devices[0], o.devices[1]
		sp, err := a.ws.CreateSpace(t.Context(), "Steuer", map[access.PersonID]access.Level{b.person(): access.Write})
		must(t, err)
		row, err := a.ws.CreateDocument(t.Context(), sp.ID, document.Meta{Title: "Protokoll"}, []document.Block{{Kind: "paragraph", Spans: []document.Span{{Text: "Montag"}}}})
		must(t, err)
		ya, yb := &typist{d: a, ref: row.Ref}, &typist{d: b, ref: row.Ref}
		ya.open()
		o.until("the document arrived", func() bool { yb.open(); return yb.editor != "" })

		// Where b's cursor is follows the text.
		_, err = b.ws.SyncEditor(t.Context(), yb.editor, EditorEdits{Batch: 2, Page: PagePlace{Typing: true, Shown: true, Anchor: 4, Head: 7}})
		must(t, err)
		var here []PageHere
		batch := 1
		sync := func(edits ...document.Edit) EditorNews {
			batch++
			news, err := a.ws.SyncEditor(t.Context(), ya.editor, EditorEdits{Batch: batch, Edits: edits})
			must(t, err)
			here = news.Here
			return news
		}
		o.until("a sees b's cursor", func() bool { sync(); return len(here) == 1 && here[0].Shown })
		if h := here[0]; h.By.Device != b.name || !h.Typing || h.Anchor != 4 || h.Head != 7 {
			t.Errorf("a sees %+v", h)
		}
		sync(document.Edit{Kind: document.Splice, At: 1, Text: "Am "})
		if h := here[0]; h.Anchor != 7 || h.Head != 10 {
			t.Errorf("after text before it the cursor is at %d and %d", h.Anchor, h.Head)
		}
		b.ws.CloseEditor(yb.editor)
		o.until("b's page is gone", func() bool { sync(); return len(here) == 0 })

		// What came since b closed its page is shown to b.
		o.until("b has it", func() bool { return b.paper(row.Ref) == "Am Montag" })
		rows, err := b.ws.Documents(t.Context(), sp.ID)
		must(t, err)
		if len(rows) != 1 || !rows[0].New {
			t.Errorf("b's list says %+v", rows)
		}
		st, err := b.ws.OpenEditor(t.Context(), row.Ref, EditorResume{})
		must(t, err)
		if len(st.Seen) == 0 || st.SeenAt == 0 {
			t.Error("b is not told what b saw last")
		}

		// b may only read from now on; what b writes before hearing of it does not count,
		// and b's page is told to begin anew.
		w.Partition([]string{a.name}, []string{b.name})
		late, err := b.ws.SyncEditor(t.Context(), st.Editor, EditorEdits{Batch: 1, Edits: []document.Edit{{Kind: document.Splice, At: 1, Text: "Spät "}}})
		must(t, err)
		_, err = a.ws.ChangeSpace(t.Context(), sp.ID, "", map[access.PersonID]access.Level{b.person(): access.Read}, nil)
		must(t, err)
		w.HealAll()
		o.until("b knows", func() bool { return b.ws.snapshot().Level(sp.ID, b.ws.self) == access.Read })
		o.until("b's late words do not count", func() bool { return b.paper(row.Ref) == "Am Montag" })
		if _, err := b.ws.SyncEditor(t.Context(), st.Editor, EditorEdits{Batch: 2}); !isProblem(err, "no-editor") {
			t.Errorf("an editor with words that do not count: %v", err)
		}
		st, err = b.ws.OpenEditor(t.Context(), row.Ref, EditorResume{Heads: late.Heads, Actor: late.Actor, Next: late.Next})
		must(t, err)
		if st.Resumed || len(st.Text.Blocks) != 1 || st.Text.Blocks[0].Text() != "Am Montag" {
			t.Errorf("the page goes on with %+v", st)
		}
		edit := document.Edit{Kind: document.Splice, At: 1, Text: "nicht "}
		if _, err := b.ws.SyncEditor(t.Context(), st.Editor, EditorEdits{Batch: 1, Edits: []document.Edit{edit}}); !isProblem(err, "only-reading") {
			t.Errorf("a reader's edit: %v", err)
		}
		news, err := b.ws.SyncEditor(t.Context(), st.Editor, EditorEdits{Batch: 1})
		must(t, err)
		if news.Write || len(news.Edits) != 0 {
			t.Errorf("after it: %+v", news)
		}
		b.forge(row.Ref, edit)
		time.Sleep(time.Minute) // of the simulation: all that is passed on is passed on
		if got := a.paper(row.Ref); got != "Am Montag" {
			t.Errorf("what a reader's program wrote counts: %q", got)
		}

		// What makes no sense.
		to, err := a.ws.ownLog(sp.ID)
		must(t, err)
		other := document.NewID()
		for name, pay := range map[string]document.Payload{
			"bytes that are no change": {Doc: row.Ref.ID, Chunks: []byte("nothing")},
			"for another document":     {Doc: other, Chunks: a.chunks(row.Ref)},
		} {
			_, err := a.ws.appendTo(t.Context(), to, sp.ID, log.KindDocument, pay.Encode(), "")
			must(t, err)
			if got := a.paper(row.Ref); got != "Am Montag" {
				t.Errorf("%s: %q", name, got)
			}
		}
		rows, err = a.ws.Documents(t.Context(), sp.ID)
		must(t, err)
		if len(rows) != 1 {
			t.Errorf("%d documents", len(rows))
		}
		sync(document.Edit{Kind: document.Splice, At: 1, Text: "Nur "})
		o.until("b reads on", func() bool { return b.paper(row.Ref) == "Nur Am Montag" })
	})
}

// forge writes an edit as a program would that does not ask about rights: to the
// log that the device had, or to a new one.
func (d *device) forge(ref DocRef, edit document.Edit) {
	t := d.o.t
	t.Helper()
	w := d.ws
	s, err := w.shelf(ref.Space)
	must(t, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	key, err := w.writeKey(w.snapshot(), ref.Space, log.KindDocument)
	must(t, err)
	for _, card := range []log.Card{w.own.logs[ref.Space], {Workspace: w.ws, Space: ref.Space, Device: w.self, Incarnation: [16]byte{9}}} {
		own, err := s.docs[ref.ID].doc.Fork(document.ActorOf(card.ID(), ref.ID, 99))
		must(t, err)
		since := own.Heads()
		must(t, document.Apply(own, []document.Edit{edit}, nil))
		own.Commit(automerge.CommitOptions{})
		chunks, err := own.SaveSince(since)
		must(t, err)
		plain := document.Payload{Doc: ref.ID, N: 99, Chunks: chunks}.Encode()
		_, err = w.store.Append(t.Context(), card, "", func(n store.Next) (*log.Entry, error) {
			h := log.Header{
				Log: card.ID(), Seq: n.Height.Seq + 1, Prev: n.Height.Hash, Kind: log.KindDocument, Ctl: w.snapshot().Heads(), Deps: n.Deps,
				HLC: log.Tick(w.opts.Now().UnixMilli(), n.Last, n.Seen), Key: &key.ID,
			}
			payload, err := log.Seal(crand.Reader, key.Key, w.ws, &h, plain)
			must(t, err)
			return log.New(w.id.key(), h, payload)
		})
		must(t, err)
		w.network().Advanced(ref.Space, card.ID())
	}
}

// chunks are the changes of a document.
func (d *device) chunks(ref DocRef) (b []byte) {
	d.o.t.Helper()
	must(d.o.t, d.ws.ReadDocument(d.o.t.Context(), ref, nil, func(doc *automerge.Doc, _ automerge.Reader) (err error) {
		b, err = doc.SaveSince(nil)
		return err
	}))
	return b
}
