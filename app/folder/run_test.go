package folder

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"inselnetz/app/disk"
	"inselnetz/app/disk/disktest"
	"inselnetz/crdt/tree"
)

// running runs every folder of an office, passing on what is announced at once.
func running(o *office, during func()) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	for _, n := range o.nodes {
		go func() { done <- n.Run(ctx) }()
	}
	go func() {
		last := 0
		for ctx.Err() == nil {
			o.mu.Lock()
			now := len(o.all)
			o.mu.Unlock()
			if now != last {
				last = now
				o.pass()
			}
			time.Sleep(time.Millisecond)
		}
		done <- nil
	}()
	during()
	stop()
	for range len(o.nodes) + 1 {
		must(<-done)
	}
}

// until waits for a condition and returns how long it took.
func until(t *testing.T, most time.Duration, ok func() bool) time.Duration {
	t.Helper()
	start := time.Now()
	for !ok() {
		if time.Since(start) > most {
			t.Fatalf("not within %v", most)
		}
		time.Sleep(time.Millisecond)
	}
	return time.Since(start)
}

func (n *node) has(path, text string) bool {
	b, _, err := n.user.Read(path, nil)
	return err == nil && string(b) == text
}

// A file that is saved is with the others within a tenth of a second, and one
// that is being written is not sent.
func TestRunSavesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, 2)
		a, b := o.nodes[0], o.nodes[1]
		running(o, func() {
			time.Sleep(time.Second)
			a.write("one", "text")
			if d := until(t, time.Second, func() bool { return b.has("one", "text") }); d > 100*time.Millisecond {
				t.Errorf("a save took %v", d)
			}
			h, err := a.user.Create("slow", 0)
			must(err)
			for i := range 30 {
				must1(h.WriteAt([]byte("x"), int64(i)))
				time.Sleep(60 * time.Millisecond)
			}
			o.mu.Lock()
			if len(o.all) != 1 {
				t.Errorf("published while it was written: %v", o.all[1:])
			}
			o.mu.Unlock()
			must(h.Close())
			until(t, time.Second, func() bool { in, err := b.user.Stat("slow"); return err == nil && in.Size == 30 })
			b.mv("one", "moved")
			until(t, time.Second, func() bool { return a.has("moved", "text") })
			b.rm("moved")
			until(t, time.Second, func() bool { _, err := a.user.Stat("moved"); return err != nil })
		})
		o.t = t
		o.settle()
	})
}

func TestRunSavesAgainAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, 2)
		a, b := o.nodes[0], o.nodes[1]
		running(o, func() {
			time.Sleep(time.Second)
			for i := range 200 {
				a.write("log", fmt.Sprint("line ", i))
				time.Sleep(50 * time.Millisecond)
			}
			until(t, 20*time.Second, func() bool { return b.has("log", "line 199") })
			o.mu.Lock()
			if n := len(o.all); n > 20 {
				t.Errorf("%d versions of a file that is written all the time", n)
			}
			o.mu.Unlock()
		})
	})
}

// A document that is open in a program here stays as it is until it is closed.
func TestOpenDocumentStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, 2)
		a, b := o.nodes[0], o.nodes[1]
		running(o, func() {
			time.Sleep(time.Second)
			a.write("d/letter.odt", "one")
			until(t, time.Second, func() bool { return b.has("d/letter.odt", "one") })
			b.write("d/.~lock.letter.odt#", "Petra")
			until(t, time.Second, func() bool { return len(b.OpenHere()) == 1 })
			time.Sleep(5 * time.Second)
			a.write("d/letter.odt", "two")
			time.Sleep(2 * time.Second)
			if !b.has("d/letter.odt", "one") || b.Here("d/letter.odt") != InUse {
				t.Errorf("an open document was replaced: %v", b.Here("d/letter.odt"))
			}
			b.rm("d/.~lock.letter.odt#")
			until(t, time.Second, func() bool { return b.has("d/letter.odt", "two") })
			if len(a.files()) != 2 {
				t.Errorf("lock files travel: %v", a.files())
			}
		})
	})
}

// While a large file comes, small ones pass it by.
func TestSmallPassesLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, 2, func(o *Options) { o.Workers = 2 })
		a, b := o.nodes[0], o.nodes[1]
		gate := make(chan struct{})
		b.gate = func(p Piece) {
			if p.Size > 1000 {
				<-gate
			}
		}
		big := pattern(9<<20, 3)
		running(o, func() {
			a.write("big", big)
			time.Sleep(5 * time.Second)
			a.write("small", "s")
			until(t, time.Second, func() bool { return b.has("small", "s") })
			if w := b.Here("big"); w != Fetching {
				t.Errorf("the large file is %v", w)
			}
			close(gate)
			until(t, time.Second, func() bool { return b.has("big", big) })
		})
	})
}

