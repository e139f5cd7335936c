package folder_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"inselnetz/app/disk"
	"inselnetz/crdt/tree"
)

// see holds what the user can see at this moment against the promise that every
// file is one that somebody wrote.
func (p *peer) see() {
	if !p.visible || p.w.broken != "" {
		return
	}
	p.visible = false
	p.visit(func(path string, in disk.Info, data []byte) {
		if !p.w.wrote[sha256.Sum256(data)] {
			p.w.breaks("%d shows at %s what nobody wrote: %s", p.n, path, short(data))
		}
	})
}

// visit calls see with all files that are shared.
func (p *peer) visit(see func(path string, in disk.Info, data []byte)) {
	p.entries("", func(path string, in disk.Info) {
		if in.Kind != disk.File {
			return
		}
		if b, _, err := p.user.Read(path, nil); err == nil {
			see(path, in, b)
		}
	})
}

// entries calls see with all that is shared.
func (p *peer) entries(dir string, see func(path string, in disk.Info)) {
	list, _ := p.user.List(dir)
	for _, in := range list {
		path := in.Name
		if dir != "" {
			path = dir + "/" + in.Name
		}
		if strings.HasPrefix(in.Name, ".inselnetz") || strings.HasSuffix(in.Name, ".tmp") {
			continue
		}
		see(path, in)
		if in.Kind == disk.Dir {
			p.entries(path, see)
		}
	}
}

// step does one thing that happens in the world.
func (w *world) step() {
	w.pass([]time.Duration{0, time.Millisecond, 100 * time.Millisecond, time.Second, time.Minute}[w.r.Intn(5)])
	p := w.peers[w.r.Intn(len(w.peers))]
	switch n := w.r.Intn(100); {
	case p.f == nil && n < 40:
		p.start()
	case n < 30:
		p.edit()
		p.see()
	case n < 42:
		p.do("scans", func(ctx context.Context) error { return p.f.Scan(ctx) })
	case n < 50:
		path := p.name()
		p.do("scans "+path, func(ctx context.Context) error { return p.f.Scan(ctx, path) })
	case n < 66:
		p.do("applies", func(ctx context.Context) error { return p.f.Apply(ctx) })
	case n < 68:
		p.do("keeps house", func(ctx context.Context) error { return p.f.House(ctx) })
	case n < 80:
		p.sync(w.peers[w.r.Intn(len(w.peers))], 1+w.r.Intn(4))
	case n < 86:
		p.do("window", p.window)
	default:
		w.mishap(p, n)
	}
}

// mishap changes what can go wrong.
func (w *world) mishap(p *peer, n int) {
	switch {
	case n < 88:
		for i := range w.group {
			w.group[i] = w.r.Intn(2)
		}
		w.tell("the network is %v", w.group)
	case n < 90:
		p.edits = []int{0, 3, 20}[w.r.Intn(3)]
	case n < 92:
		p.denied = []int{0, 0, 5, 50}[w.r.Intn(4)]
	case n < 93:
		free, total, _ := p.user.Space()
		room := []int64{0, 100, 5000, 1e12}[w.r.Intn(4)]
		p.user.Resize(total - free + room)
		w.tell("%d has room for %d bytes", p.n, room)
	case n < 94:
		w.pass(time.Duration(w.r.Intn(30)) * time.Hour)
		w.tell("hours pass")
	case p.f == nil:
	case n == 94:
		w.setting(p)
	case n == 95:
		kept := p.claimed()
		p.end(w.one(2), "between two steps")
		p.checkAlive()
		p.keeps(kept)
	default:
		p.calls, p.power = 1+w.r.Intn(60), w.one(2)
	}
}

// claimed returns contents that p says it has for good, and that it has now.
func (p *peer) claimed() (sums []tree.Known) {
	p.nested = true // nothing fails meanwhile
	defer func() { p.nested = false }()
	if !p.write || p.f.Scan(context.Background()) != nil {
		return nil // what the user did since is not known
	}
	up := p.f.UpTo()
	var all []tree.Known
	p.f.View(func(t *tree.Tree) {
		for n := range t.All("") {
			all = append(append(all, n.Shown), n.Others...)
		}
	})
	for _, k := range all {
		if k.Kind == tree.File && k.ID.Seq <= up[k.ID.Log] && p.reads(&k) {
			sums = append(sums, k)
		}
	}
	return sums
}

