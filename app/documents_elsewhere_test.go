package app

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"inselnetz/crdt/automerge"
	"inselnetz/crdt/document"
	"inselnetz/mesh/sim"
)

// A document's file opens in another program with the official library, which
// finds text, marks, blocks and history in it and edits it; the file comes back into
// its document and merges with what happened meanwhile.
func TestDocumentElsewhere(t *testing.T) {
	js, err := filepath.Abs("../crdt/automerge/oracle")
	must(t, err)
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("there is no Node")
	}
	if _, err := os.Stat(filepath.Join(js, "node_modules", "@automerge")); err != nil {
		t.Skip("the JavaScript Automerge is not there: build/setup.sh test")
	}
	sim.Run(t, 63, func(w *sim.World) {
		t := w.T
		o := newOffice(w, 2)
		defer o.close()
		a, b := o.devices[0], o.devices[1]
		_, blocks, err := document.FromMarkdown([]byte("Das **Boot** liegt\n\n- in Husum\n"))
		must(t, err)
		row, err := a.ws.CreateDocument(t.Context(), a.ws.everyone(), document.Meta{Title: "Inventar"}, blocks)
		must(t, err)
		o.until("b has it", func() bool { return len(b.papers(a.ws.everyone())) == 1 })
		b.write(row.Ref, end, " und Kiel")
		o.until("a has b's words", func() bool { return strings.Contains(a.paper(row.Ref), "Kiel") })

		in, out := filepath.Join(t.TempDir(), "in"), filepath.Join(t.TempDir(), "out")
		changes := 0
		must(t, a.ws.ReadDocument(t.Context(), row.Ref, nil, func(d *automerge.Doc, _ automerge.Reader) error {
			all, err := d.Changes(nil)
			must(t, err)
			changes = len(all)
			return os.WriteFile(in, d.Save(), 0o600)
		}))
		said, err := exec.Command("node", filepath.Join("testdata", "elsewhere.mjs"), js, in, out).Output()
		must(t, err)
		var found struct {
			Title   string
			Changes int
			Spans   []struct {
				Type  string
				Value any
				Marks map[string]any
			}
		}
		must(t, json.Unmarshal(said, &found))
		var shown []string
		for _, s := range found.Spans {
			switch v := s.Value.(type) {
			case string:
				if s.Marks["strong"] == true {
					v = "*" + v + "*"
				}
				shown = append(shown, v)
			default:
				shown = append(shown, "|")
			}
		}
		if found.Title != "Inventar" || found.Changes != changes || strings.Join(shown, "") != "|Das *Boot* liegt|in Husum und Kiel" {
			t.Errorf("elsewhere it is %q with %d changes: %q", found.Title, found.Changes, shown)
		}

		b.write(row.Ref, func(int) int { return 1 }, "Heute: ") // meanwhile
		o.until("a has that too", func() bool { return strings.Contains(a.paper(row.Ref), "Heute") })
		content, err := os.ReadFile(out)
		must(t, err)
		back, err := a.ws.ImportDocument(t.Context(), a.ws.everyone(), "", "x.automerge", content)
		must(t, err)
		if back.Ref != row.Ref {
			t.Errorf("it came back as another document")
		}
		want := "Heute: Das **Segelboot** liegt\n\n- in Husum und Kiel\n- [x] Von anderswo\n"
		o.until("all have what was written elsewhere", func() bool { return a.markdown(row.Ref) == want && b.markdown(row.Ref) == want })
		history, err := a.ws.DocumentHistory(t.Context(), row.Ref)
		must(t, err)
		var first string
		must(t, a.ws.ReadDocument(t.Context(), row.Ref, history[0].Heads, func(_ *automerge.Doc, r automerge.Reader) error {
			first = document.Text(r)
			return nil
		}))
		if !strings.HasPrefix(first, "Das Boot liegt\nin Husum") {
			t.Errorf("the first state is %q", first)
		}
		again, err := a.ws.ImportDocument(t.Context(), a.ws.everyone(), "", "x.automerge", content)
		must(t, err)
		if again.Ref != row.Ref {
			t.Error("once more it is another document")
		}
	})
}

// markdown is what a document says.
func (d *device) markdown(ref DocRef) (text string) {
	d.o.t.Helper()
	must(d.o.t, d.ws.ReadDocument(d.o.t.Context(), ref, nil, func(_ *automerge.Doc, r automerge.Reader) error {
		blocks, err := document.Blocks(r)
		text = string(document.Markdown("", blocks))
		return err
	}))
	return text
}
