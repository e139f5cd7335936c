package app

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"inselnetz/crdt/access"
	"inselnetz/crdt/automerge"
	"inselnetz/crdt/document"
	"inselnetz/crdt/log"
	"inselnetz/mesh"
	"inselnetz/mesh/sim"
)

// What is kept of documents spares reading their entries, and shows the same.
func TestDocumentsKept(t *testing.T) {
	sim.Run(t, 62, func(w *sim.World) {
		t := w.T
		o := newOffice(w, 2)
		defer o.close()
		a, b := o.devices[0], o.devices[1]
		space := a.ws.everyone()
		var refs []DocRef
		for i := range 5 {
			row, err := a.ws.CreateDocument(t.Context(), space, document.Meta{Title: fmt.Sprint("Blatt ", i), Folder: "F"}, []document.Block{{Kind: "paragraph"}})
			must(t, err)
			refs = append(refs, row.Ref)
			a.write(row.Ref, end, fmt.Sprint("Inhalt ", i))
		}
		o.until("b has all", func() bool { return len(b.papers(space)) == 5 })
		b.write(refs[0], end, " von b")
		o.until("a has what b wrote", func() bool { return strings.Contains(a.paper(refs[0]), "von b") })
		a.ws.keepNow(t.Context(), 1)
		rows, err := a.ws.Documents(t.Context(), space)
		must(t, err)
		history, err := a.ws.DocumentHistory(t.Context(), refs[0])
		must(t, err)
		a.halt()
		a.start()
		again, err := a.ws.Documents(t.Context(), space)
		must(t, err)
		if !reflect.DeepEqual(again, rows) {
			t.Errorf("got  %+v\nwant %+v", again, rows)
		}
		s, err := a.ws.shelf(space)
		must(t, err)
		if s.mu.Lock(); s.fresh > 0 {
			t.Errorf("%d entries were read", s.fresh)
		}
		s.mu.Unlock()
		if got, err := a.ws.DocumentHistory(t.Context(), refs[0]); err != nil || !reflect.DeepEqual(got, history) {
			t.Errorf("history %+v, %v", got, err)
		}
		a.write(refs[0], end, ", dann a")
		b.write(refs[1], end, ", dann b")
		o.until("both have both", func() bool {
			return strings.Contains(b.paper(refs[0]), "dann a") && slices.Equal(a.papers(space), b.papers(space))
		})
	})
}

// What a removed device wrote too late goes, also where it is kept: by a device that
// runs, and by one that hears of it at its next start.
func TestDocumentsKeptBeforeRemoval(t *testing.T) {
	for _, off := range []bool{false, true} {
		sim.Run(t, 63, func(w *sim.World) {
			t := w.T
			o := newOffice(w, 3)
			defer o.close()
			a, b, c := o.devices[0], o.devices[1], o.devices[2]
			space := a.ws.everyone()
			row, err := a.ws.CreateDocument(t.Context(), space, document.Meta{Title: "Blatt"}, []document.Block{{Kind: "paragraph"}})
			must(t, err)
			o.until("all have it", func() bool { return len(b.papers(space)) == 1 && len(c.papers(space)) == 1 })
			b.write(row.Ref, end, "zeitig")
			o.until("all have what b wrote", func() bool {
				return strings.Contains(a.paper(row.Ref), "zeitig") && strings.Contains(c.paper(row.Ref), "zeitig")
			})
			w.Partition([]string{a.name}, []string{b.name, c.name})
			b.write(row.Ref, end, " verspätet")
			o.until("c has it too", func() bool { return strings.Contains(c.paper(row.Ref), "verspätet") })
			c.ws.keepNow(t.Context(), 1)
			if off {
				c.halt()
			}
			must(t, a.ws.Remove(t.Context(), access.PersonID{}, b.self, nil))
			w.Partition([]string{a.name, c.name}, []string{b.name})
			if off {
				c.start()
				if got := c.paper(row.Ref); !strings.Contains(got, "zeitig") {
					t.Errorf("at the start c shows %q", got)
				}
			}
			o.until("it is gone", func() bool {
				return c.paper(row.Ref) == a.paper(row.Ref) && !strings.Contains(c.paper(row.Ref), "verspätet")
			})
			c.ws.keepNow(t.Context(), 1)
			c.halt()
			c.start()
			if got := c.paper(row.Ref); got != "zeitig" {
				t.Errorf("at the next start c shows %q", got)
			}
		})
	}
}

