package folder

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"inselnetz/app/disk"
	"inselnetz/app/disk/disktest"
	"inselnetz/crdt/log"
	"inselnetz/crdt/tree"
)

// An office is devices that share a folder. Entries reach the others by pass,
// contents by Fetch from whoever is reached.
type office struct {
	t        *testing.T
	nodes    []*node
	mu       sync.Mutex
	all      []tree.Known
	verdicts []Verdict
	fetched  []Piece
	skew     time.Duration
}

type node struct {
	*Folder
	o    *office
	n    int
	fs   disk.FS
	user disk.FS // what the user edits with
	dev  log.DeviceID
	seq  uint64
	seen int // of all
	told int // of verdicts
	off  bool
	gate func(Piece) // holds up a fetch
	opts Options
}

// newOffice returns n devices with an empty folder each.
func newOffice(t *testing.T, n int, tune ...func(*Options)) *office {
	t.Helper()
	o := &office{t: t}
	for i := range n {
		mem := disktest.New(uint64(i), disktest.Options{})
		o.join(mem, mem.User(), tune...)
	}
	return o
}

// realOffice is newOffice on the real disk.
func realOffice(t testing.TB, n int, tune ...func(*Options)) *office {
	t.Helper()
	o := &office{}
	o.t, _ = t.(*testing.T)
	for range n {
		fsys, err := disk.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { fsys.Close() })
		o.join(fsys, fsys, tune...)
	}
	return o
}

func (o *office) join(fsys, user disk.FS, tune ...func(*Options)) *node {
	n := &node{o: o, n: len(o.nodes), fs: fsys, user: user}
	n.dev[0] = byte(n.n + 1)
	n.opts = Options{FS: fsys, Host: n, Device: n.dev, Create: true, Kept: true, Workers: 1}
	for _, f := range tune {
		f(&n.opts)
	}
	n.open()
	o.nodes = append(o.nodes, n)
	return n
}

// open starts the node's folder as at the start of the program.
func (n *node) open() {
	f, err := Open(context.Background(), n.opts)
	if err != nil {
		panic(err)
	}
	n.Folder = f
	n.o.mu.Lock()
	all := slices.Clone(n.o.all[:n.seen])
	n.o.mu.Unlock()
	f.Add(all)
}

func (n *node) restart(fsys *disktest.FS) {
	n.fs, n.opts.FS, n.user = fsys, fsys, fsys.User()
	n.open()
}

func (n *node) Now() time.Time { return time.Now().Add(n.o.skew) }

func (n *node) Publish(_ context.Context, vs []tree.Version) ([]tree.Known, error) {
	n.o.mu.Lock()
	defer n.o.mu.Unlock()
	n.seq++
	var out []tree.Known
	for i, v := range vs {
		if err := tree.CheckPath(v.Path); err != nil {
			return nil, err
		}
		k := tree.Known{ID: tree.VersionID{Log: log.LogID{byte(n.n + 1)}, Seq: n.seq, N: uint32(i)}, Version: v}
		k.Device, k.Clock = n.dev, log.HLC(n.Now().UnixMilli())<<16
		out = append(out, k)
	}
	n.o.all = append(n.o.all, out...)
	return out, nil
}

func (n *node) Verdict(_ context.Context, v tree.Verdict) (Verdict, error) {
	n.o.mu.Lock()
	defer n.o.mu.Unlock()
	n.seq++
	out := Verdict{Author: tree.Author{Device: n.dev, Clock: log.HLC(n.Now().UnixMilli()) << 16}, Verdict: v}
	n.o.verdicts = append(n.o.verdicts, out)
	return out, nil
}

func (n *node) Fetch(ctx context.Context, pieces []Piece, _ []log.DeviceID, got func(int, []byte) error, missing func(int)) error {
	for i, p := range pieces {
		if n.gate != nil {
			n.gate(p)
		}
		found := false
		for _, from := range n.o.nodes {
			if from == n || from.off || n.off || from.Folder == nil {
				continue
			}
			b, err := from.Read(p.Content, p.Index, nil)
			if err != nil || len(b) != p.Size || tree.Sum(sha256.Sum256(b)) != p.Hash {
				continue
			}
			n.o.mu.Lock()
			n.o.fetched = append(n.o.fetched, p)
			n.o.mu.Unlock()
			if err := got(i, b); err != nil {
				return err
			}
			found = true
			break
		}
		if !found {
			missing(i)
		}
	}
	return ctx.Err()
}

