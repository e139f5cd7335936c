//go:build automergego

package oracle

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	am "inselnetz/crdt/automerge"
)

// startBinding builds and starts automerge-go in its child process. Its core is
// that of 2023: no bundles, no blocks, and some inputs abort it.
func startBinding(t testing.TB) *node {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "automergego")
	build := exec.Command("go", "build", "-o", bin, ".")
	build.Dir = "automergego"
	build.Env = append(os.Environ(), "CGO_ENABLED=1", "GOFLAGS=-mod=mod")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build automerge-go: %v\n%s", err, out)
	}
	n := &node{}
	n.start(t, bin)
	return n
}

// binding is startBinding for benchmarks.
func binding(t testing.TB) *node { return startBinding(t) }

// A goState is what the child says of a document.
type goState struct {
	Heads   []string
	Value   string
	Saved   []byte
	Changes [][]byte
}

// A goEdit is an edit that both do.
type goEdit struct {
	R     int
	Op    string
	Path  []any
	K, V  string
	Pos   int
	Del   int
	By    int64
	Time  int64
	From  int
	Empty bool
}

// TestAutomergeGo edits in both the same way, in random histories of what the
// binding can do, and compares hashes, values and files, and that each reads what
// the other wrote.
func TestAutomergeGo(t *testing.T) {
	n := startBinding(t)
	seeds, from := number(t, "HISTORIES", 500), 0
	if os.Getenv("SEED") != "" {
		from, seeds = number(t, "SEED", 0), number(t, "HISTORIES", 1)
	}
	for seed := from; seed < from+seeds; seed++ {
		g := &goHistory{dice: dice{rand.New(rand.NewPCG(uint64(seed), 2023))}}
		g.roll(t)
		var got struct {
			Hashes []string
			Ends   []goState
		}
		n.must(t, "play", map[string]any{"actors": g.actors, "steps": g.steps}, &got)
		for i, h := range got.Hashes {
			if g.steps[i].Op == "commit" && h != g.hashes[i] {
				t.Fatalf("seed %d: step %d %+v: hash %s here, %s there\n%x\n%x\n%+v", seed, i, g.steps[i], g.hashes[i], h,
					g.change(g.hashes[i]), changeOf(got.Ends, h), g.steps[:i+1])
			}
		}
		for r, end := range got.Ends {
			if err := g.compare(n, r, end); err != nil {
				t.Fatalf("seed %d: replica %d: %v\n%+v", seed, r, err, g.steps)
			}
		}
	}
}

// A goHistory is made on the engine and repeated by the binding.
type goHistory struct {
	dice
	actors []string
	docs   []*am.Doc
	steps  []goEdit
	hashes []string // of commits, by step
}

func (g *goHistory) roll(t *testing.T) {
	t.Helper()
	for i := range 2 + g.IntN(2) {
		g.actors = append(g.actors, g.actor(i))
		id, err := am.ParseActor(g.actors[i])
		if err != nil {
			t.Fatal(err)
		}
		g.docs = append(g.docs, am.New(am.Options{Actor: id}))
	}
	for _, e := range []goEdit{
		{Op: "put", Path: []any{"text"}, K: "text"}, {Op: "put", Path: []any{"list"}, K: "list"},
		{Op: "put", Path: []any{"n"}, K: "counter", V: "3"}, {Op: "put", Path: []any{"map"}, K: "map"}, {Op: "commit"},
	} {
		g.do(t, e)
	}
	for r := range g.docs[1:] {
		g.do(t, goEdit{R: r + 1, Op: "merge"})
	}
	for range 5 + g.IntN(40) {
		g.do(t, g.edit(g.IntN(len(g.docs))))
	}
	for r := range g.docs {
		g.do(t, goEdit{R: r, Op: "commit", Empty: true})
	}
	for r := range g.docs[1:] {
		g.do(t, goEdit{Op: "merge", From: r + 1})
	}
}

