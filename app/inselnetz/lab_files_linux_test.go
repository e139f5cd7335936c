package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"inselnetz/app/api"
	"inselnetz/mesh/meshtest"
)

// filesOffice starts devices in one network and lets them all into one office.
func filesOffice(t *testing.T, network string, names ...string) []*pc {
	t.Helper()
	lab := meshtest.NewLab(t)
	lab.Bridge("lan")
	bin := build(t)
	var pcs []*pc
	for i, name := range names {
		p := newPC(t, bin, lab, "lan", name, fmt.Sprintf("10.%s.0.%d/24", network, i+1))
		p.start()
		pcs = append(pcs, p)
	}
	cli[api.Status](pcs[0], "found", "--office", "Kanzlei", "--person", "Anna", "--device", names[0])
	for i, p := range pcs[1:] {
		join(t, pcs[0], p, []string{"Bernd", "Cem", "Dora"}[i])
	}
	for _, p := range pcs {
		within(t, 20*time.Second, p.name+" has a folder", func() bool { return p.shared("") != nil })
	}
	return pcs
}

// shared is the folder of a space by its name, nil if there is none (yet).
func (p *pc) shared(space string) *api.Folder {
	res, err := call[api.Folders](p, "files/folders", api.Empty{})
	if err != nil {
		return nil
	}
	for _, f := range res.Folders {
		if f.Name == space && (f.Dir != "" || !f.Kept) {
			return &f
		}
	}
	return nil
}

// folderDir is where the folder of the space of all lies.
func (p *pc) folderDir() string {
	p.t.Helper()
	f := p.shared("")
	if f == nil {
		p.t.Fatalf("%s has no folder", p.name)
	}
	return f.Dir
}

// onDisk is what a person finds in a directory: paths and hashes of contents.
func onDisk(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			if os.IsNotExist(err) { // it is being changed
				return nil
			}
			return err
		}
		if d.Name() == ".inselnetz" {
			return filepath.SkipDir
		}
		if d.IsDir() {
			return nil
		}
		b, err := os.ReadFile(p)
		if os.IsNotExist(err) {
			return nil
		}
		rel, _ := filepath.Rel(dir, p)
		sum := sha256.Sum256(b)
		out[filepath.ToSlash(rel)] = hex.EncodeToString(sum[:8])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// different counts the paths that two trees do not have alike.
func different(a, b map[string]string) (n int) {
	for p, sum := range a {
		if b[p] != sum {
			n++
		}
	}
	for p := range b {
		if _, ok := a[p]; !ok {
			n++
		}
	}
	return n
}

// differences names some of them.
func differences(want, now map[string]string) string {
	var out []string
	for p, sum := range want {
		if now[p] != sum {
			out = append(out, fmt.Sprintf("%s is %q, want %q", p, now[p], sum))
		}
	}
	for p := range now {
		if _, ok := want[p]; !ok {
			out = append(out, p+" is too much")
		}
	}
	slices.Sort(out)
	return fmt.Sprint(len(out), " differ: ", strings.Join(out[:min(len(out), 6)], "; "))
}