func TestKeptPaper(t *testing.T) {
	p := newPaper()
	must(t, document.Create(p.doc, document.Meta{Title: "T"}, []document.Block{{Kind: "paragraph", Spans: []document.Span{{Text: "x"}}}}, nil))
	p.doc.Commit(automerge.CommitOptions{})
	must(t, document.Write(p.doc, []document.Block{{Kind: "quote"}}, nil))
	p.doc.Commit(automerge.CommitOptions{})
	changes, err := p.doc.Changes(nil)
	must(t, err)
	waiting := newPaper() // for the first change
	must(t, waiting.doc.Apply(changes[1]))
	for _, p := range []*paper{p, waiting, newPaper()} {
		p.changed, p.by = 77, log.DeviceID{5}
		p.devices["\xff\x00"] = log.DeviceID{6}
		b, err := p.encode()
		must(t, err)
		q, err := decodePaper(b)
		must(t, err)
		if q.changed != p.changed || q.by != p.by || !reflect.DeepEqual(q.devices, p.devices) || !slices.Equal(q.doc.Heads(), p.doc.Heads()) || q.doc.Held() != p.doc.Held() {
			t.Errorf("%d of %d changes wait, heads %x and %x", q.doc.Held(), p.doc.Held(), q.doc.Heads(), p.doc.Heads())
		}
		must(t, q.doc.Apply(changes...))
		if q.doc.Held() > 0 || document.Text(q.doc.Reader) != "x\n" {
			t.Errorf("then %d wait, and the text is %q", q.doc.Held(), document.Text(q.doc.Reader))
		}
	}
}

func FuzzDecodePaper(f *testing.F) {
	b, err := newPaper().encode()
	must(f, err)
	f.Add(b)
	f.Add([]byte{2, '{', '}'})
	f.Add([]byte(`\x2a{"Version":1,"By":"","Actors":["AA=="]}xyz`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := decodePaper(b)
		if err != nil {
			return
		}
		again, err := p.encode()
		must(t, err)
		q, err := decodePaper(again)
		must(t, err)
		if third, err := q.encode(); err != nil || !bytes.Equal(third, again) {
			t.Errorf("%x became %x, %v", again, third, err)
		}
	})
}

// BenchmarkDocumentsAtStart is the time to the first list of documents, from the
// entries and from what is kept. Both grow with the number of documents.
func BenchmarkDocumentsAtStart(b *testing.B) {
	const documents, entries = 20, 2000
	w, space := manyDocuments(b, documents, entries)
	list := func(name string) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				w.papers.shelfs = nil
				rows, err := w.Documents(b.Context(), space)
				if err != nil || len(rows) != documents {
					b.Fatal(len(rows), err)
				}
			}
		})
	}
	list("entries")
	start := time.Now()
	w.keepNow(b.Context(), 1)
	b.Logf("kept in %v", time.Since(start))
	list("kept")
}

// unheard is a network without others.
type unheard struct{ mesh.Transport }

func (unheard) Self() mesh.PeerID               { return "unheard" }
func (unheard) Sightings() <-chan mesh.Sighting { return nil }
func (unheard) Announce([]log.Key)              {}
func (unheard) ShowDoor(string)                 {}
func (unheard) Doors() []mesh.Door              { return nil }
func (unheard) Addrs() []string                 { return nil }
func (unheard) Close() error                    { return nil }

// manyDocuments is an office of one device with documents of that many entries, each
// of some letters.
func manyDocuments(b *testing.B, documents, entries int) (*Workspace, log.SpaceID) {
	b.Helper()
	w, err := Open(b.Context(), b.TempDir(), Options{
		State: b.TempDir(), Unsafe: true,
		Net: func(context.Context, ed25519.PrivateKey) (mesh.Transport, error) { return unheard{}, nil },
	})
	must(b, err)
	b.Cleanup(func() { _ = w.Close() })
	must(b, w.Found(b.Context(), "Kanzlei", "Person 0", "pc0"))
	space := w.everyone()
	rnd := rand.New(rand.NewPCG(1, 1))
	for i := range documents {
		row, err := w.CreateDocument(b.Context(), space, document.Meta{Title: fmt.Sprint("Blatt ", i)}, []document.Block{{Kind: "paragraph"}})
		must(b, err)
		_, err = w.ChangeDocument(b.Context(), row.Ref, func(d *automerge.Doc, commit func() error) error {
			size := 1
			for range entries - 1 {
				if err := document.Apply(d, []document.Edit{{Kind: document.Splice, At: 1 + rnd.IntN(size), Text: "word "}}, nil); err != nil {
					return err
				}
				size += 5
				if err := commit(); err != nil {
					return err
				}
			}
			return nil
		})
		must(b, err)
	}
	return w, space
}
