package document

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"inselnetz/crdt/automerge"
)

// typed is an edit at a time in seconds; it tells the heads after it.
func typed(t *testing.T, d *automerge.Doc, at int64, del int, s string) []automerge.Hash {
	t.Helper()
	if err := Apply(d, []Edit{{Kind: Splice, At: 1, Del: del, Text: s}}, nil); err != nil {
		t.Fatal(err)
	}
	d.Commit(automerge.CommitOptions{Time: at})
	return d.Heads()
}

// two are a document with the text "x", made at 1000, on two devices.
func two(t *testing.T) (a, b *automerge.Doc) {
	t.Helper()
	a = newDoc("\x01")
	if err := Create(a, Meta{}, text("x"), nil); err != nil {
		t.Fatal(err)
	}
	a.Commit(automerge.CommitOptions{Time: 1000})
	b, err := a.Fork("\x02")
	if err != nil {
		t.Fatal(err)
	}
	return a, b
}

func both(t *testing.T, a, b *automerge.Doc) {
	t.Helper()
	if err := errorsOf(a.Merge(b), b.Merge(a)); err != nil {
		t.Fatal(err)
	}
}

// lines are sessions as "from-to actors changes +added -removed".
func lines(t *testing.T, d *automerge.Doc) (out []string) {
	t.Helper()
	for _, s := range History(d) {
		var who []string
		for _, a := range s.Actors {
			who = append(who, fmt.Sprintf("%x", string(a)))
		}
		out = append(out, fmt.Sprintf("%d-%d %s %d +%d -%d", s.From.Unix(), s.To.Unix(), who, s.Changes, s.Added, s.Removed))
	}
	return out
}

func TestHistory(t *testing.T) {
	for name, tt := range map[string]struct {
		write func(a, b *automerge.Doc)
		want  []string
	}{
		"together": {func(a, b *automerge.Doc) {
			for i := range int64(10) {
				typed(t, a, 1010+10*i, 0, "a")
				typed(t, b, 1015+10*i, 0, "bb")
				both(t, a, b)
			}
		}, []string{"1000-1105 [01 02] 21 +32 -0"}},
		"one after the other": {func(a, b *automerge.Doc) {
			typed(t, a, 1001, 0, "a")
			both(t, a, b)
			typed(t, b, 1002, 1, "b")
			typed(t, b, 1100, 0, "b")
			both(t, a, b)
			typed(t, a, 1112, 0, "a")
			typed(t, a, 1120, 0, "a")
		}, []string{"1000-1001 [01] 2 +3 -0", "1002-1100 [02] 2 +2 -1", "1112-1120 [01] 2 +2 -0"}},
		"three, of whom two together": {func(a, b *automerge.Doc) {
			typed(t, a, 1100, 0, "a")
			both(t, a, b)
			typed(t, b, 1101, 0, "b")
			both(t, a, b)
			as(t, a, "\x03")
			typed(t, a, 1103, 0, "c")
			both(t, a, b)
			typed(t, b, 1106, 0, "b")
		}, []string{"1000-1100 [01] 2 +3 -0", "1101-1106 [02 03] 3 +3 -0"}},
		"long together": {func(a, b *automerge.Doc) {
			for i := range int64(200) {
				typed(t, a, 2000+8*i, 0, "a")
				typed(t, b, 2004+8*i, 0, "b")
				both(t, a, b)
			}
		}, []string{"1000-1000 [01] 1 +2 -0", "2000-2900 [01 02] 226 +226 -0", "2904-3596 [01 02] 174 +174 -0"}},
		"a pause": {func(a, b *automerge.Doc) {
			typed(t, a, 1300, 0, "a")
			typed(t, a, 1601, 0, "a")
			typed(t, b, 1602, 0, "b")
		}, []string{"1000-1300 [01] 2 +3 -0", "1601-1601 [01] 1 +1 -0", "1602-1602 [02] 1 +1 -0"}},
		"long work": {func(a, b *automerge.Doc) {
			for i := range int64(20) {
				typed(t, a, 1100+100*i, 0, "a")
			}
		}, []string{"1000-1900 [01] 10 +11 -0", "2000-2900 [01] 10 +10 -0", "3000-3000 [01] 1 +1 -0"}},
		"clocks an hour apart": {func(a, b *automerge.Doc) {
			for i := range int64(5) {
				typed(t, a, 1010+10*i, 0, "a")
				typed(t, b, 4600+10*i, 0, "b")
				both(t, a, b)
			}
		}, []string{"1000-4640 [01 02] 11 +12 -0"}},
		"what came and went": {func(a, b *automerge.Doc) {
			typed(t, a, 1010, 0, "abc")
			typed(t, a, 1020, 2, "")
			typed(t, b, 5000, 1, "y")
			both(t, a, b)
			typed(t, a, 5010, 2, "")
		}, []string{"1000-1020 [01] 3 +3 -0", "5000-5000 [02] 1 +1 -1", "5010-5010 [01] 1 +0 -2"}},
		"times not said": {func(a, b *automerge.Doc) {
			typed(t, a, 0, 0, "a")
			typed(t, a, 1010, 0, "a")
		}, []string{"1000-1010 [01] 3 +4 -0"}},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := two(t)
			tt.write(a, b)
			both(t, a, b)
			if got := lines(t, a); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
			x, y := History(a), History(b)
			if !reflect.DeepEqual(x, y) || !reflect.DeepEqual(x[len(x)-1].Heads, a.Heads()) {
				t.Errorf("%+v\non the other device %+v", x, y)
			}
		})
	}
}