func (g *goHistory) edit(r int) goEdit {
	doc := g.docs[r]
	v := g.scalar()
	for v.K == "f64" && v.V[:3] == "7ff" { // NaN and infinities do not pass its JSON
		v = g.scalar()
	}
	switch g.IntN(8) {
	case 0:
		return goEdit{R: r, Op: "put", Path: []any{g.one("a", "b", "ö", "n")}, K: v.K, V: v.V}
	case 1:
		return goEdit{R: r, Op: "put", Path: []any{"map", g.one("x", "y")}, K: v.K, V: v.V}
	case 2, 3:
		if size, ok := g.size(doc, "text", am.KindText); ok {
			pos := g.IntN(size + 1)
			e := goEdit{R: r, Op: "splice", Path: []any{"text"}, Pos: pos, V: g.text(3)}
			if g.IntN(3) == 0 { // not both: the binding deletes before it inserts
				e.V, e.Del = "", g.IntN(size-pos+1)
			}
			return e
		}
	case 4:
		if size, ok := g.size(doc, "list", am.KindList); ok {
			return goEdit{R: r, Op: "insert", Path: []any{"list"}, Pos: g.IntN(size + 1), K: v.K, V: v.V}
		}
	case 5:
		if size, ok := g.size(doc, "list", am.KindList); ok && size > 0 {
			return goEdit{R: r, Op: g.one("delete", "put"), Path: []any{"list", float64(g.IntN(size))}, K: v.K, V: v.V}
		}
	case 6:
		if v, ok, _ := doc.Get(am.Root, am.Key("n")); ok && v.Kind() == am.KindCounter {
			return goEdit{R: r, Op: "increment", Path: []any{"n"}, By: int64(g.IntN(50)) - 20}
		}
	}
	return goEdit{R: r, Op: "commit", Empty: true, Time: int64(g.IntN(3)), V: g.one("", "saved")}
}

// change is the change with that hash.
func (g *goHistory) change(hash string) []byte {
	for _, doc := range g.docs {
		if c, ok := doc.Change(hashesOf([]string{hash})[0]); ok {
			return c.Bytes()
		}
	}
	return nil
}

// changeOf finds a change by the beginning of its hash, its checksum.
func changeOf(ends []goState, hash string) []byte {
	for _, end := range ends {
		for _, c := range end.Changes {
			if bytes.HasPrefix(c[4:], unhex(hash[:8])) {
				return c
			}
		}
	}
	return nil
}

func (g *goHistory) size(doc *am.Doc, key string, k am.Kind) (int, bool) {
	v, ok, _ := doc.Get(am.Root, am.Key(key))
	if !ok || v.Kind() != k {
		return 0, false
	}
	n, _ := doc.Len(v.Obj())
	return n, true
}

// do edits here and notes the edit.
func (g *goHistory) do(t *testing.T, e goEdit) {
	t.Helper()
	doc := g.docs[e.R]
	hash := ""
	obj, p := am.Root, am.Prop{}
	for i, at := range e.Path {
		p = prop(at)
		if i+1 < len(e.Path) || e.Op == "insert" || e.Op == "splice" {
			v, ok, err := doc.Get(obj, p)
			if err != nil || !ok || !v.Kind().IsObject() {
				return // the binding would make the way there
			}
			obj = v.Obj()
		}
	}
	var err error
	switch e.Op {
	case "put":
		if k, ok := kinds[e.K]; ok {
			_, err = doc.PutObject(obj, p, k)
		} else {
			err = doc.Put(obj, p, input(&value{e.K, e.V}))
		}
	case "insert":
		err = doc.Insert(obj, e.Pos, input(&value{e.K, e.V}))
	case "delete":
		err = doc.Delete(obj, p)
	case "increment":
		err = doc.Increment(obj, p, e.By)
	case "splice":
		err = doc.SpliceText(obj, e.Pos, e.Del, e.V)
	case "merge":
		for _, r := range []int{e.R, e.From} {
			if g.docs[r].Pending() > 0 {
				g.do(t, goEdit{R: r, Op: "commit"})
			}
		}
		err = doc.Merge(g.docs[e.From])
	case "commit":
		if doc.Commit(am.CommitOptions{Message: e.V, Time: e.Time, Empty: e.Empty}) {
			hash = hashes(doc.Heads())[0]
		}
	}
	if err != nil {
		t.Fatalf("%+v: %v", e, err)
	}
	g.steps = append(g.steps, e)
	g.hashes = append(g.hashes, hash)
}

