package tree

import (
	"fmt"
	"maps"
	"math/rand"
	"os"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"inselnetz/crdt/log"
)

// seeds runs a test with many seeds, or with that of SEED only.
func seeds(t *testing.T, n int, run func(t *testing.T, r *rand.Rand)) {
	if s := os.Getenv("SEED"); s != "" {
		seed, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		run(t, rand.New(rand.NewSource(seed)))
		return
	}
	if testing.Short() {
		n /= 10
	}
	for seed := range n {
		run(t, rand.New(rand.NewSource(int64(seed))))
		if t.Failed() {
			t.Fatalf("SEED=%d", seed)
		}
	}
}

var somePaths = []string{
	"a", "b", "A", "a/b", "a/c", "A/b", "b/x.txt", "b/X.txt", "b/x.txt/y", "b/x (Datei).txt",
	"b/x (Datei 2).txt", "b/x (datei).txt", "c/d/e", "c/d", "c", "c/D/e", "CON", "c:",
}

// randomVersions makes versions as honest devices, careless ones and liars do.
// Devices know a random part of the others' versions.
func randomVersions(r *rand.Rand, n int) []Known {
	logs := 1 + r.Intn(4)
	seq := make([]uint64, logs)
	paths := somePaths[:2+r.Intn(len(somePaths)-1)]
	hostile := r.Intn(4) == 0
	var vs []Known
	for len(vs) < n {
		l := r.Intn(logs)
		seq[l]++
		for i := range 1 + r.Intn(2) {
			k := Known{ID: VersionID{Log: log.LogID{byte(9 - l)}, Seq: seq[l], N: uint32(i)}}
			k.Device = log.DeviceID{byte(l)}
			k.Clock = log.HLC(r.Intn(3*n)) << 16
			k.Path = paths[r.Intn(len(paths))]
			switch r.Intn(8) {
			case 0:
				k.Kind = Dir
			case 1:
				k.Kind, k.Target = Link, "x"
			case 2, 3:
				k.Kind = Gone
			default:
				k.Kind, k.Size = File, int64(1+r.Intn(3))
				k.Sum, k.Time = Sum{byte(k.Size)}, int64(len(vs))
			}
			if len(vs) > 0 {
				for range r.Intn(4) {
					of := vs[len(vs)-1-r.Intn(min(len(vs), 6))]
					k.Parents = append(k.Parents, of.ID)
					if r.Intn(2) == 0 {
						k.Path = of.Path
					}
					if r.Intn(3) == 0 {
						k.Kind, k.Size, k.Sum, k.Target = of.Kind, of.Size, of.Sum, of.Target
					}
				}
			}
			if hostile && r.Intn(3) == 0 { // also itself, and what is yet to come
				k.Parents = append(k.Parents, VersionID{Log: log.LogID{byte(9 - r.Intn(logs))}, Seq: uint64(1 + r.Intn(n/logs+1)), N: uint32(r.Intn(2))})
			}
			slices.SortFunc(k.Parents, VersionID.Compare)
			k.Parents = slices.Compact(k.Parents)
			vs = append(vs, k)
		}
	}
	return vs
}

// state returns all that a tree shows, as text by path.
func state(t *Tree) map[string]string {
	m := map[string]string{}
	for n := range t.All("") {
		m[n.Path] = fmt.Sprintf("%+v", n)
	}
	for _, n := range t.Trash("") {
		m["gone "+n.Path] = fmt.Sprintf("%+v %+v", n.Shown, n.Others)
	}
	return m
}

func oracleState(vs []Known) map[string]string {
	o := newOracle(vs)
	m := map[string]string{}
	for p, n := range o.nodes() {
		if n.Heads == nil {
			n.Heads = []VersionID{}
		}
		m[p] = fmt.Sprintf("%+v", n)
	}
	for p, vs := range o.gone() {
		m["gone "+p] = fmt.Sprintf("%+v %+v", vs[0], vs[1:])
	}
	return m
}

func diff(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	for p := range maps.Keys(want) {
		if got[p] != want[p] {
			t.Errorf("%s: %s is\n%s\nwant\n%s", what, p, got[p], want[p])
		}
	}
	for p := range maps.Keys(got) {
		if _, ok := want[p]; !ok {
			t.Errorf("%s: %s is\n%s\nwant nothing", what, p, got[p])
		}
	}
}

func TestFoldIsWhatTheRulesSay(t *testing.T) {
	seeds(t, 4000, func(t *testing.T, r *rand.Rand) {
		vs := randomVersions(r, 1+r.Intn(30))
		tr := New()
		tr.Add(vs...)
		diff(t, "fold", state(tr), oracleState(vs))
	})
}

func TestOrderDoesNotMatter(t *testing.T) {
	seeds(t, 2000, func(t *testing.T, r *rand.Rand) {
		vs := randomVersions(r, 1+r.Intn(40))
		whole := New()
		whole.Add(vs...)
		want := state(whole)
		r.Shuffle(len(vs), func(i, j int) { vs[i], vs[j] = vs[j], vs[i] })
		parts := New()
		for rest := vs; len(rest) > 0; {
			n := 1 + r.Intn(min(len(rest), 4))
			before := state(parts)
			touched := parts.Add(rest[:n]...)
			after := state(parts)
			for p, was := range before {
				if after[p] != was && len(p) > 0 && !slices.Contains(touched, plain(p)) {
					t.Errorf("%s changed untouched: %v\nfrom %s\nto   %s", p, touched, was, after[p])
				}
			}
			for p := range after {
				if _, ok := before[p]; !ok && !slices.Contains(touched, plain(p)) {
					t.Errorf("%s appeared untouched: %v", p, touched)
				}
			}
			if again := parts.Add(rest[:n]...); len(again) > 0 {
				t.Errorf("adding again touched %v", again)
			}
			rest = rest[n:]
		}
		diff(t, "in parts", state(parts), want)
		checkViews(t, parts)
	})
}

// plain returns the path of a key of state.
func plain(p string) string {
	if len(p) > 5 && p[:5] == "gone " {
		return p[5:]
	}
	return p
}

// checkViews holds the ways to look at a tree against each other.
func checkViews(t *testing.T, tr *Tree) {
	files := 0
	var conflicts []string
	var walk func(dir string)
	var listed []string
	walk = func(dir string) {
		for _, n := range tr.List(dir) {
			listed = append(listed, n.Path)
			walk(n.Path)
		}
	}
	walk("")
	i := 0
	for n := range tr.All("") {
		if i >= len(listed) || listed[i] != n.Path {
			t.Errorf("All has %s, List %v", n.Path, listed)
		}
		i++
		if got, ok := tr.Node(n.Path); !ok || !reflect.DeepEqual(got, n) {
			t.Errorf("Node(%s) = %+v, All %+v", n.Path, got, n)
		}
		if n.Shown.Kind != Dir {
			files++
		}
		if len(n.Others) > 0 {
			conflicts = append(conflicts, n.Path)
		}
		if _, ok := tr.Gone(n.Path); ok {
			t.Errorf("%s is there and gone", n.Path)
		}
		for below := range tr.All(n.Path) {
			if below.Path == n.Path && !reflect.DeepEqual(below, n) {
				t.Errorf("All(%s) begins with %+v", n.Path, below)
			}
		}
	}
	slices.Sort(conflicts)
	if got := tr.Conflicts(); !slices.Equal(got, conflicts) {
		t.Errorf("conflicts %v, want %v", got, conflicts)
	}
	if living, versions := tr.Len(); living != files || versions != len(tr.versions) {
		t.Errorf("%d living, want %d", living, files)
	}
}