// letters fills a directory with files as an office has them.
func letters(t *testing.T, dir string, n int) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range n {
		sub := filepath.Join(dir, fmt.Sprintf("Akte %02d", i%20))
		if err := os.MkdirAll(sub, 0o755); err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf("Sehr geehrte Frau Behrens, Schreiben %d\n", i) + strings.Repeat("in der Sache gegen die Stadt Husum. ", 1+r.IntN(100))
		if err := os.WriteFile(filepath.Join(sub, fmt.Sprintf("Brief %04d.txt", i)), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// alike waits until all devices have the same files on their disks.
func alike(t *testing.T, limit time.Duration, want map[string]string, pcs ...*pc) {
	t.Helper()
	for _, p := range pcs {
		dir := p.folderDir()
		start := time.Now()
		for {
			now := onDisk(t, dir)
			if different(want, now) == 0 {
				break
			}
			if time.Since(start) > limit {
				t.Fatalf("%s has not the same files after %v: %s; state %+v", p.name, limit, differences(want, now), p.shared(""))
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Logf("%s has all %d files, %v waited", p.name, len(want), time.Since(start))
	}
}

// content reads a version of a file as the page does.
func (p *pc) content(space, path, version string) (string, error) {
	q := url.Values{"space": {space}, "path": {path}, "version": {version}}
	r, err := http.NewRequest(http.MethodGet, "http://"+p.Addr+"/api/files/content?"+q.Encode(), nil)
	if err != nil {
		return "", err
	}
	r.Header.Set("Authorization", "Bearer "+p.Token)
	res, err := p.http.Do(r)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(res.Body); err != nil {
		return "", err
	}
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %s", res.Status, b.String())
	}
	return b.String(), nil
}

// TestLabRansomware: one of four PCs overwrites and renames 200 of 2,000 files.
// The others take over at most 50 changes, say so within five seconds, still have
// every old version, and one person's "discard" restores all four.
func TestLabRansomware(t *testing.T) {
	pcs := filesOffice(t, "81", "a", "b", "c", "d")
	a, b, d := pcs[0], pcs[1], pcs[3]
	dir := a.folderDir()
	letters(t, dir, 2000)
	before := onDisk(t, dir)
	start := time.Now()
	alike(t, 90*time.Second, before, pcs...)
	t.Logf("2,000 files on four devices after %v", time.Since(start))
	within(t, 30*time.Second, "everybody is in sync", func() bool {
		return !slices.ContainsFunc(pcs, func(p *pc) bool { f := p.shared(""); return f == nil || f.Progress != nil })
	})

	evil := d.folderDir()
	paths := slices.Sorted(maps.Keys(before))[:200]
	start = time.Now()
	for _, p := range paths {
		full := filepath.Join(evil, filepath.FromSlash(p))
		noise := make([]byte, 4096)
		for i := range noise {
			noise[i] = byte(rand.Uint32())
		}
		if err := os.WriteFile(full, noise, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(full, full+".lockbit"); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range pcs[:3] {
		within(t, 10*time.Second, p.name+" holds d", func() bool {
			f := p.shared("")
			return f != nil && len(f.Holds) == 1 && f.Holds[0].Name == "d"
		})
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s said so only after %v", p.name, took)
		}
	}
	t.Logf("three devices hold the fourth %v after it began", time.Since(start))
	within(t, 20*time.Second, "d announced all of it", func() bool { return a.shared("").Holds[0].Files >= 200 })
	for _, p := range pcs[:3] {
		now, lost, added := onDisk(t, p.folderDir()), 0, 0
		for path, sum := range before {
			if now[path] != sum {
				lost++
			}
		}
		for path := range now {
			if _, ok := before[path]; !ok {
				added++
			}
		}
		if lost > 50 || added > 50 {
			t.Errorf("%s took over changes of %d files, and %d new ones", p.name, lost, added)
		}
		t.Logf("%s took over changes of %d files, and %d new ones", p.name, lost, added)
	}
	space := a.shared("").Space
	for _, p := range paths {
		if !readable(t, b, space, p, before[p]) {
			t.Errorf("b has no earlier version of %s", p)
		}
	}
	cli[api.Folder](b, "files", "discard", "d")
	start = time.Now()
	alike(t, 60*time.Second, before, pcs...)
	t.Logf("restored on all four %v after the decision", time.Since(start))
	for _, p := range pcs[:3] {
		within(t, 20*time.Second, p.name+" holds nobody any more", func() bool { return len(p.shared("").Holds) == 0 })
	}
}

// readable reports whether some version of a path, also one that was renamed
// away, has this content.
func readable(t *testing.T, p *pc, space, path, sum string) bool {
	t.Helper()
	for _, at := range []string{path, path + ".lockbit"} {
		info, err := call[api.FileInfo](p, "files/info", api.FilesAsk{Space: space, Path: at})
		if err != nil {
			continue
		}
		for _, v := range info.Versions {
			text, err := p.content(space, at, v.ID)
			if err != nil || v.Kind != "file" {
				continue
			}
			if got := sha256.Sum256([]byte(text)); hex.EncodeToString(got[:8]) == sum {
				return true
			}
		}
	}
	return false
}

// TestLabDeletedFolder: a folder with 300 files is deleted by mistake, and
// accepted by a colleague. Later one action brings it back on all devices, with
// its history, and nobody has to decide anything about that.
func TestLabDeletedFolder(t *testing.T) {
	pcs := filesOffice(t, "82", "a", "b", "c")
	a, b := pcs[0], pcs[1]
	letters(t, filepath.Join(a.folderDir(), "Behrens"), 300)
	letters(t, filepath.Join(a.folderDir(), "Anderes"), 100)
	before := onDisk(t, a.folderDir())
	alike(t, 60*time.Second, before, pcs...)
	within(t, 30*time.Second, "everybody is in sync", func() bool {
		return !slices.ContainsFunc(pcs, func(p *pc) bool { f := p.shared(""); return f == nil || f.Progress != nil })
	})
	good := time.Now().UnixMilli()
	if err := os.RemoveAll(filepath.Join(a.folderDir(), "Behrens")); err != nil {
		t.Fatal(err)
	}
	rest := maps.Clone(before)
	maps.DeleteFunc(rest, func(p, _ string) bool { return strings.HasPrefix(p, "Behrens/") })
	within(t, 15*time.Second, "b holds a", func() bool { f := b.shared(""); return len(f.Holds) == 1 && f.Holds[0].Files >= 300 })
	cli[api.Folder](b, "files", "accept", "a")
	alike(t, 30*time.Second, rest, pcs...)

	res := cli[api.Rewound](pcs[2], "files", "restore", "Behrens", "--at", fmt.Sprintf("@%d", good))
	if res.Restored != 300 {
		t.Errorf("restored %+v", res)
	}
	alike(t, 60*time.Second, before, pcs...)
	space := a.shared("").Space
	for _, p := range pcs {
		if f := p.shared(""); len(f.Holds) > 0 {
			t.Errorf("%s holds %v although somebody restored", p.name, f.Holds)
		}
		info := must[api.FileInfo](p, "files/info", api.FilesAsk{Space: space, Path: "Behrens/Akte 00/Brief 0000.txt"})
		if len(info.Versions) != 3 {
			t.Errorf("%s knows %d versions, want made, deleted, restored", p.name, len(info.Versions))
		}
	}
	if undone := cli[api.Rewound](b, "files", "restore", "Behrens", "--at", fmt.Sprintf("@%d", res.Undo)); undone.Removed != 300 {
		t.Errorf("undoing removed %+v", undone)
	}
}

// TestLabBothEdit: two people change one file while the line is down. Both
// contents are there afterwards and both people are named; one choice ends it.
func TestLabBothEdit(t *testing.T) {
	lab := meshtest.NewLab(t)
	lab.Bridge("left")
	lab.Bridge("right")
	cut := lab.Uplink("left", "right")
	bin := build(t)
	a := newPC(t, bin, lab, "left", "a", "10.83.0.1/24")
	b := newPC(t, bin, lab, "right", "b", "10.83.0.2/24")
	a.start()
	b.start()
	cli[api.Status](a, "found", "--office", "Kanzlei", "--person", "Anna", "--device", "a")
	join(t, a, b, "Bernd")
	for _, p := range []*pc{a, b} {
		within(t, 20*time.Second, p.name+" has a folder", func() bool { return p.shared("") != nil })
	}
	write := func(p *pc, text string) {
		if err := os.WriteFile(filepath.Join(p.folderDir(), "Klage.txt"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(a, "erster Entwurf")
	alike(t, 20*time.Second, onDisk(t, a.folderDir()), b)
	cut(true)
	write(a, "von Anna geändert")
	write(b, "von Bernd geändert")
	space := a.shared("").Space
	for _, p := range []*pc{a, b} {
		within(t, 20*time.Second, p.name+" announced its change", func() bool {
			return len(must[api.FileInfo](p, "files/info", api.FilesAsk{Space: space, Path: "Klage.txt"}).Versions) == 2
		})
	}
	cut(false)
	for _, p := range []*pc{a, b} {
		within(t, 60*time.Second, p.name+" knows of both", func() bool {
			info := must[api.FileInfo](p, "files/info", api.FilesAsk{Space: space, Path: "Klage.txt"})
			if len(info.Others) != 1 {
				return false
			}
			names := []string{info.File.Person.Name, info.Others[0].Person.Name}
			slices.Sort(names)
			now, err1 := p.content(space, "Klage.txt", info.File.Version)
			other, err2 := p.content(space, "Klage.txt", info.Others[0].ID)
			texts := []string{now, other}
			slices.Sort(texts)
			return err1 == nil && err2 == nil && fmt.Sprint(names, texts) == "[Anna Bernd] [von Anna geändert von Bernd geändert]"
		})
	}
	alike(t, 20*time.Second, onDisk(t, a.folderDir()), b)
	info := must[api.FileInfo](b, "files/info", api.FilesAsk{Space: space, Path: "Klage.txt"})
	cli[api.File](b, "files", "resolve", "Klage.txt", "--version", info.Others[0].ID, "--both")
	within(t, 20*time.Second, "both are files of their own on a", func() bool { return len(onDisk(t, a.folderDir())) == 2 })
	alike(t, 20*time.Second, onDisk(t, a.folderDir()), b)
	for _, p := range []*pc{a, b} {
		if n := p.shared("").Conflict; n != 0 {
			t.Errorf("%s still has %d conflicts", p.name, n)
		}
	}
}

// TestLabReader: who may only read changes nothing on anybody's disk but his own.
func TestLabReader(t *testing.T) {
	lab := meshtest.NewLab(t)
	lab.Bridge("lan")
	bin := build(t)
	a := newPC(t, bin, lab, "lan", "a", "10.84.0.1/24")
	g := newPC(t, bin, lab, "lan", "g", "10.84.0.2/24")
	a.start()
	g.start()
	cli[api.Status](a, "found", "--office", "Kanzlei", "--person", "Anna", "--device", "a")
	joinByLink(t, a, g, "Gast", "--role", "guest")
	cli[api.Space](a, "spaces", "--create", "Akte", "--add", "Gast=read")
	for _, p := range []*pc{a, g} {
		within(t, 30*time.Second, p.name+" has the folder", func() bool { f := p.shared("Akte"); return f != nil && f.Dir != "" })
	}
	own, guests := a.shared("Akte").Dir, g.shared("Akte").Dir
	letters(t, own, 30)
	before := onDisk(t, own)
	within(t, 30*time.Second, "the guest has the files", func() bool { return different(before, onDisk(t, guests)) == 0 })
	paths := slices.Sorted(maps.Keys(before))
	change := func(p, text string) {
		if err := os.WriteFile(filepath.Join(guests, filepath.FromSlash(p)), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	change(paths[0], "vom Gast geändert")
	change("neu.txt", "vom Gast")
	if err := os.Remove(filepath.Join(guests, filepath.FromSlash(paths[1]))); err != nil {
		t.Fatal(err)
	}
	within(t, 20*time.Second, "the guest is told that it stays here", func() bool {
		return slices.ContainsFunc(g.shared("Akte").Problems, func(s api.Sentence) bool { return s.Code == "files-alone" && s.Path == paths[0] })
	})
	if _, err := call[api.FilePaths](g, "files/remove", api.FileRemove{Space: g.shared("Akte").Space, Paths: paths[2:3]}); err == nil {
		t.Error("the guest's node removes a file")
	}
	// What the owner writes afterwards arrives, so what the guest did would have.
	if err := os.WriteFile(filepath.Join(own, "danach.txt"), []byte("danach"), 0o644); err != nil {
		t.Fatal(err)
	}
	within(t, 20*time.Second, "the guest has what came later", func() bool { return onDisk(t, guests)["danach.txt"] != "" })
	after := onDisk(t, own)
	delete(after, "danach.txt")
	if different(before, after) != 0 {
		t.Errorf("the guest changed the owner's disk")
	}
	if got, err := os.ReadFile(filepath.Join(guests, filepath.FromSlash(paths[0]))); err != nil || string(got) != "vom Gast geändert" {
		t.Errorf("the guest lost what he wrote: %q, %v", got, err)
	}
}

// TestLabFilesKilled: the receiver of 10,000 files is killed 30 times, within a
// second of its start each time. It still gets them all, nothing half is left,
// and only what was on its way comes twice.
func TestLabFilesKilled(t *testing.T) {
	pcs := filesOffice(t, "85", "a", "b")
	a, b := pcs[0], pcs[1]
	dir, other := a.folderDir(), b.folderDir()
	r := rand.New(rand.NewPCG(2, 3))
	before, total := b.received(), 0
	b.kill()
	for i := range 10_000 {
		sub := filepath.Join(dir, fmt.Sprintf("%02d", i%40))
		if err := os.MkdirAll(sub, 0o755); err != nil {
			t.Fatal(err)
		}
		noise := make([]byte, 4096)
		for j := range noise {
			noise[j] = byte(r.Uint32())
		}
		total += len(noise)
		if err := os.WriteFile(filepath.Join(sub, fmt.Sprintf("%05d.bin", i)), noise, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := onDisk(t, dir)
	within(t, 60*time.Second, "a announced all", func() bool { f := a.shared(""); return f.Files == len(want) && f.Progress == nil })
	b.start()
	kills, during := 0, 0
	for ; kills < 30; kills++ {
		time.Sleep(time.Duration(50+r.IntN(950)) * time.Millisecond) // when it dies is what is tried
		b.kill()
		now := onDisk(t, other)
		for p, sum := range now {
			if want[p] != sum {
				t.Fatalf("after kill %d there is a half file %s", kills, p)
			}
		}
		if len(now) < len(want) {
			during++
		}
		b.start()
	}
	within(t, 20*time.Second, "b has a folder", func() bool { return b.shared("") != nil })
	alike(t, 60*time.Second, want, b)
	within(t, 30*time.Second, "b is in sync", func() bool { f := b.shared(""); return f != nil && f.Progress == nil })
	got := b.received() - before
	t.Logf("killed %d times, %d of them before all was there; received %d MB for %d MB of contents", kills, during, got>>20, total>>20)
	// A kill costs the files that had no name yet, a batch of 2,000 at most and what
	// was on its way behind it: each of them is one block, and comes once more.
	if most := total + during*2_500*4096 + 20<<20; got > most {
		t.Errorf("received %d bytes for %d, more than %d", got, total, most)
	}
	left, err := os.ReadDir(filepath.Join(other, ".inselnetz", "tmp"))
	if err != nil && !os.IsNotExist(err) || len(left) > 0 {
		t.Errorf("%d temporary files are left, %v", len(left), err)
	}
}

// TestLabCarrier: a storage-only device keeps contents and names no word of them;
// from it a new device gets them when nobody else is there.
func TestLabCarrier(t *testing.T) {
	lab := meshtest.NewLab(t)
	lab.Bridge("lan")
	bin := build(t)
	var pcs []*pc
	for i, name := range []string{"a", "b", "nas"} {
		p := newPC(t, bin, lab, "lan", name, fmt.Sprintf("10.86.0.%d/24", i+1))
		p.start()
		pcs = append(pcs, p)
	}
	a, b, nas := pcs[0], pcs[1], pcs[2]
	cli[api.Status](a, "found", "--office", "Kanzlei", "--person", "Anna", "--device", "a")
	join(t, a, b, "Bernd")
	joinByLink(t, a, nas, "NAS", "--role", "carrier")
	within(t, 20*time.Second, "b has a folder", func() bool { return b.shared("") != nil })
	other := b.folderDir()
	b.kill()
	letters(t, a.folderDir(), 50)
	big := bytes.Repeat([]byte("Anlage Wunderlich "), 40_000)
	if err := os.WriteFile(filepath.Join(a.folderDir(), "Anlage Wunderlich.txt"), big, 0o644); err != nil {
		t.Fatal(err)
	}
	want := onDisk(t, a.folderDir())
	within(t, 60*time.Second, "the carrier has the pieces", func() bool {
		out, err := nas.host.Command(context.Background(), "du", "-sb", filepath.Join(nas.dir, "data", "carried")).Output()
		var n int
		fmt.Sscan(string(out), &n)
		return err == nil && n > len(big)
	})
	time.Sleep(3 * time.Second) // the small ones come in one round with the large one
	if f := nas.filesWith("Wunderlich", "Behrens"); f != "" {
		t.Errorf("the carrier can read %s", f)
	}
	a.kill()
	b.start()
	within(t, 60*time.Second, "b has everything from the carrier", func() bool { return different(want, onDisk(t, other)) == 0 })
}

// TestLabNames: names that other systems cannot store are in sync where they can
// be, and everybody sees them with one that would do.
func TestLabNames(t *testing.T) {
	pcs := filesOffice(t, "87", "a", "b")
	a, b := pcs[0], pcs[1]
	names := map[string]string{ // name on a's disk → what everyone is offered instead
		"CON.txt": "CON_.txt", "Frage?.txt": "Frage-.txt", "a:b.txt": "a-b.txt", "ende.": "ende", "nul": "nul_",
		"Brief.docx": "", "brief.docx": "brief (2).docx", "Müller.txt": "",
	}
	for name := range names {
		if err := os.WriteFile(filepath.Join(a.folderDir(), name), []byte("in "+name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// Written in another Unicode form, and not in Unicode at all.
	for _, name := range []string{"Ga\u0308rtner.txt", "kaputt\xff.txt"} {
		if err := os.WriteFile(filepath.Join(a.folderDir(), name), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	space := a.shared("").Space
	within(t, 20*time.Second, "b lists all that can be shared", func() bool {
		return len(must[api.FileList](b, "files/list", api.FilesAsk{Space: space}).Files) == len(names)+1
	})
	for _, p := range pcs {
		within(t, 20*time.Second, p.name+" has them on its disk", func() bool {
			disk := onDisk(t, p.folderDir())
			return disk["CON.txt"] != "" && disk["Brief.docx"] != "" && disk["brief.docx"] != "" && disk["G\u00e4rtner.txt"] != ""
		})
		for _, f := range must[api.FileList](p, "files/list", api.FilesAsk{Space: space}).Files {
			want, known := names[f.Name]
			if !known && f.Name != "G\u00e4rtner.txt" {
				t.Errorf("%s shows %q", p.name, f.Name)
			}
			offered := f.Suggest != ""
			if f.Name == "Brief.docx" || f.Name == "brief.docx" { // which of the two is offered another name, whoever began first says
				continue
			}
			if offered != (want != "") || offered && (f.Hint == "" || f.Suggest == f.Name) {
				t.Errorf("%s: %q is offered %q (%s)", p.name, f.Name, f.Suggest, f.Hint)
			}
		}
	}
	within(t, 20*time.Second, "a is told of the name that cannot be shared", func() bool {
		return slices.ContainsFunc(a.shared("").Problems, func(s api.Sentence) bool { return s.Code == "file-own-name" })
	})
	cli[api.File](b, "files", "mv", "CON.txt", "CON_.txt")
	within(t, 20*time.Second, "the new name is on a", func() bool {
		disk := onDisk(t, a.folderDir())
		return disk["CON_.txt"] != "" && disk["CON.txt"] == ""
	})
}