func (g *goHistory) compare(n *node, r int, end goState) error {
	doc := g.docs[r]
	want, err := plain(doc.Reader, am.Root, am.KindMap)
	if err != nil {
		return err
	}
	if end.Value != want {
		return fmt.Errorf("value here:\n%s\nthere:\n%s", want, end.Value)
	}
	back, err := am.Load(end.Saved, am.Options{})
	if err != nil {
		return fmt.Errorf("its file: %w", err)
	}
	if err := errors.Join(equalHeads(doc, end.Heads), equalHeads(back, end.Heads), back.Verify()); err != nil {
		return err
	}
	if err := equalFiles(back.Save(), end.Saved); err != nil {
		return fmt.Errorf("its file, loaded and saved: %w", err)
	}
	var all []byte
	for _, c := range end.Changes {
		all = append(all, c...)
	}
	for how, b := range map[string][]byte{"load": doc.Save(), "incremental": doc.Save(), "changes": all} {
		var got goState
		if err := n.ask("look", map[string]any{"how": how, "bytes": b}, &got); err != nil {
			return fmt.Errorf("it reads our %s: %w", how, err)
		}
		if got.Value != want || !slices.Equal(got.Heads, end.Heads) {
			return fmt.Errorf("it reads from our %s:\n%s\nwant\n%s", how, got.Value, want)
		}
	}
	return nil
}

// plain is a value as the child's show writes it.
func plain(r am.Reader, obj am.ObjID, k am.Kind) (string, error) {
	entry := func(p am.Prop) (string, error) {
		v, _, err := r.Get(obj, p)
		switch {
		case err != nil:
			return "", err
		case v.Kind().IsObject():
			return plain(r, v.Obj(), v.Kind())
		case v.Kind() == am.KindStr:
			return "str " + strconv.Quote(v.Str()), nil
		}
		return scalar(v), nil
	}
	var parts []string
	switch k {
	case am.KindText:
		s, err := r.Text(obj)
		return "text " + strconv.Quote(s), err
	case am.KindList:
		n, err := r.Len(obj)
		if err != nil {
			return "", err
		}
		for i := range n {
			s, err := entry(am.Index(i))
			if err != nil {
				return "", err
			}
			parts = append(parts, s)
		}
		return "[" + strings.Join(parts, ", ") + "]", nil
	}
	keys, err := r.Keys(obj)
	if err != nil {
		return "", err
	}
	for _, key := range keys {
		s, err := entry(am.Key(key))
		if err != nil {
			return "", err
		}
		parts = append(parts, fmt.Sprintf("%q: %s", key, s))
	}
	slices.Sort(parts)
	return "{" + strings.Join(parts, ", ") + "}", nil
}

// TestAbortsOfTheBinding gives the engine the inputs that kill a process with
// automerge-go: errors here.
func TestAbortsOfTheBinding(t *testing.T) {
	n := startBinding(t)
	died := 0
	for _, f := range files(t) {
		if len(f.b) > 60_000 {
			continue
		}
		var s goState
		err := n.ask("look", map[string]any{"how": "incremental", "bytes": f.b}, &s)
		if !errors.Is(err, errPanic) {
			continue
		}
		died++
		n = startBinding(t)
		if _, err := am.Load(f.b, am.Options{}); err == nil {
			t.Errorf("%s kills automerge-go and is taken here", f.name)
		}
		if err := am.New(am.Options{}).LoadIncremental(f.b); err == nil {
			t.Errorf("%s kills automerge-go and is taken here bit by bit", f.name)
		}
	}
	if died == 0 {
		t.Error("nothing killed automerge-go")
	}
	t.Logf("%d inputs kill automerge-go", died)
}
