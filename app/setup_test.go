package app

import (
	"context"
	"crypto/ed25519"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"inselnetz/crdt/access"
	"inselnetz/crdt/document"
	"inselnetz/crdt/log"
	"inselnetz/mesh"
	"inselnetz/mesh/sim"
)

// brought counts channels and documents of the space of all by name.
func (d *device) brought() map[string]int {
	d.o.t.Helper()
	out := map[string]int{}
	rows, err := d.ws.Channels(d.o.t.Context())
	must(d.o.t, err)
	for _, r := range rows {
		if r.Name != "" {
			out["#"+r.Name]++
		}
	}
	docs, err := d.ws.Documents(d.o.t.Context(), d.ws.everyone())
	must(d.o.t, err)
	for _, r := range docs {
		out[r.Meta.Title]++
	}
	return out
}

func wanted(kind, lang string) map[string]int {
	out := map[string]int{}
	for _, b := range KindBrings(kind, lang) {
		name := b.Name
		if b.Channel {
			name = "#" + name
		}
		out[name]++
	}
	return out
}

// TestKindAfterACrash: whatever was made before the program was killed, noted or
// not, the second try makes the rest and nothing twice.
func TestKindAfterACrash(t *testing.T) {
	all := KindBrings(KindLaw, "de")
	if len(all) < 5 {
		t.Fatalf("a law firm gets %d things", len(all))
	}
	for n := range len(all) + 1 {
		for _, noted := range []bool{true, false} {
			sim.Run(t, 61, func(w *sim.World) { crashWhileFilling(w, all, n, noted) })
		}
	}
}

// crashWhileFilling kills the program after n things; the last one may not be
// noted.
func crashWhileFilling(w *sim.World, all []Brought, n int, noted bool) {
	o := newOffice(w, 1)
	defer o.close()
	d := o.devices[0]
	must(w.T, d.ws.SetUp(PathFound, 2))
	note := setupNote{Path: PathFound, Step: 2, Kind: KindLaw}
	for i, b := range all[:n] {
		must(w.T, d.ws.bring(w.T.Context(), KindLaw, b))
		if noted || i < n-1 {
			note.Made = append(note.Made, KindLaw+"/"+b.ID)
		}
	}
	must(w.T, d.ws.putJSON(metaSetup, note))
	d.kill()
	d.start()
	if s := d.ws.Setup(); s.Path != PathFound || s.Step != 2 || s.Kind != "" {
		w.T.Errorf("after the crash: %+v", s)
	}
	for range 2 {
		must(w.T, d.ws.SetKind(w.T.Context(), KindLaw, "de"))
	}
	if got, want := d.brought(), wanted(KindLaw, "de"); !maps.Equal(got, want) {
		w.T.Errorf("%d made before: %v, want %v", n, got, want)
	}
	if s := d.ws.Setup(); s.Kind != KindLaw {
		w.T.Errorf("kind %q", s.Kind)
	}
}

// TestKindIsOrdinary: what a kind brings can be renamed and comes not back; other
// kinds and languages do no harm.
func TestKindIsOrdinary(t *testing.T) {
	sim.Run(t, 62, func(w *sim.World) {
		o := newOffice(w, 2)
		defer o.close()
		d, member := o.devices[0], o.devices[1]
		ctx := w.T.Context()
		must(w.T, d.ws.SetKind(ctx, KindDriving, "en"))
		docs, err := d.ws.Documents(ctx, d.ws.everyone())
		must(w.T, err)
		for _, r := range docs {
			if r.Size == 0 || r.Meta.Template == "" {
				w.T.Errorf("%q has %d characters, template %q", r.Meta.Title, r.Size, r.Meta.Template)
			}
		}
		_, err = d.ws.SetDocument(ctx, docs[0].Ref, func(m *document.Meta) { m.Title = "Ours" })
		must(w.T, err)
		must(w.T, d.ws.SetKind(ctx, KindDriving, "de")) // made once, in whatever language
		want := wanted(KindDriving, "en")
		delete(want, docs[0].Meta.Title)
		want["Ours"] = 1
		if got := d.brought(); !maps.Equal(got, want) {
			w.T.Errorf("have %v, want %v", got, want)
		}
		must(w.T, d.ws.SetKind(ctx, KindOther, "de"))
		if got := d.brought(); !maps.Equal(got, want) {
			w.T.Errorf("something else brought %v", got)
		}
		if err := member.ws.SetKind(ctx, KindLaw, "de"); !isProblem(err, "not-permitted") {
			w.T.Errorf("a member chose the kind: %v", err)
		}
		if err := d.ws.SetKind(ctx, "bakery", "de"); !isProblem(err, "bad-request") {
			w.T.Errorf("a kind that is not known: %v", err)
		}
	})
}

