package app

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"inselnetz/crdt/automerge"
	"inselnetz/crdt/document"
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
