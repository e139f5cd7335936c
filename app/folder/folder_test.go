package folder

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"inselnetz/app/disk/disktest"
	"inselnetz/crdt/log"
	"inselnetz/crdt/tree"
)

func TestFilesReachTheOthers(t *testing.T) {
	for name, o := range map[string]*office{"memory": newOffice(t, 3), "disk": realOffice(t, 3)} {
		t.Run(name, func(t *testing.T) {
			o.t = t
			a, b := o.nodes[0], o.nodes[1]
			a.write("hello.txt", "hello")
			a.write("dir/sub/deep.txt", "deep")
			a.write("empty", "")
			must(a.user.Symlink("dir/sub", "link"))
			must(a.user.Mkdir("nothing"))
			o.settle()
			want := map[string]string{"hello.txt": "hello", "dir/": "", "dir/sub/": "", "dir/sub/deep.txt": "deep", "empty": "", "link": "->dir/sub", "nothing/": ""}
			o.same(want)

			b.write("hello.txt", "hello back")
			b.rm("dir")
			o.settle()
			delete(want, "dir/")
			delete(want, "dir/sub/")
			delete(want, "dir/sub/deep.txt")
			want["hello.txt"] = "hello back"
			o.same(want)

			before := len(o.fetched)
			b.mv("hello.txt", "there.txt")
			o.settle()
			delete(want, "hello.txt")
			want["there.txt"] = "hello back"
			o.same(want)
			if len(o.fetched) != before {
				t.Errorf("a rename fetched %v", o.fetched[before:])
			}
			b.write("nothing/new", "x")
			o.settle()
			b.rm("nothing/new")
			o.settle()
			o.same(want)
		})
	}
}

func TestConflict(t *testing.T) {
	o := newOffice(t, 2)
	a, b := o.nodes[0], o.nodes[1]
	a.write("plan", "one")
	o.settle()
	a.write("plan", "from a")
	must(a.Scan(ctx))
	b.write("plan", "from b")
	must(b.Scan(ctx))
	o.settle()
	for _, n := range o.nodes {
		n.View(func(tr *tree.Tree) {
			node, _ := tr.Node("plan")
			if len(node.Others) != 1 {
				t.Fatalf("no conflict: %+v", node)
			}
		})
	}
	if x, y := a.files()["plan"], b.files()["plan"]; x != y || x != "from a" && x != "from b" {
		t.Fatalf("shown: %q and %q", x, y)
	}
	var all []tree.Known
	a.View(func(tr *tree.Tree) {
		node, _ := tr.Node("plan")
		all = append([]tree.Known{node.Shown}, node.Others...)
	})
	for _, n := range o.nodes {
		got := []string{text(t, n, all[0]), text(t, n, all[1])}
		slices.Sort(got)
		if !slices.Equal(got, []string{"from a", "from b"}) {
			t.Fatalf("contents of the conflict: %q", got)
		}
	}
	want := map[string]string{"plan": text(t, a, all[1]), "plan (other)": text(t, a, all[0])}
	must(b.Resolve(ctx, "plan", all[1].ID, func(tree.Known) string { return "plan (other)" }))
	o.settle()
	o.same(want)
	a.View(func(tr *tree.Tree) {
		if c := tr.Conflicts(); len(c) > 0 {
			t.Errorf("still in conflict: %v", c)
		}
	})
}

// An edit that was not seen yet is never written over.
func TestUnseenEditStays(t *testing.T) {
	o := newOffice(t, 2)
	a, b := o.nodes[0], o.nodes[1]
	a.write("plan", "one")
	o.settle()
	a.write("plan", "two, from a")
	must(a.Scan(ctx))
	b.write("plan", "from b, not seen yet")
	b.write("other", "new and not seen")
	o.pass()
	must(b.Apply(ctx)) // must find b's edit by itself
	o.settle()
	a.View(func(tr *tree.Tree) {
		node, _ := tr.Node("plan")
		if len(node.Others) != 1 {
			t.Fatalf("no conflict: %+v", node)
		}
	})
}

func TestEdits(t *testing.T) {
	o := newOffice(t, 2)
	a, b := o.nodes[0], o.nodes[1]
	k, err := a.Put(ctx, "doc/a.txt", nil, 0, strings.NewReader("first"))
	must(err)
	o.settle()
	o.same(map[string]string{"doc/": "", "doc/a.txt": "first"})
	before := log.HLC(time.Now().UnixMilli()+1) << 16
	time.Sleep(3 * time.Millisecond)
	must1(b.Put(ctx, "doc/a.txt", nil, 0, strings.NewReader("second")))
	must(b.Mkdir(ctx, "empty"))
	must1(b.Put(ctx, "doc/b.txt", nil, 0, strings.NewReader("b")))
	o.settle()
	o.same(map[string]string{"doc/": "", "doc/a.txt": "second", "doc/b.txt": "b", "empty/": ""})
	must(a.Rename(ctx, "doc", "papers"))
	o.settle()
	o.same(map[string]string{"papers/": "", "papers/a.txt": "second", "papers/b.txt": "b", "empty/": ""})
	must(a.Restore(ctx, "papers/a.txt", k.ID))
	must(a.Remove(ctx, "empty", "papers/b.txt"))
	o.settle()
	o.same(map[string]string{"papers/": "", "papers/a.txt": "first"})
	if err := a.Remove(ctx, "nowhere"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("removing nothing: %v", err)
	}
	c, err := b.Rewind(ctx, "", before, true)
	must(err)
	if c.Restored != 1 || c.Removed != 1 || c.Changed != 0 {
		t.Errorf("dry rewind: %+v", c)
	}
	must1(b.Rewind(ctx, "", before, false))
	o.settle()
	o.same(map[string]string{"doc/": "", "doc/a.txt": "first"})

	// A directory comes back too, and is not counted as a file.
	must(a.Mkdir(ctx, "leer"))
	o.settle()
	before = log.HLC(time.Now().UnixMilli()+1) << 16
	time.Sleep(3 * time.Millisecond)
	must(a.Remove(ctx, "leer"))
	o.settle()
	if c, err = a.Rewind(ctx, "", before, false); err != nil || c.Restored != 0 {
		t.Errorf("an empty directory comes back as %+v, %v", c, err)
	}
	o.settle()
	o.same(map[string]string{"doc/": "", "doc/a.txt": "first", "leer/": ""})
}

