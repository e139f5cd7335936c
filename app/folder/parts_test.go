package folder

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"inselnetz/app/disk/disktest"
	"inselnetz/crdt/log"
	"inselnetz/crdt/tree"
)

func TestIgnore(t *testing.T) {
	for name, tt := range map[string]struct {
		rules    string
		yes, not []string
	}{
		"built in": {"", []string{"~$letter.docx", "a/.~lock.x.odt#", "x.tmp", "X.TMP", "~x.tmp", "Thumbs.db", "desktop.ini", ".DS_Store", "a/b.crdownload", "x.part", ".inselnetz", "a/.inselnetz/x", "Thumbs.db/x"},
			[]string{"letter.docx", "a/~letter", ".profile", "part", "tmp", ".inselignore", "Thumbs.db.txt", "a.partner"}},
		"name":       {"foo", []string{"foo", "a/foo", "foo/b", "a/foo/b"}, []string{"foobar", "a/barfoo"}},
		"anchored":   {"/foo", []string{"foo", "foo/b"}, []string{"a/foo"}},
		"suffix":     {"*.log", []string{"x.log", "a/x.log", "x.log/y"}, []string{"x.logs"}},
		"prefix":     {"build*", []string{"build", "builds/x"}, []string{"rebuild"}},
		"path":       {"a/*/c", []string{"a/b/c", "x/a/b/c/d"}, []string{"a/b/d/c", "a/c"}},
		"deep":       {"/a/**/c", []string{"a/b/c", "a/b/d/c"}, []string{"x/a/b/c"}},
		"deep first": {"**/c", []string{"c", "a/c"}, []string{"cc"}},
		"not":        {"!keep.log\n*.log", []string{"x.log"}, []string{"keep.log", "a/keep.log"}},
		"fold":       {"(?i)README", []string{"readme", "a/ReadMe"}, []string{"readmes"}},
		"deletable":  {"(?d)(?i)*.bak", []string{"a.BAK"}, nil},
		"set":        {"file[0-9].txt", []string{"file1.txt"}, []string{"filex.txt", "file12.txt"}},
		"not set":    {"file[!0-9]", []string{"filex"}, []string{"file1"}},
		"either":     {"*.{jpg,png}", []string{"a.jpg", "b/a.png"}, []string{"a.gif", "a.jpg.txt"}},
		"question":   {"a?c", []string{"abc"}, []string{"a/c", "ac"}},
		"escaped":    {`a\*c`, []string{"a*c"}, []string{"abc"}},
		"comments":   {"// foo\n#include /etc/passwd\n\nbar", []string{"bar"}, []string{"foo"}},
		"dots":       {"a.b", []string{"a.b"}, []string{"axb"}},
		"itself":     {"*", []string{"x"}, []string{".inselignore"}},
	} {
		t.Run(name, func(t *testing.T) {
			rs, err := parseRules([]byte(tt.rules))
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range tt.yes {
				if !ignored(rs, p) {
					t.Errorf("%s is shared", p)
				}
			}
			for _, p := range tt.not {
				if ignored(rs, p) {
					t.Errorf("%s is ignored", p)
				}
			}
		})
	}
	for _, bad := range []string{"[", "a[", "{a", "a}", `a\`, strings.Repeat("x", 600), "!", "/"} {
		if rs, err := parseRules([]byte(bad + "\nfine")); err == nil || len(rs) != 1 {
			t.Errorf("%.20q: %v, %d rules", bad, err, len(rs))
		}
	}
}

// Matching must not be felt in a scan of 100,000 files.
func BenchmarkIgnore(b *testing.B) {
	rs, err := parseRules([]byte("*.log\nnode_modules\n/build\n!keep.bak\n*.bak\n(?i)*.iso\n.git\ncache/**/tmp\n"))
	if err != nil {
		b.Fatal(err)
	}
	paths := make([]string, 100000)
	for i := range paths {
		paths[i] = fmt.Sprintf("customers/%03d/2026/offer %06d.docx", i/300, i)
	}
	for b.Loop() {
		for _, p := range paths {
			if ignored(rs, p) {
				b.Fatal(p)
			}
		}
	}
}

func FuzzIgnore(f *testing.F) {
	f.Add([]byte("*.log\n!a/**/b\n(?i)[a-z]{x,y}?"), "a/b/c.log")
	f.Add([]byte(`\[`+"\n[[]\n[]]\n{,}\n**"), "x")
	f.Fuzz(func(t *testing.T, text []byte, path string) {
		rs, _ := parseRules(text)
		ignored(rs, path)
	})
}

func TestLocks(t *testing.T) {
	names := []string{"Brief.docx", "ab.docx", "Dokument.docx", "x.odt", "~$kument.docx"}
	list := func(yield func(string) bool) {
		for _, n := range names {
			if !yield(n) {
				return
			}
		}
	}
	for lock, want := range map[string]string{
		"~$kument.docx": "Dokument.docx", "~$ab.docx": "ab.docx", "~$ief.docx": "Brief.docx",
		".~lock.x.odt#": "x.odt", ".~lock.new.odt#": "new.odt", "~$nothing.docx": "", "~$": "", "Brief.docx": "",
	} {
		if got := lockOf(lock, list); got != want {
			t.Errorf("%s: %q, want %q", lock, got, want)
		}
	}
}

func TestFree(t *testing.T) {
	taken := map[string]bool{"d/a.txt": true, "d/a (2).txt": true, "b": true}
	for path, want := range map[string]string{"d/a.txt": "d/a (3).txt", "b": "b (2)", "c": "c"} {
		if got := free(path, func(p string) bool { return taken[p] }); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	long := strings.Repeat("ü", 127) + "x"
	if got := free(long, func(p string) bool { return p == long }); tree.CheckPath(got) != nil {
		t.Errorf("free name of a long one: %q", got)
	}
}

func records() []*rec {
	return []*rec{
		{Path: "a", Kind: tree.File, Exec: true, Size: 5, Time: -7, Inode: 1 << 60, Sum: tree.Sum{1}, Base: []tree.VersionID{{Log: log.LogID{1}, Seq: 9, N: 3}, {Log: log.LogID{2}, Seq: 1}}},
		{Path: "d", Kind: tree.Dir},
		{Path: "d/l", Kind: tree.Link, Sum: tree.Sum{2}, Racy: true, Time: 1 << 62},
	}
}

func TestIndexIsReadAgain(t *testing.T) {
	mem := disktest.New(1, disktest.Options{})
	x := newIndex(mem, "index")
	must(x.load())
	for _, r := range records() {
		x.put(r)
	}
	x.put(&rec{Path: "e", Kind: tree.File})
	must(x.write())
	x.drop("e")
	x.place(&rec{Path: "young", Kind: tree.File})
	must(x.write())
	must(x.close())
	check := func(what string) {
		t.Helper()
		y := newIndex(mem, "index")
		must(y.load())
		var got []*rec
		y.below("", func(r *rec) { r.twin = nil; got = append(got, r) })
		if !reflect.DeepEqual(got, records()) {
			t.Errorf("%s: %v", what, got)
		}
		must(y.close())
	}
	check("read again")
	h, err := mem.Edit("index")
	must(err)
	in, err := h.Stat()
	must(err)
	must1(h.WriteAt([]byte{200, 1, 2, 3, 4, 5}, in.Size)) // a torn record
	must(h.Close())
	check("with a torn tail")
}

func FuzzIndex(f *testing.F) {
	b := []byte(indexMagic)
	for _, r := range records() {
		b = appendRec(b, r.Path, r)
	}
	f.Add(appendRec(b, "gone", nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		out := []byte(indexMagic)
		n := readIndex(b, func(r *rec) { out = appendRec(out, r.Path, r) }, func(p string) { out = appendRec(out, p, nil) })
		if n > len(b) || n > 0 && n < len(indexMagic) {
			t.Fatalf("%d bytes of %d are whole", n, len(b))
		}
		var again []byte
		if n > 0 {
			again = []byte(indexMagic)
			if m := readIndex(out, func(r *rec) { again = appendRec(again, r.Path, r) }, func(p string) { again = appendRec(again, p, nil) }); m != len(out) || !bytes.Equal(out, again) {
				t.Fatal("what was written is read differently")
			}
		}
	})
}

func FuzzMarker(f *testing.F) {
	f.Add([]byte(`{"version":1,"space":"a","device":"b"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := parseMark(b); err == nil && m.Version != 1 {
			t.Fatalf("accepted %+v", m)
		}
	})
}

// Names that cannot travel are told; in another normal form they are renamed.
func TestNames(t *testing.T) {
	o := newOffice(t, 2)
	a, b := o.nodes[0], o.nodes[1]
	a.write("u\u0308ber.txt", "decomposed")
	a.write("bad\xff.txt", "not UTF-8")
	a.write("line\nbreak", "x")
	a.write("CON", "a device of Windows")
	a.write("x.tmp", "ignored")
	o.settle()
	if got := b.files(); len(got) != 2 || got["über.txt"] != "decomposed" || got["CON"] == "" {
		t.Errorf("the other one has %v", got)
	}
	if _, ok := a.files()["über.txt"]; !ok {
		t.Errorf("not renamed: %v", a.files())
	}
	errs := a.State().Errors
	if len(errs) != 2 || errs[0].Suggest != "bad_.txt" || errs[1].Suggest != "line_break" {
		t.Errorf("told: %+v", errs)
	}
	b.platform = tree.Windows
	if w := b.Here("CON"); w != CannotKeep {
		t.Errorf("on Windows CON is %v", w)
	}
}

// What one device ignores stays with the others.
func TestIgnoreLater(t *testing.T) {
	o := newOffice(t, 2)
	a, b := o.nodes[0], o.nodes[1]
	a.write("x.iso", "image")
	o.settle()
	a.write(IgnoreFile, "*.iso")
	o.settle()
	a.rm("x.iso")
	a.write("y.iso", "another")
	o.settle()
	if b.files()["x.iso"] != "image" || b.files()["y.iso"] != "" {
		t.Errorf("the other one has %v", b.files())
	}
}

// Leaving a part of the folder, and coming back to it, deletes nothing elsewhere.
func TestSkip(t *testing.T) {
	o := newOffice(t, 2)
	a, b := o.nodes[0], o.nodes[1]
	want := map[string]string{"a/": "", "a/x": "x", "b/": "", "b/y": "y"}
	a.write("a/x", "x")
	a.write("b/y", "y")
	o.settle()
	time.Sleep(coarse)
	b.SetSkip([]string{"a"})
	o.settle()
	if got := b.files(); got["a/x"] != "" || got["b/y"] != "y" || b.Here("a/x") != NotKept {
		t.Errorf("skipped: %v", got)
	}
	must1(b.Put(ctx, "a/new", nil, 0, strings.NewReader("new")))
	o.settle()
	want["a/new"] = "new"
	if got := a.files(); !mapsEqual(got, want) {
		t.Errorf("at the other: %v", got)
	}
	b.SetSkip(nil)
	o.settle()
	o.same(want)
	b.SetKept(false)
	o.settle()
	if got := b.files(); len(got) != 0 {
		t.Errorf("not kept: %v", got)
	}
	a.write("b/y", "y2")
	o.settle()
	b.SetKept(true)
	o.settle()
	want["b/y"] = "y2"
	o.same(want)
}

func TestUpTo(t *testing.T) {
	o := newOffice(t, 3)
	a, b, c := o.nodes[0], o.nodes[1], o.nodes[2]
	c.off = true
	a.write("one", "1")
	must(a.Scan(ctx))
	a.write("two", "2")
	must(a.Scan(ctx))
	o.pass()
	id := log.LogID{1}
	if got := b.UpTo()[id]; got != 0 {
		t.Errorf("before any content: %d", got)
	}
	a.off = true
	must(b.Apply(ctx))
	if got := b.State(); got.Waiting != 2 || b.Here("one") != Waiting {
		t.Errorf("nobody there: %+v, %v", got, b.Here("one"))
	}
	a.off = false
	time.Sleep(uptoEvery)
	must(b.Apply(ctx))
	if got := b.UpTo()[id]; got != 2 {
		t.Errorf("with all contents: %d", got)
	}
}