// pass gives every node that is in reach what all announced.
func (o *office) pass() {
	o.mu.Lock()
	all, verdicts := slices.Clone(o.all), slices.Clone(o.verdicts)
	o.mu.Unlock()
	for _, n := range o.nodes {
		if !n.off && (n.seen < len(all) || n.told < len(verdicts)) {
			n.Add(all[n.seen:], verdicts[n.told:]...)
			n.seen, n.told = len(all), len(verdicts)
		}
	}
}

// settle lets everyone scan and apply until nothing happens any more.
func (o *office) settle() {
	o.t.Helper()
	for range 20 {
		o.mu.Lock()
		before := len(o.all)
		o.mu.Unlock()
		for _, n := range o.nodes {
			if err := n.Scan(ctx); err != nil && !errors.Is(err, ErrMissing) {
				o.t.Fatal(err)
			}
		}
		o.pass()
		for _, n := range o.nodes {
			if err := n.Apply(ctx); err != nil && !errors.Is(err, ErrMissing) {
				o.t.Fatal(err)
			}
		}
		open := false
		for _, n := range o.nodes {
			n.mu.Lock()
			open = open || len(n.todo) > 0
			n.mu.Unlock()
		}
		if open {
			time.Sleep(coarse) // what was just written is looked at again
		} else if len(o.all) == before {
			return
		}
	}
}

var ctx = context.Background()

// write is the user saving a file, its directories too.
func (n *node) write(path, text string) {
	if dir := parent(path); dir != "" {
		must(n.user.Mkdir(dir))
	}
	if h, err := n.user.Edit(path); err == nil {
		must(h.Truncate(0))
		must1(h.WriteAt([]byte(text), 0))
		must(h.Close())
		return
	}
	h, err := n.user.Create(path, 0)
	must(err)
	must1(h.WriteAt([]byte(text), 0))
	must(h.Close())
}

func (n *node) mv(from, to string) { must(n.user.Rename(from, to)) }

// rm is rm -r.
func (n *node) rm(path string) {
	if list, err := n.user.List(path); err == nil {
		for _, in := range list {
			n.rm(path + "/" + in.Name)
		}
	}
	must(n.user.Remove(path))
}

// files returns what the user sees: file contents, "dir/" for directories, "->"
// for links.
func (n *node) files() map[string]string {
	out := map[string]string{}
	var walk func(string)
	walk = func(dir string) {
		list, err := n.user.List(dir)
		must(err)
		for _, in := range list {
			path := join(dir, in.Name)
			switch {
			case path == hidden:
			case in.Kind == disk.Dir:
				out[path+"/"] = ""
				walk(path)
			case in.Kind == disk.Link:
				target, err := n.user.Readlink(path)
				must(err)
				out[path] = "->" + target
			default:
				b, _, err := n.user.Read(path, nil)
				must(err)
				out[path] = string(b)
			}
		}
	}
	walk("")
	return out
}

// same fails unless every disk shows exactly these files.
func (o *office) same(want map[string]string) {
	o.t.Helper()
	for i, n := range o.nodes {
		if n.off {
			continue
		}
		if got := n.files(); !mapsEqual(got, want) {
			o.t.Errorf("node %d (have, want): %s; %v", i, difference(got, want), n.State().Errors)
		}
		n.mu.Lock()
		if len(n.todo) > 0 {
			o.t.Errorf("node %d still has to do %v", i, n.todo)
		}
		n.mu.Unlock()
		if list, err := n.user.List(tmpAt); err != nil || len(list) > 0 {
			o.t.Errorf("node %d left temporary files: %v %v", i, list, err)
		}
	}
}

func mapsEqual(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if w, ok := b[k]; !ok || v != w {
			return false
		}
	}
	return true
}

func difference(got, want map[string]string) string {
	var out []string
	for k, v := range got {
		if w, ok := want[k]; !ok {
			out = append(out, fmt.Sprintf("%q: +%.40q", k, v))
		} else if v != w {
			out = append(out, fmt.Sprintf("%q: %.40q, %.40q", k, v, w))
		}
	}
	for k, w := range want {
		if _, ok := got[k]; !ok {
			out = append(out, fmt.Sprintf("%q: -%.40q", k, w))
		}
	}
	slices.Sort(out)
	return fmt.Sprintf("%d: %s", len(out), strings.Join(out[:min(len(out), 12)], "; "))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func must1(_ any, err error) { must(err) }

func text(t *testing.T, n *node, k tree.Known) string {
	t.Helper()
	r, err := n.Content(ctx, k)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

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
