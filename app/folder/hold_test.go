package folder

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"inselnetz/app/disk/disktest"
	"inselnetz/crdt/tree"
)

// attacked returns an office of four in which node 3 overwrote and renamed 200
// of 400 files, and what there was before.
func attacked(t *testing.T) (*office, map[string]string) {
	o := newOffice(t, 4)
	a, bad := o.nodes[0], o.nodes[3]
	want := map[string]string{}
	for i := range 400 {
		p := fmt.Sprintf("doc%03d.txt", i)
		want[p] = strings.Repeat(fmt.Sprint("the text of ", i, " "), 20)
		a.write(p, want[p])
	}
	o.settle()
	time.Sleep(time.Hour)
	for i := range 200 {
		p := fmt.Sprintf("doc%03d.txt", i)
		bad.write(p, pattern(4096, byte(i)))
		bad.mv(p, p+".locked")
	}
	bad.write("READ ME.html", "pay")
	must(bad.Scan(ctx))
	o.pass()
	for range 3 {
		for _, n := range o.nodes {
			must(n.Scan(ctx))
			must(n.Apply(ctx))
		}
		o.pass()
	}
	return o, want
}

func TestBrakeDrill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, want := attacked(t)
		for _, n := range o.nodes[:3] {
			changed := 0
			got := n.files()
			for p, s := range want {
				if got[p] != s {
					changed++
				}
			}
			if changed > 50 {
				t.Errorf("node %d applied %d changes", n.n, changed)
			}
			h := n.Holds()
			if len(h) != 1 || h[0].Device != o.nodes[3].dev || h[0].Files == 0 || len(h[0].Sample) == 0 {
				t.Fatalf("node %d holds %+v", n.n, h)
			}
		}
		// It outlives the end of the program.
		b := o.nodes[1]
		must(b.Folder.Close())
		b.restart(b.fs.(*disktest.FS).Kill())
		if len(b.Holds()) != 1 || b.Holds()[0].Files != o.nodes[0].Holds()[0].Files {
			t.Fatalf("after a restart: %+v", b.Holds())
		}
		must(o.nodes[0].Decide(ctx, o.nodes[3].dev, false))
		o.settle()
		o.same(want)
		for _, n := range o.nodes {
			if h := n.Holds(); len(h) > 0 {
				t.Errorf("node %d still holds %+v", n.n, h)
			}
		}
		var got []string
		b.View(func(tr *tree.Tree) { got = tr.Conflicts() })
		if len(got) > 0 {
			t.Errorf("conflicts: %v", got)
		}
	})
}

// What somebody made of a file since, a discard leaves alone.
func TestDiscardLeavesLaterDecisions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, 3)
		a, b, bad := o.nodes[0], o.nodes[1], o.nodes[2]
		want := map[string]string{}
		for i := range 100 {
			p := fmt.Sprintf("doc%03d.txt", i)
			want[p] = strings.Repeat(fmt.Sprint("the text of ", i, " "), 20)
			a.write(p, want[p])
		}
		o.settle()
		time.Sleep(time.Hour)
		bad.write("doc000.txt", "by the one who is held later")
		bad.write("doc001.txt", "by the one who is held later")
		o.settle()
		time.Sleep(time.Second)
		a.write("doc000.txt", "by somebody else, on top of it")
		o.settle()
		time.Sleep(time.Second)
		for i := range 60 {
			bad.write(fmt.Sprintf("doc%03d.txt", i+20), pattern(4096, byte(i)))
		}
		must(bad.Scan(ctx))
		o.pass()
		for range 3 {
			must(b.Apply(ctx))
		}
		if len(b.Holds()) != 1 {
			t.Fatalf("holds %+v", b.Holds())
		}
		must(b.Decide(ctx, bad.dev, false))
		o.settle()
		want["doc000.txt"] = "by somebody else, on top of it"
		o.same(want)
	})
}

func TestBrakeAccept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, _ := attacked(t)
		want := o.nodes[3].files()
		must(o.nodes[2].Decide(ctx, o.nodes[3].dev, true))
		o.settle()
		o.same(want)
	})
}