// keeps starts p again and holds it against what it claimed.
func (p *peer) keeps(claimed []tree.Known) {
	denied := p.denied
	p.denied, p.edits = 0, 0
	p.start()
	p.denied = denied
	if p.f == nil {
		return
	}
	p.nested = true
	defer func() { p.nested = false }()
	if len(claimed) > 0 { // what is there may have to be found first
		p.do("scans", func(ctx context.Context) error { return p.f.Scan(ctx) })
	}
	for _, k := range claimed {
		if !p.reads(&k) {
			p.w.breaks("%d said it has %s of %s for good", p.n, brief(&k.Version), k.Path)
		}
	}
}

// setting changes what a device is to do.
func (w *world) setting(p *peer) {
	switch w.r.Intn(5) {
	case 0:
		p.kept = !p.kept
		p.f.SetKept(p.kept)
	case 1, 2:
		p.skip = nil
		if w.one(2) {
			p.skip = []string{p.dir()}
		}
		p.f.SetSkip(p.skip)
	case 3:
		p.write = !p.write
	default:
		all := p.all()
		p.f.Reset(all.vs, all.verdicts...)
		w.tell("%d begins anew", p.n)
	}
	w.tell("%d: kept %v, not %q, may write %v", p.n, p.kept, p.skip, p.write)
}

// decide lets somebody decide about what is held.
func (w *world) decide(p *peer) {
	for _, h := range p.f.Holds() {
		if h.Device == p.dev {
			w.breaks("%d holds itself", p.n)
			return
		}
		w.tell("%d holds %d: %s, %d files", p.n, h.Device[0]-1, h.Why, h.Files)
		p.do("decides", func(ctx context.Context) error { return p.f.Decide(ctx, h.Device, w.one(2)) })
	}
}

// heal ends all faults and lets the office come to rest.
func (w *world) heal() {
	w.healed = true
	w.tell("all faults end")
	for _, p := range w.peers {
		p.checkAlive()
		w.group[p.n], p.calls = 0, 0
		p.kept, p.skip, p.write = true, nil, true
		p.user.Resize(1e12)
		if p.f == nil || w.one(2) {
			p.start()
			continue
		}
		p.f.SetKept(true)
		p.f.SetSkip(nil)
	}
	quiet := 0
	for round := 0; quiet < 2; round++ {
		if round == 40 {
			w.breaks("the office does not come to rest")
			return
		}
		before := w.versions()
		for _, p := range w.peers {
			for _, q := range w.peers {
				p.sync(q, 1e9)
			}
			w.pass(5 * time.Second)
			p.do("scans", func(ctx context.Context) error { return p.f.Scan(ctx) })
			p.do("applies", func(ctx context.Context) error { p.f.Wake(); return p.f.Apply(ctx) })
			if quiet == 1 {
				w.decide(p)
			}
			if w.broken != "" {
				return
			}
		}
		if quiet++; w.versions() != before {
			quiet = 0
		}
	}
}

func (w *world) versions() (n int) {
	for _, es := range w.entries {
		n += len(es)
	}
	return n
}

// check holds the healed office against what it promises.
func (w *world) check() {
	first := w.peers[0].shown(true)
	for _, p := range w.peers {
		w.equal(fmt.Sprintf("the trees of 0 and %d", p.n), first, p.shown(true))
		tree, disk := p.shown(false), p.onDisk()
		p.allowIgnored(tree, disk)
		for path := range tree {
			if tree[path] != disk[path] {
				w.tell("on %d %s is %d, %+v", p.n, path, p.f.Here(path), p.f.State())
			}
		}
		w.equal(fmt.Sprintf("tree and disk of %d", p.n), tree, disk)
		for path, b := range p.mine {
			if got, ok := p.at(path); !ok || got != b.sum {
				p.owe(path, b.sum)
			}
		}
	}
	announced := map[tree.Sum]string{}
	for _, p := range w.peers {
		for _, e := range w.entries[p.dev] {
			for _, k := range e.vs {
				if k.Kind != tree.File || announced[k.Sum] != "" {
					continue
				}
				announced[k.Sum] = k.Path
				if !w.recoverable(&k) {
					w.breaks("%s of %v (%s) is nowhere any more", k.Path, k.ID, brief(&k.Version))
				}
			}
		}
	}
	for sum, where := range w.owed {
		if announced[sum] == "" {
			w.breaks("the user's bytes %s (%d) at %s are lost", sum.String()[:8], w.sums[sum], where)
		}
	}
}

func (w *world) equal(what string, a, b map[string]string) {
	for _, path := range slices.Sorted(maps.Keys(a)) {
		if a[path] != b[path] {
			w.breaks("%s differ at %s: %s and %q", what, path, a[path], b[path])
		}
	}
	for _, path := range slices.Sorted(maps.Keys(b)) {
		if _, ok := a[path]; !ok {
			w.breaks("%s differ at %s: nothing and %s", what, path, b[path])
		}
	}
}