// TestKindsInBothLanguages: each has the same things, and no name twice.
func TestKindsInBothLanguages(t *testing.T) {
	for _, kind := range KindsOfOffice {
		de, en := KindBrings(kind, "de"), KindBrings(kind, "en")
		same := slices.EqualFunc(de, en, func(a, b Brought) bool {
			return a.ID == b.ID && a.Channel == b.Channel && (len(a.Blocks) > 0) == (len(b.Blocks) > 0) && a.Name != ""
		})
		if !same {
			t.Errorf("%s differs between the languages", kind)
		}
		if len(wanted(kind, "de")) != len(de) || len(wanted(kind, "en")) != len(en) {
			t.Errorf("%s names something twice", kind)
		}
		if (kind == KindOther) != (len(de) == 0) {
			t.Errorf("%s brings %d things", kind, len(de))
		}
	}
}

// apart is a network on which nobody is.
type apart struct{ unheard }

func (apart) Accept(ctx context.Context) (mesh.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
func (apart) Dial(context.Context, mesh.PeerID, []string, string) (mesh.Conn, error) {
	return nil, errors.New("nobody is here")
}

// openAlone opens a Workspace with real folders and no network, for one test.
func openAlone(t *testing.T, dir, files string) *Workspace {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	w, err := Open(ctx, dir, Options{
		Unsafe: true, Files: files,
		Net: func(context.Context, ed25519.PrivateKey) (mesh.Transport, error) { return apart{}, nil },
	})
	must(t, err)
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		<-ended
		_ = w.Close()
	})
	return w
}

func TestSetupSteps(t *testing.T) {
	w := openAlone(t, t.TempDir(), "")
	if s := w.Setup(); s.Path != "" || s.Step != 0 {
		t.Errorf("a new device: %+v", s)
	}
	must(t, w.SetUp(PathFound, 1))
	if s := w.Setup(); s.Path != PathFound || s.Step != 1 || s.Steps != 6 || s.MayChoose {
		t.Errorf("before founding: %+v", s)
	}
	must(t, w.Found(t.Context(), "Kanzlei", "Anke", "PC"))
	if s := w.Setup(); s.Step != 2 || !s.MayChoose { // also if the program was killed right after
		t.Errorf("after founding: %+v", s)
	}
	for _, bad := range []struct {
		path string
		step int
	}{{"leave", 1}, {PathFound, 0}, {PathFound, 7}, {PathJoin, 6}} {
		if err := w.SetUp(bad.path, bad.step); !isProblem(err, "bad-request") {
			t.Errorf("%v: %v", bad, err)
		}
	}
	must(t, w.SetUp("", 0))
	if s := w.Setup(); s.Path != "" {
		t.Errorf("over: %+v", s)
	}
}

