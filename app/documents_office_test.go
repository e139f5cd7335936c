package app

import (
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
	"inselnetz/mesh/sim"
)

// papers are the documents of a device: title, folder and text, sorted.
func (d *device) papers(space log.SpaceID) []string {
	d.o.t.Helper()
	rows, err := d.ws.Documents(d.o.t.Context(), space)
	if isProblem(err, "no-document") {
		return nil // not in this space yet
	}
	must(d.o.t, err)
	var out []string
	for _, r := range rows {
		out = append(out, r.Meta.Title+"|"+r.Meta.Folder+"|"+d.paper(r.Ref))
	}
	slices.Sort(out)
	return out
}

func (d *device) paper(ref DocRef) (text string) {
	d.o.t.Helper()
	must(d.o.t, d.ws.ReadDocument(d.o.t.Context(), ref, nil, func(_ *automerge.Doc, r automerge.Reader) error {
		text = document.Text(r)
		return nil
	}))
	return text
}

// write puts text at a place of a document.
func (d *device) write(ref DocRef, at func(n int) int, text string) {
	d.o.t.Helper()
	_, err := d.ws.ChangeDocument(d.o.t.Context(), ref, func(doc *automerge.Doc, commit func() error) error {
		body, err := document.Body(doc.Reader)
		if err != nil {
			return err
		}
		n, err := doc.Len(body)
		if err != nil {
			return err
		}
		return document.Apply(doc, []document.Edit{{Kind: document.Splice, At: at(n), Text: text}}, commit)
	})
	must(d.o.t, err)
}

func end(n int) int { return n }

// A document is written by several, also apart; a guest who only reads cannot
// change it; a state of the past comes back as a new edit.
func TestDocuments(t *testing.T) {
	sim.Run(t, 61, func(w *sim.World) {
		t := w.T
		o := newOffice(w, 2)
		defer o.close()
		a, b := o.devices[0], o.devices[1]
		sp, err := a.ws.CreateSpace(t.Context(), "Steuer", map[access.PersonID]access.Level{b.person(): access.Write})
		must(t, err)
		row, err := a.ws.CreateDocument(t.Context(), sp.ID, document.Meta{Title: " Protokoll "}, []document.Block{{Kind: "heading", Level: 1, Spans: []document.Span{{Text: "Montag"}}}})
		must(t, err)
		ref := row.Ref
		if row.Meta.Title != "Protokoll" || !row.Write || row.By.Device != a.name {
			t.Errorf("new document: %+v", row)
		}
		g := o.device("guest")
		g.start()
		until := a.ws.opts.Now().Add(2 * time.Hour).UnixMilli()
		a.admitAs(g, InviteAsk{Role: access.Guest, Until: until, Spaces: map[log.SpaceID]access.Level{sp.ID: access.Read}})
		o.until("the guest reads the document", func() bool { return len(g.papers(sp.ID)) == 1 })
		if _, err := g.ws.SetDocument(t.Context(), ref, func(m *document.Meta) { m.Title = "x" }); !isProblem(err, "only-reading") {
			t.Errorf("the guest changed the title: %v", err)
		}
		o.until("b has it", func() bool { return len(b.papers(sp.ID)) == 1 })
		var before []automerge.Hash
		must(t, a.ws.ReadDocument(t.Context(), ref, nil, func(d *automerge.Doc, _ automerge.Reader) error {
			before = d.Heads()
			return nil
		}))
		w.Partition([]string{a.name, g.name}, []string{b.name})
		a.write(ref, end, " Anwesend: Anke")
		b.write(ref, end, " Entschuldigt: Bert")
		_, err = b.ws.SetDocument(t.Context(), ref, func(m *document.Meta) { m.Folder = "2026" })
		must(t, err)
		w.HealAll()
		o.until("all read the same", func() bool {
			x := a.papers(sp.ID)
			return slices.Equal(x, b.papers(sp.ID)) && slices.Equal(x, g.papers(sp.ID)) && strings.Contains(x[0], "Anke") && strings.Contains(x[0], "Bert") && strings.Contains(x[0], "|2026|")
		})
		history, err := a.ws.DocumentHistory(t.Context(), ref)
		must(t, err)
		var who []string
		for _, s := range history {
			for _, by := range s.By {
				who = append(who, by.Device)
			}
		}
		slices.Sort(who)
		if got := slices.Compact(who); !slices.Equal(got, []string{a.name, b.name}) {
			t.Errorf("written by %v", got)
		}
		long := strings.Repeat("Ein langer Absatz mit vielen Wörtern. ", 5000)
		a.write(ref, end, long) // more than one entry holds
		o.until("the long text is there", func() bool { return strings.Contains(b.paper(ref), long) })
		_, err = a.ws.RestoreDocument(t.Context(), ref, before)
		must(t, err)
		o.until("it is as it was", func() bool { return strings.TrimSpace(g.paper(ref)) == "Montag" })
		if _, err := a.ws.Document(t.Context(), DocRef{sp.ID, document.NewID()}); !isProblem(err, "no-document") {
			t.Errorf("a document that is not there: %v", err)
		}
		if _, err := a.ws.CreateDocument(t.Context(), sp.ID, document.Meta{Title: "  "}, nil); !isProblem(err, "document-title") {
			t.Errorf("a document without a title: %v", err)
		}
	})
}