// allowIgnored takes out of tree and disk what may differ because something
// ignored lies in a directory: that stays, and what should be in its place is
// reported.
func (p *peer) allowIgnored(tree, onDisk map[string]string) {
	said := map[string]bool{}
	for _, e := range p.f.State().Errors {
		said[e.Path] = true
	}
	for path, is := range onDisk {
		if is != "dir" || tree[path] == is || !p.holdsIgnored(path) {
			continue
		}
		if tree[path] == "" || said[path] {
			delete(tree, path)
			delete(onDisk, path)
		}
	}
}

// holdsIgnored reports whether there is something ignored below a directory.
func (p *peer) holdsIgnored(dir string) bool {
	list, _ := p.user.List(dir)
	for _, in := range list {
		path := dir + "/" + in.Name
		if strings.HasSuffix(in.Name, ".tmp") || in.Kind == disk.Dir && p.holdsIgnored(path) {
			return true
		}
	}
	return false
}

// shown returns what the tree has, or what of it is wanted on the peer's disk.
func (p *peer) shown(all bool) map[string]string {
	m := map[string]string{}
	p.f.View(func(t *tree.Tree) {
		for n := range t.All("") {
			if all {
				m[n.Path] = brief(&n.Shown.Version)
			} else if !p.folds || n.Problem&tree.Twin == 0 {
				m[p.key(n.Path)] = brief(&n.Shown.Version)
			}
		}
	})
	return m
}

// onDisk returns what the user has.
func (p *peer) onDisk() map[string]string {
	m := map[string]string{}
	p.entries("", func(path string, in disk.Info) {
		switch in.Kind {
		case disk.File:
			b, _, _ := p.user.Read(path, nil)
			path := p.key(path)
			m[path] = brief(&tree.Version{Kind: tree.File, Size: in.Size, Sum: sumOf(b), Exec: in.Exec})
		case disk.Link:
			target, _ := p.user.Readlink(path)
			m[p.key(path)] = brief(&tree.Version{Kind: tree.Link, Target: target})
		case disk.Dir:
			m[p.key(path)] = brief(&tree.Version{Kind: tree.Dir})
		}
	})
	return m
}

// recoverable reports whether some device has a content whole.
func (w *world) recoverable(k *tree.Known) bool {
	return slices.ContainsFunc(w.peers, func(p *peer) bool { return p.reads(k) })
}

// reads reports whether p has a content whole.
func (p *peer) reads(k *tree.Known) bool {
	var all []byte
	var err error
	for i := 0; i < tree.BlockCount(k.Size) && err == nil; i++ {
		all, err = p.f.Read(k.Sum, uint32(i), all)
	}
	return err == nil && int64(len(all)) == k.Size && sumOf(all) == k.Sum
}

// live runs a world from beginning to end and returns which promise it broke.
func live(seed int64, wrong mistake) *world {
	w := newWorld(seed, wrong)
	for _, p := range w.peers {
		p.start()
	}
	for range 40 + w.r.Intn(120) {
		if w.step(); w.broken != "" {
			return w
		}
	}
	if w.heal(); w.broken == "" {
		w.check()
	}
	return w
}

// TestModel runs offices in which everything goes wrong, each from its seed, and
// holds them against what a folder promises: after healing all trees and all
// disks are the same, no file was ever seen half written, nothing announced is
// unrecoverable, and no bytes of a user are gone without a version.
func TestModel(t *testing.T) {
	if s := os.Getenv("SEED"); s != "" {
		seed, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		w := live(seed, nil)
		t.Log(strings.Join(w.story, "\n"))
		if w.broken != "" {
			t.Error(w.broken)
		}
		return
	}
	first, n := int64(0), int64(600)
	if testing.Short() {
		n = 60
	}
	if s := os.Getenv("WORLDS"); s != "" { // "5000" or "600-5000"
		if _, err := fmt.Sscanf(s, "%d-%d", &first, &n); err != nil {
			first = 0
			n, _ = strconv.ParseInt(s, 10, 64)
		}
	}
	var wg sync.WaitGroup
	next := make(chan int64)
	var mu sync.Mutex
	failed := 0
	for range 2 {
		wg.Go(func() {
			for seed := range next {
				if w := live(seed, nil); w.broken != "" {
					mu.Lock()
					if failed++; failed <= 20 {
						t.Errorf("SEED=%d: %s", seed, w.broken)
					}
					mu.Unlock()
				}
			}
		})
	}
	for seed := first; seed < n; seed++ {
		next <- seed
	}
	close(next)
	wg.Wait()
	if failed > 20 {
		t.Errorf("and %d more", failed-20)
	}
}
