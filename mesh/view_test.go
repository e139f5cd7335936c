package mesh

import (
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"inselnetz/crdt/log"
)

func at(n uint64) log.Height { return log.Height{Seq: n, Hash: log.Hash{byte(n), byte(n >> 8)}} }

func list(hs log.Heights) (l []logHeight) {
	for _, id := range sortedKeys(hs) {
		l = append(l, logHeight{Log: id, Seq: hs[id].Seq, Hash: hs[id].Hash})
	}
	return l
}

func TestCandidates(t *testing.T) {
	space := log.SpaceID(id16(1))
	x, y, z := log.LogID(id16(1)), log.LogID(id16(2)), log.LogID(id16(3))
	other := &session{}
	rng := func(id log.LogID, from, to uint64) log.Range { return log.Range{Log: id, From: from, To: to} }
	for name, tt := range map[string]struct {
		control, theirs, ours log.Heights
		fetching              map[log.LogID]*fetch
		change                func(*session)
		want                  []log.Range
		next                  time.Time
	}{
		"nothing":          {theirs: log.Heights{x: at(3)}, ours: log.Heights{x: at(3)}},
		"new log":          {theirs: log.Heights{x: at(3)}, want: []log.Range{rng(x, 1, 3)}},
		"longer":           {theirs: log.Heights{x: at(9), y: at(1)}, ours: log.Heights{x: at(3), y: at(5)}, want: []log.Range{rng(x, 4, 9)}},
		"control first":    {control: log.Heights{z: at(2)}, theirs: log.Heights{x: at(3)}, want: []log.Range{rng(z, 1, 2)}},
		"in order of log":  {theirs: log.Heights{z: at(1), x: at(1), y: at(1)}, want: []log.Range{rng(x, 1, 1), rng(y, 1, 1), rng(z, 1, 1)}},
		"another sends it": {theirs: log.Heights{x: at(3)}, fetching: map[log.LogID]*fetch{x: {from: other}}},
		"not yet": {
			theirs: log.Heights{x: at(3)}, next: noon.Add(time.Second),
			change: func(s *session) { s.views[space].lacking[x].after = noon.Add(time.Second) },
		},
		"one earlier": {
			theirs: log.Heights{x: at(5)}, ours: log.Heights{x: at(3)}, want: []log.Range{rng(x, 3, 5)},
			change: func(s *session) { s.views[space].lacking[x].behind = true },
		},
		"same number, other hash": {
			theirs: log.Heights{x: {Seq: 3}}, ours: log.Heights{x: at(3)}, want: []log.Range{rng(x, 3, 3)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &session{spaces: []log.SpaceID{log.Control, space}, views: map[log.SpaceID]*view{log.Control: newView(), space: newView()}}
			for id, theirs := range map[log.SpaceID]log.Heights{log.Control: tt.control, space: tt.theirs} {
				s.views[id].merge(list(theirs))
				for l := range theirs {
					s.views[id].compare(l, tt.ours[l], time.Time{})
				}
			}
			if tt.change != nil {
				tt.change(s)
			}
			held := func(id log.SpaceID) log.Heights {
				if id == space {
					return tt.ours
				}
				return nil
			}
			got, next := s.candidates(held, tt.fetching, noon)
			var ranges []log.Range
			for _, c := range got {
				ranges = append(ranges, c.Range)
			}
			if !slices.Equal(ranges, tt.want) || !next.Equal(tt.next) {
				t.Errorf("got %v and %v, want %v and %v", ranges, next, tt.want, tt.next)
			}
		})
	}
}

// TestFetchGoesOn: of a log that is being fetched, the same peer is asked for
// what follows while the disk still works on what came.
func TestFetchGoesOn(t *testing.T) {
	x := log.LogID(id16(1))
	s := &session{spaces: []log.SpaceID{log.Control}, views: map[log.SpaceID]*view{log.Control: newView()}}
	s.views[log.Control].merge([]logHeight{{Log: x, Seq: 100}})
	s.views[log.Control].compare(x, log.Height{}, time.Time{})
	f := &fetch{from: s, upTo: 40, pending: 1}
	none := func(log.SpaceID) log.Heights { return nil }
	if got, _ := s.candidates(none, map[log.LogID]*fetch{x: f}, noon); len(got) != 1 || got[0].From != 41 {
		t.Errorf("got %v, want from 41", got)
	}
	f.asked = true
	if got, _ := s.candidates(none, map[log.LogID]*fetch{x: f}, noon); len(got) != 0 {
		t.Errorf("asked twice: %v", got)
	}
	f.asked = false
	f.dead.Store(true)
	if got, _ := s.candidates(none, map[log.LogID]*fetch{x: f}, noon); len(got) != 0 {
		t.Errorf("asked for what cannot go in: %v", got)
	}
}

