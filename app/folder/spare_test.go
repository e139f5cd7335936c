package folder

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"inselnetz/crdt/tree"
)

const overSpare = 1 << 20

// sparing returns two devices, of which the second has a connection that is paid by
// volume, and a large content.
func sparing(t *testing.T) (*office, *node, string) {
	o := newOffice(t, 2)
	o.nodes[1].SetSpare(overSpare)
	return o, o.nodes[1], strings.Repeat("Seite eins. ", 200_000)
}

// brings lets everybody work until the second device has the files.
func (o *office) brings(want map[string]string) {
	o.t.Helper()
	for range 3 {
		for _, n := range o.nodes {
			must(n.Scan(ctx))
		}
		o.pass()
		for _, n := range o.nodes {
			must(n.Apply(ctx))
		}
	}
	if got := o.nodes[1].files(); !mapsEqual(got, want) {
		o.t.Errorf("the second device (has, wants): %s", difference(got, want))
	}
}

func TestLargeContentsWait(t *testing.T) {
	o, b, large := sparing(t)
	o.nodes[0].write("film", large)
	o.nodes[0].write("brief", "kurz")
	o.brings(map[string]string{"brief": "kurz"})
	if s := b.State(); s.Spared != 1 || s.SparedBytes != int64(len(large)) || s.LackFiles != 0 || b.Here("film") != Spared {
		t.Errorf("one of %d bytes should wait: %+v, %v", len(large), s, b.Here("film"))
	}
	if up, all := b.UpTo(), o.nodes[0].UpTo(); len(all) == 0 || mapsSame(up, all) {
		t.Errorf("it says that it has all contents up to %v", up)
	}
	b.FetchNow()
	o.brings(map[string]string{"brief": "kurz", "film": large})
	if s := b.State(); s.Spared != 0 || s.SparedBytes != 0 || b.Here("film") != Here {
		t.Errorf("still waits: %+v", s)
	}
	// once: the next one waits again
	o.nodes[0].write("film", large+"und zwei")
	o.brings(map[string]string{"brief": "kurz", "film": large})
	if b.State().Spared != 1 {
		t.Error("the next version does not wait")
	}
	b.SetSpare(0)
	o.brings(map[string]string{"brief": "kurz", "film": large + "und zwei"})
}

func mapsSame[K comparable](a, b map[K]uint64) bool {
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return len(a) == len(b)
}

func TestOpeningFetchesLargeContents(t *testing.T) {
	o, b, large := sparing(t)
	o.nodes[0].write("film", large)
	o.nodes[0].write("ton", large+"laut")
	o.brings(map[string]string{})
	var film tree.Known
	b.View(func(t *tree.Tree) {
		n, _ := t.Node("film")
		film = n.Shown
	})
	if got := text(t, b, film); got != large {
		t.Errorf("opened, it has %d bytes", len(got))
	}
	o.brings(map[string]string{"film": large})
	if s := b.State(); s.Spared != 1 {
		t.Errorf("the other one should still wait: %+v", s)
	}
}

// TestLargeContentsThatAreHere: what is on this device already needs nobody.
func TestLargeContentsThatAreHere(t *testing.T) {
	o, b, large := sparing(t)
	o.nodes[0].write("film", large)
	o.brings(map[string]string{})
	b.write("kopie", large) // brought on a stick
	o.brings(map[string]string{"film": large, "kopie": large})
	o.nodes[0].mv("film", "kino")
	o.brings(map[string]string{"kino": large, "kopie": large})
	if len(o.fetched) > 0 {
		t.Errorf("fetched %d pieces", len(o.fetched))
	}
}

// TestConflictOfLargeContents: of two contents the one that is not shown waits too.
func TestConflictOfLargeContents(t *testing.T) {
	o, b, large := sparing(t)
	b.off = true
	o.nodes[0].write("film", large)
	must(o.nodes[0].Scan(ctx))
	b.write("film", "klein")
	must(b.Scan(ctx))
	b.off = false
	for range 4 {
		o.pass()
		must(b.Apply(ctx))
		must(b.Scan(ctx))
	}
	if s := b.State(); s.Conflicts != 1 || s.Spared != 1 || s.SparedBytes != int64(len(large)) {
		t.Errorf("state %+v", s)
	}
	b.FetchNow()
	must(b.Apply(ctx))
	if s := b.State(); s.Spared != 0 {
		t.Errorf("still waits: %+v", s)
	}
}

// TestFetchEndsWhenItCosts: a fetch on its way stops when the connection turns out
// to be paid by volume, and what came is used later.
func TestFetchEndsWhenItCosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, 2)
		b := o.nodes[1]
		large := strings.Repeat("0123456789abcdef", 1<<20)
		blocks := 0
		b.gate = func(p Piece) {
			if blocks++; blocks == 60 {
				b.SetSpare(overSpare)
			}
			time.Sleep(10 * time.Millisecond)
		}
		running(o, func() {
			o.nodes[0].write("film", large)
			until(t, time.Minute, func() bool { return b.Here("film") == Spared })
			if blocks < 60 || blocks > 62 {
				t.Errorf("%d blocks were asked for", blocks)
			}
			b.FetchNow()
			until(t, time.Minute, func() bool { return b.Here("film") == Here })
			if most := tree.BlockCount(int64(len(large))) + 5; blocks > most {
				t.Errorf("%d blocks were asked for in all, at most %d were needed", blocks, most)
			}
		})
		o.same(map[string]string{"film": large})
	})
}