// TestOfficesWithDocuments: whatever crashes and parts, all devices come to the
// same documents, and no word that was acknowledged is lost.
func TestOfficesWithDocuments(t *testing.T) {
	replayable(t, 60, 10, func(w *sim.World, seed uint64) { playPapers(w.T, w, rand.New(rand.NewPCG(seed, 4))) })
}

func playPapers(t *testing.T, w *sim.World, r *rand.Rand) {
	o := newOffice(w, 2+r.IntN(3))
	defer o.close()
	space := o.devices[0].ws.everyone()
	var refs []DocRef
	words := map[string]DocRef{} // acknowledged
	for i := range 50 {
		d := o.devices[r.IntN(len(o.devices))]
		switch act := r.IntN(20); {
		case d.ws == nil:
			d.start()
		case act < 2 || len(refs) == 0:
			row, err := d.ws.CreateDocument(t.Context(), space, document.Meta{Title: fmt.Sprint("Blatt ", i)}, []document.Block{{Kind: "paragraph"}})
			must(t, err)
			refs = append(refs, row.Ref)
		case act < 12:
			rows, err := d.ws.Documents(t.Context(), space)
			must(t, err)
			if len(rows) == 0 {
				continue
			}
			ref := rows[r.IntN(len(rows))].Ref
			word := fmt.Sprintf("<%s.%d>", d.name, i)
			d.write(ref, func(n int) int {
				if r.IntN(3) == 0 {
					return n
				}
				return 1 // behind the beginning of the first block: words are not torn
			}, word)
			words[word] = ref
		case act < 13:
			d.kill()
		case act < 14:
			d.halt()
		case act < 16:
			var groups [2][]string
			for _, d := range o.devices {
				g := r.IntN(2)
				groups[g] = append(groups[g], d.name)
			}
			w.Partition(groups[:]...)
		case act < 17:
			w.HealAll()
		case act < 18:
			d.ws.keepNow(t.Context(), 1)
		default:
			time.Sleep(time.Duration(r.IntN(20_000)) * time.Millisecond)
		}
	}
	w.HealAll()
	for _, d := range o.devices {
		if d.ws == nil {
			d.start()
		}
	}
	var all []string
	o.until("all have the same documents", func() bool {
		all = o.devices[0].papers(space)
		for _, d := range o.devices[1:] {
			if !slices.Equal(d.papers(space), all) {
				return false
			}
		}
		return len(all) == len(refs)
	})
	o.noForks()
	text := strings.Join(all, "\n")
	for word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("the word %s was acknowledged and is lost", word)
		}
	}
}