// soon waits until something holds.
func soon(t *testing.T, what string, holds func() bool) {
	t.Helper()
	late := time.After(20 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

// TestFilesPlace: a folder without files moves to the new place, one with files
// stays, and what lies in the new place is left alone.
func TestFilesPlace(t *testing.T) {
	root := t.TempDir()
	one, two, three := filepath.Join(root, "one"), filepath.Join(root, "two"), filepath.Join(root, "three")
	must(t, os.MkdirAll(filepath.Join(two, "Kanzlei"), 0o700))
	theirs := filepath.Join(two, "Kanzlei", "theirs.txt")
	must(t, os.WriteFile(theirs, []byte("theirs"), 0o600))
	w := openAlone(t, filepath.Join(root, "data"), one)
	if w.FilesPlace() != one {
		t.Fatalf("place %q", w.FilesPlace())
	}
	must(t, w.Found(t.Context(), "Kanzlei", "Anke", "PC"))
	lies := func(dir string) {
		t.Helper()
		soon(t, "the folder is "+dir, func() bool { return w.Setup().Folder == dir })
	}
	lies(filepath.Join(one, "Kanzlei"))
	for _, bad := range []string{"relative", filepath.Join(w.dir, "x"), filepath.Join(one, "Kanzlei", "x"), theirs} {
		var p *Problem
		if err := w.SetFilesPlace(bad); !errors.As(err, &p) || p.Field != "place" {
			t.Errorf("%s: %v", bad, err)
		}
	}
	must(t, w.SetFilesPlace(two))
	lies(filepath.Join(two, "Kanzlei (2)")) // beside what was there
	if b, err := os.ReadFile(theirs); err != nil || string(b) != "theirs" {
		t.Errorf("what was there: %q, %v", b, err)
	}
	_, err := w.PutFile(t.Context(), w.everyone(), "ours.txt", nil, false, 0, strings.NewReader("ours"))
	must(t, err)
	soon(t, "the file is there", func() bool {
		b, err := os.ReadFile(filepath.Join(two, "Kanzlei (2)", "ours.txt"))
		return err == nil && string(b) == "ours"
	})
	must(t, w.SetFilesPlace(three))
	if s := w.Setup(); s.Folder != filepath.Join(two, "Kanzlei (2)") || !s.Full || s.Place != three {
		t.Errorf("a folder with files: %+v", s)
	}
	if b, err := os.ReadFile(filepath.Join(two, "Kanzlei (2)", "ours.txt")); err != nil || string(b) != "ours" {
		t.Errorf("its file: %q, %v", b, err)
	}
}

func (d *device) hasPoint(code string) bool {
	d.o.t.Helper()
	h, err := d.ws.Home(d.o.t.Context())
	must(d.o.t, err)
	return slices.ContainsFunc(h.Points, func(p Point) bool { return p.What == code })
}

// TestStaysOn: a device says that it stays on, the others learn it, and it can be
// taken back.
func TestStaysOn(t *testing.T) {
	sim.Run(t, 63, func(w *sim.World) {
		o := newOffice(w, 2)
		defer o.close()
		f, d := o.devices[0], o.devices[1]
		if !f.hasPoint("always-on") {
			w.T.Error("nothing says that no device is always on")
		}
		must(w.T, d.ws.SetStaysOn(w.T.Context(), true))
		o.until("the founder knows", func() bool { return f.ws.snapshot().Devices[d.id()].Stays && !f.hasPoint("always-on") })
		d.kill()
		d.start()
		if !d.ws.StaysOn() {
			w.T.Error("forgotten")
		}
		must(w.T, d.ws.SetStaysOn(w.T.Context(), false))
		o.until("the founder knows that too", func() bool { return f.hasPoint("always-on") })
	})
}

// TestGuestsHome: a guest is told of its spaces alone, and of nothing that others
// must do.
func TestGuestsHome(t *testing.T) {
	sim.Run(t, 64, func(w *sim.World) {
		o := newOffice(w, 1)
		defer o.close()
		f, ctx := o.devices[0], w.T.Context()
		must(w.T, f.ws.SetUp(PathFound, 2))
		open, err := f.ws.CreateSpace(ctx, "Offen", nil)
		must(w.T, err)
		secret, err := f.ws.CreateSpace(ctx, "Geheim", nil)
		must(w.T, err)
		g := o.device("guest")
		g.start()
		f.admitAs(g, InviteAsk{Role: access.Guest, Spaces: map[log.SpaceID]access.Level{open.ID: access.Write}})
		_, err = g.ws.Home(ctx) // the first visit begins
		must(w.T, err)
		time.Sleep(time.Second) // of the simulation
		for _, s := range []Space{open, secret} {
			f.say(ChannelRef{Space: s.ID}, "Neues in "+s.Name)
			_, err = f.ws.CreateDocument(ctx, s.ID, document.Meta{Title: "Text in " + s.Name}, nil)
			must(w.T, err)
		}
		f.post("an alle")
		var h Home
		o.until("the guest has news", func() bool {
			h, err = g.ws.Home(ctx)
			must(w.T, err)
			return len(h.Channels) > 0 && len(h.Documents) > 0
		})
		if len(h.Channels) != 1 || h.Channels[0].Ref.Space != open.ID || len(h.Documents) != 1 || h.Documents[0].Ref.Space != open.ID {
			w.T.Errorf("the guest is told of %v and %v", h.Channels, h.Documents)
		}
		for _, code := range []string{"kind", "invite", "always-on"} {
			if g.hasPoint(code) {
				w.T.Errorf("the guest is asked for %s", code)
			}
		}
		if !f.hasPoint("kind") {
			w.T.Error("the founder is not asked for the kind")
		}
	})
}