// Heads are states of the document, and what is counted is what Compare says of them.
func TestHistoryAtRandom(t *testing.T) {
	for _, seed := range seeds(t, 40) {
		rnd := rand.New(rand.NewPCG(seed, 4))
		a, b := two(t)
		for i, at := 0, int64(1000); i < 60; i++ {
			d := []*automerge.Doc{a, b}[rnd.IntN(2)]
			at += int64(rnd.IntN(240))
			size, _ := d.Len(mustBody(t, d))
			from := 1 + rnd.IntN(size)
			edits := []Edit{{Kind: Splice, At: from, Del: rnd.IntN(min(size-from, 6) + 1), Text: strings.Repeat("z", rnd.IntN(4))}}
			if err := Apply(d, edits, nil); err != nil {
				t.Fatal(err)
			}
			d.Commit(automerge.CommitOptions{Time: at})
			if seed%2 == 0 || rnd.IntN(4) == 0 { // of even seeds nobody deletes what another did
				both(t, a, b)
			}
		}
		both(t, a, b)
		list := History(a)
		if other := History(b); !reflect.DeepEqual(list, other) {
			t.Fatalf("seed %d:\n%+v\non the other device %+v", seed, list, other)
		}
		changes := 0
		for i, s := range list {
			changes += s.Changes
			if i == 0 {
				continue
			}
			_, added, removed, err := Compare(a, list[i-1].Heads, s.Heads)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if s.Removed < removed || seed%2 == 0 && (s.Added != added || s.Removed != removed) {
				t.Errorf("seed %d: session %d: +%d -%d, not +%d -%d", seed, i, added, removed, s.Added, s.Removed)
			}
		}
		if len(list) < 3 || changes != len(a.Records()) {
			t.Errorf("seed %d: %d sessions of %d changes", seed, len(list), changes)
		}
	}
}

func mustBody(t testing.TB, d *automerge.Doc) automerge.ObjID {
	t.Helper()
	body, err := Body(d.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// Of a long life, the newest sessions stay and of the others those that lie closest
// become one.
func TestHistoryOfYears(t *testing.T) {
	a, _ := two(t)
	const day = 24 * 3600
	for i := range int64(400) { // two sessions a day, an hour apart
		typed(t, a, 10_000+i*day, 0, "x")
		typed(t, a, 10_000+i*day+3600, 0, "y")
	}
	list := History(a)
	if len(list) != mostSessions {
		t.Fatalf("%d sessions", len(list))
	}
	changes := 0
	for i, s := range list {
		changes += s.Changes
		if i >= mostSessions-fineSessions && s.Changes != 1 {
			t.Errorf("session %d, of the newest, has %d changes", i, s.Changes)
		}
		if i > 0 && !s.From.After(list[i-1].To) {
			t.Errorf("session %d begins before the one before ends", i)
		}
	}
	if changes != 801 {
		t.Errorf("%d changes", changes)
	}
	if first := list[0]; first.To.Sub(first.From) < time.Hour || first.Removed != 0 || first.Added != first.Changes+1 {
		t.Errorf("the first is %+v", first)
	}
	if last := list[len(list)-1]; !slices.Equal(last.Heads, a.Heads()) {
		t.Error("the last is not the present")
	}
}