func TestFill(t *testing.T) {
	long := candidate{Range: log.Range{From: 1, To: 1 << 40}}
	if got := fill([]candidate{long, long}, 15000); len(got) != 1 || got[0].To != 101 {
		t.Errorf("a long log fills a want alone, as far as it may: %v", got)
	}
	short := candidate{Range: log.Range{From: 5, To: 5}}
	if got := fill(slices.Repeat([]candidate{short}, 1000), log.MaxBatch); len(got) != maxRanges {
		t.Errorf("%d short logs in one want", len(got))
	}
	if got := fill(nil, 1); len(got) != 0 {
		t.Errorf("something of nothing: %v", got)
	}
}

func TestResize(t *testing.T) {
	for _, tt := range []struct {
		size int
		took time.Duration
		want int
	}{
		{64 << 10, time.Millisecond, 128 << 10},
		{log.MaxBatch, time.Millisecond, log.MaxBatch},
		{64 << 10, time.Second / 4, 64 << 10},
		{64 << 10, 5 * time.Second, 32 << 10},
		{leastWant, 9 * time.Second, leastWant},
	} {
		if got := resize(tt.size, tt.took); got != tt.want {
			t.Errorf("resize(%d, %v) = %d, want %d", tt.size, tt.took, got, tt.want)
		}
	}
}

// TestMergeAnyOrder: what a peer said, in any order and any number of times,
// leaves the highest heights, and just what is beyond ours is lacking.
func TestMergeAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		height := rapid.Custom(func(t *rapid.T) logHeight {
			h := at(rapid.Uint64Range(1, 6).Draw(t, "seq"))
			return logHeight{Log: log.LogID(id16(rapid.Byte().Draw(t, "log") % 4)), Seq: h.Seq, Hash: h.Hash}
		})
		said := rapid.SliceOf(height).Draw(t, "said")
		ours := log.Heights{}
		for _, h := range rapid.SliceOf(height).Draw(t, "ours") {
			ours[h.Log] = log.Height{Seq: h.Seq, Hash: h.Hash}
		}
		one, other := newView(), newView()
		one.merge(said)
		for _, h := range rapid.Permutation(said).Draw(t, "again") {
			changed := other.merge([]logHeight{h, h})
			if len(changed) > 1 {
				t.Fatalf("one height changed %v", changed)
			}
			other.compare(h.Log, ours[h.Log], time.Time{})
		}
		if !maps.Equal(one.theirs, other.theirs) {
			t.Fatalf("%v and %v", one.theirs, other.theirs)
		}
		var behind uint64
		for id, h := range other.theirs {
			if lacking := other.lacking[id] != nil; lacking != (h.Seq > ours[id].Seq) {
				t.Fatalf("theirs %v, ours %v, lacking %v", h, ours[id], lacking)
			}
		}
		for id, h := range ours {
			behind += h.Seq - min(h.Seq, other.theirs[id].Seq)
		}
		if got := other.behind(ours); got != behind {
			t.Fatalf("behind by %d, want %d", got, behind)
		}
	})
}

func TestWhichConnectionStays(t *testing.T) {
	// Both ends see the same two connections and keep the same one.
	for _, tt := range []struct {
		oldByA, newByA, keepNew bool
	}{{true, true, true}, {false, false, true}, {true, false, false}, {false, true, true}} {
		a := &loop{Mesh: &Mesh{self: "a"}}
		b := &loop{Mesh: &Mesh{self: "b"}}
		atA := a.wins(&session{peer: "b", way: way{dialed: tt.newByA}}, &session{peer: "b", way: way{dialed: tt.oldByA}})
		atB := b.wins(&session{peer: "a", way: way{dialed: !tt.newByA}}, &session{peer: "a", way: way{dialed: !tt.oldByA}})
		if atA != tt.keepNew || atB != tt.keepNew {
			t.Errorf("%+v: a keeps the new one: %v, b: %v", tt, atA, atB)
		}
	}
}