func pattern(n int, seed byte) string {
	b := make([]byte, n)
	x := uint32(seed) + 1
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return string(b)
}

func TestLargeFiles(t *testing.T) {
	for name, o := range map[string]*office{"memory": newOffice(t, 3), "disk": realOffice(t, 3), "workers": realOffice(t, 2, func(o *Options) { o.Workers = 3 })} {
		t.Run(name, func(t *testing.T) {
			o.t = t
			a, b := o.nodes[0], o.nodes[1]
			big := pattern(12<<20+77, 1) // more blocks than a version carries
			mid := pattern(3<<20, 2)
			a.write("big", big)
			a.write("mid", mid)
			o.settle()
			o.same(map[string]string{"big": big, "mid": mid})

			o.fetched = nil
			changed := []byte(big)
			changed[5<<20] ^= 1
			b.write("big", string(changed))
			b.rm("mid")
			o.settle()
			o.same(map[string]string{"big": string(changed)})
			for _, p := range o.fetched {
				if p.Index != ListIndex && p.Index != 40 {
					t.Errorf("block %d was fetched though it did not change", p.Index)
				}
			}
			var was tree.Known
			a.View(func(tr *tree.Tree) {
				h := tr.History("big")
				was = h[len(h)-1]
			})
			if got := text(t, o.nodes[len(o.nodes)-1], was); got != big {
				t.Error("the old content is not whole")
			}
			k, err := a.Put(ctx, "put", nil, 0, strings.NewReader(big))
			must(err)
			if k.Sum != was.Sum {
				t.Error("put and scan name a content differently")
			}
			o.settle()
			o.same(map[string]string{"big": string(changed), "put": big})
		})
	}
}

func TestRestart(t *testing.T) {
	o := newOffice(t, 2)
	a, b := o.nodes[0], o.nodes[1]
	for i := range 30 {
		a.write(fmt.Sprintf("d%d/f%d", i%3, i), fmt.Sprint("text ", i))
	}
	o.settle()
	want := a.files()
	for _, n := range o.nodes {
		n.restart(n.fs.(*disktest.FS).Kill())
	}
	o.settle()
	o.same(want)
	if len(o.all) != 30 {
		t.Errorf("%d versions after a restart, want 30", len(o.all))
	}
	b.Folder.Close()
	b.user.Remove(indexAt) // as if it were lost
	b.restart(b.fs.(*disktest.FS).Kill())
	a.write("d0/f0", "changed while b was away")
	o.settle()
	want["d0/f0"] = "changed while b was away"
	o.same(want)
	if len(o.all) != 31 {
		t.Errorf("%d versions after a lost index, want 31", len(o.all))
	}
}

// Without its marker nothing is taken for deleted.
func TestMissing(t *testing.T) {
	o := newOffice(t, 2)
	a, b := o.nodes[0], o.nodes[1]
	a.write("x", "x")
	o.settle()
	must(b.user.Rename(hidden, "elsewhere"))
	b.rm("x")
	if err := b.Scan(ctx); !errors.Is(err, ErrMissing) {
		t.Errorf("scan without marker: %v", err)
	}
	if err := b.Apply(ctx); !errors.Is(err, ErrMissing) {
		t.Errorf("apply without marker: %v", err)
	}
	if !b.State().Missing {
		t.Error("not said to be missing")
	}
	if len(o.all) != 1 {
		t.Errorf("published without marker: %v", o.all[1:])
	}
	must(b.user.Rename("elsewhere", hidden))
	b.write("x", "x")
	o.settle()
	o.same(map[string]string{"x": "x"})
}

func TestReadOnly(t *testing.T) {
	may := true
	o := newOffice(t, 2, func(o *Options) { o.MayWrite = func() bool { return o.Device != log.DeviceID{2} || may } })
	a, b := o.nodes[0], o.nodes[1]
	a.write("x", "one")
	a.write("y", "y")
	o.settle()
	may = false
	b.write("x", "mine")
	b.write("new", "mine too")
	b.rm("y")
	must(b.Scan(ctx))
	if got := b.State().LocalOnly; !slices.Equal(got, []string{"new", "x", "y"}) {
		t.Errorf("local changes: %v", got)
	}
	if len(o.all) != 2 {
		t.Error("a reader published")
	}
	if _, err := b.Put(ctx, "z", nil, 0, bytes.NewReader(nil)); !errors.Is(err, ErrReadOnly) {
		t.Errorf("put by a reader: %v", err)
	}
	var want tree.Known
	b.View(func(tr *tree.Tree) {
		n, _ := tr.Node("x")
		want = n.Shown
	})
	if got := text(t, b, want); got != "one" { // what is on b's disk is another one
		t.Errorf("content of x: %q", got)
	}
	a.write("x", "two")
	a.write("y", "y2")
	must(a.Scan(ctx))
	o.pass()
	must(b.Apply(ctx))
	if got := b.files(); got["x"] != "mine" || got["new"] != "mine too" || got["y"] != "y2" {
		t.Errorf("on the reader's disk: %v", got)
	}
}
