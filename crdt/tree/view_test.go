package tree

import (
	"fmt"
	"math/rand"
	"reflect"
	"slices"
	"strings"
	"testing"

	"inselnetz/crdt/log"
)

// at returns a version of device dev by clock and path, with content c; 0 is
// gone, 'd' a directory, 'l' a link.
func at(dev byte, clock int, path string, c byte, parents ...Known) Known {
	k := Known{ID: id(dev, uint64(clock), 0), Author: Author{Device: log.DeviceID{dev}, Clock: log.HLC(clock) << 16}}
	k.Path = path
	switch c {
	case 0:
		k.Kind = Gone
	case 'd':
		k.Kind = Dir
	case 'l':
		k.Kind, k.Target = Link, "x"
	default:
		k.Kind, k.Size, k.Sum = File, 1, Sum{c}
	}
	for _, p := range parents {
		k.Parents = append(k.Parents, p.ID)
	}
	slices.SortFunc(k.Parents, VersionID.Compare)
	return k
}

func of(vs ...Known) *Tree {
	t := New()
	t.Add(vs...)
	return t
}

// show returns the living paths with the first byte of their contents, others
// behind a bar.
func show(t *Tree) string {
	var out []string
	letter := func(k Known) string {
		switch k.Kind {
		case Dir:
			return "/"
		case Link:
			return "@"
		}
		return "=" + string(rune(k.Sum[0]))
	}
	for n := range t.All("") {
		s := n.Path + letter(n.Shown)
		for _, o := range n.Others {
			s += "|" + letter(o)[1:]
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

// TestRules shows each rule of FORMAT.md by an example.
func TestRules(t *testing.T) {
	a := at(1, 1, "a", 'A')
	edit, other := at(1, 2, "a", 'B', a), at(2, 3, "a", 'C', a)
	moved, moved2 := at(2, 3, "b", 'A', a), at(3, 4, "c", 'A', a)
	gone := at(2, 5, "a", 0, a)
	dir := at(1, 1, "d", 'd')
	inDir := at(2, 2, "d/x", 'X')
	for name, tt := range map[string]struct {
		vs   []Known
		want string
	}{
		"a file":                        {[]Known{a}, "a=A"},
		"changed":                       {[]Known{a, edit}, "a=B"},
		"moved: one file, elsewhere":    {[]Known{a, moved}, "b=A"},
		"changed and moved":             {[]Known{a, edit, moved}, "b=B"},
		"moved twice: the newest name":  {[]Known{a, moved, moved2}, "c=A"},
		"changed twice: a conflict":     {[]Known{a, edit, other}, "a=C|B"},
		"changed twice to the same":     {[]Known{a, edit, at(2, 3, "a", 'B', a)}, "a=B"},
		"conflict solved by choosing":   {[]Known{a, edit, other, at(1, 6, "a", 'B', edit, other)}, "a=B"},
		"solved and then changed":       {[]Known{a, edit, other, at(1, 6, "a", 'B', edit, other), at(3, 7, "a", 'E', other)}, "a=E|B"},
		"deleted":                       {[]Known{a, gone}, ""},
		"deleted and changed: it lives": {[]Known{a, edit, gone}, "a=B"},
		"deleted and moved: it is gone": {[]Known{a, moved, gone}, ""},
		"back again":                    {[]Known{a, gone, at(1, 6, "a", 'A', gone)}, "a=A"},
		"parents unknown yet":           {[]Known{edit, other}, "a=C|B"},
		"two files at one path":         {[]Known{a, at(2, 2, "a", 'Z')}, "a=Z|A"},
		"two equal files at one path":   {[]Known{a, at(2, 2, "a", 'A')}, "a=A"},
		"one of two deleted":            {[]Known{at(2, 2, "a", 'Z'), a, gone}, "a=Z"},
		"joined":                        {[]Known{a, at(2, 2, "b", 'Z'), at(1, 9, "b", 'Y', a, at(2, 2, "b", 'Z'))}, "b=Y"},
		"directory":                     {[]Known{dir}, "d/"},
		"directory by what is in it":    {[]Known{inDir}, "d/ d/x=X"},
		"directory deleted meanwhile":   {[]Known{dir, inDir, at(1, 3, "d", 0, dir)}, "d/ d/x=X"},
		"file where a directory is":     {[]Known{inDir, at(1, 5, "d", 'D')}, "d/ d (Datei)=D d/x=X"},
		"that name is taken":            {[]Known{inDir, at(1, 5, "d", 'D'), at(1, 6, "d (Datei)", 'E')}, "d/ d (Datei)=E d (Datei 2)=D d/x=X"},
		"two of them":                   {[]Known{dir, at(1, 5, "d", 'D'), at(2, 6, "d", 'l')}, "d/ d (Datei)@|D"},
		"no directory any more":         {[]Known{inDir, at(1, 5, "d", 'D'), at(1, 6, "d/x", 0, inDir)}, "d=D"},
		"a file became a directory":     {[]Known{a, at(1, 2, "a", 'd', a)}, "a/"},
		"and was changed":               {[]Known{a, at(1, 2, "a", 'd', a), other}, "a/ a (Datei)=C"},
		"a circle":                      {[]Known{at(1, 1, "p", 'P', at(2, 2, "q", 'Q')), at(2, 2, "q", 'Q', at(1, 1, "p", 'P'))}, "q=Q|P"},
	} {
		t.Run(name, func(t *testing.T) {
			got := show(of(tt.vs...))
			slices.SortFunc(tt.vs, func(a, b Known) int { return b.Compare(a) })
			if again := show(of(tt.vs...)); again != got {
				t.Errorf("in another order: %s", again)
			}
			// Spots are by path, and "d (Datei)" comes before "d/x".
			if want := tt.want; got != want && !sameWords(got, want) {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func sameWords(a, b string) bool {
	x, y := strings.Split(a, ""), strings.Split(b, "")
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

func TestTwins(t *testing.T) {
	tr := of(at(1, 5, "Bilder/a", 'A'), at(2, 3, "bilder/b", 'B'), at(3, 4, "x", 'X'), at(1, 9, "X", 'Y'))
	twins := func() string {
		var s []string
		for n := range tr.All("") {
			if (n.Problem&Twin != 0) != (n.Twin != "") {
				t.Errorf("%s: %b, %q", n.Path, n.Problem, n.Twin)
			}
			if n.Twin != "" {
				s = append(s, n.Path+">"+n.Twin)
			}
		}
		return strings.Join(s, " ")
	}
	if got := twins(); got != "Bilder>bilder Bilder/a>bilder X>x" {
		t.Error(got)
	}
	if got := tr.Add(at(2, 8, "bilder/b", 0, at(2, 3, "bilder/b", 'B'))); !slices.Equal(got, []string{"Bilder", "Bilder/a", "bilder", "bilder/b"}) {
		t.Errorf("touched %v", got)
	}
	if got := twins(); got != "X>x" {
		t.Error(got)
	}
}

func TestGoneAndHistory(t *testing.T) {
	a := at(1, 1, "a", 'A')
	b := at(2, 9, "a", 'B', a)
	c := at(1, 5, "a", 'C', b) // by a clock that is late
	del := at(3, 7, "a", 0, c)
	tr := of(a, b, c, del, at(1, 8, "z", 'Z'), at(1, 20, "never", 0))
	n, ok := tr.Gone("a")
	if !ok || n.Shown.ID != c.ID || n.Deleted == nil || n.Deleted.ID != del.ID || !slices.Equal(n.Heads, []VersionID{del.ID}) {
		t.Errorf("%v %+v", ok, n)
	}
	if n, ok := tr.Gone("never"); !ok || n.Shown.Kind != Gone {
		t.Errorf("%v %+v", ok, n)
	}
	if _, ok := tr.Gone("z"); ok {
		t.Error("z is not gone")
	}
	if _, ok := tr.Gone("nothing"); ok {
		t.Error("nothing was there")
	}
	if trash := tr.Trash(""); len(trash) != 1 || trash[0].Path != "a" {
		t.Errorf("trash %+v", trash)
	}
	var ids []VersionID
	for _, k := range tr.History("a") {
		ids = append(ids, k.ID)
	}
	if !slices.Equal(ids, []VersionID{del.ID, c.ID, b.ID, a.ID}) {
		t.Errorf("history %v", ids)
	}
	if got := tr.ChildrenOf(a.ID); !slices.Equal(got, []VersionID{b.ID}) {
		t.Errorf("children %v", got)
	}
	if k, ok := tr.Known(b.ID); !ok || !reflect.DeepEqual(k, b) {
		t.Errorf("known %+v", k)
	}
	if _, ok := tr.Known(id(99, 1, 0)); ok || tr.ChildrenOf(id(99, 1, 0)) != nil || tr.List("x") != nil || tr.History("x") != nil {
		t.Error("what nobody made")
	}
}

// TestDeletedConflict: what both sides had can be had back.
func TestDeletedConflict(t *testing.T) {
	a := at(1, 1, "a", 'A')
	b, c := at(1, 2, "a", 'B', a), at(2, 3, "a", 'C', a)
	tr := of(a, b, c, at(1, 4, "a", 0, b), at(2, 5, "a", 0, c))
	n, ok := tr.Gone("a")
	if !ok || n.Shown.Sum[0] != 'C' || len(n.Others) != 1 || n.Others[0].Sum[0] != 'B' || len(n.Heads) != 2 {
		t.Errorf("%v %+v", ok, n)
	}
}

func TestAt(t *testing.T) {
	seeds(t, 1000, func(t *testing.T, r *rand.Rand) {
		vs := randomVersions(r, 1+r.Intn(25))
		tr := of(vs...)
		when := log.HLC(r.Intn(80)) << 16
		prefix := append(somePaths, "")[r.Intn(len(somePaths)+1)]
		want := map[string]Known{}
		var then []Known
		for _, v := range vs {
			if v.Clock <= when {
				then = append(then, v)
			}
		}
		for p, n := range newOracle(then).nodes() {
			if n.Shown.ID != (VersionID{}) && (p == prefix || prefix == "" || strings.HasPrefix(p, prefix+"/")) {
				want[p] = n.Shown
			}
		}
		got := map[string]Known{}
		for _, w := range tr.At(prefix, when) {
			got[w.Path] = w.Known
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("at %d below %q: %v\nwant %v", when>>16, prefix, got, want)
		}
	})
}

func TestHistoryOrder(t *testing.T) {
	seeds(t, 500, func(t *testing.T, r *rand.Rand) {
		vs := randomVersions(r, 1+r.Intn(25))
		tr, o := of(vs...), newOracle(vs)
		for n := range tr.All("") {
			h := tr.History(n.Path)
			for i, k := range h {
				for _, later := range h[i+1:] {
					if o.above[o.byID[later.ID]][o.byID[k.ID]] {
						t.Errorf("%s: %v before %v, which replaced it", n.Path, k.ID, later.ID)
					}
				}
			}
			if n.Shown.ID != (VersionID{}) && !slices.ContainsFunc(h, func(k Known) bool { return k.ID == n.Shown.ID }) {
				t.Errorf("%s: %v is shown but not in the history", n.Path, n.Shown.ID)
			}
		}
	})
}

func TestRecent(t *testing.T) {
	var vs []Known
	for i := range 3000 {
		vs = append(vs, at(1, i+1, []string{"d/a", "d", "dd"}[i%3], byte(i%2)))
	}
	tr := of(vs...)
	for _, max := range []int{0, 1, 10, 5000} {
		got := tr.Recent("d", max)
		var want []Known
		for _, v := range slices.Backward(vs) {
			if v.Path != "dd" && len(want) < max {
				want = append(want, v)
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%d: %d versions, want %d", max, len(got), len(want))
		}
	}
}

func TestHad(t *testing.T) {
	a := at(1, 1, "a", 'A')
	b, c := at(1, 2, "a", 'B', a), at(2, 3, "b", 'C', a)
	gone := at(1, 4, "a", 0, b)
	tr := of(a, b, c, gone)
	for name, tt := range map[string]struct {
		v    Known
		want bool
	}{
		"back":             {at(3, 9, "a", 'A', b), true},
		"back elsewhere":   {at(3, 9, "z", 'A', gone, c), true},
		"back from gone":   {at(3, 9, "a", 'B', gone), true},
		"new":              {at(3, 9, "a", 'D', b), false},
		"of another line":  {at(3, 9, "a", 'C', b), false},
		"parents unknown":  {at(3, 9, "a", 'A', at(7, 7, "a", 'A')), false},
		"no parents":       {at(3, 9, "a", 'A'), false},
		"gone once before": {at(3, 9, "a", 0, at(1, 4, "a", 0)), true},
	} {
		if got := tr.Had(&tt.v); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestManyHeads(t *testing.T) {
	var vs []Known
	for i := range 40 {
		vs = append(vs, at(byte(i), 100+i, "a", byte(i%3)*10)) // every third is a deletion
	}
	tr := of(vs...)
	n, ok := tr.Node("a")
	if !ok || len(n.Heads) != MaxParents || !slices.IsSortedFunc(n.Heads, VersionID.Compare) {
		t.Fatalf("%+v", n)
	}
	for _, h := range n.Heads {
		if k, _ := tr.Known(h); k.Kind == Gone {
			t.Errorf("a deletion among the heads while living ones are left")
		}
	}
	for range 3 {
		k := at(200, 200+len(vs), "a", 'E')
		k.Parents = n.Heads
		vs = append(vs, k)
		tr.Add(k)
		n, _ = tr.Node("a")
	}
	if len(n.Others) != 0 {
		t.Errorf("still in conflict after three changes: %d heads, %d others", len(n.Heads), len(n.Others))
	}
	if got := fmt.Sprint(tr.Conflicts()); got != "[]" {
		t.Error(got)
	}
}
