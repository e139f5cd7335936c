package folder

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
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
		if ctx.Err() != nil {
			return ctx.Err()
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
