package folder

import (
	"strings"
	"testing"

	"inselnetz/app/disk/disktest"
	"inselnetz/crdt/tree"
)

// guarded returns two devices with one large file, of which both have a guard
// copy, and what it holds.
func guarded(t *testing.T, size int, opts disktest.Options) (*office, string) {
	t.Helper()
	o := &office{t: t}
	for i := range 2 {
		mem := disktest.New(uint64(i), opts)
		o.join(mem, mem.User())
	}
	was := pattern(size, 7)
	o.nodes[0].write("big", was)
	o.settle()
	for _, n := range o.nodes {
		must(n.House(ctx))
		if _, ok := n.keep.Has(o.all[0].Sum); !ok {
			t.Fatal("no guard copy")
		}
	}
	return o, was
}

// change is the user changing a few bytes in the middle of a file.
func (n *node) change(path string, at int64, text string) {
	h, err := n.user.Edit(path)
	must(err)
	must1(h.WriteAt([]byte(text), at))
	must(h.Close())
}

// wholeKeep fails if a content in the keep is not what its name says.
func (n *node) wholeKeep(t *testing.T, size int64) {
	t.Helper()
	for _, k := range n.o.all {
		if _, ok := n.keep.Has(k.Sum); !ok || k.Size != size {
			continue
		}
		data := make([]byte, size)
		if _, err := n.keep.ReadAt(k.Sum, data, 0); err != nil || tree.SumOf(blocksOf(data)) != k.Sum {
			t.Errorf("node %d keeps something else under the name of version %v: %v", n.n, k.ID, err)
		}
	}
}

// A few changed bytes of a large file go into the copy in the keep: nothing else
// is fetched or copied, and what was there before is kept.
func TestPatchGuardCopy(t *testing.T) {
	o, was := guarded(t, 3<<20+5, disktest.Options{})
	a, b := o.nodes[0], o.nodes[1]
	copies := 0
	b.fs.(*disktest.FS).At = func(op, path string) {
		if op == "CopyFrom" {
			copies++
		}
	}
	o.fetched = nil
	a.change("big", 1<<20, "changed")
	o.settle()
	now := was[:1<<20] + "changed" + was[1<<20+7:]
	o.same(map[string]string{"big": now})
	if len(o.fetched) != 1 || copies > 0 {
		t.Errorf("%d blocks were fetched and %d ranges copied for one", len(o.fetched), copies)
	}
	if got := text(t, b, o.all[0]); got != was {
		t.Error("what was replaced is not kept")
	}
	// Without a guard copy of what is there now it takes longer, and works as well.
	a.change("big", 5, "again")
	o.settle()
	o.same(map[string]string{"big": now[:5] + "again" + now[10:]})
	if copies == 0 {
		t.Error("nothing was copied without a guard copy")
	}
	if got := text(t, b, o.all[1]); got != now {
		t.Error("what was replaced next is not kept")
	}
	must(b.House(ctx))
	a.write("big", now[:2<<20]) // shorter
	o.settle()
	o.same(map[string]string{"big": now[:2<<20]})
	b.wholeKeep(t, int64(len(was)))
}

// A crash at any call while a guard copy is changed spoils nothing: the file is
// old or new, and what the keep has is what it says.
func TestPatchCrash(t *testing.T) {
	const size = 3 * tree.MinBlock
	base, was := guarded(t, size+small, disktest.Options{})
	now := was[:200_000] + "changed" + was[200_007:]
	base.nodes[0].change("big", 200_000, "changed")
	must(base.nodes[0].Scan(ctx))
	base.pass()
	mem := base.nodes[1].fs.(*disktest.FS)
	for step := 1; ; step++ {
		again := &office{t: t, all: base.all}
		a, b := *base.nodes[0], *base.nodes[1]
		a.o, b.o = again, again
		again.nodes = []*node{&a, &b}
		b.opts.Host = &b
		b.restart(mem.Copy())
		fresh := b.fs.(*disktest.FS)
		calls := 0
		fresh.At = func(string, string) {
			if calls++; calls == step {
				fresh.Kill()
			}
		}
		err := b.Apply(ctx)
		if !fresh.Dead() {
			must(err)
			if step < 20 {
				t.Fatalf("only %d calls", step)
			}
			return
		}
		b.restart(fresh.Crash())
		b.wholeKeep(t, size+small)
		if got := b.files()["big"]; got != was && got != now {
			t.Fatalf("after a crash at call %d the file is neither old nor new: %d bytes", step, len(got))
		}
		must(b.Apply(ctx))
		if got := b.files()["big"]; got != now {
			t.Fatalf("after a crash at call %d the file is not new: %d bytes", step, len(got))
		}
		if got := text(t, &b, again.all[0]); got != was {
			t.Fatalf("after a crash at call %d what was replaced is lost", step)
		}
	}
}

// Where the disk clones, what still lies where the kept clone lies is not read.
func TestHashAgainReadsLittle(t *testing.T) {
	const size = 10 << 20
	o, was := guarded(t, size, disktest.Options{Clones: true})
	a := o.nodes[0]
	reads := 0
	a.fs.(*disktest.FS).At = func(op, path string) {
		if op == "ReadAt" && path == "big" {
			reads++
		}
	}
	for i, at := range []int64{0, 5<<20 + 3, size - 7} {
		a.change("big", at, strings.ToUpper("changed"))
		was = was[:at] + "CHANGED" + was[at+7:]
		reads = 0
		must(a.Scan(ctx))
		if got := o.all[len(o.all)-1]; len(o.all) != i+2 || got.Sum != tree.SumOf(blocksOf([]byte(was))) {
			t.Fatalf("change %d is announced wrongly (%d versions)", i, len(o.all))
		}
		if reads < 1 || reads > 4 { // twice, if it is racy
			t.Errorf("%d blocks were read for one that changed", reads)
		}
	}
	o.settle()
	o.same(map[string]string{"big": was})
}