func TestQuiet(t *testing.T) {
	start := time.Unix(1e9, 0)
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	for name, tt := range map[string]struct {
		closes bool
		events map[int]disk.What // at ms
		want   []int             // ms at which the path is looked at
	}{
		"closed":              {true, map[int]disk.What{0: disk.Closed}, []int{10}},
		"open":                {true, map[int]disk.What{0: disk.Touched, 100: disk.Touched}, []int{2100}},
		"written then closed": {true, map[int]disk.What{0: disk.Touched, 60: disk.Touched, 90: disk.Closed}, []int{100}},
		"opened again":        {true, map[int]disk.What{0: disk.Closed, 5: disk.Touched, 50: disk.Closed}, []int{60}},
		"no closes":           {false, map[int]disk.What{0: disk.Touched, 150: disk.Touched}, []int{350}},
		"again":               {true, map[int]disk.What{0: disk.Closed, 500: disk.Closed, 1500: disk.Closed}, []int{10, 700, 1900}},
		"later":               {true, map[int]disk.What{0: disk.Closed, 5000: disk.Closed}, []int{10, 5010}},
		"gone":                {true, map[int]disk.What{0: disk.Gone}, []int{100}},
	} {
		t.Run(name, func(t *testing.T) {
			q := newQuiet(tt.closes)
			var got []int
			for ms := range 8000 {
				if e, ok := tt.events[ms]; ok {
					q.note(disk.Event{Path: "x", What: e}, at(ms))
				}
				if len(q.take(at(ms))) > 0 {
					got = append(got, ms)
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("looked at %v, want %v", got, tt.want)
			}
		})
	}
}

func TestHouse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, 2, func(o *Options) { o.Retention = 30 * 24 * time.Hour })
		a, b := o.nodes[0], o.nodes[1]
		a.write("doc", "first")
		a.write("gone", "was here")
		o.settle()
		time.Sleep(24 * time.Hour)
		a.write("doc", "second")
		a.rm("gone")
		o.settle()
		time.Sleep(24 * time.Hour)
		a.write("doc", "third")
		o.settle()
		history := func() (out []tree.Known) {
			a.View(func(tr *tree.Tree) { out = append(tr.History("doc"), tr.History("gone")...) })
			return out
		}
		house := func() {
			for _, n := range o.nodes {
				must(n.House(ctx))
			}
		}
		house()
		for _, k := range history() {
			for _, n := range o.nodes {
				if k.Kind == tree.File && !n.Has(k.Sum) {
					t.Errorf("node %d lost %q at once", n.n, k.Path)
				}
			}
		}
		b.write("doc", "in place, by a program of b's") // the guard copy has what was there
		if got := text(t, b, history()[0]); got != "third" {
			t.Errorf("content of the replaced version: %q", got)
		}
		o.settle()
		time.Sleep(29*24*time.Hour + time.Hour)
		house()
		var have []string
		for _, k := range history() {
			if k.Kind == tree.File && a.Has(k.Sum) {
				have = append(have, text(t, a, k))
			}
		}
		if want := "[in place, by a program of b's third second]"; fmt.Sprint(have) != want {
			t.Errorf("after a month: %v, want %v", have, want)
		}
	})
}

func TestHouseBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, 1, func(o *Options) { o.Budget = 5000 })
		a := o.nodes[0]
		for i := range 10 {
			a.write("doc", pattern(1000, byte(i)))
			o.settle()
			time.Sleep(time.Hour)
		}
		must(a.House(ctx))
		var have []int
		a.View(func(tr *tree.Tree) {
			for i, k := range tr.History("doc") {
				if _, ok := a.keep.Has(k.Sum); ok {
					have = append(have, i)
				}
			}
		})
		if fmt.Sprint(have) != "[1 2 3 4 5]" && fmt.Sprint(have) != "[0 1 2 3 4]" {
			t.Errorf("kept in the budget: versions %v", have)
		}
	})
}

// A crash of the program leaves nothing behind and fetches nothing twice.
func TestKillInTheMiddle(t *testing.T) {
	o := newOffice(t, 2)
	a, b := o.nodes[0], o.nodes[1]
	want := map[string]string{"big": pattern(3<<20, 9)}
	for i := range 60 {
		want[fmt.Sprint("f", i)] = fmt.Sprint("text ", i)
	}
	for p, s := range want {
		a.write(p, s)
	}
	must(a.Scan(ctx))
	o.pass()
	kills := 0
	for step := 1; ; step += 7 {
		kills++
		mem := b.fs.(*disktest.FS)
		calls := 0
		mem.At = func(op, path string) {
			if calls++; calls == step {
				mem.Kill()
			}
		}
		err := b.Apply(ctx)
		alive := !mem.Dead()
		b.restart(mem.Kill())
		if alive {
			must(err)
			break
		}
	}
	o.settle()
	o.same(want)
	blocks := map[tree.Sum]bool{}
	for _, p := range o.fetched {
		blocks[p.Hash] = true
	}
	if more := len(o.fetched) - len(blocks); more > kills {
		t.Errorf("%d blocks were fetched again after %d kills", more, kills)
	}
}

// What a cut log announced goes from the disk; what was never known here stays.
func TestReset(t *testing.T) {
	o := newOffice(t, 2)
	a, b := o.nodes[0], o.nodes[1]
	a.write("good", "good")
	o.settle()
	b.write("bad", "bad")
	b.write("good", "spoilt")
	o.settle()
	time.Sleep(coarse)
	var keep []tree.Known
	for _, k := range o.all {
		if k.Device == a.dev {
			keep = append(keep, k)
		}
	}
	a.Reset(keep)
	must(a.Apply(ctx))
	must(a.Scan(ctx))
	must(a.Apply(ctx))
	if got := a.files(); len(got) != 1 || got["good"] != "good" {
		t.Errorf("after the cut: %v", got)
	}
	a.restart(a.fs.(*disktest.FS).Kill())
	a.Reset(nil)
	must(a.Apply(ctx))
	if got := a.files(); len(got) != 0 { // known, and cut
		t.Errorf("after a cut of all: %v", got)
	}
	a.seen = 0
	b.restart(b.fs.(*disktest.FS).Kill())
	b.seen = 0
	b.restart(b.fs.(*disktest.FS).Kill()) // without any history
	must(b.Apply(ctx))
	if got := b.files(); len(got) != 2 {
		t.Errorf("with an empty history: %v", got)
	}
}
