package log

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestMissing(t *testing.T) {
	ann, bob := LogID{1}, LogID{2}
	at := func(seq uint64, hash byte) Height { return Height{Seq: seq, Hash: Hash{hash}} }
	for name, tt := range map[string]struct {
		ours, theirs Heights
		want         []Range
		forked       []LogID
	}{
		"nobody has anything": {},
		"we are new":          {Heights{}, Heights{bob: at(2, 2), ann: at(3, 1)}, []Range{{Log: ann, From: 1, To: 3}, {Log: bob, From: 1, To: 2}}, nil},
		"they are new":        {Heights{ann: at(3, 1)}, Heights{}, nil, nil},
		"up to date":          {Heights{ann: at(3, 1)}, Heights{ann: at(3, 1)}, nil, nil},
		"they lead":           {Heights{ann: at(3, 1)}, Heights{ann: at(5, 2)}, []Range{{Log: ann, From: 4, To: 5}}, nil},
		"we lead":             {Heights{ann: at(5, 2)}, Heights{ann: at(3, 1)}, nil, nil},
		"fork":                {Heights{ann: at(3, 1)}, Heights{ann: at(3, 2)}, nil, []LogID{ann}},
	} {
		t.Run(name, func(t *testing.T) {
			want, forked := Missing(tt.ours, tt.theirs)
			if !slices.Equal(want, tt.want) || !slices.Equal(forked, tt.forked) {
				t.Errorf("Missing = %v, %v, want %v, %v", want, forked, tt.want, tt.forked)
			}
		})
	}
}

func drawHeights(t *rapid.T, name string) Heights {
	// Hashes follow from log and number: no forks, as with honest devices.
	h := Heights{}
	for id, seq := range rapid.MapOfN(rapid.ByteRange(0, 9), rapid.Uint64Range(1, 20), 0, 8).Draw(t, name) {
		h[LogID{id}] = Height{Seq: seq, Hash: Hash{id, byte(seq)}}
	}
	return h
}

func TestNothingIsMissingAfterExchange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawHeights(t, "a"), drawHeights(t, "b")
		apply := func(to, from Heights) Heights {
			got := maps.Clone(to)
			want, forked := Missing(to, from)
			if forked != nil {
				t.Fatalf("fork between honest devices: %v", forked)
			}
			for _, r := range want {
				if r.From != to[r.Log].Seq+1 || r.To != from[r.Log].Seq {
					t.Fatalf("range %v from %v to %v", r, to[r.Log], from[r.Log])
				}
				got[r.Log] = from[r.Log]
			}
			return got
		}
		a2, b2 := apply(a, b), apply(b, a)
		if want, _ := Missing(a2, b); want != nil {
			t.Fatalf("still missing: %v", want)
		}
		if !maps.Equal(a2, b2) || a2.Digest() != b2.Digest() {
			t.Fatalf("differ after exchange: %v, %v", a2, b2)
		}
	})
}

func TestDigestIsEqualExactlyWhenHeightsAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawHeights(t, "a"), drawHeights(t, "b")
		if maps.Equal(a, b) != (a.Digest() == b.Digest()) {
			t.Fatalf("%v has %x, %v has %x", a, a.Digest(), b, b.Digest())
		}
		for id, h := range a {
			c := maps.Clone(a)
			h.Hash[31]++
			c[id] = h
			if c.Digest() == a.Digest() {
				t.Fatal("the digest does not cover hashes")
			}
		}
	})
}

func TestStampIsAboveAllItKnew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// A history in which every entry builds on some earlier ones.
		var stamps []uint64
		for range rapid.IntRange(1, 40).Draw(t, "entries") {
			clock := HLC(rapid.OneOf(rapid.Uint64(), rapid.Uint64Range(0, 100)).Draw(t, "clock"))
			var past []uint64
			for _, i := range rapid.SliceOfN(rapid.IntRange(0, 1<<20), 0, 3).Draw(t, "past") {
				if len(stamps) > 0 {
					past = append(past, stamps[i%len(stamps)])
				}
			}
			s := Stamp(clock, past...)
			for _, p := range past {
				if s <= p {
					t.Fatalf("%d is not above %d", s, p)
				}
			}
			slices.Reverse(past)
			if Stamp(clock, past...) != s {
				t.Fatal("depends on the order of what it knew")
			}
			stamps = append(stamps, s)
		}
	})
}

func TestTickFollowsNobodyFarAhead(t *testing.T) {
	const year = 365 * 24 * 3600_000
	rapid.Check(t, func(t *rapid.T) {
		wall, last := int64(1_800_000_000_000), HLC(0)
		for range rapid.IntRange(1, 50).Draw(t, "entries") {
			wall += rapid.OneOf(rapid.Int64Range(0, 1000), rapid.Int64Range(-10*year, 10*year)).Draw(t, "jump")
			seen := HLC(rapid.OneOf(rapid.Uint64(), rapid.Uint64Range(uint64(last), uint64(last)+1<<20)).Draw(t, "seen"))
			now := Tick(wall, last, seen)
			if last.Millis() < max(wall, 0)+3600_000 && now <= last {
				t.Fatalf("%d after %d", now, last)
			}
			if now.Millis() < max(wall, 0) || now.Millis() > max(wall, 0)+3600_000 {
				t.Fatalf("%d at wall clock %d", now.Millis(), wall)
			}
			last = now
		}
	})
	for _, wall := range []int64{-1 << 63, -1, 0, 1<<63 - 1} {
		if now := Tick(wall, 0, 0); now == 0 || now > maxWall<<16 {
			t.Errorf("wall clock %d gives %d", wall, now)
		}
	}
}

func TestIDsAreReadBackInOneFormOnly(t *testing.T) {
	d := DeviceOf(seeded(1))
	if got, err := ParseDeviceID(d.String()); err != nil || got != d {
		t.Errorf("ParseDeviceID = %v, %v", got, err)
	}
	s, l := SpaceID{1, 2}, LogID{3}
	if got, err := ParseSpaceID(s.String()); err != nil || got != s {
		t.Errorf("ParseSpaceID = %v, %v", got, err)
	}
	if got, err := ParseLogID(l.String()); err != nil || got != l {
		t.Errorf("ParseLogID = %v, %v", got, err)
	}
	for _, bad := range []string{"", "!", string(bytes.ToUpper([]byte(l.String()))), l.String() + "a", l.String()[1:], d.String(), l.String()[:25] + "b"} {
		if got, err := ParseLogID(bad); err == nil {
			t.Errorf("ParseLogID(%q) = %v", bad, got)
		}
	}
}

func TestVerifyRunOfNothing(t *testing.T) {
	checked, err := VerifyRun(DeviceID{}, LogID{}, Height{}, nil)
	if checked != nil || err != nil {
		t.Errorf("VerifyRun = %v, %v", checked, err)
	}
	if err := chain(t, seeded(1), LogID{1}, 1)[0].Extends(Height{Seq: 1}); !errors.Is(err, ErrChain) {
		t.Errorf("Extends = %v", err)
	}
}
